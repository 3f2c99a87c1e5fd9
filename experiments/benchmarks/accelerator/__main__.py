"""Ten minutes on one GPU or TPU: python -m experiments.benchmarks.accelerator --out=runs/chip

Correctness first: a resumed run to the bit, float32 against a CPU, bfloat16 against float32. Then times of steps of
DCGAN, WGAN-GP and StyleGAN2 at 256 and 1024 pixels in three precisions, beside NVIDIA's and PyTorch's; features of FID;
a profile. Parts go in the order of their worth (parts.py) within --budget seconds; results.json and index.html are
written after each row, so that whatever stops the command leaves what it has. Exit codes: 0; 1 if a part failed or a
check did not pass; 2 bad input; 128 + n stopped by signal n.
"""

from pathlib import Path

from absl import flags

from experiments.benchmarks.accelerator.parts import PARTS, check_budget, chosen
from experiments.benchmarks.accelerator.session import PAGE, RESULTS, Session
from genjax.cli import entry
from genjax.cli.flags import define_path
from genjax.errors import InputError
from genjax.files import try_writing

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Define the flags of this command."""
    define_path("out", "", "Folder of the results and the page; created if missing.")
    flags.DEFINE_float("budget", 600.0, "Seconds that all may take.", lower_bound=1.0)
    flags.DEFINE_bool("smoke", False, "Tiny nets and few steps, to try the command; the times mean nothing.")
    flags.DEFINE_list("parts", [], f"What to run, by default all: {', '.join(part.name for part in PARTS)}.")
    flags.DEFINE_bool("list", False, "Print the parts in their order, with their estimates, and end.")


def main() -> int:
    """Run the parts that fit, and print where the page is. Returns: the exit code."""
    parts = chosen([name for name in FLAGS.parts if name], FLAGS.smoke)
    if FLAGS.list:
        for part in parts:
            print(f"{part.name} ({part.seconds:.0f} s): {part.says}")
        return 0
    check_budget(parts, FLAGS.budget)
    folder = output(FLAGS.out)
    code = Session(folder, parts, FLAGS.budget, FLAGS.smoke).run()
    print(folder / PAGE)
    return code


def output(out: str) -> Path:
    """The output folder, which has no results yet. Raises: InputError."""
    if not out:
        raise InputError("--out is missing: name a folder for the results and the page, as in --out=runs/chip")
    folder = Path(out)
    if (folder / RESULTS).exists():
        raise InputError(f"--out={out} has the results of an earlier session: name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try_writing(folder / RESULTS)
    except OSError as error:
        raise InputError(
            f"--out={out}: expected a folder that can be written to ({error.strerror or error})"
        ) from error
    return folder


if __name__ == "__main__":
    define_flags()
    entry.run(main)
