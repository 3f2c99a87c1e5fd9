"""The descent on the pixels of an image: the state at step 0, and a phase per size."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from genjax.config import pick
from genjax.engine.phase import Phase
from genjax.engine.state import Key, Net, State
from genjax.tasks.style.images import Images, resized
from genjax.tasks.style.objective import Objective, Targets


def init_state(objective: Objective, tx, key: Key) -> State:
    """Noise of every size, and the encoder. With color="luma" the state has room for the content: outputs need it."""
    s = objective.settings
    images = {
        str(number): 0.25 * jax.random.normal(jax.random.fold_in(key, number), (*size, 3))
        for number, size in enumerate(s.sizes)
    }
    image = Net(images, {}, {number: _finite(tx.init(x)) for number, x in images.items()})
    encoder = Net(objective.encoder.variables["params"], {}, ())
    extra = {"content": jnp.zeros(s.shape, jnp.uint8)} if s.color == "luma" else {}
    return State(jnp.int32(0), {"image": image, "encoder": encoder}, {}, extra)


def make_phase(objective: Objective, tx, number: int, images: Callable[[], Images]) -> Phase:
    """One size of the image: how its phase begins, what its steps take besides the state, and a step."""
    s = objective.settings
    key = str(number)
    size = s.sizes[number]

    def enter(state: State, _: Key, images: Images) -> State:
        """Start from the smaller image, enlarged; in the first phase from the content or from noise.

        A frame of a film that takes over another starts from that in any phase.
        """
        if number and images.carried is None:
            x = state.nets["image"].params[str(number - 1)]
            return _with_image(state, key, resized(x, size), state.nets["image"].opt)
        if s.color == "luma":
            state = state.replace(extra={"content": jnp.asarray(images.content)})
        if s.start == "noise" and images.carried is None:
            return state
        return _with_image(state, key, resized(objective.start(images), size), state.nets["image"].opt)

    def prepare(state: State, images: Images) -> dict[str, Any]:
        """The targets, and what makes repeated calls of the encoder fast."""
        variables = state.nets["encoder"].variables
        kernels = objective.encoder.precompute(variables, s.layers)
        return {"kernels": kernels, "targets": objective.targets({**variables, **kernels}, images, size)}

    def step(state: State, batch, _: Key, kernels, targets: Targets):
        """One update of the image; the content is in the targets, so the batch is not used."""
        variables = {**state.nets["encoder"].variables, **kernels}
        image = state.nets["image"]
        x = image.params[key]
        opt = image.opt[key]

        def loss(x):
            return objective.loss(x, variables, targets)

        (value, metrics), gradient = jax.value_and_grad(loss, has_aux=True)(x)
        updates, opt = tx.update(gradient, opt, x, value=value, grad=gradient, value_fn=lambda x: loss(x)[0])
        x = optax.apply_updates(x, updates)
        return _with_image(state.replace(step=state.step + 1), key, x, image.opt | {key: opt}), metrics

    name = f"{size[0]}x{size[1]}"
    if size != s.shape[:2]:
        name += f" of {s.shape[0]}x{s.shape[1]}"
    return Phase(name, s.steps[number], 1, step, enter=enter, prepare=prepare, inputs=lambda: {"images": images()})


def optimizer(name: str, learning_rate: float, b1: float, b2: float) -> optax.GradientTransformationExtraArgs:
    """The optimizer of the pixels. Raises: InputError for an unknown name."""
    makers = {
        "adam": lambda: optax.with_extra_args_support(optax.adam(learning_rate, b1, b2)),
        "lbfgs": lambda: optax.lbfgs(),
    }
    return pick(makers, name, "optimizer.name")()


def _with_image(state: State, key: str, x, opt) -> State:
    image = state.nets["image"]
    return state.replace(nets=state.nets | {"image": Net(image.params | {key: x}, {}, opt)})


def _finite(opt):
    """An optimizer's state with zeros for infinities: L-BFGS starts with one, which it never uses."""
    return jax.tree.map(lambda a: jnp.nan_to_num(a, posinf=0.0), opt)
