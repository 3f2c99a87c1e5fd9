"""The code that a run was made with, and the folder that it was made in."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genjax import __version__


def git() -> dict[str, Any] | None:
    """The commit of this code, and whether files differ from it; None outside a repository."""

    def ask(*args):
        here = Path(__file__).parent
        return subprocess.run(["git", "-C", here, *args], capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def folder() -> str | None:
    """The working folder, which relative names in a config start from."""
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None


def difference(info: Mapping[str, Any]) -> list[str]:
    """A line that names the code of a run and the way to it, if this is other code."""
    version = info.get("versions", {}).get("genjax-models")
    commit = (info.get("git") or {}).get("commit")
    own_commit = (git() or {}).get("commit")
    if (version, commit) == (__version__, own_commit):
        return []
    way = f"git checkout {commit[:12]}" if commit else f"pip install genjax-models=={version}"
    return [f"(made by {_words(version, commit)}, and this is {_words(__version__, own_commit)}; to go back: {way})"]


def _words(version: str | None, commit: str | None) -> str:
    return f"genjax {version or 'of an unknown version'}" + (f" at commit {commit[:12]}" if commit else "")
