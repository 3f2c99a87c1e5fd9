"""Makes this folder's data from the npm package `emoji-datasource-google` 16.0.0.

    npm pack emoji-datasource-google@16.0.0 && tar xzf emoji-datasource-google-16.0.0.tgz
    python -m genjax.assets.emoji_64.build package

Prints the fingerprints for data/packaged.py.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from genjax.data import packaged
from genjax.data.images import Form, decode_pixels
from genjax.data.source import fingerprint

HERE = Path(__file__).parent


def build(package: Path) -> None:
    """Write the sheet and its index: without skin tones, by category, in the order of Unicode's CLDR within each."""
    entries = json.loads((package / "emoji.json").read_text("utf-8"))
    entries = [e for e in entries if e["has_img_google"] and e["category"] in packaged.EMOJI_LABELS]
    entries.sort(key=lambda e: (packaged.EMOJI_LABELS.index(e["category"]), e["sort_order"]))
    images = (Image.open(package / "img" / "google" / "64" / e["image"]) for e in entries)
    x = np.stack([decode_pixels(image, Form(None, 3, "crop"), 3) for image in images])
    path = HERE / "emoji.webp"
    Image.fromarray(packaged.to_sheet(x, columns=40)).save(path, lossless=True, quality=100, method=6)
    if not np.array_equal(packaged.from_sheet(np.asarray(Image.open(path).convert("RGB")), 64)[: len(x)], x):
        raise SystemExit(f"{path} does not decode to the originals")
    rows = ["category\tcode\tname", *(f"{e['category']}\t{e['unified']}\t{e['short_name']}" for e in entries)]
    (HERE / "index.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    for name in ("emoji_64", "emoji_32"):
        for split in ("train", "test"):
            print(f'    ("{name}", "{split}"): "{fingerprint(*packaged._emoji(name, split))}",')


if __name__ == "__main__":
    build(Path(sys.argv[1]))
