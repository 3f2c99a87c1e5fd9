"""Many configs compiled for many targets, each in a process of its own, as a table in Markdown.

    python -m experiments.scaling.survey --out=survey.jsonl --for=v5e:1x1,v5e:2x2,h100:1

Results are added to --out as they come, and what it holds is not compiled again. A setting is a config with overrides,
as "stylegan2_ada:paper1024 data.name=shapes_1024 remat=True"; the default is all configs as they are. A program that is
not compiled within --limit seconds is stopped. libtpu assigns memory long before it has generated all code: with
--memory it is stopped then, which is enough to know whether a program fits.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from genjax.cli import entry
from genjax.text import bytes_text, number

CONFIGS = Path(__file__).parents[2] / "configs"

FLAGS = flags.FLAGS

SIZE = re.compile(r"heap_simulator\S* (?:Primary|Fallback) algorithm finished with size: (\d+)")
ARGUMENTS = re.compile(r"arguments \(([\d.]+)([KMG])\)")
ENOUGH = 30.0
"""Seconds after which libtpu would have said that a program does not fit, once it has assigned its memory."""


def main() -> None:
    """Compile what --out does not hold, then print the table."""
    file = Path(FLAGS.out)
    settings = FLAGS.settings or sorted(path.stem for path in CONFIGS.glob("*.py") if path.stem != "__init__")
    done = {(line["setting"], line["target"]) for line in lines(file)}
    for setting in settings:
        for goal in FLAGS["for"].value:
            if (setting, goal) not in done:
                result = compile_one(setting, goal)
                with file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps({"setting": setting, "target": goal} | result) + "\n")
    print(markdown(list(lines(file)), settings, FLAGS["for"].value))


def lines(file: Path) -> Iterator[dict]:
    """The results in a file, or none."""
    if file.exists():
        yield from map(json.loads, file.read_text(encoding="utf-8").splitlines())


def compile_one(setting: str, goal: str) -> dict:
    """The last phase of a setting for a target, as `compile.costs` and `compile.needs`, or {"failed": reason}."""
    name, *overrides = setting.split()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "record.jsonl"
        command = [sys.executable, "-m", "experiments.scaling.compile", f"--config={name}", f"--for={goal}", "--last"]
        options = ["--noremedies", f"--effort={FLAGS.effort}", f"--out={out}"]
        changes = [f"--config.{override}" for override in overrides]
        log = os.environ | {"TPU_LOG_DIR": folder, "TPU_MIN_LOG_LEVEL": "0"}
        process = subprocess.Popen(
            [*command, *options, *changes], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=log
        )
        needed = _followed(process, Path(folder) / "tpu_driver.INFO", out)
        error = process.communicate()[1].strip().splitlines()
        result = {name: value for line in lines(out) for name, value in line.items()}
    if "memory" not in result and needed:
        return result | {"memory": needed, "fits": True, "sent": 0}
    if "memory" not in result:
        return result | {"failed": f"not compiled in {FLAGS.limit} s" if process.returncode < 0 else error[-1]}
    return result


def _followed(process: subprocess.Popen, log: Path, out: Path) -> float:
    """Wait for a compilation, or stop it: after --limit seconds, or with --memory once libtpu has assigned memory.

    Returns: the bytes that libtpu assigned, with the arguments; 0 if it did not say.
    """
    needed, assigned_at, start = 0.0, 0.0, time.monotonic()
    while process.poll() is None:
        time.sleep(1)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        if not needed and (size := SIZE.search(text)) and (arguments := ARGUMENTS.search(text)):
            needed = int(size[1]) + float(arguments[1]) * 1024.0 ** " KMG".index(arguments[2])
            assigned_at = time.monotonic()
        assigned = FLAGS.memory and needed and time.monotonic() - assigned_at > ENOUGH
        if assigned or time.monotonic() - start > FLAGS.limit:
            process.kill()
    return needed


def markdown(results: list[dict], settings: list[str], targets: list[str]) -> str:
    """A row per setting, a cell per target: memory of a chip, the least milliseconds of a step, bytes sent."""
    by_cell = {(line["setting"], line["target"]): line for line in results}
    head = f"| Setting | {' | '.join(targets)} |\n|---|{'---|' * len(targets)}\n"
    rows = (f"| `{s}` | {' | '.join(_cell(by_cell.get((s, t))) for t in targets)} |\n" for s in settings)
    return head + "".join(rows)


def _cell(line: dict | None) -> str:
    if line is None:
        return ""
    if "failed" in line:
        return line["failed"]
    memory = bytes_text(line["memory"])
    sent = f", {bytes_text(line['sent'])} sent" if line["sent"] else ""
    return (
        f"{memory}, {number(1e3 * line['least_seconds'])} ms{sent}" if line["fits"] else f"**{memory}: does not fit**"
    )


if __name__ == "__main__":
    flags.DEFINE_string("out", "survey.jsonl", "The file of results.")
    flags.DEFINE_multi_string("settings", [], "A config with overrides, as in 'dcgan batch=64'; repeat for more.")
    flags.DEFINE_list("for", ["v5e:1x1", "v5e:2x2", "h100:1"], "Targets, as for experiments.scaling.compile.")
    flags.DEFINE_float("effort", -1.0, "Of libtpu, from -1 to compile sooner.", lower_bound=-1, upper_bound=1)
    flags.DEFINE_integer("limit", 900, "Seconds for each program.", lower_bound=1)
    flags.DEFINE_bool("memory", False, "Of programs for TPUs, stop the compiler once it has assigned memory.")
    entry.run(main)
