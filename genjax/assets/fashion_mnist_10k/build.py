"""Makes this folder's data from the four idx files of Fashion-MNIST.

    python -m genjax.assets.fashion_mnist_10k.build [FOLDER_OF_IDX_FILES]

The default folder is that of Debian's package `dataset-fashion-mnist`. Prints the fingerprints for data/packaged.py.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from genjax.data.fashion_mnist import DEBIAN, read_split
from genjax.data.packaged import from_sheet, to_sheet
from genjax.data.source import fingerprint

HERE = Path(__file__).parent


def build(folder: Path) -> None:
    """Write one sheet and one file of labels per split, and check that the sheets decode to the originals."""
    for split, count in (("train", 10_000), ("test", 2_000)):
        x, labels = (array[:count] for array in read_split(folder, split))
        sheet = to_sheet(x, columns=100)
        path = HERE / f"{split}.webp"
        Image.fromarray(np.repeat(sheet, 3, axis=-1)).save(path, lossless=True, quality=100, method=6)
        decoded = from_sheet(np.asarray(Image.open(path).convert("RGB"))[..., :1], 28)
        if not np.array_equal(decoded, x):
            raise SystemExit(f"{path} does not decode to the originals")
        np.save(HERE / f"{split}_labels.npy", labels, allow_pickle=False)
        print(f'    ("fashion_mnist_10k", "{split}"): "{fingerprint(x, labels)}",')


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else DEBIAN)
