"""Time training steps: python -m experiments.benchmarks.step_time --against=torch,keras,flax --only=gan,dcgan

Run it from the repository's root on a quiet machine; `pip install -e ".[bench]"` installs the others. Each library
trains in a process of its own (worker.py) and sleeps while another runs. genjax and a peer take turns, so that noise
hits both; a time is a median over the turns, a ratio is the peer's time over genjax's, and of a peer's variants the one
with the smallest ratio is shown. --json keeps them all.
"""

import datetime
import functools
import itertools
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from absl import flags

from experiments.benchmarks.layers import Workload
from experiments.benchmarks.peers import FAMILIES, PEERS
from experiments.benchmarks.process import Failed, Worker
from experiments.benchmarks.worker import SIDE
from experiments.benchmarks.workloads import WORKLOADS
from genjax.cli import entry
from genjax.config import pick
from genjax.errors import InputError
from genjax.files import write_bytes
from genjax.report.figures import rendered, save_png, tidy
from genjax.text import number, table

FLAGS = flags.FLAGS

SECONDS = 1.0
"""Seconds per turn, about."""

LOSS_GAP = {"gan": 8.0, "autoencoder": 0.2, "vae": 0.2}
"""Largest difference of the losses of two libraries after a few steps, from other weights and with other noise.

The first losses of a GAN swing widely: a generator's of one library differ by 5 between float32 and bfloat16.
"""


def define_flags() -> None:
    """Define the flags of this command."""
    flags.DEFINE_string("against", "torch,keras,flax", f"The peers, of {', '.join(FAMILIES)}.")
    flags.DEFINE_string("only", "", f"The workloads, of {', '.join(WORKLOADS)}; default: all.")
    flags.DEFINE_integer("repeats", 5, "Turns of each, of about a second.", lower_bound=1)
    flags.DEFINE_string("json", "", "Write the results here: a list with one object per workload and peer.")
    flags.DEFINE_string("png", "", "Draw the ratios here.")


def main() -> int:
    """Measure the workloads and peers of the flags. Returns: the exit code."""
    workloads = [pick(WORKLOADS, name, "--only") for name in _names(FLAGS.only)] or list(WORKLOADS.values())
    peers = [peer for name in _names(FLAGS.against) for peer in pick(FAMILIES, name, "--against")]
    if not peers:
        raise InputError(f"--against is empty: name one or more of {', '.join(FAMILIES)}")
    for flag, path, suffix in (("json", FLAGS.json, ".json"), ("png", FLAGS.png, ".png")):
        check_output(flag, path, suffix)
    results = []
    try:
        for result in measure(workloads, [peer for peer in peers if installed(peer)], FLAGS.repeats):
            results.append(result)
            if FLAGS.json:  # results stay if a later measurement fails
                write_bytes(FLAGS.json, json.dumps(results, indent=1).encode() + b"\n")
    except Failed as error:
        entry.fail(f"genjax itself: {error}", 1)
    if not results:
        print("nothing was measured", file=sys.stderr)
        return 1
    print(as_text(results))
    if FLAGS.png:
        save_png(FLAGS.png, draw(results))
    return 0


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def check_output(flag: str, path: str, suffix: str) -> None:
    """Check that an output file can be written, before anything is measured. Raises: InputError."""
    if not path:
        return
    if not path.endswith(suffix) or Path(path).is_dir():
        raise InputError(f"--{flag}={path}: expected a file that ends in {suffix}")
    folder = next(p for p in Path(path).absolute().parents if p.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"--{flag}={path}: {folder} is not a folder that can be written to")


def installed(peer: str) -> bool:
    """Whether a peer's packages are installed; if not, a message says which are missing."""
    missing = [package for package in PEERS[peer].packages if find_spec(package) is None]
    if missing:
        _say(f'{peer} left out: no {", ".join(missing)} installed; pip install -e ".[bench]"')
    return not missing


