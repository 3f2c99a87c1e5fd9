"""Feature nets by the names that users give them."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np

from genjax.data.source import Source
from genjax.engine.state import local
from genjax.errors import InputError, did_you_mean
from genjax.files import expand
from genjax.metrics.features import FeatureNet, inception, squeezenet
from genjax.run.restore import load_info, weights_sha256
from genjax.text import split_list

FORMS = ("squeezenet", "squeezenet:SIZE", "inception:FILE", "classifier:RUN")

COORDINATES = FeatureNet("coordinates", 0, "", "none", lambda variables, x: (x, None), None)
"""The net of points, which are their own features; `open_feature_nets` sets the dimension."""


def open_feature_nets(text: str, source: Source) -> list[FeatureNet]:
    """The nets of a list such as "squeezenet,classifier:runs/c", for examples of the shape of `source`.

    squeezenet: SqueezeNet v1.1 at 128 x 128, or at another size. inception:FILE: the published weights of FID;
    inception:FILE@SHA256: other weights, under another name. These two take gray and color; images of other channels
    are taken channel by channel (`of_channels`). classifier:RUN: a run of configs/classifier.py, whose
    classes are those of its data. Points are their own features; series have no net.
    Raises: InputError for an unknown net, missing or wrong weights, or a net that does not take images of this shape.
    """
    if len(source.shape) == 1:
        return [dataclasses.replace(COORDINATES, dimension=source.shape[0])]
    if len(source.shape) == 2:
        return []
    nets = [_open(part, source) for part in split_list(text) if part]
    if not nets:
        raise InputError(f"--features={text!r} names no net: expected {', '.join(FORMS)}, or several with commas")
    return nets


def _open(text: str, source: Source) -> FeatureNet:
    kind, _, rest = text.partition(":")
    rest = expand(rest)
    if kind == "squeezenet":
        if rest and not rest.isdigit():
            raise InputError(f"--features={text}: expected a size in pixels, as in squeezenet:64")
        return of_channels(squeezenet(int(rest)) if rest else squeezenet(), source.shape[2])
    if kind == "inception" and rest:
        path, _, sha256 = rest.rpartition("@")
        is_pinned = path and re.fullmatch("[0-9a-fA-F]{64}", sha256)
        return of_channels(inception(path, sha256) if is_pinned else inception(rest), source.shape[2])
    if kind == "classifier" and rest:
        if source.stacked:
            return by_channel(of_run(rest, (*source.shape[:2], 1)))
        return of_run(rest, source.shape)
    near = did_you_mean(kind, [form.partition(":")[0] for form in FORMS])
    raise InputError(f"--features={text}: no such net{near}; expected {', '.join(FORMS)}, or several with commas")


def of_run(path: str, shape: tuple[int, ...]) -> FeatureNet:
    """The classifier of a run as a feature net: its last hidden layer, and its class probabilities.

    Raises: InputError if there is no such run, its task has no classes, or it takes images of another shape.
    """
    from genjax.run.restore import restore

    task, state = restore(path)
    data = load_info(path)["data"]
    if "classify" not in task.outputs:
        raise InputError(f"classifier:{path} is a run of a task without classes: train one with configs/classifier.py")
    if tuple(data["shape"]) != tuple(shape):
        raise InputError(
            f"classifier:{path} takes images of shape {data['shape']}, not {list(shape)}: train one on these"
        )
    features = task.outputs["features"]
    classify = task.outputs["classify"]
    state = jax.device_get(local(state))
    width = jax.eval_shape(features, state, jax.ShapeDtypeStruct((1, *shape), np.uint8)).shape[1]
    return FeatureNet(
        name=f"classifier of {data['name']}",
        dimension=width,
        sha256=weights_sha256(state),
        resize="none",
        apply=lambda state, x: (features(state, x), classify(state, x)),
        variables=state,
        channels=(shape[2],),
        classes=tuple(data["labels"]),
    )


def of_channels(net: FeatureNet, channels: int) -> FeatureNet:
    """A net for images of a number of channels: itself for gray and color, else its features of each channel in gray.

    The features of the channels are concatenated, in their order; there are no probabilities. Its distances have a name
    of their own, and are never FID or KID.
    """
    if channels in net.channels:
        return net

    def apply(variables, x):
        gray = jnp.moveaxis(x, 3, 1).reshape(-1, *x.shape[1:3], 1)
        features, _ = net.apply(variables, gray)
        return features.reshape(len(x), -1), None

    return dataclasses.replace(
        net,
        name=f"{net.name}, each of {channels} channels",
        dimension=channels * net.dimension,
        apply=apply,
        batch=max(1, net.batch // channels),
        channels=(channels,),
        has_probabilities=False,
    )


def by_channel(net: FeatureNet) -> FeatureNet:
    """A classifier of ten classes of gray images as a classifier of three of them, stacked as channels: 1,000 classes.

    Features are those of the three channels, concatenated; the class is 100 a + 10 b + c, its probability the product
    of the channels' probabilities.
    Raises: InputError for another number of classes.
    """
    if len(net.classes) != 10:
        raise InputError(f"stacked images have ten classes per channel; the {net.name} has {len(net.classes)}")

    def apply(state, x):
        channels = jnp.moveaxis(x, 3, 1).reshape(-1, *x.shape[1:3], 1)
        features, p = (output.reshape(len(x), 3, -1) for output in net.apply(state, channels))
        joint = jnp.einsum("na,nb,nc->nabc", *p.swapaxes(0, 1))
        return features.reshape(len(x), -1), joint.reshape(len(x), -1)

    names = tuple(f"{label:03d}" for label in range(1000))
    return dataclasses.replace(
        net, name=f"{net.name}, by channel", dimension=3 * net.dimension, apply=apply, channels=(3,), classes=names
    )
