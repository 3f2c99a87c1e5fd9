"""A classifier of labeled images: what a data set's own features and classes are taken from."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.outputs import apply_in_batches
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.nets import contracts, convnet
from genjax.ops.pixels import to_float

CLASSIFIERS = {"convnet": convnet.Classifier}


def config() -> ConfigDict:
    """Every key of a classifier's config with its default, locked: a misspelt key in a config file raises."""
    c = defaults(task="classifier")
    c.eval.metrics = "accuracy"
    c.classes = 10  # labels go from 0 to classes - 1
    c.classifier = ConfigDict({"net": "convnet"})  # further keys: the fields of genjax.nets.convnet.Classifier
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A classifier of images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit the data.
    """
    if len(shape) != 3:
        raise InputError(f"a classifier needs images, but the data are points of shape {list(shape)}")
    if c.classes < 2:
        raise InputError(f"classes={c.classes}: expected at least 2")
    net = construct(CLASSIFIERS, c.classifier, "classifier", contracts.Classifier.check, classes=c.classes)
    apply, tx = computing_in(c.dtype, net.apply), optimizer(**c.optimizer)

    def init(key):
        return State(jnp.int32(0), {"classifier": init_net(net.init(key, jnp.zeros((1, *shape))), tx)}, {}, {})

    def loss(params, stats, x, label, key):
        logits = apply({"params": params}, x, train=True, rngs={"dropout": key}).logits
        # A label beyond the classes makes the loss NaN, and the loop stops.
        value = optax.softmax_cross_entropy_with_integer_labels(logits, label).mean()
        return value, (stats, {"loss": value, "accuracy": (logits.argmax(1) == label).mean()})

    def step(state, batch, key):
        """One update by cross-entropy."""
        x, label = to_float(batch["x"][0], "sigmoid"), batch["label"][0]
        trained, metrics = gradient_step(state.nets["classifier"], tx, loss, x, label, key)
        return State(state.step + 1, {"classifier": trained}, state.ema, state.extra), metrics

    def look(state, x):
        return net.apply(state.nets["classifier"].variables, to_float(x, "sigmoid"))

    def features(state, x):
        """The last hidden layer. Shapes: x uint8 [N, *shape] -> [N, widths[-1]]."""
        return look(state, x).features

    def classify(state, x):
        """The probability of each class. Shapes: x uint8 [N, *shape] -> [N, classes]."""
        return jax.nn.softmax(look(state, x).logits)

    phase = Phase("train", c.steps, c.batch, step)
    return Task(init, (phase,), {"features": features, "classify": classify})


def accuracy(task: Task, state: State, x: np.ndarray, labels: np.ndarray) -> float:
    """The part of images whose likeliest class is theirs. Shapes: x uint8 [N, *shape], labels [N]."""
    return float(np.mean(apply_in_batches(task.outputs["classify"], state, x).argmax(1) == labels))
