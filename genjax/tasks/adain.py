"""AdaIN: a decoder learns to draw any content in any style, after their features have exchanged moments.

The encoder is trained already and frozen. Examples are contents over styles (`data.name="pairs:A,B"`).
Source: arXiv:1703.06868, sections 5 and 6.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import Net, State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.losses.style import moments_loss
from genjax.nets.adain import WIDTHS, Decoder
from genjax.nets.adain import reach as decoder_reach
from genjax.ops import noise
from genjax.ops.moments import adaptive_instance_norm
from genjax.ops.pixels import to_pixels
from genjax.weights import encoders
from genjax.weights.encoders import Encoder


def config() -> ConfigDict:
    """Every key of AdaIN's config with its default, locked."""
    c = defaults(task="adain")
    c.data.size = "256"
    c.data.channels = 3
    c.encoder = "squeezenet"  # or "vgg:FILE"
    c.layer = ""  # whose moments are exchanged; "": SqueezeNet's fire3, VGG's relu4_1
    c.style_layers = ()  # of the style loss; (): SqueezeNet's conv1 and fire2 to fire4, VGG's relu1_1 to relu4_1
    c.crop = 128  # pixels of a random square crop of each image, a multiple of 8; 0: the whole image
    c.style_weight = 10.0  # lambda
    c.jitter = 0  # pixels by which an image is moved at random, and cut, before its style is measured; 0: none
    c.widths = ()  # of the decoder: see genjax.nets.adain; (): the encoder's mirror
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-4, "b1": 0.9, "b2": 0.999, "decay": 0})
    c.samples = 8
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """AdaIN for pairs of one shape, from its config. Raises: InputError for settings that do not fit."""
    encoder = load_encoder(c)
    side = _crop_size(c, shape, encoder)
    decoder = Decoder(tuple(map(tuple, c.widths)) or WIDTHS[encoder.kind])
    feature_shape = _feature_shape(encoder, decoder, side)
    tx = optimizer(**c.optimizer)
    encode = computing_in(c.dtype, encoder.apply)
    decode = computing_in(c.dtype, decoder.apply)

    def init(key):
        variables = decoder.init(key, jnp.zeros(feature_shape))
        frozen = Net(encoder.variables["params"], {}, ())
        return State(jnp.int32(0), {"decoder": init_net(variables, tx), "encoder": frozen}, {}, {})

    def maps(state, x, names):
        """The encoder's feature maps of pixels from 0 to 255."""
        return encode(state.nets["encoder"].variables, x.astype(float), names)

    def loss(params, stats, state, content, style, key):
        layer = encoder.adain_layer
        names = tuple(dict.fromkeys((*encoder.adain_style, layer)))
        styles = maps(state, style, names)
        target = adaptive_instance_norm(maps(state, content, (layer,))[layer], styles[layer])
        image = to_pixels(decode({"params": params}, target), "tanh")
        output = maps(state, image, (layer,) if c.jitter else names)
        of_content = jnp.square(output[layer] - target).mean()
        measured = maps(state, _moved(image, c.jitter, key), encoder.adain_style) if c.jitter else output
        of_style = sum(moments_loss(measured[name], styles[name]) for name in encoder.adain_style)
        total = of_content + c.style_weight * of_style
        return total, (stats, {"loss": total, "content/loss": of_content, "style/loss": of_style})

    def step(state, batch, key):
        """One update of the decoder."""
        x = batch["x"][0]
        halves = enumerate((x[:, : shape[1]], x[:, shape[1] :]))
        content, style = (random_crop(half, side, jax.random.fold_in(key, number)) for number, half in halves)
        trained, metrics = gradient_step(state.nets["decoder"], tx, loss, state, content, style, key)
        return state.replace(step=state.step + 1, nets=state.nets | {"decoder": trained}), metrics

    def features(state, x):
        """The features whose moments are exchanged. Shapes: pixels from 0 to 255 [N, H, W, 3] -> [N, h, w, C]."""
        return maps(state, x, (encoder.adain_layer,))[encoder.adain_layer]

    def pixels(state, features):
        """The images of features: pixels from 0 to 255, not rounded or clipped. Shapes: -> [N, H, W, 3]."""
        return to_pixels(decode(state.nets["decoder"].variables, features), "tanh")

    def stylize(state, x):
        """Contents in the styles below them. Shapes: uint8 [N, 2H, H, 3] -> [N, H, H, 3], as `pixels`."""
        content, style = jnp.split(x, 2, 1)
        return pixels(state, adaptive_instance_norm(features(state, content), features(state, style)))

    outputs = {"features": features, "pixels": pixels, "stylize": stylize}
    return Task(init, (Phase("train", c.steps, c.batch, step),), outputs)


