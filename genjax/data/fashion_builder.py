"""A TFDS builder of Fashion-MNIST that needs no TensorFlow; imported only where it is used."""

from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

from genjax.data import fashion_mnist
from genjax.data.encoded import decode
from genjax.data.images import Form
from genjax.data.packaged import FASHION_LABELS
from genjax.data.tfds import find, images_of, open_builder
from genjax.errors import InputError

NAME = "genjax_fashion_mnist"  # not TFDS's own fashion_mnist, which prepares in another order


class GenjaxFashionMnist(tfds.core.GeneratorBasedBuilder):
    """Fashion-MNIST in its original order, as PNG in array_record."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="Fashion-MNIST: 70,000 images of clothes, 28x28 gray.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(28, 28, 1), encoding_format="png"),
                    "label": tfds.features.ClassLabel(names=list(FASHION_LABELS)),
                }
            ),
            homepage="https://github.com/zalandoresearch/fashion-mnist",
            license="MIT, Copyright 2017 Zalando SE",
            disable_shuffling=True,  # the original order gives the original fingerprint
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split, dl_manager) for split in fashion_mnist.FILES}

    def _generate_examples(self, split, dl_manager):
        from PIL import Image

        images, labels = dl_manager.download([fashion_mnist.HOST + file for file in fashion_mnist.FILES[split]])
        x, y = fashion_mnist.read_idx(images, rank=3), fashion_mnist.read_idx(labels, rank=1)
        for index in range(len(x)):
            yield index, {"image": Image.fromarray(x[index]), "label": int(y[index])}


def is_prepared(folder: Path) -> bool:
    """Whether `prepare` has finished here before."""
    return (folder / NAME / str(GenjaxFashionMnist.VERSION) / "dataset_info.json").is_file()


def prepare(folder: Path) -> None:
    """Downloads and writes the data set, whole or not at all.

    Raises: InputError if the download or the writing fails.
    """
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    try:
        builder = GenjaxFashionMnist(data_dir=folder, file_format="array_record")
        builder.download_and_prepare(download_config=config)
    except InputError:
        raise
    except Exception as error:  # TFDS and its downloader raise all kinds
        if is_prepared(folder):  # another process was faster
            return
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"fashion_mnist could not be downloaded from {fashion_mnist.HOST} to {folder} ({reason}). "
            "Try again, or install Debian's package dataset-fashion-mnist."
        ) from error


def read(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [N, 28, 28, 1] and labels [N] of one split."""
    images, read_labels = images_of(open_builder(find(folder, NAME)), [split])
    indices = np.arange(images.count)
    return decode(images, indices, Form(None, 1, "crop"), (28, 28, 1)), read_labels()
