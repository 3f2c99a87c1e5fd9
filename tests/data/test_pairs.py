"""Images over images."""

import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

from genjax import data
from genjax.data import pairs
from genjax.errors import InputError

FORM = {"split": "train", "size": "16", "channels": 3, "resize": "crop", "dir": "", "upscale": True}


def load(name, **overrides):
    return data.load(ConfigDict(FORM | {"name": name} | overrides))


@pytest.fixture
def folders(tmp_path):
    for folder, count in (("a", 3), ("b", 2)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            Image.new("RGB", (20, 16), (10 * i, 0, 200 if folder == "b" else 0)).save(tmp_path / folder / f"{i}.png")
    return tmp_path


def test_each_image_of_one_set_stands_over_each_of_the_other(folders):
    found = load(f"pairs:folder:{folders}/a,folder:{folders}/b")
    assert (found.size, found.shape) == (6, (32, 16, 3))
    x = found.read(np.arange(6))
    assert {(int(p[0, 0, 0]), int(p[16, 0, 0])) for p in x} == {(10 * i, 10 * j) for i in range(3) for j in range(2)}
    assert not x[:, :16, :, 2].any()
    assert (x[:, 16:, :, 2] == 200).all()


def test_of_large_sets_there_are_no_more_pairs_than_fit(folders, monkeypatch):
    monkeypatch.setattr(pairs, "MAX_PAIRS", 3)
    found = load(f"pairs:folder:{folders}/a,folder:{folders}/b")
    assert found.size == 3
    assert {int(p[16, 0, 0]) for p in found.read(np.arange(3))} == {0, 10}  # all styles are seen still


def test_what_does_not_pair_is_refused(folders):
    with pytest.raises(InputError, match=r"one size, got \[16, 16, 1\] and \[16, 16, 1\]: set data.size"):
        load(f"pairs:folder:{folders}/a,folder:{folders}/b", channels=1)
    with pytest.raises(InputError, match="does not exist"):
        load(f"pairs:folder:{folders}/a,folder:{folders}/c")
    with pytest.raises(InputError, match="is incomplete: expected pairs:NAME,NAME"):
        load("pairs:emoji_32")


def test_an_image_is_a_set_of_one(folders):
    found = load(f"image:{folders}/a/1.png", size="")
    assert (found.size, found.shape) == (1, (16, 20, 3))
    assert found.read([0])[0, 0, 0, 0] == 10
    for name, message in ((f"{folders}/none.png", "does not exist"), (f"{folders}/a", "is a folder")):
        with pytest.raises(InputError, match=message):
            load(f"image:{name}")


def test_a_name_with_a_comma_is_in_double_quotes(folders):
    (folders / "a").rename(folders / "a,c")
    assert load(f'pairs:"folder:{folders}/a,c",folder:{folders}/b').size == 6
    with pytest.raises(InputError, match="got 3: one with a comma in it goes in double quotes"):
        load(f"pairs:folder:{folders}/a,c,folder:{folders}/b")
