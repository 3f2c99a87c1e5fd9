import numpy as np
import pytest

from genjax.report.contact_sheet import GAP, MARGIN, PAD, Row, draw, layout


def read(indices):
    """Images of 8x8, each of one gray that is its index."""
    return np.broadcast_to(np.uint8(indices)[:, None, None, None], (len(indices), 8, 8, 1))


def test_images_stand_in_rows_beside_the_names():
    rows = [Row("a", "2 images", [10, 20]), Row("b", "0 images", []), Row("c", "1 image", [30])]
    sheet = np.asarray(draw("title", rows, read, (8, 8, 1)))
    side = layout(3).cell // 8 * 8
    top = MARGIN + 30
    starts = [top + i * (side + PAD + GAP) for i in range(3)]
    for start, values in zip(starts, ({10, 20}, set(), {30}), strict=True):
        block = sheet[start : start + side]
        for value in (10, 20, 30):
            count = (block == value).all(-1).sum()
            assert (count == side**2) == (value in values), (start, value)


@pytest.mark.parametrize("classes", [0, 1, 3, 10, 40, 200])
def test_every_class_has_its_row_for_any_number_of_classes(classes):
    rows = [Row(f"class {i}", "1 image", [i]) for i in range(classes)] or [Row("", "", range(200))]
    sheet = np.asarray(draw("title", rows, read, (8, 8, 1)))
    shown = set(sheet[(sheet == sheet[..., :1]).all(-1)][:, 0].tolist())
    assert set(range(classes or min(200, layout(0).columns * layout(0).lines))) <= shown


@pytest.mark.parametrize(
    ("shape", "size"), [((300, 100, 3), (72, 24)), ((28, 28, 3), (56, 56)), ((2, 500, 3), (1, 72))]
)
def test_images_of_any_size_fit_their_cell(shape, size):
    sheet = np.asarray(draw("", [Row("", "", [0])], lambda i: np.zeros((1, *shape), np.uint8), shape))
    black = np.argwhere((sheet == 0).all(-1))
    assert tuple(black.max(0) - black.min(0) + 1) == size


def test_names_that_the_font_lacks_and_long_ones_are_replaced():
    rows = [Row("日本語", "1 image", [0]), Row("a long name " * 20, "1 image", [1])]
    assert draw("a long title " * 50, rows, read, (8, 8, 1)).width < 1200
