from types import SimpleNamespace

import pytest

from genjax import data


@pytest.fixture
def load():
    """data.load with every key of config.data at its default."""

    def load(name, split="train", **others):
        config = {"size": "", "channels": 0, "resize": "crop", "dir": ""} | others
        return data.load(SimpleNamespace(name=name, split=split, **config | {"dir": str(config["dir"])}))

    return load
