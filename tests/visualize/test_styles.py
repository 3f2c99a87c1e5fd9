"""Images of styles: which layers are mixed, what psi and noise do, and directions that are known beforehand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.errors import NotApplicable
from genjax.run.loaded import Run
from genjax.visualize import styles, views
from genjax.visualize.registry import VIEWS

SHAPE = (8, 8, 3)


def run_of(name="stylegan2", **net):
    config = config_of(name, latent=5, ema__half_life=0.0, **{} if name != "stylegan" else {"growth__start": 8})
    config.generator = dict(config.generator) | {"channels": (6, 4)} | net
    config.critic = dict(config.critic) | {"channels": (6, 4)}
    task = tasks.build(config, SHAPE)
    state = jax.jit(task.init)(jax.random.key(0))
    return Run(task, state, None, 0, {"config": config.to_dict(), "data": {"shape": list(SHAPE)}})


@pytest.fixture(scope="module")
def run():
    """With noise that shows: its scales are zero at first."""
    found = run_of(width=7, layers=2)
    net = found.state.nets["generator"]
    loud = lambda path, a: a + 0.5 if "noise_scale" in jax.tree_util.keystr(path) else a  # noqa: E731
    params = jax.tree_util.tree_map_with_path(loud, net.params)
    found.state = found.state.replace(nets=found.state.nets | {"generator": net.replace(params=params)})
    return found


@pytest.fixture
def drawn(monkeypatch):
    """The images of a view, rows of columns, in place of the grid that is made of them."""

    def draw(run, name):
        with monkeypatch.context() as patch:
            patch.setattr(styles, "grid", lambda x, columns: np.asarray(x).reshape(-1, columns, *SHAPE))
            ((_, found),) = VIEWS[name](run)
        return found

    return draw


@pytest.mark.heavy
def test_paths_between_w_begin_and_end_at_their_seeds(run, monkeypatch):
    taken = []
    monkeypatch.setattr(views.interpolation, "rows", lambda x: taken.append(x))
    monkeypatch.setattr(views.interpolation, "frames", lambda x: taken.append(x))
    (name, _), (other, _) = views.draw_interpolation_w(run)
    assert (name, other) == ("interpolation_w.png", "interpolation_w.gif")
    rows, moments = taken
    ends = styles.decode(run, styles.w_of(run, 2 * views.PAIRS))
    np.testing.assert_array_equal(rows[:, 0], ends[0::2])
    np.testing.assert_array_equal(rows[:, -1], ends[1::2])
    np.testing.assert_array_equal(moments[0], ends)
    assert moments.shape == (views.STATIONS * views.FRAMES, len(ends), *SHAPE)


def test_layers_are_grouped_as_the_papers_or_in_thirds():
    """arXiv:1812.04948, figure 3: coarse 4 to 8, middle 16 to 32, fine 64 to 1024, two layers each."""
    assert [group.nonzero()[0].tolist() for group in styles.groups(18)] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        list(range(8, 18)),
    ]
    for layers in (4, 6, 8):
        found = styles.groups(layers)
        assert (found.sum(0) == 1).all()
        assert (found.sum(1) > 0).all()


def test_the_matrix_mixes_rows_and_columns(run, drawn):
    """Against styles put together by hand."""
    found = drawn(run, "styles")
    columns, band = styles.COLUMNS, styles.BAND
    w = styles.w_of(run, columns + 3 * band)
    np.testing.assert_array_equal(found[0, 1:], styles.decode(run, w[:columns]))
    np.testing.assert_array_equal(found[1:, 0], styles.decode(run, w[columns:]))
    for row, column in ((0, 0), (4, 2), (8, 4)):
        ws = np.repeat(w[columns + row][None, None], 4, 1)
        ws[:, styles.groups(4)[row // band]] = w[column]
        np.testing.assert_array_equal(found[1 + row, 1 + column], styles.decode(run, ws)[0])


@pytest.mark.heavy
def test_no_psi_is_one_image_for_all_seeds(run, drawn):
    found = drawn(run, "truncation").astype(int)
    assert np.ptp(found[:, styles.PSI.index(0.0)], 0).max() == 0
    assert np.ptp(found[:, 0], 0).max() > 1
    np.testing.assert_array_equal(found[:, 0], styles.decode(run, styles.w_of(run, styles.SEEDS)))


@pytest.mark.heavy
def test_noise_varies_and_its_deviation_is_drawn(run, drawn):
    found = drawn(run, "noise").astype(int)
    assert (np.ptp(found[:, :-1], 1).max((1, 2, 3)) > 0).all()
    assert found[:, -1].max() == 255
    assert (found[:, -1].max((1, 2, 3)) > 0).all()


@pytest.mark.heavy
def test_without_noise_nothing_deviates(drawn):
    found = drawn(run_of("stylegan", width=7, layers=2, noise=False), "noise")
    np.testing.assert_array_equal(found[:, 0], found[:, 5])
    np.testing.assert_array_equal(found[:, -1], 0)


def test_directions_are_the_singular_vectors_of_the_affine_maps(run):
    """With maps that answer to the second number of w alone, it is the first direction."""
    net = run.state.nets["generator"]

    def set_(path, a):
        name = jax.tree_util.keystr(path)
        return jnp.zeros_like(a).at[1].set(1.0) if "'style'" in name and "kernel" in name else a

    params = jax.tree_util.tree_map_with_path(set_, net.params)
    turned = Run(run.task, run.state.replace(nets={"generator": net.replace(params=params)}), None, 0, run.info)
    maps = np.concatenate(list(styles.affine_maps(turned)), 1)
    answers, vectors = np.linalg.eigh(maps @ maps.T)
    np.testing.assert_allclose(np.abs(vectors[:, np.argmax(answers)]), np.eye(7)[1], atol=1e-6)
    names = [name for name, _ in VIEWS["directions"](turned)]
    assert names == ["directions_pca.png", "directions_sefa.png"]


@pytest.mark.parametrize("view", ["styles", "truncation", "noise", "directions"])
def test_a_generator_without_styles_has_none(view):
    config = config_of("gan")
    task = tasks.build(config, (28, 28, 1))
    run = Run(task, None, None, 0, {"config": config.to_dict(), "data": {"shape": [28, 28, 1]}})
    with pytest.raises(NotApplicable, match="no output 'map'"):
        list(VIEWS[view](run))
