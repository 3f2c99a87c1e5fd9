"""The settings of a style transfer: the keys of its config, and the layers, weights and sizes that follow from them."""

from dataclasses import dataclass
from itertools import accumulate

from ml_collections import ConfigDict

from genjax.config import defaults
from genjax.errors import InputError
from genjax.ops.windows import check_windows, overlap_of
from genjax.tasks.style import checks
from genjax.weights.encoders import Encoder


def config() -> ConfigDict:
    """Every key of a style transfer's config with its default, locked."""
    c = defaults(task="style")
    c.data.name = "image:content.jpg"
    c.data.size = "256"
    c.data.channels = 3
    c.encoder = "squeezenet"  # or "vgg:FILE"
    c.pooling = "average"  # of VGG, as in the paper; or "max", as VGG was trained
    c.content = ConfigDict({"layers": (), "weight": 1.0})  # (): the encoder's defaults, see genjax.weights.encoders
    c.style = ConfigDict(
        {
            "images": (),  # files, one or more
            "shares": (),  # weight of each image; (): equal
            "masks": (),  # files, one per image: white where its style goes; (): everywhere
            "layers": (),  # (): the encoder's defaults
            "weights": (),  # weight of each layer; (): equal
            "scale": 1.0,  # longer side of the style images / that of the content: larger means larger strokes
            "weight": 1.0,
        }
    )
    c.variation = ConfigDict({"weight": 0.0})  # total variation: differences of neighboring pixels
    c.relative = True  # divide the loss of each layer by that of a zero prediction, so that weights suit any net
    c.start = "recolored"  # the content in the styles' colors; or "content", or "noise"
    c.color = ""  # keep the content's colors: "luma" transfers the luma alone, "match" recolors the styles
    c.tile = 0  # pixels of windows in which a large image is encoded, for less memory; 0: as a whole
    c.overlap = 0  # pixels that windows share; 0: as far as the layers reach, which changes nothing but the memory
    c.coarse = ()  # factors by which earlier phases shrink height and width: (4, 2)
    c.coarse_steps = 100  # of each of these phases
    c.optimizer = ConfigDict(
        {"name": "adam", "learning_rate": 0.05, "b1": 0.9, "b2": 0.999}
    )  # or "lbfgs", which uses none of the other keys
    c.steps = 300
    c.batch = 1
    c.samples = 1
    c.log_every = 10
    c.sample_every = 20
    c.save_every = 100
    return c.lock()


@dataclass(frozen=True)
class Settings:
    """A checked config: layers, weights and sizes.

    Fields:
        shape: of the content, (height, width, 3).
        sizes: of the image in each phase, (height, width).
        steps: of each phase.
        content_layers, style_layers: names of the encoder's layers.
        layer_weights: one per style layer; they sum to one.
        shares: one per style image; they sum to one.
        weights: of content, style and total variation in the loss.
        relative, start, color: as in the config.
        tile, overlap, multiple: of windows, see genjax.ops.windows; tile is 0 without.
        temporal: weight of a frame's difference from what it takes over from the one before it; only films have it.
    """

    shape: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]
    steps: tuple[int, ...]
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    layer_weights: tuple[float, ...]
    shares: tuple[float, ...]
    weights: tuple[float, float, float]
    relative: bool
    start: str
    color: str
    tile: int
    overlap: int
    multiple: int
    temporal: float = 0.0

    @classmethod
    def parse(cls, c: ConfigDict, shape: tuple[int, ...], encoder: Encoder) -> "Settings":
        """The settings of a config; no file is read. Raises: InputError for values that do not fit."""
        checks.check(c, shape)
        content_layers = tuple(c.content.layers) or encoder.gatys_content
        style_layers = tuple(c.style.layers) or encoder.gatys_style
        encoder.check(content_layers, "content.layers")
        encoder.check(style_layers, "style.layers")
        sizes = tuple(tuple(max(1, round(n / factor)) for n in shape[:2]) for factor in (*c.coarse, 1))
        if min(map(min, sizes)) < encoder.smallest:
            raise InputError(
                f"coarse={c.coarse} of {shape[0]}x{shape[1]} pixels gives {sizes[0][0]}x{sizes[0][1]}: "
                f"{encoder.kind} needs at least {encoder.smallest}x{encoder.smallest}"
            )
        tile, overlap, multiple = _windows(c, encoder, (*content_layers, *style_layers))
        return cls(
            shape=shape,
            sizes=sizes,
            steps=(*[c.coarse_steps] * len(c.coarse), c.steps),
            content_layers=content_layers,
            style_layers=style_layers,
            layer_weights=checks.normalized(c.style.weights, len(style_layers), "style.weights", "layer"),
            shares=checks.normalized(c.style.shares, len(c.style.images), "style.shares", "image"),
            weights=(c.content.weight, c.style.weight, c.variation.weight),
            relative=c.relative,
            start=c.start,
            color=c.color,
            tile=tile,
            overlap=overlap,
            multiple=multiple,
        )

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers that are used, each once."""
        return tuple(dict.fromkeys((*self.content_layers, *self.style_layers)))

    @property
    def starts(self) -> tuple[int, ...]:
        """The global step at which each phase begins."""
        return (0, *accumulate(self.steps[:-1]))


def _windows(c: ConfigDict, encoder: Encoder, layers: tuple[str, ...]) -> tuple[int, int, int]:
    """Tile, overlap and grid of windows for layers, (0, 0, 1) without. Raises: InputError if they do not fit."""
    if not c.tile and not c.overlap:
        return 0, 0, 1
    geometry = [encoder.geometry[name] for name in layers]
    multiple = max(place.stride for place in geometry)
    overlap = c.overlap or overlap_of(max(place.reach for place in geometry), multiple)
    check_windows(c.tile, overlap, multiple, encoder.smallest)
    return c.tile, overlap, multiple
