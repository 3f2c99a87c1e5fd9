from types import SimpleNamespace

import pytest

from genjax import data


@pytest.fixture
def load():
    """data.load with every key of config.data at its default."""

    def load(name, split="train", size="", channels=0, resize="crop", dir=""):
        config = {"name": name, "split": split, "size": size, "channels": channels, "resize": resize, "dir": str(dir)}
        return data.load(SimpleNamespace(**config))

    return load
