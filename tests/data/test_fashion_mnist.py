import gzip
import http.server
import socket
import threading
from functools import partial

import numpy as np
import pytest

from genjax.data import fashion_mnist
from genjax.data.fashion_mnist import read_idx
from genjax.data.source import fingerprint
from genjax.errors import InputError

SIZES = {"train": 23, "test": 7}


def idx(array):
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with four small files that are accepted as the real ones; nothing is installed, cached or online."""
    folder = tmp_path / "files"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for split, size in SIZES.items():
        x, labels = rng.integers(0, 256, (size, 28, 28), np.uint8), rng.integers(0, 10, size).astype(np.uint8)
        for name, array in zip(fashion_mnist.FILES[split], (x, labels), strict=True):
            (folder / name).write_bytes(gzip.compress(idx(array)))
        monkeypatch.setitem(fashion_mnist.FINGERPRINTS, split, fingerprint(x[..., None], labels))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(fashion_mnist, "HOST", "http://127.0.0.1:9/")  # the discard port: nobody answers
    return folder


@pytest.fixture
def host(files, monkeypatch):
    """The files behind a local web server."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=files))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(fashion_mnist, "HOST", f"http://127.0.0.1:{server.server_port}/")
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def cached(tmp_path):
    folder = tmp_path / "cache" / "genjax" / "fashion_mnist"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_all_four_ways_give_the_same_examples(files, host, tmp_path, load, monkeypatch):
    sources = {"downloaded": {split: load("fashion_mnist", split) for split in SIZES}}
    monkeypatch.setattr(fashion_mnist, "HOST", "http://127.0.0.1:9/")
    sources["cached"] = {split: load("fashion_mnist", split) for split in SIZES}
    sources["data.dir"] = {split: load("fashion_mnist", split, dir=files) for split in SIZES}
    monkeypatch.setattr(fashion_mnist, "DEBIAN", files)
    sources["installed"] = {split: load("fashion_mnist", split) for split in SIZES}
    for of_splits in sources.values():
        for split, size in SIZES.items():
            x, labels = fashion_mnist.read_split(files, split)
            source = of_splits[split]
            assert (source.size, source.shape, source.fingerprint) == (size, (28, 28, 1), fingerprint(x, labels))
            np.testing.assert_array_equal(source.read(np.arange(size)), x)
            np.testing.assert_array_equal(source.labels, labels)
            assert source.label_names[9] == "Ankle boot"


def test_only_the_files_of_the_split_are_downloaded(host, tmp_path, load):
    load("fashion_mnist", "test[:3]")
    assert cached(tmp_path) == sorted(fashion_mnist.FILES["test"])


def test_data_dir_comes_first_and_may_lack_the_files(files, host, tmp_path, load, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert load("fashion_mnist", "test", dir=empty).size == SIZES["test"]  # downloaded to the cache
    assert not list(empty.iterdir())
    monkeypatch.setattr(fashion_mnist, "DEBIAN", files)
    (tmp_path / "broken").mkdir()
    for name in fashion_mnist.FILES["test"]:
        (tmp_path / "broken" / name).write_bytes(b"")
    with pytest.raises(InputError, match="broken/t10k-images"):
        load("fashion_mnist", "test", dir=tmp_path / "broken")


@pytest.mark.parametrize("damage", ["other data", "truncated", "missing"])
def test_a_download_that_fails_leaves_nothing(files, host, tmp_path, load, damage):
    labels = files / fashion_mnist.FILES["train"][1]  # the second file: the first one arrives intact
    if damage == "missing":
        labels.unlink()
    elif damage == "truncated":
        labels.write_bytes(labels.read_bytes()[:-9])
    else:
        labels.write_bytes(gzip.compress(idx(np.zeros(SIZES["train"], np.uint8))))
    with pytest.raises(InputError, match="could not be downloaded from http://127"):
        load("fashion_mnist")
    assert cached(tmp_path) == []


def test_no_way_left(files, tmp_path, load):
    with pytest.raises(InputError, match=r"dataset-fashion-mnist.*data\.dir.*online.*fashion_mnist_10k") as caught:
        load("fashion_mnist", dir=tmp_path)
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


def test_the_probe_gives_up_on_a_silent_host(monkeypatch):
    monkeypatch.setattr(fashion_mnist, "PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not fashion_mnist._answers(f"http://127.0.0.1:{silent.getsockname()[1]}/")


def test_a_host_that_answers_with_an_error_is_online(host):
    assert fashion_mnist._answers(fashion_mnist.HOST + "nothing")


def test_other_data_is_refused(files, load, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "DEBIAN", files)
    monkeypatch.setitem(fashion_mnist.FINGERPRINTS, "train", "0")
    with pytest.raises(InputError, match=r"fashion_mnist \(train\) in .*files is damaged or another version"):
        load("fashion_mnist")


def test_broken_idx_files_are_named(tmp_path):
    path = tmp_path / "a.gz"
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    path.write_bytes(gzip.compress(idx(array)))
    np.testing.assert_array_equal(read_idx(path, rank=2), array)
    with pytest.raises(InputError, match=r"a\.gz is not a complete idx file of rank 3"):
        read_idx(path, rank=3)
    path.write_bytes(gzip.compress(idx(array)[:-1]))
    with pytest.raises(InputError, match="not a complete idx file"):
        read_idx(path, rank=2)
    path.write_bytes(gzip.compress(idx(array))[:-9])
    with pytest.raises(InputError, match=r"a\.gz cannot be decompressed"):
        read_idx(path, rank=2)
    with pytest.raises(InputError, match=r"b\.gz cannot be read \(.*No such file"):
        read_idx(tmp_path / "b.gz", rank=2)
