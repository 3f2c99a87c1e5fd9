"""Data sources. `load` opens one by name; `positions` gives the order in which its examples are read."""

from genjax.data.order import positions
from genjax.data.registry import SOURCES, SourceRecord, is_source, load, names, need_name, of_path, open_source
from genjax.data.request import Request
from genjax.data.source import Mixture, Source, fingerprint, fingerprint_of_text, in_memory
from genjax.data.splits import NoSuchSplit, read_splits
