"""Where examples come from. `load` opens a data set by name; `positions` says in which order it is read."""

import re

from ml_collections import ConfigDict

from genjax.data import images
from genjax.data.order import positions
from genjax.data.source import Source
from genjax.errors import InputError, did_you_mean

PACKAGED = ("fashion_mnist_10k", "emoji_32", "emoji_64")
MIXTURES = ("ring8", "grid25")
NAMES = (*PACKAGED, "fashion_mnist", *MIXTURES, "swiss_roll", "arc3d")


def load(config) -> Source:
    """Opens the data set that `config` names, checked and ready to read.

    config.name: one of NAMES, "shapes_SIDE", "textures_SIDE", "tfds:NAME", "folder:PATH", "image:FILE",
    "series:PATH", "stacked:NAME" or "pairs:NAME,NAME". config.split: "train", "test", slices and sums of them.
    config.size, channels, resize: the form of images (see images.form). config.dir: where TFDS keeps its data.

    Raises: InputError for everything that is wrong with the request or the data; nothing fails later that a look at
    the data could have found.
    """
    name, split, form = str(config.name), str(config.split), images.form(config)
    kind, _, rest = name.partition(":")
    if kind == "folder" and rest:
        from genjax.data.folder import load_folder

        return load_folder(name, split, form)
    if kind == "image" and rest:
        from genjax.data.folder import load_image

        return load_image(name, split, form)
    if kind == "series" and rest:
        from genjax.data.series import load_series

        return load_series(name, split, form)
    if kind == "stacked" and rest:
        from genjax.data.stacked import stack

        base = ConfigDict(config)
        base.name = rest
        return stack(name, load(base))
    if kind == "pairs" and rest.count(",") == 1:
        from genjax.data.pairs import pair

        upper, lower = (ConfigDict(config), ConfigDict(config))
        upper.name, lower.name = rest.split(",")
        return pair(name, load(upper), load(lower))
    if kind == "tfds" and rest:
        from genjax.data.tfds import load_tfds

        return load_tfds(name, split, form, config.dir)
    if name == "fashion_mnist_10k":
        from genjax.data.packaged import load_fashion_10k

        return load_fashion_10k(name, split, form)
    if name in PACKAGED:
        from genjax.data.packaged import load_emoji

        return load_emoji(name, split, form)
    if name == "fashion_mnist":
        from genjax.data.fashion_mnist import load_fashion

        return load_fashion(name, split, form, config.dir)
    if name == "arc3d":
        from genjax.data.synthetic import load_arc

        return load_arc(split, form)
    if name == "swiss_roll":
        from genjax.data.synthetic import load_swiss_roll

        return load_swiss_roll(split, form)
    if name in MIXTURES:
        from genjax.data.synthetic import load_mixture

        return load_mixture(name, split, form)
    if re.fullmatch(r"(shapes|textures)_\d+", name):
        from genjax.data.drawn import load_drawn

        return load_drawn(name, split, form)
    raise InputError(
        f"data.name {name!r} is unknown{did_you_mean(name, NAMES)}. "
        f"Expected {', '.join(NAMES)}, shapes_SIDE, textures_SIDE, tfds:NAME, folder:PATH, "
        "image:FILE, series:PATH, stacked:NAME or pairs:NAME,NAME."
    )
