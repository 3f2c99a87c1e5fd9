"""Pages of many kinds of runs in one process, each under its name: python tests/desk.py FOLDER PORT NAME...

The runs are made here, with random weights, at two steps.
"""

import sys
from pathlib import Path

from helpers import ROOT, saved_run

IMAGES = ROOT / "docs/images/style"
STYLEGAN = {"generator__channels": (8, 8, 8, 8, 4), "critic__channels": (8, 8, 8, 8, 4)}
RUNS = {
    "gan": ("gan", {}),
    "classes": ("cgan", {}),
    "stylegan": ("stylegan2", {"data__name": "emoji_64", **STYLEGAN}),
    "vae": ("vae", {"vae__widths": (8, 2)}),
    "autoencoder": ("ae_conv", {}),
    "codes": ("vqvae", {}),
    "paired": ("pix2pix", {}),
    "unpaired": ("cyclegan", {}),
    "painter": ("style_adain", {}),
    "descent": ("style_gatys", {"data__name": f"image:{IMAGES}/cat.jpg", "style__images": (f"{IMAGES}/glass.jpg",)}),
}
"""Page -> config and its overrides."""


def make(name: str, folder: Path) -> Path:
    """A run at the steps 7 and 9, of ten."""
    from genjax.engine.checkpoint import Checkpoints
    from genjax.run.restore import restore

    config, overrides = RUNS[name]
    steps = {} if name == "descent" else {"steps": 10}
    if (folder / name).exists():
        return folder / name
    path = saved_run(config, folder / name, **overrides, **steps)
    _, state = restore(path)
    Checkpoints(path / "checkpoints").save(state.replace(step=state.step + 2), {})
    return path


def main(folder: str, port: str, *names: str) -> None:
    """Make the runs and serve their pages."""
    import nicegui

    from genjax.exploration.explorer import Explorer
    from genjax.exploration.page.serve import add_page
    from genjax.exploration.request import Request

    for name in names:
        add_page(nicegui, f"/{name}", Explorer(make(name, Path(folder))), Request(), "explored")
    nicegui.ui.run(port=int(port), host="127.0.0.1", reload=False, show=False, show_welcome_message=False, dark=None)


if __name__ in {"__main__", "__mp_main__"}:
    main(*sys.argv[1:])
