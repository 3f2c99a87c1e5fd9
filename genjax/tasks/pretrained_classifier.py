"""Pretraining for few labels: an autoencoder of all images, then a classifier on its encoder, of the labeled images.

A control, the same net with the same first head, is trained from scratch on the same batches.
"""

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.config import construct, defaults
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.losses.classification import accuracy, cross_entropy
from genjax.losses.reconstruction import mean
from genjax.nets import autoencoder, contracts, conv_autoencoder, encoder_classifier
from genjax.nets.layers import ACTIVATIONS
from genjax.ops.pixels import to_float, to_pixels
from genjax.tasks.reconstruction import loss_of_outputs

ENCODERS = {"dense": autoencoder.Dense, "conv": conv_autoencoder.Convolutional}
HEADS = {"dense": encoder_classifier.EncoderClassifier}


def config() -> ConfigDict:
    """Every key of a pretrained classifier's config with its default, locked: a misspelled key in a file raises."""
    c = defaults(task="pretrained_classifier")  # `steps` are those of the classifiers
    c.eval.metrics = "accuracy,reconstruction"
    c.classes = 10  # labels go from 0 to classes - 1
    c.labels = 500  # labeled images, the first of the shuffled order; 0: all
    c.frozen = 0.5  # share of `steps`, the first ones, in which the pretrained encoder is frozen
    c.autoencoder = ConfigDict({"net": "dense"})  # further keys: the fields of the net
    c.classifier = ConfigDict({"net": "dense"})  # further keys: the fields of EncoderClassifier
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    c.pretrain = ConfigDict({"steps": 10_000, "loss": "bce"})
    c.pretrain.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """An autoencoder and two classifiers for images of one shape, from a config.

    Phases: "pretrain", of the autoencoder on all images; "classify", with the pretrained encoder frozen; "finetune",
    of all weights. All weights of the control are trained in the last two.
    Raises: InputError for choices that do not exist or do not fit each other or the data. In training a label beyond
    the classes makes the loss NaN, and the run stops.
    """
    _validate(c, shape)
    net = construct(ENCODERS, c.autoencoder, "autoencoder", contracts.Autoencoder.check, shape=tuple(shape))
    check = contracts.EncoderClassifier.check
    head = construct(HEADS, c.classifier, "classifier", check, encoder=net, classes=c.classes)
    loss = loss_of_outputs(net, c.pretrain.loss, "pretrain.loss")
    tx_pretrain = optimizer(**c.pretrain.optimizer)
    tx = optimizer(**c.optimizer)

    def init(key):
        """All three nets; both classifiers begin with the same head."""
        keys = jax.random.split(key, 2)
        x = jnp.zeros((1, *shape))
        scratch = init_net(head.init(keys[1], x), tx)
        pretrained = init_net(net.init(keys[0], x), tx_pretrain)
        return State(jnp.int32(0), {"autoencoder": pretrained, "classifier": scratch, "scratch": scratch}, {}, {})

    frozen_steps = round(c.frozen * c.steps)
    classify = computing_in(c.dtype, head.apply)
    labeled = [
        classifier_phase(c, "classify", frozen_steps, True, classify, tx),
        classifier_phase(c, "finetune", c.steps - frozen_steps, False, classify, tx),
    ]
    labeled = [phase for phase in labeled if phase.steps]
    labeled[0] = dataclasses.replace(labeled[0], enter=transfer_encoder)
    pretrain = pretrain_phase(c, computing_in(c.dtype, net.apply), loss, tx_pretrain)
    return Task(init, (pretrain, *labeled), outputs(net, head))


def pretrain_phase(c: ConfigDict, apply: Callable, loss: Callable, tx: optax.GradientTransformation) -> Phase:
    """The training of the autoencoder on all images."""

    def total(params, stats, x):
        value = mean(loss, apply({"params": params}, x, train=True), x)
        return value, (stats, {"pretrain/loss": value})

    def step(state, batch, key):
        """One update of the autoencoder."""
        x = to_float(batch["x"][0], "sigmoid")
        trained, metrics = gradient_step(state.nets["autoencoder"], tx, total, x)
        return state.replace(step=state.step + 1, nets=state.nets | {"autoencoder": trained}), metrics

    return Phase("pretrain", c.pretrain.steps, c.batch, step)


