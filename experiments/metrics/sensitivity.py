"""How metrics answer to known damage: python -m experiments.metrics.sensitivity --json=FILE.json --png=FILE.png

Some real images are the reference; others are judged as they are, with noise, with blur, and with fewer and fewer
classes. Then sets of N images are judged against N others, all real: what is found there is the metric's own bias.
Last, two sizes at which the net can see the images are compared. Prints the tables of docs/metrics.md.
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
from experiments.metrics.judge import MEASURES, Seen, follows, frechet, judge
from genjax import data
from genjax.cli import entry
from genjax.engine.compiler import enable_compilation_cache
from genjax.files import write_bytes
from genjax.metrics import features
from genjax.text import number

FLAGS = flags.FLAGS

EMOJI, CLOTHES = "emoji_32", "fashion_mnist_10k"

Look = Callable[[np.ndarray, int], Seen]
"""Images, and the size at which a net is to see them."""


@dataclass(frozen=True)
class Plan:
    """What is done to the images, and to how many."""

    half: int = 2500  # images of the reference and of the set that is damaged, at most
    noise: tuple[float, ...] = (4, 8, 16, 32, 64)
    blur: tuple[float, ...] = (0.5, 0.75, 1, 1.5, 2)
    classes: tuple[int, ...] = (10, 9, 8, 7, 6, 5, 4, 3, 2, 1)
    orders: int = 3  # in which classes are dropped
    single: int = 670  # images whatever the number of classes: one class has so many besides the reference
    counts: tuple[int, ...] = (600, 1250, 2500, 5000)
    pairs: int = 2  # of sets of N, where there are enough images
    subset: int = 500  # images at a time for the kernel distance
    sizes: tuple[int, int] = (64, 128)  # the first one for all but the comparison


SMOKE = Plan(50, (64,), (2,), (10, 1), 1, 10, (20, 50), 1, 10, (32, 48))


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("json", "", "Write all numbers here.")
    flags.DEFINE_string("png", "", "Draw them here.")
    flags.DEFINE_bool("smoke", False, "A few images and strengths: whether it runs, not what there is to find.")


def main() -> int:
    """Damage, judge, print; the exit code."""
    check_output("json", FLAGS.json, ".json")
    check_output("png", FLAGS.png, ".png")
    enable_compilation_cache()
    for found in study(SMOKE if FLAGS.smoke else Plan(), squeezenet):
        if FLAGS.json:  # what is measured stays, whatever comes later
            write_bytes(FLAGS.json, json.dumps(found, indent=1).encode() + b"\n")
    print(as_text(found))
    if FLAGS.png:
        write_bytes(FLAGS.png, draw(found["rows"]))
    return 0


def squeezenet(images: np.ndarray, size: int) -> Seen:
    """What SqueezeNet sees in images of that size."""
    return Seen(images, *features.extract(_net(size), images, probabilities=True))


_net = functools.cache(features.squeezenet)


def study(plan: Plan, look: Look) -> Iterator[dict]:
    """What is known after each part: rows of judged sets; then what they say together; then the two sizes."""
    see = lambda images: look(images, plan.sizes[0])  # noqa: E731
    rows = []
    for name in (EMOJI, CLOTHES):
        x, labels = load(name)
        half = min(plan.half, len(x) // 2)
        real, other = see(x[:half]), see(x[half : 2 * half])
        rows += damaged(name, plan, real, other, see)
        yield {"rows": rows}
    rest, rest_labels = joined(other, see(x[2 * half :])), labels[half:]  # of the clothes, which have classes
    rows += collapsed(name, plan, real.at(slice(plan.single)), rest, rest_labels)
    yield {"rows": rows}
    rows += alike(name, plan, joined(real, rest))
    found = {"rows": rows, "follows": followed(rows), "bias": bias(rows)}
    yield found
    yield found | {"sizes": two_sizes(plan, real.images[: plan.single], rest.images, rest_labels, look)}


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a packaged data set, for training."""
    source = data.open_source(name)
    return source.read(np.arange(source.size)), source.labels


def joined(*sets: Seen) -> Seen:
    """Several sets as one."""
    return Seen(*map(np.concatenate, zip(*sets, strict=True)))


def damaged(name: str, plan: Plan, real: Seen, other: Seen, see: Callable) -> Iterator[dict]:
    """Rows for noise and for blur. The first of each is of the images as they are, judged once."""
    clean = row(name, "no damage", 0, real, other, subset=plan.subset)
    for damage, amounts in ((noise, plan.noise), (blur, plan.blur)):
        yield clean | {"damage": damage.__name__}
        for amount in amounts:
            yield row(name, damage.__name__, amount, real, see(damage(other.images, amount)), subset=plan.subset)


def collapsed(name: str, plan: Plan, real: Seen, pool: Seen, labels: np.ndarray) -> Iterator[dict]:
    """Rows for dropped classes, means over the orders in which they are dropped."""
    for left in plan.classes:
        found = []
        for order in range(plan.orders):
            fake = pool.at(few_classes(labels, left, plan.single, order))
            found.append(row(name, "classes", left, real, fake, subset=plan.subset))
        yield mean_row(found)


def few_classes(labels: np.ndarray, left: int, count: int, order: int) -> np.ndarray:
    """Positions of `count` images of the classes that are left when they are dropped in this order."""
    kept = np.random.default_rng(order).permutation(labels.max() + 1)[:left]
    return of_classes(labels, kept, count, order)