def measure(workloads: list[Workload], peers: list[str], repeats: int) -> Iterator[dict]:
    """Times of each workload against each peer, as the objects of --json."""
    for workload, own in itertools.product(workloads, dict.fromkeys(PEERS[peer].against for peer in peers)):
        rivals = [peer for peer in peers if PEERS[peer].against == own and PEERS[peer].variants(workload)]
        if not rivals:
            continue
        with Worker("genjax", workload.name, own) as ours:
            for peer in rivals:
                variants = [duel(ours, peer, v, workload, repeats) for v in PEERS[peer].variants(workload)]
                timed = [variant for variant in variants if variant["ratio"]]
                if timed:
                    best = min(timed, key=lambda variant: variant["ratio"])
                    head = {"workload": workload.name, "peer": peer}
                    yield head | best | {"batch": workload.batch, "variants": variants} | facts()


def duel(ours: Worker, peer: str, variant: str, workload: Workload, repeats: int) -> dict:
    """Time genjax and one variant of a peer by turns.

    Returns: one of `variants` of --json; {"variant", "failed", "ratio": None} if the peer cannot run.
    """
    try:
        with Worker(peer, workload.name, variant) as theirs:
            compare_losses(ours.ready["losses"], theirs.ready["losses"], LOSS_GAP[workload.kind])
            turns = [_turn(ours, theirs) for _ in range(repeats)]
    except Failed as error:
        if ours.failed:
            raise
        _say(f"{workload.name}, {peer} ({variant}): {error}")
        return {"variant": variant, "failed": str(error), "ratio": None}
    ours_ms, peer_ms, product = ([turn[i] for turn in turns] for i in range(3))
    each = [b / a for a, b in zip(ours_ms, peer_ms, strict=True)]
    ratio = statistics.median(peer_ms) / statistics.median(ours_ms)
    gflops = workload.flops / statistics.median(ours_ms) / 1e6
    peak = 2 * SIDE**3 / statistics.median(product) / 1e9
    spread = f"turns {min(each):.2f} to {max(each):.2f}"
    _say(f"{workload.name}, {peer} ({variant}): {ratio:.2f} times genjax's time, {spread}")
    return {
        "variant": variant,
        "ours_ms": statistics.median(ours_ms),
        "peer_ms": statistics.median(peer_ms),
        "ratio": ratio,
        "ratio_range": [min(each), max(each)],
        "ours_ms_range": [min(ours_ms), max(ours_ms)],
        "peer_ms_range": [min(peer_ms), max(peer_ms)],
        "ours_gflops": gflops,
        "peer_gflops": workload.flops / statistics.median(peer_ms) / 1e6,
        "matmul_gflops": peak,
        "ours_share_of_matmul": gflops / peak,
        "ours_compile_seconds": ours.ready["compile_seconds"],
        "peer_compile_seconds": theirs.ready["compile_seconds"],
        "ours_peak_mib": ours.peak_mib,
        "peer_peak_mib": theirs.peak_mib,
        "ours_losses": ours.ready["losses"],
        "peer_losses": theirs.ready["losses"],
        "idle_cpu_seconds": max(ours.idle, theirs.idle),
        "parameters": ours.ready["parameters"],
        "flops": workload.flops,
        "repeats": repeats,
        "versions": ours.ready["versions"] | theirs.ready["versions"],
    }


def compare_losses(ours: dict, theirs: dict, gap: float) -> None:
    """Refuse a peer that trains something else: one with other losses, or losses that differ by more than `gap`.

    Raises: Failed.
    """
    if ours.keys() != theirs.keys():
        raise Failed(f"its losses are {', '.join(theirs)}, expected genjax's: {', '.join(ours)}")
    for name, value in ours.items():
        if not abs(theirs[name] - value) <= gap:  # nor is NaN
            raise Failed(
                f"{name} is {theirs[name]:.4g} after the first steps, expected {value:.4g} as in genjax, within {gap}"
            )


def _turn(ours: Worker, theirs: Worker) -> tuple[float, float, float]:
    """Milliseconds per step of both, and seconds of the matrix product."""
    times = [worker.run(max(1, round(SECONDS / worker.step_seconds))) for worker in (ours, theirs)]
    return 1e3 * times[0], 1e3 * times[1], ours.ask(matmul=2)["seconds"]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@functools.cache
