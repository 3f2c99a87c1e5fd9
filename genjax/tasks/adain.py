"""AdaIN: a decoder learns to paint any content in any style, for which it exchanges an encoder's moments.

The encoder is trained already and stays as it is. Examples are contents over styles (`data.name="pairs:A,B"`).
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
from genjax.losses.style import statistics
from genjax.nets.adain import WIDTHS, Decoder
from genjax.ops import noise
from genjax.ops.moments import adain
from genjax.ops.pixels import to_pixels
from genjax.weights import encoders


def config() -> ConfigDict:
    """Every key of AdaIN's config with its default, locked."""
    c = defaults(task="adain")
    c.data.size, c.data.channels = "256", 3
    c.encoder = "squeezenet"  # or "vgg:FILE"
    c.crop = 128  # pixels a side, a multiple of 8, cut out of each image at random; 0: the whole
    c.style_weight = 10.0  # lambda
    c.widths = ()  # of the decoder: see genjax.nets.adain; (): the encoder's mirror
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-4, "b1": 0.9, "b2": 0.999, "decay": 0})
    c.samples = 8
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """AdaIN for pairs of one shape, from its config. Raises: InputError for what does not fit."""
    encoder = encoders.load(c.encoder)
    side = c.crop or shape[1]
    if len(shape) != 3 or shape[2] != 3 or shape[0] != 2 * shape[1]:
        raise InputError(
            f"task 'adain' takes a square content over a square style, in color, but the data have shape "
            f"{list(shape)}: set data.name=pairs:CONTENTS,STYLES, data.size=256 and data.channels=3"
        )
    if side % 8 or not max(16, encoder.smallest) <= side <= shape[1]:
        raise InputError(
            f"crop={c.crop} of images of {shape[1]} pixels: expected a multiple of 8 from "
            f"{-(-max(16, encoder.smallest) // 8) * 8} to {shape[1]}, or 0 for the whole of such a size"
        )
    decoder, tx = Decoder(tuple(map(tuple, c.widths)) or WIDTHS[encoder.kind]), optimizer(**c.optimizer)
    latent = encoder.latent
    coded = _shape_of(lambda x: encoder.apply(encoder.variables, x, (latent,))[latent], (1, side, side, 3))
    painted = _shape_of(lambda x: decoder.init_with_output(jax.random.key(0), x)[0], coded)
    if painted[1] != side:
        raise InputError(
            f"widths={c.widths}: {len(decoder.widths)} tuples make {painted[1]} pixels of {coded[1]} at {latent}, "
            f"expected {side}: one more tuple doubles them"
        )
    look, paint = computing_in(c.dtype, encoder.apply), computing_in(c.dtype, decoder.apply)

    def init(key):
        variables = decoder.init(key, jnp.zeros(coded))
        frozen = Net(encoder.variables["params"], {}, ())
        return State(jnp.int32(0), {"decoder": init_net(variables, tx), "encoder": frozen}, {}, {})

    def maps(state, x, names):
        """The encoder's maps of pixels from 0 to 255."""
        return look(state.nets["encoder"].variables, x.astype(float), names)

    def loss(params, stats, state, content, style):
        names = tuple(dict.fromkeys((*encoder.levels, latent)))
        styles = maps(state, style, names)
        target = adain(maps(state, content, (latent,))[latent], styles[latent])
        found = maps(state, to_pixels(paint({"params": params}, target), "tanh"), names)
        of_content = jnp.square(found[latent] - target).mean()
        of_style = sum(statistics(found[name], styles[name]) for name in encoder.levels)
        total = of_content + c.style_weight * of_style
        return total, (stats, {"loss": total, "content/loss": of_content, "style/loss": of_style})

    def step(state, batch, key):
        """One update on contents in the styles under them."""
        x = batch["x"][0]
        pairs = enumerate((x[:, : shape[1]], x[:, shape[1] :]))
        content, style = (cropped(half, side, jax.random.fold_in(key, number)) for number, half in pairs)
        trained, metrics = gradient_step(state.nets["decoder"], tx, loss, state, content, style)
        return state.replace(step=state.step + 1, nets=state.nets | {"decoder": trained}), metrics

    def features(state, x):
        """What moments are exchanged of. Shapes: pixels from 0 to 255 [N, H, W, 3] -> [N, h, w, C]."""
        return maps(state, x, (latent,))[latent]

    def pixels(state, features):
        """Images of features, pixels from 0 to 255, neither rounded nor clipped. Shapes: -> [N, H, W, 3]."""
        return to_pixels(paint(state.nets["decoder"].variables, features), "tanh")

    def stylize(state, x):
        """Contents in the styles under them. Shapes: uint8 [N, 2H, H, 3] -> [N, H, H, 3], as `pixels`."""
        content, style = jnp.split(x, 2, 1)
        return pixels(state, adain(features(state, content), features(state, style)))

    outputs = {"features": features, "pixels": pixels, "stylize": stylize}
    return Task(init, (Phase("train", c.steps, c.batch, step),), outputs)


def _shape_of(function, shape):
    return jax.eval_shape(function, jax.ShapeDtypeStruct(shape, jnp.float32)).shape


def cropped(x, side: int, key):
    """A square out of each image, anywhere, and mirrored or not. Shapes: [B, H, W, C] -> [B, side, side, C]."""
    room = jnp.array([n - side + 1 for n in x.shape[1:3]])
    u = noise.uniform(key, len(x), (3,))

    def cut(x, u):
        row, column = jnp.floor(u[:2] * room).astype(jnp.int32)
        x = jax.lax.dynamic_slice(x, (row, column, 0), (side, side, x.shape[2]))
        return jnp.where(u[2] < 0.5, x, x[:, ::-1])

    return jax.vmap(cut)(x, u)