def load_encoder(c: ConfigDict) -> Encoder:
    """The encoder of a config, with the layers that it names. Raises: InputError for ones that it does not have."""
    encoder = encoders.load(c.encoder)
    if c.layer:
        encoder.check((c.layer,), "layer")
        encoder = encoder._replace(adain_layer=c.layer)
    if c.style_layers:
        encoder.check(tuple(c.style_layers), "style_layers")
        encoder = encoder._replace(adain_style=tuple(c.style_layers))
    return encoder


def reach(c: ConfigDict) -> int:
    """At most how far a pixel in the style depends on the content's pixels, besides the moments, in pixels."""
    encoder = load_encoder(c)
    return encoder.geometry[encoder.adain_layer].reach + decoder_reach(c.widths or WIDTHS[encoder.kind])


def _crop_size(c: ConfigDict, shape: tuple[int, ...], encoder: Encoder) -> int:
    """The height and width that is trained on. Raises: InputError for pairs or a crop that do not fit."""
    if len(shape) != 3 or shape[2] != 3 or shape[0] != 2 * shape[1]:
        raise InputError(
            f"task 'adain' takes a square content over a square style, in color, but the data have shape "
            f"{list(shape)}: set data.name=pairs:CONTENTS,STYLES, data.size=256 and data.channels=3"
        )
    if c.data.bits != 8:
        raise InputError(f"data.bits={c.data.bits}: task 'adain' takes images of 8 bits: leave it at 8")
    side = c.crop or shape[1]
    smallest = max(16, encoder.smallest)
    if side % 8 or not smallest <= side <= shape[1]:
        raise InputError(
            f"crop={c.crop} of images of {shape[1]} pixels: expected a multiple of 8 from "
            f"{-(-smallest // 8) * 8} to {shape[1]}, or 0 for whole images of one of these sizes"
        )
    if not 0 <= c.jitter <= side - smallest:
        raise InputError(
            f"jitter={c.jitter}: expected a number from 0, none, to {side - smallest}, so that "
            f"{smallest} of {side} pixels are left"
        )
    return side


def _feature_shape(encoder: Encoder, decoder: Decoder, side: int) -> tuple[int, ...]:
    """The shape of the features of one crop. Raises: InputError for a decoder whose images have another size."""
    layer = encoder.adain_layer
    features = _shape_of(lambda x: encoder.apply(encoder.variables, x, (layer,))[layer], (1, side, side, 3))
    decoded = _shape_of(lambda x: decoder.init_with_output(jax.random.key(0), x)[0], features)
    if decoded[1] != side:
        raise InputError(
            f"widths={decoder.widths}: {len(decoder.widths)} tuples make {decoded[1]} pixels of {features[1]} at "
            f"{layer}, expected {side}: one more tuple doubles them"
        )
    return features


def _shape_of(function, shape):
    return jax.eval_shape(function, jax.ShapeDtypeStruct(shape, jnp.float32)).shape


def _moved(x, jitter: int, key):
    """x less `jitter` rows and columns at its edges; how many are above and to the left is random.

    SqueezeNet's first layers skip pixels, so a decoder can satisfy them with a pattern that has their period. It cannot
    if the image lies anywhere on their grid. Not in the paper, whose VGG skips none. Shapes: [B, H, W, C] -> [B, H -
    jitter, W - jitter, C].
    """
    row, column = jax.random.randint(jax.random.fold_in(key, 2), (2,), 0, jitter + 1)
    batch, height, width, colors = x.shape
    return jax.lax.dynamic_slice(x, (0, row, column, 0), (batch, height - jitter, width - jitter, colors))


def random_crop(x, side: int, key):
    """A random square of each image, mirrored with probability 1/2. Shapes: [B, H, W, C] -> [B, side, side, C]."""
    room = jnp.array([n - side + 1 for n in x.shape[1:3]])
    u = noise.uniform(key, len(x), (3,))

    def crop(x, u):
        row, column = jnp.floor(u[:2] * room).astype(jnp.int32)
        x = jax.lax.dynamic_slice(x, (row, column, 0), (side, side, x.shape[2]))
        return jnp.where(u[2] < 0.5, x, x[:, ::-1])

    return jax.vmap(crop)(x, u)