def facts() -> dict:
    """Date and machine of the measurement."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":", 1)[1].strip() for line in info.read_text("utf-8").splitlines() if "model name" in line]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": model,
        "cores": cores,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def as_text(results: list[dict]) -> str:
    """The results as a table."""
    rows = [
        (
            r["workload"],
            r["peer"] if r["peer"].endswith(r["variant"]) else f"{r['peer']} ({r['variant']})",
            r["ours_ms"],
            r["peer_ms"],
            f"{r['ratio']:.2f} ({r['ratio_range'][0]:.2f}-{r['ratio_range'][1]:.2f})",
            r["ours_gflops"],
            f"{100 * r['ours_share_of_matmul']:.0f}%",
            f"{r['ours_compile_seconds']:.1f} / {r['peer_compile_seconds']:.1f}",
            f"{r['ours_peak_mib']:,.0f} / {r['peer_peak_mib']:,.0f}",
        )
        for r in results
    ]
    headers = (
        "workload",
        "peer (variant)",
        "ours ms",
        "peer ms",
        "ratio (range)",
        "GFLOP/s",
        "of matmul",
        "compile s, ours / peer",
        "peak MiB, ours / peer",
    )
    first = results[0]
    product = statistics.median(r["matmul_gflops"] for r in results)
    return f"{table(rows, headers)}\n\n{first['cpu']}, {first['cores']} cores; matmul {product:.0f} GFLOP/s in float32"


COLORS = {
    "torch": "#d1495b",
    "torch_bfloat16": "#e8a0a8",
    "keras": "#edae49",
    "keras_train_on_batch": "#8d6a9f",
    "flax": "#3d7ea6",
    "genjax_float32": "#7f7f7f",
}


def draw(results: list[dict]):
    """The ratios as bars on a logarithmic axis, with the range of their turns. Returns: an image."""
    from matplotlib.figure import Figure

    bars, places, labels, height = _layout(results)
    figure = Figure(figsize=(9, 1.3 + 0.32 * height), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for peer in dict.fromkeys(r["peer"] for r in results):
        own = [(y, r["ratio"] - 1) for y, r in bars if r["peer"] == peer]
        ys, widths = zip(*own, strict=True)
        # Right of 1 genjax is faster, left of it the peer.
        axes.barh(ys, widths, 0.86, left=1, color=COLORS[peer], label=peer)
    for y, r in bars:
        low, high = r["ratio_range"]
        axes.plot([low, high], [y, y], color="#222222", lw=1)
        text = f"{r['ratio']:.2f}   {number(r['peer_ms'])} / {number(r['ours_ms'])} ms   {r['variant']}"
        axes.text(max(high, r["ratio"], 1) * 1.04, y, text, va="center", size=8, color="#333333")
    axes.axvline(1, color="#222222", lw=1)
    axes.set_xscale("log")
    tidy(axes)
    axes.grid(False, axis="y")
    axes.set_yticks(places, labels)
    axes.set_ylim(height - 1.1, -0.7)
    _ratio_axis(axes, [r["ratio_range"] for r in results])
    axes.legend(frameon=False, fontsize=9, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))
    return rendered(figure)


def _layout(results):
    """The bars as (place, result), the workloads' places and labels, and the height of them all."""
    bars, places, labels = [], [], []
    y = 0.0
    for workload in dict.fromkeys(r["workload"] for r in results):
        group = [r for r in results if r["workload"] == workload]
        places.append(y + (len(group) - 1) / 2)
        labels.append(f"{workload}\nbatch {group[0]['batch']}")
        bars += [(y + i, r) for i, r in enumerate(group)]
        y += len(group) + 0.8
    return bars, places, labels, y


def _ratio_axis(axes, ranges):
    """Limits, ticks at 1, 2 and 5 per decade, and the label of the axis of ratios."""
    widest = max(high for _, high in ranges)
    axes.set_xlim(min(0.5, *(0.9 * low for low, _ in ranges)), widest * 4)
    ticks = [t * 10**e for e in range(-2, 4) for t in (1, 2, 5) if axes.get_xlim()[0] <= t * 10**e <= 1.3 * widest]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(
        "a peer's time over genjax's (right of 1 genjax is faster, left of it the peer); lines: range of the turns"
    )


if __name__ == "__main__":
    define_flags()
    entry.run(main)
