"""Flags that several commands share, each declared and explained only here."""

from typing import TYPE_CHECKING

from absl import flags

from genjax.config import NOISE
from genjax.errors import InputError
from genjax.files import expand
from genjax.text import split_list

if TYPE_CHECKING:
    from genjax.run.loaded import Examples

FLAGS = flags.FLAGS
flags.disclaim_key_flags()  # --help lists them among the flags of the command that declares them here


class PathParser(flags.ArgumentParser):
    """A file or folder, or a name in its place, with ~ as the home folder."""

    def parse(self, argument: str) -> str:
        """The expanded path. Raises: InputError if there is no such home."""
        return expand(argument)


class PathsParser(flags.ListParser):
    """Files or folders."""

    def __init__(self):
        super().__init__()
        self.syntactic_help = "paths, separated by commas; one with a comma in it in double quotes"

    def parse(self, argument: str | list[str]) -> list[str]:
        """The expanded paths. Raises: InputError if there is no such home."""
        paths = split_list(argument) if isinstance(argument, str) else argument
        return [expand(path) for path in paths if path]


class StepParser(flags.ArgumentParser):
    """The step of a checkpoint, or "best"."""

    syntactic_help = "a step, or best"

    def parse(self, argument: str | int) -> int | str:
        """The step. Raises: InputError for anything else."""
        if argument == "best":
            return argument
        if str(argument).isdecimal():
            return int(argument)
        raise InputError("expected a number of at least 0, or best")


def define_path(name: str, default: str | None, description: str, required: bool = False) -> None:
    """A flag for one path."""
    flags.DEFINE(PathParser(), name, default, description, required=required)


def define_paths(name: str, default: list[str] | None, description: str, required: bool = False) -> None:
    """A flag for several paths, separated by commas."""
    serializer = flags.CsvListSerializer(",")
    flags.DEFINE(PathsParser(), name, default, description, serializer=serializer, required=required)


def define_run(required: bool = True) -> None:
    """--workdir and --step: which checkpoint of which run."""
    define_path("workdir", None, "The run's folder, as given to genjax.train.", required=required)
    define_step()


def define_step() -> None:
    """--step: which checkpoint."""
    flags.DEFINE(
        StepParser(), "step", None, "The checkpoint's step, or best: the one that eval.best kept; default: the newest."
    )


def define_sampling() -> None:
    """--ema and --truncation: how a generator is sampled."""
    flags.DEFINE_bool("ema", True, "Use the averaged weights where the run has them; --noema for the plain ones.")
    flags.DEFINE_float(
        "truncation",
        None,
        "Less variety, more typical examples: redraw latents outside [-t, t]; for a StyleGAN this is psi, the distance "
        "of w from its average.",
    )


def define_noise() -> None:
    """--noise: the noise of a StyleGAN's layers."""
    flags.DEFINE_enum(
        "noise",
        None,
        NOISE,
        "Noise in a StyleGAN's layers: constant, the same for all samples (the default), random, that of a sample's "
        "seed, or none.",
    )


def define_form() -> None:
    """--size, --channels and --range: the form that images are brought to."""
    flags.DEFINE_string("size", "", "Bring images of folders and data sets to this size: 64, or 64x48.")
    flags.DEFINE_integer(
        "channels", 0, "Bring images to gray (1) or color (3), or keep alpha (2, 4); 0 leaves them.", lower_bound=0
    )
    flags.DEFINE_string("range", "", "Values of 16-bit and floating-point images that are black and white: 0,4095.")


def define_bits() -> None:
    """--bits: the depth of images that are not brought to a run's."""
    flags.DEFINE_enum("bits", "8", ["8", "16"], "Bits per channel that images are read with.")


def define_examples(name: str, count: str, default_count: int | None = None, required: bool = False) -> None:
    """--data or --images (`name`), --split, --count, --size, --channels and --range; `count`: the default in words."""
    from genjax.data import names

    default = "" if required else "; default: the run's own data"
    define_path(
        name,
        None if required else "",
        f"Examples: a folder, a .zip, .npy, .npz, .h5 or .parquet, or a data set ({names()}){default}.",
        required=required,
    )
    flags.DEFINE_string(
        "split",
        "",
        "Part of a data set, as in 'test[:100]'; default: train, or the held-out split of the run's own data.",
    )
    flags.DEFINE_integer(
        "count", default_count, f"Number of examples, the first ones; default: {count}.", lower_bound=1
    )
    define_form()


def examples(name: str) -> "Examples":
    """The examples that the flags of `define_examples(name, ...)` name."""
    from genjax.run.loaded import Examples

    return Examples(FLAGS[name].value, FLAGS.split, FLAGS.size, FLAGS.channels, FLAGS.count, FLAGS.range)


def define_out(default: str | None, description: str) -> None:
    """--out: where the results are written."""
    define_path("out", default, description)
