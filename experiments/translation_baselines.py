"""Translations by rules, measured as those of runs: python -m experiments.translation_baselines --config=superres

The baselines of a config whose pairs are derived, on its held-out inputs. `genjax.evaluation.translation_metrics`
measures them as it measures a run. Means are those of the training images.
"""

from collections.abc import Callable, Iterator

import jax
import numpy as np
from absl import flags
from ml_collections import ConfigDict, config_flags
from PIL import Image

from genjax import data, tasks
from genjax.cli import entry
from genjax.config import check
from genjax.data.source import Source
from genjax.data.translation import DERIVATIONS, LUMA, input_channels
from genjax.errors import InputError
from genjax.evaluation import sources
from genjax.evaluation.examples import blocks
from genjax.evaluation.metric import Value
from genjax.evaluation.translation_metrics import feature_distances, pixel_distances
from genjax.ops import lab
from genjax.text import table

FLAGS = flags.FLAGS

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(inputs uint8 [N, H, W, I], mean of training targets float64 [H, W, C]) -> numbers from 0 to 255 [N, H, W, C]."""


def enlarged(factor: int, method: Image.Resampling) -> Rule:
    """The small image, enlarged by one of Pillow's filters."""

    def rule(inputs, mean):
        small = inputs[:, ::factor, ::factor]
        size = inputs.shape[2], inputs.shape[1]
        channels = [[Image.fromarray(x[..., c]).resize(size, method) for c in range(x.shape[-1])] for x in small]
        return np.stack([np.stack([np.asarray(c) for c in x], -1) for x in channels])

    return rule


def mean_image(inputs: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The mean training image, whatever the input."""
    return np.broadcast_to(mean, (len(inputs), *mean.shape))


def in_gray(inputs: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The gray input in all channels."""
    return inputs.repeat(mean.shape[-1], -1)


def mean_color(inputs: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The input's luma, with the mean difference of each channel from luma over all training images."""
    color = mean.mean((0, 1))
    return inputs + color - color @ np.array(LUMA) / sum(LUMA)


def mean_lab(inputs: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The input's lightness, with CIE's a and b of the mean color of all training images."""
    color = np.broadcast_to(lab.from_srgb(mean.mean((0, 1)) / 255)[1:], (*inputs.shape[:-1], 2))
    return 255 * lab.to_srgb(np.concatenate([lab.lightness(inputs / 255), color], -1))


def filled(inputs: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The known part of the input, and the mean training image in the hole."""
    return np.where(inputs[..., -1:] > 0, inputs[..., :-1], mean)


def filled_by_gray(inputs: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The known part of the input, and the mean of its pixels in the hole."""
    known = inputs[..., -1:] > 0
    own = np.where(known, inputs[..., :-1], 0.0).sum((1, 2), keepdims=True) / known.sum((1, 2), keepdims=True)
    return np.where(known, inputs[..., :-1], own)


def last_frame(inputs: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The last frame of the input."""
    return inputs[..., -mean.shape[-1] :]


def onward(inputs: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The last frame and its difference from the one before, pixel by pixel."""
    frames = inputs.astype(np.int64)
    channels = mean.shape[-1]
    return 2 * frames[..., -channels:] - frames[..., -2 * channels : -channels]


def rules(kind: str) -> dict[str, Rule]:
    """The rules for the word before the colon of a source's name. Raises: InputError if there are none for it."""
    if kind in DERIVATIONS and DERIVATIONS[kind].factor > 1:
        methods = {"pixels repeated": Image.Resampling.NEAREST, "bicubic": Image.Resampling.BICUBIC}
        methods["Lanczos"] = Image.Resampling.LANCZOS
        return {name: enlarged(DERIVATIONS[kind].factor, method) for name, method in methods.items()}
    by_kind = {
        "gray": {"gray": in_gray, "mean color": mean_color},
        "lab": {"gray": in_gray, "mean color": mean_lab},
        "edges": {"mean image": mean_image, "the sketch": in_gray},
        "hole": {"mean of its pixels": filled_by_gray, "mean image": filled},
        "frames": {"last frame": last_frame, "change continued": onward},
    }
    by_kind["freeform"] = by_kind["hole"]
    if kind not in by_kind:
        small = [name for name, derivation in DERIVATIONS.items() if derivation.factor > 1]
        raise InputError(f"data.name={kind}:...: no rule translates it; expected {', '.join([*by_kind, *small])}")
    return by_kind[kind]


def measure(config: ConfigDict) -> dict[str, list[Value]]:
    """Name of a rule -> its distances from the held-out targets. Raises: InputError if nothing is held out."""
    by_name = rules(config.data.name.partition(":")[0])
    source = data.load(config.data)
    heldout = sources.heldout(config.data.name, config.eval.heldout, config.data, source.fingerprint)
    if heldout is None:
        raise InputError(f"{config.data.name}: nothing is held out; set eval.heldout to a split")
    inputs = config.input_channels or input_channels(config.data.name, source.shape[-1])
    mean = mean_target(source, inputs)
    measured = {}
    for name, rule in by_name.items():
        measured[name] = pixel_distances(translated(heldout, inputs, rule, mean))
        measured[name] += feature_distances(translated(heldout, inputs, rule, mean))
    return measured


def mean_target(source: Source, inputs: int) -> np.ndarray:
    """The mean of all targets. Shapes: -> float64 [H, W, C]."""
    total = sum(x[..., inputs:].sum(0, dtype=np.int64) for x in blocks(source, np.arange(source.size)))
    return total / source.size


def translated(source: Source, inputs: int, rule: Rule, mean: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of targets and of what the rule makes of their inputs, uint8 [N, H, W, C]."""
    for x in blocks(source, np.arange(source.size)):
        made = rule(x[..., :inputs], mean)
        yield x[..., inputs:], np.clip(np.round(made), 0, 255).astype(np.uint8)


def main() -> None:
    """Measure and print."""
    config = FLAGS.config
    check(config, tasks.default_config(config.task))
    jax.config.update("jax_platforms", "cpu")
    measured = measure(config)
    labels = [value.label.removeprefix("Translation, ") for value in next(iter(measured.values()))]
    print(table([(name, *(value.number for value in values)) for name, values in measured.items()], ("", *labels)))


if __name__ == "__main__":
    config_flags.DEFINE_config_file("config", None, "A config of translation, as for genjax.train.")
    entry.run(main)
