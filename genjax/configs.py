"""List the configs with their task, size, time and result: python -m genjax.configs --name=dcgan

Without a name all configs are listed, one per line; with one its description, data, nets, variants, and its measured
runs with the commands that make them again. `genjax configs dcgan` does the same. Numbers are explained, with their
protocols, on the pages of docs/ that are named.
"""

from absl import flags

from genjax import config_files, config_table
from genjax.cli import entry
from genjax.config import pick

FLAGS = flags.FLAGS

LEGEND = """
Times are those of training on two cores of a server CPU. A Fréchet distance is of SqueezeNet's features and, after a
semicolon, of a classifier's: it is no FID. genjax configs NAME has more, genjax train NAME trains one."""


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_string("name", "", "The config of which all is printed, as demo; default: a list of all.")


def main() -> None:
    """Print the list, or the details of one config."""
    if not FLAGS.name:
        print(config_table.overview())
        print(LEGEND)
        return
    name = FLAGS.name.partition(":")[0].removeprefix("configs/").removesuffix(".py")
    print(config_table.details(pick(config_files.names(), name, "--name")))


if __name__ == "__main__":
    define_flags()
    entry.run(main, lambda argv: entry.positional(argv, "name"))
