"""Images of any number of channels: arrays in both layouts, files with alpha, sizes, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from genjax.data.images import Form, conform
from genjax.errors import InputError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "channels", "first"),
    [
        ((9, 16, 12, 4), 0, False),
        ((9, 5, 16, 12), 0, True),
        ((9, 16, 12, 2), 0, False),
        ((9, 7, 16, 12), 7, True),
        ((9, 12, 12, 12), 0, None),
        ((9, 16, 6, 16), 16, None),
        ((9, 16, 8, 20), 16, True),
        ((9, 16, 8, 20), 20, False),
        ((9, 3, 16, 12), 0, True),
        ((9, 3, 16, 1), 0, False),  # as ever: 1 and 3 at the end come first
    ],
)
def test_the_channels_of_an_array_are_the_axis_that_can_be(tmp_path, load, shape, channels, first):
    x = RNG.integers(0, 256, shape, np.uint8)
    np.save(tmp_path / "x.npy", x)
    if first is None:
        with pytest.raises(InputError, match="the channels may be the last axis or the second"):
            load(f"array:{tmp_path / 'x.npy'}", channels=channels)
        return
    source = load(f"array:{tmp_path / 'x.npy'}", channels=channels)
    expected = np.moveaxis(x, 1, 3) if first else x
    np.testing.assert_array_equal(source.read(np.arange(9)), expected)
    layout = "[N, C, H, W]" if first else "[N, H, W, C]"
    assert (f"is read as {layout}" in " ".join(source.notes)) == (shape[3] not in (1, 3))


def test_floats_of_five_channels_become_bytes(tmp_path, load):
    x = RNG.uniform(0, 1, (3, 8, 9, 5))
    np.save(tmp_path / "x.npy", x)
    read = load(f"array:{tmp_path / 'x.npy'}").read(np.arange(3))
    np.testing.assert_array_equal(read, np.floor(255 * x + 0.5))


def test_each_channel_of_an_array_is_resized_by_itself():
    x = RNG.integers(0, 256, (2, 16, 12, 5), np.uint8)
    small = conform(x, Form((8, 6), 0, "crop"))
    assert small.shape == (2, 8, 6, 5)
    for channel in range(5):
        alone = conform(x[..., channel : channel + 1], Form((8, 6), 0, "crop"))
        np.testing.assert_array_equal(small[..., channel : channel + 1], alone)


def test_an_array_is_not_brought_to_other_channels(tmp_path, load):
    np.save(tmp_path / "x.npy", RNG.integers(0, 256, (2, 16, 12, 5), np.uint8))
    with pytest.raises(InputError, match=r"has 5 channels, not 3: set data.channels=5, or 0"):
        load(f"array:{tmp_path / 'x.npy'}", channels=3)


@pytest.fixture
def folder(tmp_path):
    """An image with alpha, and one without."""
    x = RNG.integers(0, 256, (10, 8, 4), np.uint8)
    Image.fromarray(x, "RGBA").save(tmp_path / "a.png")
    Image.fromarray(x[..., :3]).save(tmp_path / "b.png")
    return tmp_path, x


def test_four_channels_keep_alpha_and_none_is_opaque(folder, load):
    path, x = folder
    read = load(f"folder:{path}", channels=4).read(np.arange(2))
    np.testing.assert_array_equal(read[0], x)
    np.testing.assert_array_equal(read[1], np.concatenate([x[..., :3], np.full((10, 8, 1), 255)], 2))
    assert load(f"folder:{path}").shape == (10, 8, 3)


def test_two_channels_are_gray_and_alpha(tmp_path, load):
    x = RNG.integers(0, 256, (10, 8, 2), np.uint8)
    Image.fromarray(x, "LA").save(tmp_path / "a.png")
    np.testing.assert_array_equal(load(f"folder:{tmp_path}", channels=2).read(np.arange(1))[0], x)
    assert load(f"folder:{tmp_path}").shape == (10, 8, 1)


@pytest.mark.parametrize("resize", ["pad", "frame"])
def test_what_surrounds_an_image_with_alpha_is_transparent(folder, load, resize):
    path, x = folder
    read = load(f"folder:{path}", channels=4, size="10x12", resize=resize).read(np.arange(1))[0]
    np.testing.assert_array_equal(read[:, 2:10], x)
    assert not read[:, :2, 3].any()
    assert not read[:, 10:, 3].any()


def test_transparent_pixels_do_not_color_a_smaller_image(tmp_path, load):
    """Means weighted by alpha: of red and transparent green, red."""
    x = np.zeros((8, 8, 4), np.uint8)
    x[:, ::2] = 255, 0, 0, 255
    x[:, 1::2] = 0, 255, 0, 0
    Image.fromarray(x, "RGBA").save(tmp_path / "a.png")
    read = load(f"folder:{tmp_path}", channels=4, size="4").read(np.arange(1))[0]
    assert (read[..., 0] > 250).all()
    assert (read[..., 1] < 5).all()
    assert (np.abs(read[1:-1, 1:-1, 3].astype(int) - 128) < 8).all()


@pytest.mark.parametrize(
    ("channels", "message"), [(5, "image files have 1 to 4 channels"), (-1, "data.channels is -1")]
)
def test_other_numbers_are_refused(folder, load, channels, message):
    with pytest.raises(InputError, match=message):
        load(f"folder:{folder[0]}", channels=channels)
