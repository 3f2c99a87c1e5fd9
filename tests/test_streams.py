"""Output in any encoding."""

import io
import os
import sys

from genjax.cli.streams import print_anything
from genjax.evaluation.metric import ARROWS


def test_what_an_encoding_lacks_is_printed_in_ascii(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    print_anything()
    print(*filter(None, ARROWS.values()), "é", os.fsdecode(b"\xff.png"))
    stream.flush()
    assert stream.buffer.getvalue() == b"lower higher \\xe9 \\udcff.png\n"


def test_utf8_is_printed_as_it_is_but_for_bytes_that_are_not(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(sys, "stdout", stream)
    print_anything()
    print("é ↑", os.fsdecode(b"\xff.png"))
    stream.flush()
    assert stream.buffer.getvalue() == "é ↑ \\udcff.png\n".encode()
