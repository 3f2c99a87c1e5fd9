"""Examples of any kind become one image; nothing that a net may give stops the drawing."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.report import figures, gallery, points


def test_a_row_of_the_image_is_a_class():
    """Examples 0, 1, 2 of classes 0, 1, 2, then again; the eighth fills no row."""
    examples = np.full((8, 4, 4, 1), 100, np.uint8) + np.arange(8, dtype=np.uint8)[:, None, None, None]
    shown = np.asarray(gallery.draw(examples, classes=3))
    expected = np.asarray(figures.grid(examples[[0, 3, 1, 4, 2, 5]], columns=2))
    np.testing.assert_array_equal(shown, expected)
    np.testing.assert_array_equal(
        np.asarray(gallery.draw(examples, 4, classes=3)), np.asarray(figures.grid(examples, 4))
    )


@pytest.mark.parametrize("channels", [1, 3])
def test_a_row_has_the_name_of_its_class(channels):
    examples = np.full((6, 28, 28, channels), 100, np.uint8)
    plain = gallery.draw(examples, classes=3)
    named = gallery.draw(examples, classes=3, names=["coat", "\u732b", "x" * 300])  # the font has no cat
    left = named.width - plain.width
    assert named.height == plain.height
    assert left < 0.6 * plain.width  # a long name is shortened
    np.testing.assert_array_equal(np.asarray(named)[:, left:], np.asarray(plain))
    names = np.asarray(named.convert("L"))[:, :left]
    assert all((part < 128).any() for part in np.array_split(names, 3))
    assert gallery.draw(examples, classes=3, names=["coat"]).size == plain.size
    assert gallery.draw(np.zeros((90, 4, 4, 1), np.uint8), classes=90, names=["a"] * 90).width == 8  # too low for text


@pytest.fixture
def labels(monkeypatch):
    """Labels of all scatter plots and histograms that are drawn."""
    drawn = []
    for name in ("scatter", "hist"):
        real = getattr(points_axes(), name)

        def draw(axes, *data, real=real, **style):
            drawn.append(style.get("label"))
            return real(axes, *data, **style)

        monkeypatch.setattr(points_axes(), name, draw)
    return drawn


def points_axes():
    from matplotlib.axes import Axes

    return Axes


@pytest.mark.heavy
@pytest.mark.parametrize("dimensions", [1, 2, 3, 4, 9])
def test_points_of_any_dimension_are_drawn_over_the_data(dimensions, labels):
    x = np.random.default_rng(0).normal(size=(50, dimensions))
    image = gallery.draw(x, reference=2 * x)
    panels = {1: 1, 2: 1, 3: 3}.get(dimensions, 6)
    assert labels == ["data", "generated"] * panels
    assert np.asarray(image).std() > 0
    assert image.size == gallery.draw(100 * x[:7], reference=2 * x).size  # images of one run line up


def test_points_are_called_by_their_name(labels):
    points.draw(np.zeros((3, 2)), np.ones((4, 2)), name="reconstructed")
    assert labels == ["data", "reconstructed"]


def test_a_scatter_plot_counts_points_outside_its_limits(monkeypatch):
    texts = []
    monkeypatch.setattr(points_axes(), "text", lambda axes, x, y, text, **style: texts.append(text))
    data = np.random.default_rng(0).normal(size=(200, 2))
    beyond = data.copy()
    beyond[:3] = np.nan
    beyond[3] = 1e9
    assert points.draw(data, data).size == points.draw(beyond, data).size == (640, 640)
    assert texts == ["4 of 200 outside"]


def test_a_projection_shows_all_finite_points_in_one_scale(monkeypatch):
    texts, limits = [], {}
    monkeypatch.setattr(points_axes(), "text", lambda axes, x, y, text, **style: texts.append(text))
    monkeypatch.setattr("genjax.report.points.rendered", lambda figure: limits.update(_drawn(figure)))
    data = np.random.default_rng(0).normal(size=(200, 2)) * [5, 1]
    made = np.concatenate([data[:50] + np.array([40, 0]), [[np.nan, 0], [0, np.inf]]])
    points.draw_projection(made, data)
    low, high = np.minimum(data.min(0), made[:50].min(0)), np.maximum(data.max(0), made[:50].max(0))
    assert (limits["low"] < low).all()
    assert (limits["high"] > high).all()
    assert limits["pixels"] == pytest.approx(limits["pixels"][::-1], rel=1e-6)
    assert texts == ["2 of 52 not finite"]
    with pytest.raises(InputError, match="none of 5 points is finite"):
        points.draw_projection(np.full((2, 2), np.nan), np.full((3, 2), np.inf))
    with pytest.raises(InputError, match=r"points \[N, 2\]; got \[4, 3\] and \[4, 3\]"):
        points.draw_projection(np.zeros((4, 3)), np.zeros((4, 3)))


def _drawn(figure):
    """The limits of a figure's axes, and the pixels of a unit of each."""
    figure.draw_without_rendering()
    axes = figure.axes[0]
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    pixels = axes.transData.transform([1, 1]) - axes.transData.transform([0, 0])
    return {"low": low, "high": high, "pixels": pixels.tolist()}


@pytest.mark.heavy
@pytest.mark.parametrize(
    "examples",
    [
        np.full((5, 3), np.nan),
        np.zeros((1, 1)),
        np.zeros((0, 2)),
        np.full((4, 6, 2), np.nan),
        np.random.default_rng(0).normal(size=(20, 9, 5)),
        np.full((3, 4, 4, 1), 7, np.uint8),
    ],
    ids=["not finite", "one point", "no points", "series that are not finite", "series", "images"],
)
def test_anything_of_a_known_shape_is_drawn(examples):
    assert gallery.draw(examples).width > 1


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4, 4, 3), (2, 4, 4, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="got"):
        gallery.draw(np.zeros(shape, np.uint8))


def test_points_of_two_dimensions_do_not_share_a_plot():
    with pytest.raises(InputError, match=r"reference \[N, D\] of one D; got \[3, 3\]"):
        points.draw(np.zeros((3, 2)), np.zeros((3, 3)))
