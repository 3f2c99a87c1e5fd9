"""`python -m genjax.cli COMMAND ...` is the console script without an installation."""

import sys

from genjax.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
