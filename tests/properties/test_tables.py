"""Tables of series survive every way of writing them, and damage is never read as other windows without a word."""

import numpy as np
import pytest
from fuzzing import damaged, property_of, result_or_line
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from genjax.data import open_source
from genjax.data.images import Form
from genjax.errors import InputError

FORM = Form((4, 4), 0, "crop")

numbers = st.floats(-1e6, 1e6, width=32)
tables = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=numbers)
names = st.text("abcxyz _/()", min_size=1, max_size=8).filter(lambda name: name.strip() not in ("", "_"))


def read(path):
    """The rows of a table and the notes on it."""
    source = open_source(f"series:{path}", form=FORM)
    x = source.read(np.arange(source.size)).reshape(-1, source.shape[-1])
    return x[np.isfinite(x).all(1)], source.notes


@property_of(
    x=tables,
    separator=st.sampled_from([",", ";", "\t", " ", "  ", ", ", " ;"]),
    comma=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    header=st.one_of(st.none(), names),
    quoted=st.booleans(),
    tail=st.sampled_from(["", "\n", "\n\n  \n"]),
)
def test_a_table_is_read_as_it_was_written(folder, x, separator, comma, end, encoding, header, quoted, tail):
    is_comma = separator.strip() == ","
    comma = comma and (quoted or (not is_comma and x.shape[1] > 1))  # a comma alone separates columns
    cells = [[f'"{v!r}"' if quoted else repr(v) for v in row] for row in x.astype(float).tolist()]
    lines = [separator.join(row) for row in cells]
    lines = [line.replace(".", ",") for line in lines] if comma else lines
    if header:
        lines.insert(0, separator.join([f"x{header}"] * x.shape[1]))
    path = folder / "x.csv"
    path.write_bytes((end.join(lines) + tail.replace("\n", end)).encode(encoding))
    result, notes = read(path)
    np.testing.assert_array_equal(result, x)
    decimals = any("," in cell.replace(".", "," if comma else ".") for row in cells for cell in row)
    assert ("commas are decimal signs" in str(notes)) == (comma and decimals)
    assert ("names" in str(notes)) == bool(header)


GOOD = "height,weight\n" + "".join(f"{i}.5,{-i}\n" for i in range(12))
VARIANTS = [
    GOOD.encode(),
    GOOD.replace(",", ";").replace(".", ",").encode("utf-8-sig"),
    GOOD.replace(",", "\t").encode("utf-16"),
    GOOD.replace(",", " ").replace("\n", "\r\n").encode(),
]


@property_of(
    data=st.one_of(
        *map(damaged, VARIANTS), st.binary(max_size=50), st.text('12,;. \t\n\r"-eNa#', max_size=40).map(str.encode)
    ),
    suffix=st.sampled_from(["csv", "tsv", "txt"]),
)
def test_any_bytes_are_a_table_or_refused_by_line(folder, data, suffix):
    path = folder / f"x.{suffix}"
    path.write_bytes(data)
    result = result_or_line(lambda: read(path))
    if result is not None:
        x, _ = result
        assert len(x)
        assert np.isfinite(x).all()


@property_of(
    row=st.integers(0, 11), column=st.integers(0, 1), cell=st.sampled_from(["", "NA", "nan", "inf", "x", "1e99"])
)
def test_a_cell_without_a_number_is_named(folder, row, column, cell):
    lines = [line.split(",") for line in GOOD.splitlines()]
    lines[1 + row][column] = cell
    path = folder / "x.csv"
    path.write_text("\n".join(map(",".join, lines)))
    with pytest.raises(InputError) as caught:
        read(path)
    state = repr(cell) if cell else "empty"
    assert f"line {row + 2}, column {column + 1} is {state}" in str(caught.value)
