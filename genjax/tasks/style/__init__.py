"""Gatys' style transfer: gradient descent on the pixels of an image.

The image is the net that is trained, and its pixels are the parameters. The content is the one image of the data set;
the config names the style images. Each phase works at one size, from small to large, and starts from the result of the
previous one. Its targets (feature maps of the content, Gram matrices of the styles) are computed once, by
`Phase.prepare`; they are not part of the state.

- `settings`: the keys of the config, and the checked settings that are made of them.
- `checks`: configs that are refused before anything is compiled.
- `images`: content, styles and masks from files, and their digests.
- `objective`: the targets of a phase, and the loss.
- `descent`: the state at step 0, and the phases.
- `task`: the task of a config, and its output.

Source: arXiv:1508.06576; coarse to fine, masks and luma: arXiv:1611.07865; colors: arXiv:1606.05897.
"""

from genjax.tasks.style.settings import config
from genjax.tasks.style.task import build

__all__ = ["build", "config"]
