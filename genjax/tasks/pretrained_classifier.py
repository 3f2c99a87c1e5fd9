"""Pretraining for few labels: an autoencoder of all images, then a classifier on its encoder from the labeled ones.

Beside it a control is trained, from scratch: an equal net, with an equal head, on the same batches.
"""

import dataclasses

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from genjax.config import construct, defaults, pick
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import State
from genjax.engine.update import gradient_step, init_net, optimizer
from genjax.errors import InputError
from genjax.losses.reconstruction import LOSSES, mean
from genjax.nets import autoencoder, contracts, conv_autoencoder, encoder_classifier
from genjax.nets.layers import ACTIVATIONS
from genjax.ops.pixels import to_float, to_pixels

ENCODERS = {"dense": autoencoder.Dense, "conv": conv_autoencoder.Convolutional}
HEADS = {"dense": encoder_classifier.EncoderClassifier}


def config() -> ConfigDict:
    """Every key of a pretrained classifier's config with its default, locked: a misspelt key in a file raises."""
    c = defaults(task="pretrained_classifier")  # steps: of the classifiers
    c.eval.metrics = "accuracy,reconstruction"
    c.classes = 10  # labels go from 0 to classes - 1
    c.labels = 500  # images whose labels are seen: the first of the shuffled order; 0: all
    c.frozen = 0.5  # the first part of the classifier's steps, in which the pretrained encoder stays as it is
    c.autoencoder = ConfigDict({"net": "dense"})  # further keys: the fields of the net
    c.classifier = ConfigDict({"net": "dense"})  # further keys: the fields of EncoderClassifier
    c.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    c.pretrain = ConfigDict({"steps": 10_000, "loss": "bce"})
    c.pretrain.optimizer = ConfigDict({"name": "adam", "learning_rate": 1e-3, "b1": 0.9, "b2": 0.999})
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """An autoencoder and two classifiers of images of one shape, from a config.

    Phases: "pretrain", of the autoencoder on all images; "classify", with the pretrained encoder frozen; "finetune",
    of all weights. The control is trained as a whole in both of these.
    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    if len(shape) != 3:
        raise InputError(f"a classifier needs images, but the data are points of shape {list(shape)}")
    if c.classes < 2 or c.labels < 0 or c.pretrain.steps < 1 or not 0 <= c.frozen <= 1:
        raise InputError(
            f"classes={c.classes}, labels={c.labels}, pretrain.steps={c.pretrain.steps}, frozen={c.frozen}: expected "
            "at least 2 classes, 0 (all) or more labels, at least one step, and a part from 0 to 1"
        )
    net = construct(ENCODERS, c.autoencoder, "autoencoder", contracts.Autoencoder.check, shape=tuple(shape))
    if (net.output == "sigmoid") != (c.pretrain.loss == "bce"):
        raise InputError(
            f"pretrain.loss={c.pretrain.loss!r} with output={net.output!r}: expected bce with sigmoid, or mse with "
            "another"
        )
    head = construct(HEADS, c.classifier, "classifier", encoder=net, classes=c.classes)
    restored = pick(LOSSES, c.pretrain.loss, "pretrain.loss")
    restore, classify = computing_in(c.dtype, net.apply), computing_in(c.dtype, head.apply)
    tx_pretrain, tx = optimizer(**c.pretrain.optimizer), optimizer(**c.optimizer)

    def init(key):
        """All three nets; both classifiers begin with the same head."""
        keys, x = jax.random.split(key, 2), jnp.zeros((1, *shape))
        scratch = init_net(head.init(keys[1], x), tx)
        nets = {"autoencoder": init_net(net.init(keys[0], x), tx_pretrain), "classifier": scratch, "scratch": scratch}
        return State(jnp.int32(0), nets, {}, {})

    def reconstruction(params, stats, x):
        value = mean(restored, restore({"params": params}, x, train=True), x)
        return value, (stats, {"pretrain/loss": value})

    def pretrain(state, batch, key):
        """One update of the autoencoder."""
        x = to_float(batch["x"][0], "sigmoid")
        trained, metrics = gradient_step(state.nets["autoencoder"], tx_pretrain, reconstruction, x)
        return state.replace(step=state.step + 1, nets=state.nets | {"autoencoder": trained}), metrics

    def transfer(state, key):
        """Give the classifier the autoencoder's encoder."""
        old, source = state.nets["classifier"], state.nets["autoencoder"].params
        params = old.params | {"encoder": {name: source[name] for name in old.params["encoder"]}}
        return state.replace(nets=state.nets | {"classifier": old.replace(params=params)})

    def cross_entropy(params, stats, x, label, frozen):
        if frozen:
            params = params | {"encoder": jax.lax.stop_gradient(params["encoder"])}
        logits = classify({"params": params}, x, train=True).logits
        # A label beyond the classes makes the loss NaN, and the loop stops.
        value = optax.softmax_cross_entropy_with_integer_labels(logits, label).mean()
        return value, (stats, {"loss": value, "accuracy": (logits.argmax(1) == label).mean()})

    def both(frozen):
        def step(state, batch, key):
            """One update of each classifier by cross-entropy."""
            x, label = to_float(batch["x"][0], "sigmoid"), batch["label"][0]
            nets, metrics = dict(state.nets), {}
            for name, held in (("classifier", frozen), ("scratch", False)):
                nets[name], found = gradient_step(nets[name], tx, cross_entropy, x, label, held)
                metrics |= {f"{name}/{what}": value for what, value in found.items()}
            return state.replace(step=state.step + 1, nets=nets), metrics

        return step

    def probabilities(name):
        def output(state, x):
            """The probability of each class. Shapes: x uint8 [N, *shape] -> [N, classes]."""
            return jax.nn.softmax(head.apply(state.nets[name].variables, to_float(x, "sigmoid")).logits)

        return output

    def features(state, x):
        """The pretrained classifier's last hidden layer. Shapes: x uint8 [N, *shape] -> [N, widths[-1]]."""
        return head.apply(state.nets["classifier"].variables, to_float(x, "sigmoid")).features

    def encode(state, x):
        """The autoencoder's latents. Shapes: x uint8 [N, *shape] -> [N, ...]."""
        return net.apply(state.nets["autoencoder"].variables, to_float(x, "sigmoid"), method="encode")

    def reconstruct(state, x):
        """The autoencoder's reconstructions, pixels from 0 to 255, not rounded. Shapes: x [N, *shape], kept."""
        y = net.apply(state.nets["autoencoder"].variables, encode(state, x), method="decode")
        return to_pixels(ACTIVATIONS[net.output](y), "sigmoid")

    held = round(c.frozen * c.steps)
    parts = [("classify", held, True), ("finetune", c.steps - held, False)]
    labeled = [Phase(name, steps, c.batch, both(frozen), subset=c.labels) for name, steps, frozen in parts if steps]
    labeled[0] = dataclasses.replace(labeled[0], enter=transfer)
    outputs = {"classify": probabilities("classifier"), "classify_scratch": probabilities("scratch")}
    outputs |= {"features": features, "encode": encode, "reconstruct": reconstruct}
    return Task(init, (Phase("pretrain", c.pretrain.steps, c.batch, pretrain), *labeled), outputs)
