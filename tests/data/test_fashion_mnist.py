import gzip
import http.server
import socket
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest

from genjax.data import fashion_mnist
from genjax.data.idx import read_idx
from genjax.data.source import fingerprint
from genjax.errors import InputError

SIZES = {"train": 23, "test": 7}


def idx(array):
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with the four files, small, that pass as the real ones; Debian's folder is elsewhere and missing."""
    folder = tmp_path / "files"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for split, size in SIZES.items():
        x, labels = rng.integers(0, 256, (size, 28, 28), np.uint8), rng.integers(0, 10, size).astype(np.uint8)
        for name, array in zip(fashion_mnist.FILES[split], (x, labels), strict=True):
            (folder / name).write_bytes(gzip.compress(idx(array)))
        monkeypatch.setitem(fashion_mnist.FINGERPRINTS, split, fingerprint(x[..., None], labels))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
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


def test_the_three_ways_give_the_same(files, host, tmp_path, load, monkeypatch):
    downloaded = {split: load("fashion_mnist", split, dir=tmp_path / "data") for split in SIZES}
    monkeypatch.setattr(fashion_mnist, "HOST", "http://127.0.0.1:9/")
    prepared = {split: load("fashion_mnist", split, dir=tmp_path / "data") for split in SIZES}
    monkeypatch.setattr(fashion_mnist, "DEBIAN", files)
    installed = {split: load("fashion_mnist", split) for split in SIZES}
    for split, size in SIZES.items():
        x, labels = fashion_mnist.read_split(files, split)
        for way in (downloaded, prepared, installed):
            source = way[split]
            assert (source.size, source.shape, source.fingerprint) == (size, (28, 28, 1), fingerprint(x, labels))
            np.testing.assert_array_equal(source.read(np.arange(size)), x)
            np.testing.assert_array_equal(source.labels, labels)
            assert source.label_names[9] == "Ankle boot"
    assert "tensorflow" not in sys.modules


def test_it_is_also_an_ordinary_tfds_data_set(host, tmp_path, load):
    whole = load("fashion_mnist", "train", dir=tmp_path)
    assert load("tfds:genjax_fashion_mnist", "train", dir=tmp_path).fingerprint == whole.fingerprint


def test_no_way_left(files, tmp_path, load):
    started = time.monotonic()
    with pytest.raises(InputError, match=r"dataset-fashion-mnist.*data\.dir.*online.*fashion_mnist_10k") as caught:
        load("fashion_mnist", dir=tmp_path)
    assert time.monotonic() - started < 5
    assert len(str(caught.value)) < 500


def test_the_probe_gives_up_on_a_silent_host(monkeypatch):
    monkeypatch.setattr(fashion_mnist, "PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        assert not fashion_mnist._answers(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert time.monotonic() - started < 1


def test_a_host_that_answers_with_an_error_is_there_but_the_download_fails(files, host, tmp_path, load):
    assert fashion_mnist._answers(fashion_mnist.HOST + "nothing")
    (files / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(InputError, match="could not be downloaded from http://127"):
        load("fashion_mnist", dir=tmp_path)
    assert not (tmp_path / "genjax_fashion_mnist" / "1.0.0").exists()


def test_other_data_is_refused(files, load, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "DEBIAN", files)
    monkeypatch.setitem(fashion_mnist.FINGERPRINTS, "train", "0")
    with pytest.raises(InputError, match=r"fashion_mnist \(train\) is damaged or another version"):
        load("fashion_mnist")


def test_broken_idx_files_are_named(tmp_path):
    path = tmp_path / "a.gz"
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    path.write_bytes(gzip.compress(idx(array)))
    np.testing.assert_array_equal(read_idx(path, rank=2), array)
    with pytest.raises(InputError, match=r"a\.gz is not a whole idx file of rank 3"):
        read_idx(path, rank=3)
    path.write_bytes(gzip.compress(idx(array)[:-1]))
    with pytest.raises(InputError, match="not a whole idx file"):
        read_idx(path, rank=2)
    path.write_bytes(gzip.compress(idx(array))[:-9])
    with pytest.raises(InputError, match=r"a\.gz cannot be read"):
        read_idx(path, rank=2)
    with pytest.raises(InputError, match=r"b\.gz cannot be read \(.*No such file"):
        read_idx(tmp_path / "b.gz", rank=2)
