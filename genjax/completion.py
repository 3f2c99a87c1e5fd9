"""Print the script by which a shell completes commands: python -m genjax.completion --shell=bash

`genjax completion bash` does the same. To install it:

    bash   echo 'eval "$(genjax completion bash)"' >> ~/.bashrc
    zsh    echo 'eval "$(genjax completion zsh)"' >> ~/.zshrc        (after compinit)
    fish   genjax completion fish > ~/.config/fish/completions/genjax.fish

Commands, flags, the names of configs, the keys of the config that the line names, and paths are completed.
"""

from absl import flags

from genjax.cli import completion, entry
from genjax.errors import InputError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this entry point."""
    flags.DEFINE_enum("shell", None, list(completion.SCRIPTS), "The shell that the script is for.")


def main() -> None:
    """Print the script."""
    if not FLAGS.shell:
        raise InputError(
            f"--shell is needed, as in genjax completion bash; choose from {', '.join(completion.SCRIPTS)}"
        )
    print(completion.SCRIPTS[FLAGS.shell], end="")


if __name__ == "__main__":
    define_flags()
    entry.run(main, lambda argv: entry.positional(argv, "shell"))