def alike(name: str, plan: Plan, whole: Seen) -> Iterator[dict]:
    """Rows for N reals against N others, means over pairs of sets; shuffled, for a file's order need not be random."""
    whole = whole.at(np.random.default_rng(0).permutation(len(whole.images)))
    for n in plan.counts:
        sets = [whole.at(slice(start, start + n)) for start in range(0, len(whole.images) - n + 1, n)]
        pairs = list(zip(sets[::2], sets[1::2], strict=False))[: plan.pairs]
        yield mean_row([row(name, "count", n, *pair, subset=plan.subset, patched=n) for pair in pairs])


def row(name: str, damage: str, amount: float, real: Seen, fake: Seen, **settings) -> dict:
    """What was judged, and what every metric says of it."""
    say(f"{name}, {damage} {amount:g}, {len(fake.images):,} images")
    about = {"data": name, "damage": damage, "amount": amount, "images": len(fake.images)}
    return about | judge(real, fake, **settings)


def mean_row(rows: list[dict]) -> dict:
    """Rows of one kind as one, with the metrics' means."""
    return rows[0] | {name: float(np.mean([row[name] for row in rows])) for name in MEASURES} | {"sets": len(rows)}


def series(rows: list[dict], name: str, damage: str) -> list[dict]:
    """The rows of one data set under one damage, as it grows."""
    return [row for row in rows if (row["data"], row["damage"]) == (name, damage)]


def kinds(rows: list[dict]) -> list[tuple[str, str]]:
    """Data sets and damages, in their order."""
    return list(dict.fromkeys((row["data"], row["damage"]) for row in rows))


def followed(rows: list[dict]) -> dict[str, dict[str, bool]]:
    """Whether each metric gets worse with each step of a damage."""
    found = {}
    for name, damage in kinds(rows):
        if damage != "count":
            mine = series(rows, name, damage)
            found[f"{name}, {damage}"] = {
                key: follows([row[key] for row in mine], measure.worse) for key, measure in MEASURES.items()
            }
    return found


def bias(rows: list[dict]) -> dict[str, dict[str, float]]:
    """Distances of reals to reals as scale / N^power: least squares of logarithms."""
    mine = [row for row in rows if row["damage"] == "count"]
    counts, found = np.log([row["amount"] for row in mine]), {}
    for key in ("frechet", "sliced_wasserstein"):
        slope, start = np.polyfit(counts, np.log([row[key] for row in mine]), 1)
        found[key] = {"scale": float(np.exp(start)), "power": float(-slope)}
    found["frechet"]["times_count"] = float(np.mean([row["frechet"] * row["amount"] for row in mine]))
    return found


def two_sizes(plan: Plan, real: np.ndarray, pool: np.ndarray, labels: np.ndarray, look: Look) -> dict:
    """Fréchet distances of the same damaged sets seen at two sizes, and whether they come in the same order."""
    some = pool[: plan.single]
    sets = {"no damage": some} | {f"noise {std:g}": noise(some, std) for std in plan.noise}
    sets |= {f"blur {std:g}": blur(some, std) for std in plan.blur}
    sets |= {f"classes {left}": pool[few_classes(labels, left, plan.single, 0)] for left in plan.classes[::3]}
    found = {}
    for size in plan.sizes:
        say(f"{len(sets)} sets at {size} x {size}")
        reference = look(real, size).features
        found[size] = [frechet(reference, look(x, size).features) for x in sets.values()]
    pairs = list(itertools.combinations(zip(*found.values(), strict=True), 2))
    return {
        "sets": list(sets),
        "frechet": {str(size): values for size, values in found.items()},
        "spearman": float(spearmanr(*found.values()).statistic),
        "pairs": len(pairs),
        "in_another_order": sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for a, b in pairs),
    }


def say(text: str) -> None:
    """Tell what is done now, beside the results."""
    print(text, file=sys.stderr, flush=True)


def as_text(found: dict) -> str:
    """The tables of docs/metrics.md, and each set's numbers."""
    rows, sizes = found["rows"], found["sizes"]
    fits = (f"{key} {fit['scale']:.4g} / N^{fit['power']:.3f}" for key, fit in found["bias"].items())
    parts = [
        summary(rows, found["follows"]),
        *(f"{name}, {damage}:\n\n{details(rows, name, damage)}" for name, damage in kinds(rows)),
        f"reals against reals: {', '.join(fits)}; {found['bias']['frechet']['times_count']:.4g} / N in Fréchet's mean",
        f"{len(sizes['sets'])} sets at {' and '.join(sizes['frechet'])} pixels: Spearman's rank correlation "
        f"{sizes['spearman']:.3f}, {sizes['in_another_order']} of {sizes['pairs']} pairs in another order",
    ]
    return "\n\n".join(parts)


def summary(rows: list[dict], follow: dict) -> str:
    """What each metric says at the least and at the most damage; bold where a step between made it no worse."""
    damages = [(name, damage) for name, damage in kinds(rows) if damage != "count"]
    cells = [("", *(f"{damage}, {name}" for name, damage in damages))]
    for key, measure in MEASURES.items():
        line = [measure.title]
        for name, damage in damages:
            first, *_, last = (number(row[key]) for row in series(rows, name, damage))
            strays = "" if follow[f"{name}, {damage}"][key] else "**"
            line.append(f"{strays}{first} → {last}{strays}")
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