def transfer_encoder(state: State, key) -> State:
    """The state with the autoencoder's encoder in the classifier."""
    classifier = state.nets["classifier"]
    source = state.nets["autoencoder"].params
    params = classifier.params | {"encoder": {name: source[name] for name in classifier.params["encoder"]}}
    return state.replace(nets=state.nets | {"classifier": classifier.replace(params=params)})


def classifier_phase(
    c: ConfigDict, name: str, steps: int, frozen: bool, apply: Callable, tx: optax.GradientTransformation
) -> Phase:
    """The training of both classifiers on the labeled images; `frozen` keeps the pretrained one's encoder."""

    def total(params, stats, x, label, frozen):
        if frozen:
            params = params | {"encoder": jax.lax.stop_gradient(params["encoder"])}
        logits = apply({"params": params}, x, train=True).logits
        value = cross_entropy(logits, label)
        return value, (stats, {"loss": value, "accuracy": accuracy(logits, label)})

    def step(state, batch, key):
        """One update of each classifier by cross-entropy."""
        x = to_float(batch["x"][0], "sigmoid")
        nets = dict(state.nets)
        metrics = {}
        for net, keep_encoder in (("classifier", frozen), ("scratch", False)):
            nets[net], values = gradient_step(nets[net], tx, total, x, batch["label"][0], keep_encoder)
            metrics |= {f"{net}/{label}": value for label, value in values.items()}
        return state.replace(step=state.step + 1, nets=nets), metrics

    return Phase(name, steps, c.batch, step, subset=c.labels)


def outputs(net: nn.Module, head: nn.Module) -> dict[str, Callable]:
    """The outputs of the task by their names, from the autoencoder and the classifier's net."""

    def predict(state, x, name):
        return head.apply(state.nets[name].variables, to_float(x, "sigmoid"))

    def classify(state, x):
        """Probabilities of the classes. Shapes: x uint8 [N, *shape] -> [N, classes]."""
        return jax.nn.softmax(predict(state, x, "classifier").logits)

    def classify_scratch(state, x):
        """Probabilities of the classes by the control. Shapes: x uint8 [N, *shape] -> [N, classes]."""
        return jax.nn.softmax(predict(state, x, "scratch").logits)

    def features(state, x):
        """The pretrained classifier's last hidden layer. Shapes: x uint8 [N, *shape] -> [N, widths[-1]]."""
        return predict(state, x, "classifier").features

    def encode(state, x):
        """The autoencoder's latents. Shapes: x uint8 [N, *shape] -> [N, ...]."""
        return net.apply(state.nets["autoencoder"].variables, to_float(x, "sigmoid"), method="encode")

    def reconstruct(state, x):
        """The autoencoder's reconstructions, pixels from 0 to 255, not rounded. Shapes: x [N, *shape], kept."""
        y = net.apply(state.nets["autoencoder"].variables, encode(state, x), method="decode")
        return to_pixels(ACTIVATIONS[net.output](y), "sigmoid")

    functions = (classify, classify_scratch, features, encode, reconstruct)
    return {function.__name__: function for function in functions}


def _validate(c, shape):
    """Raises: InputError for numbers out of range and for data that are no images."""
    if len(shape) != 3:
        raise InputError(f"a classifier needs images, but the data are points of shape {list(shape)}")
    if c.classes < 2 or c.labels < 0 or c.pretrain.steps < 1 or not 0 <= c.frozen <= 1:
        raise InputError(
            f"classes={c.classes}, labels={c.labels}, pretrain.steps={c.pretrain.steps}, frozen={c.frozen}: expected "
            "at least 2 classes, 0 (all) or more labels, at least one step, and a share from 0 to 1"
        )
