"""Seconds per step of a model in Keras' `fit`: python -m experiments.autoencoders.keras_fit ae_stacked"""

# ruff: noqa: D102 (Keras names these methods, and calls them)

import json
import os
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers as L

from genjax.data import open_source

SECONDS = 3.0


def dense(widths, latents="selu", before=()):
    """Dense layers down to the last width and up again."""
    *hidden, last = widths
    down = [L.Flatten(), *before, *(L.Dense(n, "selu") for n in hidden), L.Dense(last, latents)]
    return [*down, *(L.Dense(n, "selu") for n in reversed(hidden)), L.Dense(784, "sigmoid"), L.Reshape((28, 28))]


class Transposed(keras.layers.Layer):
    """A dense layer with the transposed kernel of the layer `source`, and its own biases."""

    def __init__(self, source, activation):
        super().__init__()
        self.source = source
        self.activation = keras.activations.get(activation)

    def build(self, _):
        self.bias = self.add_weight(shape=(self.source.kernel.shape[0],), initializer="zeros")

    def call(self, x):
        return self.activation(keras.ops.matmul(x, keras.ops.transpose(self.source.kernel)) + self.bias)


class Divergence(keras.regularizers.Regularizer):
    """KL(0.1 || mean activity), weighted by 0.05."""

    def __call__(self, z):
        mean = keras.ops.mean(z, axis=0)
        return 0.05 * (keras.losses.kl_divergence(0.1, mean) + keras.losses.kl_divergence(0.9, 1 - mean))


def tied():
    """784-100-30 and back by the transposed kernels."""
    first, second = L.Dense(100, "selu"), L.Dense(30, "selu")
    up = [Transposed(second, "selu"), Transposed(first, "sigmoid"), L.Reshape((28, 28))]
    return [L.Flatten(), first, second, *up]


def convolutional():
    """Convolutions to 16, 32 and 64 channels and back."""
    same = {"padding": "same", "activation": "selu"}
    down = [layer for n in (16, 32, 64) for layer in (L.Conv2D(n, 3, **same), L.MaxPool2D())]
    up = [L.Conv2DTranspose(32, 3, 2, padding="valid", activation="selu"), L.Conv2DTranspose(16, 3, 2, **same)]
    last = L.Conv2DTranspose(1, 3, 2, padding="same", activation="sigmoid")
    return [L.Reshape((28, 28, 1)), *down, *up, last, L.Reshape((28, 28))]


def recurrent():
    """LSTMs over the rows of an image."""
    down = [L.LSTM(100, return_sequences=True), L.LSTM(30)]
    return [*down, L.RepeatVector(28), L.LSTM(100, return_sequences=True), L.Dense(28, "sigmoid")]


class Variational(keras.layers.Layer):
    """Latents sampled by their mean and log-variance; adds the latent loss."""

    def __init__(self):
        super().__init__()
        self.mean, self.logvar = L.Dense(10), L.Dense(10)

    def call(self, h):
        mean, logvar = self.mean(h), self.logvar(h)
        kl = -0.5 * keras.ops.sum(1 + logvar - keras.ops.exp(logvar) - keras.ops.square(mean), axis=-1)
        self.add_loss(keras.ops.mean(kl) / 784)
        return mean + keras.random.normal(keras.ops.shape(mean)) * keras.ops.exp(logvar / 2)


def variational():
    """784-150-100-10 and back."""
    down = [L.Flatten(), L.Dense(150, "selu"), L.Dense(100, "selu"), Variational()]
    return [*down, L.Dense(100, "selu"), L.Dense(150, "selu"), L.Dense(784, "sigmoid"), L.Reshape((28, 28))]


def sparse(regularizer):
    """300 sigmoid latents under an activity regularizer."""
    model = dense((100, 300), "sigmoid")
    model.insert(3, L.ActivityRegularization(l1=1e-3) if regularizer == "l1" else Active(Divergence()))
    return model


class Active(keras.layers.Layer):
    """The identity, with an activity regularizer."""

    def __init__(self, regularizer):
        super().__init__(activity_regularizer=regularizer)

    def call(self, z):
        return z


MODELS = {
    "ae_stacked": (lambda: dense((100, 30)), "sgd"),
    "ae_tied": (tied, "sgd"),
    "ae_conv": (convolutional, "sgd"),
    "ae_recurrent": (recurrent, "sgd"),
    "ae_denoising_gaussian": (lambda: dense((100, 30), before=[L.GaussianNoise(0.2)]), "sgd"),
    "ae_denoising_dropout": (lambda: dense((100, 30), before=[L.Dropout(0.5)]), "sgd"),
    "ae_sparse_l1": (lambda: sparse("l1"), "sgd"),
    "ae_sparse_kl": (lambda: sparse("kl"), "sgd"),
    "vae": (variational, "rmsprop"),
}


def seconds_per_step(name: str) -> float:
    """Seconds per step of `fit` on images in memory, after a first call that compiles."""
    keras.utils.set_random_seed(0)
    layers, optimizer = MODELS[name]
    batch = 128 if name == "vae" else 32
    source = open_source("fashion_mnist_10k")
    x = (source.read(np.arange(source.size))[..., 0] / 255).astype(np.float32)
    model = keras.Sequential([keras.Input((28, 28)), *layers()])
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    model.fit(x, x, batch_size=batch, epochs=1, verbose=0)
    steps = -(-len(x) // batch)
    start, epochs = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        model.fit(x, x, batch_size=batch, epochs=1, verbose=0)
        epochs += 1
    return (time.perf_counter() - start) / (epochs * steps)


if __name__ == "__main__":
    if sys.argv[1] not in MODELS:
        sys.exit(f"no {sys.argv[1]!r} here; choose from {', '.join(MODELS)}")
    print(json.dumps({"seconds": seconds_per_step(sys.argv[1])}))
