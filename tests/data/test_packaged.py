import subprocess
import sys

import numpy as np
import pytest

from genjax.data import fashion_mnist, packaged
from genjax.data.source import fingerprint
from genjax.errors import InputError

# Made by the build scripts from the originals; a change here is a change of the data that everybody trains on.
PINNED = {
    ("fashion_mnist_10k", "train"): (10000, (28, 28, 1), "48397500cbd96c90"),
    ("fashion_mnist_10k", "test"): (2000, (28, 28, 1), "cc6e609db80b4b6c"),
    ("emoji_64", "train"): (1720, (64, 64, 3), "33390a18f2d88ba9"),
    ("emoji_64", "test"): (186, (64, 64, 3), "aca565a968a014c6"),
    ("emoji_32", "train"): (1720, (32, 32, 3), "672d59c71a0640e9"),
    ("emoji_32", "test"): (186, (32, 32, 3), "763ea875272f4f9d"),
}


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "split"), PINNED)
def test_pinned(load, name, split):
    source = load(name, split)
    assert (source.size, source.shape, source.fingerprint[:16]) == PINNED[name, split]
    assert (source.name, source.split, source.dtype) == (name, split, np.uint8)
    assert source.nbytes == source.size * np.prod(source.shape)
    assert source.labels.dtype == np.int32
    assert source.labels.shape == (source.size,)
    assert set(source.labels) == set(range(len(source.label_names)))


def test_read_takes_any_order_and_repeats(load):
    source = load("emoji_32", "test")
    everything = source.read(np.arange(source.size))
    np.testing.assert_array_equal(source.read(np.array([5, 0, 5])), everything[[5, 0, 5]])


def test_every_slice_of_the_emoji_has_every_category(load):
    for split in ("train[:10%]", "train[90%:]", "test"):
        assert set(load("emoji_32", split).labels) == set(range(9))


def test_emoji_32_is_the_exact_mean_of_four_pixels(load):
    large, small = (load(name, "test") for name in ("emoji_64", "emoji_32"))
    every = np.arange(large.size)
    blocks = large.read(every).reshape(-1, 32, 2, 32, 2, 3).astype(int).sum((2, 4))
    np.testing.assert_array_equal(small.read(every), (blocks + 2) // 4)


def test_sheets_invert():
    x = np.random.default_rng(0).integers(0, 256, (7, 4, 4, 3), np.uint8)
    np.testing.assert_array_equal(packaged.from_sheet(packaged.to_sheet(x, columns=3), 4)[:7], x)


def test_size_and_channels_apply(load):
    source = load("fashion_mnist_10k", "test[:20]", size="32x16", channels=3, resize="squash")
    assert source.shape == (32, 16, 3)
    x = source.read(np.arange(20))
    assert (x[..., 0] == x[..., 2]).all()
    assert source.fingerprint != load("fashion_mnist_10k", "test[:20]").fingerprint


def test_a_split_is_decoded_once_in_a_process_and_nobody_can_change_it_for_others(load, monkeypatch):
    first = load("fashion_mnist_10k", "test[:20]")
    monkeypatch.setattr("PIL.Image.open", lambda file: pytest.fail("it was decoded again"))
    monkeypatch.setattr("numpy.load", lambda *_, **__: pytest.fail("it was read again"))
    again = load("fashion_mnist_10k", "test[:30]")
    np.testing.assert_array_equal(again.read(np.arange(20)), first.read(np.arange(20)))
    x, labels = packaged._decoded(packaged._fashion, "fashion_mnist_10k", "test")
    for array in (x, labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    first.read(np.arange(20))[:] = 0  # what is read is a copy
    assert again.read(np.arange(20)).any()


@pytest.fixture
def decode(monkeypatch, tmp_path):
    """Decode the small test split as a process of its own would, and the number of times that its file was read."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    counts = []

    def arrays(name, split):
        counts.append(split)
        return packaged._fashion(name, split)

    def decoded():
        packaged._decoded.cache_clear()
        return (*packaged._decoded(arrays, "fashion_mnist_10k", "test"), len(counts))

    yield decoded
    packaged._decoded.cache_clear()


def test_a_second_process_reads_what_the_first_one_decoded(decode, tmp_path):
    x, labels, _ = decode()
    again, labels_again, count = decode()
    assert count == 1
    np.testing.assert_array_equal(again, x)
    np.testing.assert_array_equal(labels_again, labels)
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-99],
        lambda data: data[:5000] + b"?" * 9 + data[5009:],
        lambda data: b"\0" * 99,
    ],
)
def test_a_damaged_file_in_the_cache_is_decoded_anew(decode, tmp_path, damage):
    x, _, _ = decode()
    (cached,) = tmp_path.rglob("*.npz")
    whole = cached.read_bytes()
    cached.write_bytes(damage(whole))
    again, _, count = decode()
    assert count == 2
    np.testing.assert_array_equal(again, x)
    assert cached.read_bytes() == whole


def test_a_full_disk_only_costs_the_decoding(decode, tmp_path, monkeypatch):
    def refuse(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packaged, "write_bytes", refuse)
    decode()
    assert decode()[2] == 2
    assert not [*tmp_path.rglob("*.npz")]


def test_a_damaged_asset_is_named(load, monkeypatch):
    monkeypatch.setitem(packaged.FINGERPRINTS, ("emoji_32", "test"), "0")
    packaged._decoded.cache_clear()
    with pytest.raises(InputError, match=r"'emoji_32' \(test\) is damaged"):
        load("emoji_32", "test")


@pytest.mark.skipif(not fashion_mnist.DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_packaged_images_are_the_first_of_the_full_set(load, split):
    full, part = load("fashion_mnist", split), load("fashion_mnist_10k", split)
    every = np.arange(part.size)
    np.testing.assert_array_equal(full.read(every), part.read(every))
    np.testing.assert_array_equal(full.labels[: part.size], part.labels)


def test_the_fingerprint_sees_pixels_labels_and_shape():
    x, labels = np.zeros((2, 4), np.uint8), np.zeros(2, np.uint8)
    base = fingerprint(x, labels)
    assert base == fingerprint(x.copy(order="F"), labels.astype(np.int64))
    for other in ((x + np.eye(2, 4, dtype=np.uint8), labels), (x, labels + 1), (x.reshape(4, 2), labels), (x, None)):
        assert fingerprint(*other) != base


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "fashion_mnsit"}, r"'fashion_mnsit' is unknown \(did you mean 'fashion_mnist'\?\)"),
        ({"name": "folder:"}, "folder:PATH"),
        ({"name": "emoji_32", "split": "valid"}, "no split 'valid'"),
        ({"name": "emoji_32", "size": "big"}, "'big' is not a size: write 64"),
        ({"name": "emoji_32", "size": "0"}, "'0' is not a size"),
        ({"name": "emoji_32", "channels": 4}, "has 3 channels, not 4"),
        ({"name": "emoji_32", "resize": "sqash"}, r"did you mean 'squash'\?"),
    ],
)
def test_wrong_requests_are_explained(load, arguments, message):
    with pytest.raises(InputError, match=message):
        load(**arguments)


def test_importing_the_package_is_light():
    heavy = ("PIL", "tensorflow_datasets", "tensorflow")
    code = f"import sys, genjax.data; sys.exit(str([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"
