"""The key of a sheet: which of its images are real, and of which run the others are; encoded for the page.

The code keeps the key from a glance at the page's source and from a search in it. It is no encryption: the page holds
all that decoding needs, so raters who want to know the key can compute it.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from genjax.errors import InputError

PAIR, ONE = "pair", "one"
ASK = PAIR, ONE
"""What a trial asks: which of two images is real, or whether the one image is."""

REAL = -1
"""In the place of a run's number: the image of a trial is real."""


@dataclass(frozen=True)
class Key:
    """All that decides a sheet.

    A trial is [run, side]: with PAIR the run whose image lies beside a real one, and the side (0, 1) of the real one;
    with ONE the run whose image is shown, or REAL, and a side of 0.
    """

    seed: int
    ask: str  # of ASK
    seconds: float  # that images are shown; 0: until the answer
    runs: list[dict[str, Any]]  # name, step and digest of the weights of each
    reference: dict[str, Any]  # of the real images, as `Source.describe`
    images: str  # SHA-256 of all images in the order of the page
    trials: list[list[int]]

    @property
    def sheet(self) -> str:
        """The name of the sheet: the first half of the key's SHA-256."""
        return _name(_json(asdict(self)))

    def encoded(self) -> str:
        """The key as text that says nothing at a glance; `decoded` reads it."""
        return base64.b64encode(_masked(_json(asdict(self)), self.sheet)).decode()


def decoded(text: str, sheet: str) -> Key:
    """The key of a sheet. Raises: InputError if it is not this sheet's."""
    try:
        content = _masked(base64.b64decode(text, validate=True), sheet)
    except (binascii.Error, ValueError, AttributeError, TypeError):
        content = b""
    try:
        if _name(content) == sheet:
            return Key(**json.loads(content))
    except (TypeError, ValueError):
        pass  # made by another version, or by hand
    raise InputError("its key is damaged or of another sheet: save the answers again from the page")


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _masked(content: bytes, sheet: str) -> bytes:
    """The bytes with a stream of SHA-256 over them; twice is the original."""
    blocks = range(-(-len(content) // 32))
    stream = b"".join(hashlib.sha256(f"{sheet} {block}".encode()).digest() for block in blocks)
    return bytes(a ^ b for a, b in zip(content, stream, strict=False))
