"""Sensitivity of metrics to known damage: python -m experiments.metrics.sensitivity --json=FILE.json --png=FILE.png

Some real images are the reference; others are compared with it undamaged, with noise, with blur, and with fewer and
fewer classes. Then sets of N real images are compared with N others, which shows the bias of each metric. Last, two
input sizes of the feature net are compared. Prints the tables of docs/metrics.md.
"""

import functools
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from absl import flags
from scipy.stats import spearmanr

from experiments.benchmarks.step_time import check_output
from experiments.metrics.damage import blur, noise, of_classes
from experiments.metrics.figure import COLUMNS, draw
from experiments.metrics.scores import MEASURES, Examples, follows, frechet, scores
from genjax import data
from genjax.cli import entry
from genjax.engine.compiler import enable_compilation_cache
from genjax.files import write_bytes
from genjax.metrics import features
from genjax.report.figures import save_png
from genjax.text import number

FLAGS = flags.FLAGS

EMOJI = "emoji_32"
CLOTHES = "fashion_mnist_10k"

Extract = Callable[[np.ndarray, int], Examples]
"""Features of images at an input size of the net."""


@dataclass(frozen=True)
class Plan:
    """Kinds and strengths of damage, and numbers of images."""

    half: int = 2500  # images in the reference and in the damaged set, at most
    noise: tuple[float, ...] = (4, 8, 16, 32, 64)
    blur: tuple[float, ...] = (0.5, 0.75, 1, 1.5, 2)
    classes: tuple[int, ...] = (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    orders: int = 3  # random orders in which classes are dropped
    single: int = 670  # images, whatever the number of classes: as many as one class has outside the reference
    counts: tuple[int, ...] = (600, 1250, 2500, 5000)
    pairs: int = 2  # pairs of sets of N, if there are enough images
    subset: int = 500  # images per subset of the kernel distance
    sizes: tuple[int, int] = (64, 128)  # input sizes of the net; the first one except for the comparison


SMOKE = Plan(50, (64,), (2,), (10, 1), 1, 10, (20, 50), 1, 10, (32, 48))


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("json", "", "Write all numbers here.")
    flags.DEFINE_string("png", "", "Draw them here.")
    flags.DEFINE_bool("smoke", False, "A few images and strengths, to check that the study runs.")


def main() -> int:
    """Run the study and print its tables; the exit code."""
    check_output("json", FLAGS.json, ".json")
    check_output("png", FLAGS.png, ".png")
    enable_compilation_cache()
    for results in study(SMOKE if FLAGS.smoke else Plan(), squeezenet):
        if FLAGS.json:  # after each part, so that an interruption loses little
            write_bytes(FLAGS.json, json.dumps(results, indent=1).encode() + b"\n")
    print(as_text(results))
    if FLAGS.png:
        save_png(FLAGS.png, draw(results["rows"]))
    return 0


def squeezenet(images: np.ndarray, size: int) -> Examples:
    """Features of SqueezeNet at an input size."""
    return Examples(images, *features.extract(_net(size), images, probabilities=True))


_net = functools.cache(features.squeezenet)


def study(plan: Plan, extract: Extract) -> Iterator[dict]:
    """The results after each part: rows of scores; then their summaries; then the two input sizes."""

    def examples_of(images):
        return extract(images, plan.sizes[0])

    rows = []
    for name in (EMOJI, CLOTHES):
        x, labels = load(name)
        half = min(plan.half, len(x) // 2)
        real = examples_of(x[:half])
        other = examples_of(x[half : 2 * half])
        rows += damaged(name, plan, real, other, examples_of)
        yield {"rows": rows}
    rest = joined(other, examples_of(x[2 * half :]))  # of the clothes, which have classes
    rest_labels = labels[half:]
    rows += collapsed(name, plan, real.at(slice(plan.single)), rest, rest_labels)
    yield {"rows": rows}
    rows += alike(name, plan, joined(real, rest))
    results = {"rows": rows, "follows": followed(rows), "bias": bias(rows)}
    yield results
    yield results | {"sizes": two_sizes(plan, real.images[: plan.single], rest.images, rest_labels, extract)}


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of the training split of a packaged data set."""
    source = data.open_source(name)
    return source.read(np.arange(source.size)), source.labels


def joined(*sets: Examples) -> Examples:
    """Several sets as one."""
    return Examples(*map(np.concatenate, zip(*sets, strict=True)))


def damaged(name: str, plan: Plan, real: Examples, other: Examples, examples_of: Callable) -> Iterator[dict]:
    """Rows for noise and for blur. The first row of each is that of the undamaged images."""
    clean = row(name, "no damage", 0, real, other, subset=plan.subset)
    for damage, amounts in ((noise, plan.noise), (blur, plan.blur)):
        yield clean | {"damage": damage.__name__}
        for amount in amounts:
            yield row(
                name, damage.__name__, amount, real, examples_of(damage(other.images, amount)), subset=plan.subset
            )


def collapsed(name: str, plan: Plan, real: Examples, pool: Examples, labels: np.ndarray) -> Iterator[dict]:
    """Rows for dropped classes, means over the orders in which they are dropped."""
    for left in plan.classes:
        rows = []
        for order in range(plan.orders):
            fake = pool.at(few_classes(labels, left, plan.single, order))
            rows.append(row(name, "classes", left, real, fake, subset=plan.subset))
        yield mean_row(rows)


def few_classes(labels: np.ndarray, left: int, count: int, order: int) -> np.ndarray:
    """Positions of `count` images of the classes that remain when classes are dropped in this order."""
    remaining = np.random.default_rng(order).permutation(labels.max() + 1)[:left]
    return of_classes(labels, remaining, count, order)


def alike(name: str, plan: Plan, real: Examples) -> Iterator[dict]:
    """Rows for N reals against N others, means over pairs of sets, shuffled because files may be sorted."""
    shuffled = real.at(np.random.default_rng(0).permutation(len(real.images)))
    for n in plan.counts:
        sets = [shuffled.at(slice(start, start + n)) for start in range(0, len(real.images) - n + 1, n)]
        pairs = list(zip(sets[::2], sets[1::2], strict=False))[: plan.pairs]
        yield mean_row([row(name, "count", n, *pair, subset=plan.subset, patched=n) for pair in pairs])


def row(name: str, damage: str, amount: float, real: Examples, fake: Examples, **settings) -> dict:
    """The description of a set, and its score by every metric."""
    log(f"{name}, {damage} {amount:g}, {len(fake.images):,} images")
    about = {"data": name, "damage": damage, "amount": amount, "images": len(fake.images)}
    return about | scores(real, fake, **settings)


def mean_row(rows: list[dict]) -> dict:
    """One row with the mean scores of several."""
    return rows[0] | {name: float(np.mean([row[name] for row in rows])) for name in MEASURES} | {"sets": len(rows)}


def series(rows: list[dict], name: str, damage: str) -> list[dict]:
    """The rows of one data set under one damage, as it grows."""
    return [row for row in rows if (row["data"], row["damage"]) == (name, damage)]


def kinds(rows: list[dict]) -> list[tuple[str, str]]:
    """Data sets and damages, in their order."""
    return list(dict.fromkeys((row["data"], row["damage"]) for row in rows))


def followed(rows: list[dict]) -> dict[str, dict[str, bool]]:
    """Data set and damage -> metric -> True if it gets worse at each step of the damage."""
    result = {}
    for name, damage in kinds(rows):
        if damage != "count":
            mine = series(rows, name, damage)
            result[f"{name}, {damage}"] = {
                key: follows([row[key] for row in mine], measure.worse) for key, measure in MEASURES.items()
            }
    return result


def bias(rows: list[dict]) -> dict[str, dict[str, float]]:
    """Distances of reals to reals as scale / N^power: least squares of logarithms."""
    mine = [row for row in rows if row["damage"] == "count"]
    counts = np.log([row["amount"] for row in mine])
    fits = {}
    for key in ("frechet", "sliced_wasserstein"):
        slope, start = np.polyfit(counts, np.log([row[key] for row in mine]), 1)
        fits[key] = {"scale": float(np.exp(start)), "power": float(-slope)}
    fits["frechet"]["times_count"] = float(np.mean([row["frechet"] * row["amount"] for row in mine]))
    return fits


def two_sizes(plan: Plan, real: np.ndarray, pool: np.ndarray, labels: np.ndarray, extract: Extract) -> dict:
    """Fréchet distances of the same damaged sets at two input sizes, and whether the order of the sets is the same."""
    images = pool[: plan.single]
    sets = {"no damage": images} | {f"noise {std:g}": noise(images, std) for std in plan.noise}
    sets |= {f"blur {std:g}": blur(images, std) for std in plan.blur}
    sets |= {f"classes {left}": pool[few_classes(labels, left, plan.single, 0)] for left in plan.classes[::3]}
    distances = {}
    for size in plan.sizes:
        log(f"{len(sets)} sets at {size} x {size}")
        reference = extract(real, size).features
        distances[size] = [frechet(reference, extract(x, size).features) for x in sets.values()]
    pairs = list(itertools.combinations(zip(*distances.values(), strict=True), 2))
    return {
        "sets": list(sets),
        "frechet": {str(size): values for size, values in distances.items()},
        "spearman": float(spearmanr(*distances.values()).statistic),
        "pairs": len(pairs),
        "in_another_order": sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in pairs),
    }


def log(text: str) -> None:
    """Report progress on stderr; the results alone are on stdout."""
    print(text, file=sys.stderr, flush=True)


def as_text(results: dict) -> str:
    """The tables of docs/metrics.md, and the scores of each set."""
    rows = results["rows"]
    sizes = results["sizes"]
    frechet_times_count = results["bias"]["frechet"]["times_count"]
    fits = (f"{key} {fit['scale']:.4g} / N^{fit['power']:.3f}" for key, fit in results["bias"].items())
    parts = [
        summary(rows, results["follows"]),
        *(f"{name}, {damage}:\n\n{details(rows, name, damage)}" for name, damage in kinds(rows)),
        f"reals against reals: {', '.join(fits)}; {frechet_times_count:.4g} / N in Fréchet's mean",
        f"{len(sizes['sets'])} sets at {' and '.join(sizes['frechet'])} pixels: Spearman's rank correlation "
        f"{sizes['spearman']:.3f}, {sizes['in_another_order']} of {sizes['pairs']} pairs in another order",
    ]
    return "\n\n".join(parts)


def summary(rows: list[dict], follow: dict) -> str:
    """Scores at the least and the most damage; bold where some step between did not make them worse."""
    damages = [(name, damage) for name, damage in kinds(rows) if damage != "count"]
    cells = [("", *(f"{damage}, {name}" for name, damage in damages))]
    for key, measure in MEASURES.items():
        line = [measure.title]
        for name, damage in damages:
            first, *_, last = (number(row[key]) for row in series(rows, name, damage))
            bold = "" if follow[f"{name}, {damage}"][key] else "**"
            line.append(f"{bold}{first} → {last}{bold}")
        cells.append(line)
    return markdown(cells)


def details(rows: list[dict], name: str, damage: str) -> str:
    """Every number of one data set under one damage."""
    mine = series(rows, name, damage)
    cells = [(COLUMNS[damage], *(f"{row['amount']:,g}" for row in mine))]
    cells += [(measure.title, *(number(row[key]) for row in mine)) for key, measure in MEASURES.items()]
    return markdown(cells)


def markdown(cells: list[Sequence[str]]) -> str:
    """Rows of text as a Markdown table, the first one its head."""
    head, *body = ("| " + " | ".join(line) + " |" for line in cells)
    return "\n".join([head, "|---" * len(cells[0]) + "|", *body])


if __name__ == "__main__":
    define_flags()
    entry.run(main)
