import sys
from collections import Counter
from subprocess import run

import numpy as np
import pytest
from PIL import Image

from genjax.data import SOURCES
from genjax.data.census import take_census
from genjax.data.census.advice import suggested_flags
from genjax.data.census.counts import Moments, equal_groups
from genjax.data.census.words import as_json, render
from genjax.data.images import Form
from genjax.errors import InputError


def noise(seed, height=20, width=20, channels=3):
    return np.random.default_rng(seed).integers(0, 200, (height, width, channels), np.uint8).squeeze()


def save(path, x, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (x if isinstance(x, Image.Image) else Image.fromarray(x)).save(path, **options)


def flags_of(census):
    return dict(flag.text.strip("'").removeprefix("--config.").split("=", 1) for flag in suggested_flags(census))


@pytest.fixture
def mixed(tmp_path):
    """Eight usable images: one turned, one animated, three equal; two that are broken, and two texts."""
    for i in range(3):
        save(tmp_path / "a" / f"{i}.png", noise(i, 40, 30))
    save(tmp_path / "a" / "copy.png", noise(0, 40, 30))
    save(tmp_path / "b" / "same.bmp", noise(0, 40, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored 50x90, shown 90x50
    save(tmp_path / "b" / "turned.png", noise(5, 50, 90), exif=exif)
    save(tmp_path / "b" / "gray.png", noise(6, 64, 64, 1))
    frames = [Image.fromarray(noise(i, 70, 70, 1)) for i in (7, 8)]
    save(tmp_path / "b" / "moving.gif", frames[0], save_all=True, append_images=frames[1:])
    (tmp_path / "a" / "broken.png").write_bytes(b"nothing")
    (tmp_path / "b" / "half.png").write_bytes((tmp_path / "a" / "0.png").read_bytes()[:900])
    for name in ("a/notes.txt", "b/more.txt"):
        (tmp_path / name).write_text("text")
    return tmp_path


def test_counts_what_image_files_hold(mixed):
    census = take_census(str(mixed))
    files = census.files
    assert (census.kind, census.source.size, census.total) == ("images", 8, 10)
    assert set(census.broken) == {"a/broken.png", "b/half.png"}
    assert files.left_out == {".txt": 2}
    assert files.formats == {"PNG": 6, "BMP": 1, "GIF": 1}
    assert files.sizes == {(40, 30): 5, (90, 50): 1, (64, 64): 1, (70, 70): 1}
    assert files.modes == Counter(RGB=6, L=1) + Counter({Image.open(mixed / "b" / "moving.gif").mode: 1})
    assert (files.animated, files.turned) == (["b/moving.gif"], ["b/turned.png"])
    assert files.bits == {8: 8}
    assert files.range == (0, 199)
    assert census.classes == {"a": 4, "b": 4}


def test_duplicates_are_those_of_pixels_and_label_noise_is_named(mixed):
    census = take_census(str(mixed))
    names = [{census.name_of(index) for index in group} for group in census.duplicates]
    assert names == [{"a/0.png", "a/copy.png", "b/same.bmp"}]
    assert census.across_classes == census.duplicates
    copies = [{census.name_of(index) for index in group} for group in census.files.copies]
    assert copies == [{"a/0.png", "a/copy.png"}]
    text = render(census)
    assert "1 group across classes, which is label noise" in text
    assert "1 of them in files that are equal to the byte" in text


def test_a_turned_copy_is_a_duplicate(tmp_path):
    x = noise(0, 8, 6)
    save(tmp_path / "1.png", x)
    exif = Image.Exif()
    exif[0x0112] = 3
    save(tmp_path / "2.png", x[::-1, ::-1], exif=exif)
    assert take_census(str(tmp_path)).duplicates == ((0, 1),)


def test_suggested_flags_open_the_data(mixed, load):
    census = take_census(str(mixed))
    flags = flags_of(census)
    # The 5th percentile of the shorter sides 30, 30, 30, 30, 30, 50, 64, 70 is 30: 16 enlarges none.
    assert flags["data.size"] == "16"
    assert (flags["data.channels"], flags["data.skip_broken"], flags["classes"]) == ("3", "True", "2")
    assert "data.upscale" not in flags
    for path in (mixed / "a" / "broken.png", mixed / "b" / "half.png"):
        path.unlink()
    source = load(flags["data.name"], size=flags["data.size"], channels=int(flags["data.channels"]))
    assert source.shape == census.source.shape == (16, 16, 3)
    order = {name: index for index, name in enumerate(source.names)}
    rows = [order[name] for name in census.source.names]
    np.testing.assert_array_equal(census.source.read(np.arange(8)), source.read(np.array(rows)))


def test_a_size_that_is_asked_for_names_smaller_images(mixed):
    census = take_census(str(mixed), form=Form((60, 60), 1, "crop"))
    assert set(census.files.smaller) == {"a/0.png", "a/1.png", "a/2.png", "a/copy.png", "b/same.bmp", "b/turned.png"}
    flags = flags_of(census)
    assert (flags["data.size"], flags["data.upscale"], flags["data.channels"]) == ("60", "True", "1")


def test_gray_that_is_stored_as_color(tmp_path):
    for i in range(2):
        save(tmp_path / f"{i}.png", Image.fromarray(noise(i, channels=1)).convert("RGB"))
    census = take_census(str(tmp_path))
    assert census.colorless
    assert flags_of(census)["data.channels"] == "1"


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        (np.array([[0, 4000]], np.uint16), "0,4095"),
        (np.array([[0, 60000]], np.uint16), None),
        (np.array([[0.25, 0.5]], np.float32), "0,1"),
        (np.array([[-3, 900]], np.float32), "-3,900"),
    ],
)
def test_gray_of_more_than_8_bits_keeps_its_values(tmp_path, values, limits):
    Image.fromarray(values).save(tmp_path / "1.tif")
    census = take_census(str(tmp_path))
    assert census.files.deep_range == (values.min(), values.max())
    assert flags_of(census).get("data.range") == limits
    assert census.source.read(np.array([0])).shape == (1, 1, 2, 1)
    assert "8 are kept, 16 with --config.data.bits=16" in render(census)


def test_gaps_in_the_numbers_of_classes(tmp_path):
    for name in ("0", "1", "3"):
        save(tmp_path / name / "1.png", noise(int(name)))
    assert "Without examples: 2." in render(take_census(str(tmp_path)))


def test_no_labels_have_a_reason(tmp_path):
    save(tmp_path / "cats" / "1.png", noise(0))
    save(tmp_path / "cover.png", noise(1))
    assert "No classes: cover.png is in no sub-folder" in render(take_census(str(tmp_path)))


def test_only_a_source_without_any_usable_image_is_refused(tmp_path):
    (tmp_path / "1.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"all 1 images are broken: 1.png \(not an image"):
        take_census(str(tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        take_census(f"folder:{tmp_path}/none")


def test_the_count_limits_what_is_read(mixed):
    census = take_census(str(mixed), count=3)
    assert (census.source.size + len(census.broken), census.total) == (3, 10)
    assert "(the first 3 of 10)" in render(census)


def test_arrays_match_numpy(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (50, 6, 5, 3), np.uint8)
    x[7] = x[30]
    np.savez(tmp_path / "x.npz", x=x, labels=np.arange(50) % 4 * 2)
    census = take_census(str(tmp_path / "x.npz"))
    np.testing.assert_allclose(census.values.mean, x.reshape(-1, 3).mean(0))
    np.testing.assert_allclose(census.values.std, x.reshape(-1, 3).std(0))
    assert census.values.low == tuple(x.min((0, 1, 2)))
    assert census.values.high == tuple(x.max((0, 1, 2)))
    assert census.duplicates == ((7, 30),)
    assert census.across_classes == ((7, 30),)  # of the labels 6 and 4
    assert census.classes == {"0": 13, "1": 0, "2": 13, "3": 0, "4": 12, "5": 0, "6": 12}


def test_parts_of_any_size_give_the_same_moments():
    x = np.random.default_rng(0).normal(3, 2, (101, 4, 2)).astype(np.float32)
    x[5, 2:] = np.nan
    results = []
    for size in (101, 7):
        moments = Moments(2)
        for start in range(0, 101, size):
            moments.add(x[start : start + size])
        results.append(moments.values())
    for values in results:
        np.testing.assert_allclose(values.mean, np.nanmean(x, (0, 1), dtype=np.float64))
        np.testing.assert_allclose(values.std, np.nanstd(x, (0, 1), dtype=np.float64))
        assert values.low == tuple(np.nanmin(x, (0, 1)))


def test_lengths_of_series(tmp_path):
    x = np.random.default_rng(0).random((4, 9, 2))
    np.savez(tmp_path / "x.npz", x=x, lengths=np.array([9, 3, 5, 5]))
    census = take_census(f"series:{tmp_path}/x.npz")
    assert census.lengths.tolist() == [9, 3, 5, 5]
    assert "3 to 9 steps, median 5" in render(census)


def test_equal_groups_are_in_order():
    digests = [bytes([n]) * 16 for n in (5, 1, 5, 2, 1, 5, 9)]
    assert equal_groups(digests) == ((0, 2, 5), (1, 4))


EXAMPLES = {
    "stacked:NAME": "stacked:fashion_mnist_10k",
    "pairs:NAME,NAME": "pairs:emoji_32,shapes_32",
    "oracle_COUNTxSTEPS": "oracle_50x6",
    "shapes_SIDE": "shapes_16",
    "textures_SIDE": "textures_8",
}
"""Names of sources that are patterns and need no files."""
OWN = [record.name for record in SOURCES if not record.prefix and record.name not in EXAMPLES] + list(EXAMPLES)


@pytest.mark.parametrize("name", [name for name in OWN if name != "fashion_mnist"])  # it is downloaded
def test_every_source_has_a_census(name):
    census = take_census(EXAMPLES.get(name, name), count=40)
    assert census.source.size == 40
    assert max(map(len, render(census).splitlines())) <= 80
    assert flags_of(census)["data.name"] == EXAMPLES.get(name, name)
    assert as_json(census)["count"] == 40


def test_a_composed_source_leaves_broken_images_out(mixed):
    census = take_census(f"pairs:folder:{mixed},shapes_16", form=Form((16, 16), 3, "crop"), count=10)
    assert set(census.broken) == {"a/broken.png", "b/half.png"}
    assert flags_of(census)["data.skip_broken"] == "True"


def test_no_jax_is_imported():
    code = (
        "import sys\nfrom genjax import census\nfrom genjax.data.census import take_census, words\n"
        "words.render(take_census('emoji_32', count=10))\nassert 'jax' not in sys.modules"
    )
    run([sys.executable, "-c", code], check=True)
