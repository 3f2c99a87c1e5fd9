"""A classifier of labeled images, whose features and classes can measure samples of the same data set."""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.losses.classification import accuracy, cross_entropies, cross_entropy
from genjax.nets import contracts, convnet
from genjax.ops import attack
from genjax.ops.pixels import to_float

CLASSIFIERS = {"convnet": convnet.Classifier}


def config() -> ConfigDict:
    """Every key of a classifier's config with its default, locked: a misspelled key in a config file raises."""
    c = defaults(task="classifier")
    c.eval.metrics = "accuracy"
    c.classes = 10  # labels go from 0 to classes - 1
    c.classifier = ConfigDict({"net": "convnet"})  # further keys: the fields of genjax.nets.convnet.Classifier
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    # Train on examples that PGD moves by up to epsilon, for pixels from 0 to 1 (arXiv:1706.06083); 0 trains on images.
    c.adversarial = ConfigDict({"epsilon": 0.0, "step": 0.04, "steps": 5})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A classifier for images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit the data. In training a label beyond the
    classes makes the loss NaN, and the run stops.
    """
    if len(shape) != 3:
        raise InputError(f"a classifier needs images, but the data are points of shape {list(shape)}")
    if c.classes < 2:
        raise InputError(f"classes={c.classes}: expected at least 2")
    check_adversarial(c.adversarial)
    net = construct(CLASSIFIERS, c.classifier, "classifier", contracts.Classifier.check, classes=c.classes)
    apply = computing_in(c.dtype, net.apply)
    tx = optimizer(**c.optimizer)

    def init(key):
        return State(jnp.int32(0), {"classifier": init_net(net.init(key, jnp.zeros((1, *shape))), tx)}, {}, {})

    def loss(params, stats, x, label, key):
        logits = apply({"params": params}, x, train=True, rngs={"dropout": key}).logits
        value = cross_entropy(logits, label)
        return value, (stats, {"loss": value, "accuracy": accuracy(logits, label)})

    def attacked(params, x, label, key):
        """Adversarial examples: the inner maximization of arXiv:1706.06083, equation 2.1, without dropout."""
        epsilon, step, steps = c.adversarial.epsilon, c.adversarial.step, c.adversarial.steps
        start = attack.random_start(key, x, epsilon)
        return attack.pgd(
            lambda x: cross_entropies(apply({"params": params}, x).logits, label), x, epsilon, step, steps, start
        )

    def step(state, batch, key):
        """One update by cross-entropy, of images or of adversarial examples."""
        x, label = to_float(batch["x"][0], "sigmoid"), batch["label"][0]
        if c.adversarial.epsilon:
            key, start = jax.random.split(key)
            x = attacked(state.nets["classifier"].params, x, label, start)
        trained, metrics = gradient_step(state.nets["classifier"], tx, loss, x, label, key)
        return State(state.step + 1, {"classifier": trained}, state.ema, state.extra), metrics

    def predict(state, x):
        return net.apply(state.nets["classifier"].variables, to_float(x, "sigmoid"))

    def features(state, x):
        """The last hidden layer. Shapes: x uint8 [N, *shape] -> [N, widths[-1]]."""
        return predict(state, x).features

    def classify(state, x):
        """Probabilities of the classes. Shapes: x uint8 [N, *shape] -> [N, classes]."""
        return jax.nn.softmax(predict(state, x).logits)

    def logits(state, x):
        """Logits of the classes, whose gradients do not vanish where a probability is 1. Shapes as `classify`."""
        return predict(state, x).logits

    phase = Phase("train", c.steps, c.batch, step)
    return Task(init, (phase,), {"features": features, "classify": classify, "logits": logits})


def check_adversarial(c: ConfigDict) -> None:
    """Raises: InputError for an adversarial training that cannot be."""
    if not 0 <= c.epsilon <= 1:
        raise InputError(
            f"adversarial.epsilon={c.epsilon}: expected a number from 0 (off) to 1, for pixels from 0 to 1"
        )
    if c.epsilon and (c.steps < 1 or c.step <= 0):
        raise InputError(f"adversarial: got steps={c.steps}, step={c.step}: expected steps >= 1 and step > 0")
