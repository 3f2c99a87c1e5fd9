"""Many configs compiled for many targets, each in a process of its own, as a table in Markdown.

    python -m experiments.scaling.survey --out=survey.jsonl --for=v5e:1x1,v5e:2x2,h100:1

Results are added to --out as they come, and what it holds is not compiled again. A setting is a config with overrides,
as "stylegan2_ada:paper1024 data.name=shapes_1024 remat=True"; the default is all configs as they are. What is not done
within --limit seconds of a processor is stopped, and said to be.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from genjax.cli import entry
from genjax.text import bytes_text, number

CONFIGS = Path(__file__).parents[2] / "configs"

FLAGS = flags.FLAGS


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
    """The last phase of a setting for a target, as `compile.record` has it, or {"failed": reason}."""
    name, *overrides = setting.split()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "record.json"
        command = [sys.executable, "-m", "experiments.scaling.compile", f"--config={name}", f"--for={goal}", "--last"]
        options = ["--noremedies", f"--effort={FLAGS.effort}", f"--out={out}"]
        changes = [f"--config.{override}" for override in overrides]
        done = subprocess.run([*command, *options, *changes], capture_output=True, text=True, preexec_fn=_limit)
        if out.exists():
            return json.loads(out.read_text(encoding="utf-8"))
    if done.returncode < 0:
        return {"failed": f"not compiled in {FLAGS.limit} s"}
    return {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1]}


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (FLAGS.limit, FLAGS.limit))


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
    flags.DEFINE_integer("limit", 900, "Seconds of a processor for each program.", lower_bound=1)
    entry.run(main)
