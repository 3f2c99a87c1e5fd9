"""A command as Windows would run it, as far as POSIX can tell: python tests/windows.py train --config=... --workdir=...

What Windows lacks is hidden: modules, functions of `os`, signals, and packages that are not built for it. Packages that
look at the system when they are imported are imported before that. Paths, locks and shutil remain POSIX's.
"""

import importlib
import os
import pkgutil
import runpy
import signal
import sys

MODULES = {"array_record", "crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "uvloop"}
FUNCTIONS = (
    *("chown", "fchmod", "fchown", "fork", "forkpty", "getgid", "getloadavg", "getpgid", "getpgrp", "getuid"),
    *("geteuid", "killpg", "mkfifo", "nice", "posix_fallocate", "sched_getaffinity", "setpgid", "setsid"),
    *("sync", "uname", "wait3", "wait4"),
)
SIGNALS = ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2")
PACKAGES = (
    *("absl.app", "filelock", "flax.linen", "jax.experimental.multihost_utils", "matplotlib.backends.backend_agg"),
    *("ml_collections.config_flags", "optax", "orbax.checkpoint", "PIL.Image", "rich.progress", "safetensors"),
    *("scipy.linalg", "scipy.stats", "tensorboardX"),
)


class Hidden:
    """A finder of modules that finds none of MODULES."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def hide() -> None:
    """Hide what Windows lacks from all that is imported from now on."""
    for name in PACKAGES:
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] in MODULES]:
        del sys.modules[name]
    sys.meta_path.insert(0, Hidden)
    for module, names in ((os, FUNCTIONS), (signal, SIGNALS)):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    os.process_cpu_count = os.cpu_count  # that of Python 3.13 asks for sched_getaffinity, except on Windows
    sys.platform = "win32"


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    hide()
    import genjax

    for module in pkgutil.walk_packages(genjax.__path__, "genjax."):
        if not module.name.startswith("genjax.assets.") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    del sys.argv[0]
    command = sys.argv[0]
    for name in [name for name in sys.modules if name == f"genjax.{command}"]:
        del sys.modules[name]
    runpy.run_module(f"genjax.{command}", run_name="__main__", alter_sys=True)
