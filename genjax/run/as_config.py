"""The config of a run as a config file: --config=runs/x stands for genjax/run/as_config.py:runs/x."""

from ml_collections import ConfigDict

from genjax.run.restore import open_config


def get_config(folder: str = "") -> ConfigDict:
    """The config that a run was trained with. Raises: InputError if there is no run."""
    return open_config(folder)[1]
