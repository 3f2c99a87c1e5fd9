import json
import subprocess
import sys
import textwrap
import types
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from genjax.data import encoded
from genjax.errors import InputError

tfds = pytest.importorskip("tensorflow_datasets")


def png(x):
    file = BytesIO()
    Image.fromarray(x.squeeze()).save(file, "png")
    return file.getvalue()


def example(index, shape=(5, 7, 3)):
    return np.random.default_rng(index).integers(0, 256, shape, np.uint8)


def prepare(folder, shape=(5, 7, 3), draw=example, name="toy", label=True, config=None, image="image"):
    """Writes a data set of 12 + 5 examples; example i of split s has the label i % 3."""

    def info(self):
        features = {image: tfds.features.Image(shape=shape)}
        if label:
            features["label"] = tfds.features.ClassLabel(names=["x", "y", "z"])
        features["note"] = tfds.features.Text()
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def examples(self, first, count):
        for index in range(first, first + count):
            row = {image: BytesIO(png(draw(index))), "note": "hello"}
            yield index, {**row, "label": index % 3} if label else row

    body = {
        "VERSION": tfds.core.Version("1.2.0"),
        "_info": info,
        "_split_generators": lambda self, manager: {"train": examples(self, 0, 12), "test": examples(self, 100, 5)},
        "_generate_examples": examples,
        "__module__": __name__,
    }
    if config:
        body["BUILDER_CONFIGS"] = [tfds.core.BuilderConfig(name=config)]
    base = (tfds.core.GeneratorBasedBuilder,)
    kind = types.new_class(name.capitalize(), base, {"skip_registration": True}, lambda space: space.update(body))
    builder = kind(data_dir=folder, file_format="array_record", **({"config": config} if config else {}))
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(try_download_gcs=False))
    return builder


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    prepare(folder)
    return folder


def identify(x):
    """Which example each image is, by its pixels."""
    known = {example(index).tobytes(): index for index in (*range(12), *range(100, 105))}
    return [known[image.tobytes()] for image in x]


@pytest.mark.parametrize("streamed", [False, True])
def test_images_labels_and_slices(toy, load, monkeypatch, streamed):
    if streamed:
        monkeypatch.setattr(encoded, "MAX_IN_MEMORY", 0)
    source = load("tfds:toy", dir=toy)
    assert (source.size, source.shape, source.label_names) == (12, (5, 7, 3), ("x", "y", "z"))
    train = identify(source.read(np.arange(12)))
    assert sorted(train) == list(range(12))
    np.testing.assert_array_equal(source.labels, np.array(train) % 3)
    assert identify(source.read(np.array([7, 1, 1]))) == [train[7], train[1], train[1]]

    test = identify(load("tfds:toy", "test", dir=toy).read(np.arange(5)))
    both = load("tfds:toy", "test[1:]+train[:25%]", dir=toy)
    expected = test[1:] + train[:3]
    assert identify(both.read(np.arange(both.size))) == expected
    np.testing.assert_array_equal(both.labels, np.array(expected) % 3)
    assert both.fingerprint not in (source.fingerprint, load("tfds:toy", "test", dir=toy).fingerprint)
    assert source.fingerprint == load("tfds:toy", dir=toy).fingerprint


def test_slices_agree_with_tfds(toy, load):
    for split in ("train[:40%]", "train[-5:]", "train[25%:75%]"):
        own = load("tfds:toy", split, dir=toy)
        theirs = tfds.data_source("toy:1.2.0", split=split, data_dir=toy)
        np.testing.assert_array_equal(own.read(np.arange(own.size)), [row["image"] for row in theirs])


def test_size_channels_and_version(toy, load):
    assert load("tfds:toy:1.2.0", dir=toy, size="4x6", channels=1).shape == (4, 6, 1)
    with pytest.raises(InputError, match=r"has version 1\.2\.0"):
        load("tfds:toy:9.0.0", dir=toy)


def test_unlabeled_and_configured(tmp_path, load, monkeypatch):
    prepare(tmp_path, label=False, config="small")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    source = load("tfds:toy/small")
    assert (source.size, source.labels, source.label_names) == (12, None, ())
    with pytest.raises(InputError, match="needs a configuration: tfds:toy/small"):
        load("tfds:toy")


def test_different_sizes_need_a_size(tmp_path, load):
    prepare(tmp_path, shape=(None, None, 3), draw=lambda index: example(index, (4 + index % 2, 6, 3)))
    with pytest.raises(InputError, match=r"toy/1\.2\.0 \(train\) example 0 is .* Set data\.size"):
        load("tfds:toy", dir=tmp_path)
    assert load("tfds:toy", dir=tmp_path, size="8").read(np.arange(12)).shape == (12, 8, 8, 3)


def test_no_images(tmp_path, load):
    prepare(tmp_path, image="photo")
    with pytest.raises(InputError, match=r"no image feature `image`; its features: .*photo"):
        load("tfds:toy", dir=tmp_path)


def test_not_prepared(toy, tmp_path, load):
    with pytest.raises(InputError, match=r"tfds:tyo is not prepared in .*it has toy.*did you mean 'toy'\?"):
        load("tfds:tyo", dir=toy)
    with pytest.raises(InputError, match=r"it has no prepared data set.*Set data\.dir"):
        load("tfds:toy", dir=tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no split 'valid'.*train, test|no split 'valid'.*test, train"):
        load("tfds:toy", "valid", dir=toy)


def test_a_format_that_needs_tensorflow(tmp_path, load):
    folder = tmp_path / "toy" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text(json.dumps({"name": "toy", "fileFormat": "tfrecord"}))
    with pytest.raises(InputError, match=r"stored as tfrecord.*file_format='array_record'"):
        load("tfds:toy", dir=tmp_path)


def test_tensorflow_is_never_imported(toy):
    code = f"""
        import sys
        from types import SimpleNamespace
        import numpy as np
        from genjax import data
        source = data.load(SimpleNamespace(
            name="tfds:toy", split="train", size="", channels=0, resize="crop", dir={str(toy)!r}))
        source.read(np.arange(3))
        sys.exit(int("tensorflow" in sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["tensorflow_datasets", "array_record"])
def test_a_package_that_is_not_installed_is_named(toy, load, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=r"needs the packages tensorflow-datasets and array_record .*install"):
        load("tfds:toy", dir=toy)


def test_a_missing_or_damaged_shard_is_named(tmp_path, load):
    prepare(tmp_path)
    (shard,) = (tmp_path / "toy" / "1.2.0").glob("*train*")
    data = shard.read_bytes()
    shard.write_bytes(data[:100] + bytes(len(data) - 100))
    with pytest.raises(InputError, match=r"toy/1\.2\.0 is damaged"):
        load("tfds:toy", dir=tmp_path)
    shard.unlink()
    with pytest.raises(InputError, match=r"toy-train.* is missing"):
        load("tfds:toy", dir=tmp_path)
