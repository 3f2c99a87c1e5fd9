"""Adaptive augmentation: how often and how strongly, example by example; its slopes; its control by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from genjax.errors import InputError
from genjax.ops import ada, affine

KEY = jax.random.key(3)
X = np.random.default_rng(0).uniform(-1, 1, (400, 8, 8, 3)).astype(np.float32)
N = 3000
KEYS = jax.random.split(KEY, N)
augment = jax.jit(ada.augment, static_argnames="parts")


draw_maps = jax.jit(lambda p, size: jax.vmap(lambda key: ada.draw_maps(key, p, size))(KEYS), static_argnames="size")
draw_colors = jax.jit(lambda p: jax.vmap(lambda key: ada.draw_colors(key, p))(KEYS))


def is_normal(values, deviation):
    return stats.kstest(np.divide(values, deviation), "norm").pvalue > 1e-3


def is_angle(cosine, sine):
    np.testing.assert_allclose(cosine**2 + sine**2, 1, atol=1e-5)
    return stats.kstest(np.arctan2(sine, cosine), "uniform", (-np.pi, 2 * np.pi)).pvalue > 1e-3


def are_as_likely(values, expected):
    found = np.unique(np.round(values, 4), return_counts=True)
    np.testing.assert_allclose(found[0], sorted(expected), atol=1e-4)
    return stats.chisquare(found[1], N * np.array([expected[k] for k in sorted(expected)])).pvalue > 1e-3


@pytest.mark.heavy
@pytest.mark.parametrize("channels", [1, 3])
def test_without_probability_examples_are_themselves_to_the_bit(channels):
    x = X[..., :channels].copy()
    x[0, 0] = -0.0
    np.testing.assert_array_equal(np.asarray(augment(x, 0.0, KEY)).view("u4"), x.view("u4"))


def test_blits_are_flips_quarter_turns_and_shifts_by_an_eighth_in_this_order():
    """Read off the product A, t: A is one of the square's eight symmetries, the shift A^-1 t is U(-2, 2), rounded."""
    blits, _ = (np.float64(m) for m in draw_maps(1.0, (16, 16)))
    a = blits[:, :2, :2]
    symmetries, counts = np.unique(a.reshape(-1, 4), axis=0, return_counts=True)
    np.testing.assert_array_equal(np.abs(symmetries).sum(1), 2)
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 1e-3
    for shifts in np.linalg.solve(a, blits[:, :2, 2:])[..., 0].T:
        assert are_as_likely(shifts, {-2: 1 / 8, -1: 1 / 4, 0: 1 / 4, 1: 1 / 4, 2: 1 / 8})


def test_blits_of_rectangles_are_flips_half_turns_and_shifts_by_an_eighth_of_each_side():
    """A is diagonal, one of the rectangle's four symmetries; the shift A^-1 t is U(-4, 4) and U(-2, 2), rounded."""
    blits, rest = (np.float64(m) for m in draw_maps(1.0, (16, 32)))
    a = blits[:, :2, :2]
    symmetries, counts = np.unique(a.reshape(-1, 4), axis=0, return_counts=True)
    np.testing.assert_array_equal(symmetries[:, 1:3], 0)
    assert len(counts) == 4
    assert stats.chisquare(counts).pvalue > 1e-3
    across, down = np.linalg.solve(a, blits[:, :2, 2:])[..., 0].T
    assert are_as_likely(across, {-4: 1 / 16, 4: 1 / 16, **dict.fromkeys(range(-3, 4), 1 / 8)})
    assert are_as_likely(down, {-2: 1 / 8, 2: 1 / 8, **dict.fromkeys(range(-1, 2), 1 / 4)})
    across, down = np.linalg.solve(rest[:, :2, :2], rest[:, :2, 2:])[..., 0].T
    assert is_normal(across, 4)
    assert is_normal(down, 2)


@pytest.mark.heavy
def test_an_augmented_rectangle_keeps_its_shape_and_cutouts_have_half_of_each_side():
    x = np.ones((600, 4, 16, 1), np.float32)
    assert augment(x, 1.0, KEY).shape == x.shape
    zero = np.asarray(augment(x, 1.0, KEY, parts="cutout"))[..., 0] == 0
    assert zero.any(2).sum(1).max() == 2
    assert zero.any(1).sum(1).max() == 8


def test_all_maps_together_are_scaling_rotation_stretch_rotation_and_shift_in_this_order():
    """Read off the product A, t: det A = s^-2, its singular values as f^2 to 1 at any angles, shift A^-1 t."""
    side = 16
    rest = np.float64(draw_maps(1.0, (side, side))[1])
    a = rest[:, :2, :2]
    assert is_normal(np.log2(np.linalg.det(a)) / 2, 0.2)
    left, (large, small), right = (m.T for m in np.linalg.svd(a))
    assert stats.kstest(np.log2(large / small) / 2, "halfnorm", (0, 0.2)).pvalue > 1e-3
    for x, y in (left[0], right[:, 0]):  # the first singular vectors, up to their sign
        angles = np.arctan2(y, x) % np.pi
        assert stats.kstest(angles, "uniform", (0, np.pi)).pvalue > 1e-3
    shifts = np.linalg.solve(a, rest[:, :2, 2:])[..., 0]
    assert is_normal(shifts.ravel(), side / 8)
    assert abs(np.corrcoef(shifts[:, 0] ** 2, np.log2(np.linalg.det(a)))[0, 1]) < 4 / np.sqrt(N)


def test_all_colors_together_are_brightness_contrast_flip_hue_and_saturation_in_this_order():
    """Read off the product: on the gray axis a factor of +-c and c b added, and c^3 s^2 is the determinant."""
    matrices = np.float64(draw_colors(1.0))
    a, added = matrices[:, :3, :3], matrices[:, :3, 3].mean(1)
    gray = a.sum(2).mean(1)
    np.testing.assert_allclose(a.sum(2), gray[:, None] * np.ones(3), rtol=1e-4, atol=1e-5)
    assert are_as_likely(np.sign(gray), {-1: 1 / 2, 1: 1 / 2})
    assert is_normal(np.log2(abs(gray)), 0.5)
    assert is_normal(added / gray, 0.2)
    assert is_normal(np.log2(np.linalg.det(a) / gray**3) / 2, 1)
    off = a / gray[:, None, None] - 1 / 3  # s / c times a rotation about gray, its angle in the first column
    red = off @ [1, 0, 0] * np.sign(gray)[:, None]
    cosine, sine = red[:, 0], (red[:, 1] - red[:, 2]) / np.sqrt(3)
    size = np.hypot(cosine, sine)
    assert is_angle(cosine / size, sine / size)


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_each_transformation_comes_with_its_probability(p):
    """What stays the same: no scaling, stretch, shift, and neither rotation (1 - p); a flip is none half the time."""
    (blit, rest), colors = draw_maps(p, (8, 8)), draw_colors(p)
    stays = {
        "blit": ((blit == np.eye(3)).all((1, 2)), (1 - p / 2) * (1 - p * 3 / 4) * (1 - p * 3 / 4)),
        "rest": ((rest == np.eye(3)).all((1, 2)), (1 - p) ** 4),
        "turn": (rest[:, 0, 1] == 0, 1 - p),
        "colors": ((colors == np.eye(4)).all((1, 2)), (1 - p) ** 4 * (1 - p / 2)),
    }
    for name, (same, share) in stays.items():
        assert stats.binomtest(int(same.sum()), N, share).pvalue > 1e-3, name


def test_as_many_examples_change_as_that_makes():
    p = 0.1
    found = np.asarray(augment(X, p, KEY))
    same = (found == X).all((1, 2, 3)).sum()
    share = (1 - p / 2) ** 2 * (1 - p * 3 / 4) ** 2 * (1 - p) ** 8  # the shift by -1, 0 or 1 is none in 1 of 4
    assert stats.binomtest(int(same), len(X), share).pvalue > 1e-3


@pytest.mark.heavy
def test_blits_are_exact_and_the_rest_is_one_resampling_of_both():
    flip, turn = affine.scale(-1, 1), affine.turn(np.cos(0.4), np.sin(0.4))
    reframe = jax.jit(ada.reframe)
    np.testing.assert_array_equal(reframe(X[0], flip, jnp.eye(3)), X[0, :, ::-1])
    np.testing.assert_allclose(reframe(X[0], flip, turn), jax.jit(affine.warp)(X[0], flip @ turn), atol=1e-5)


@pytest.mark.heavy
def test_an_example_depends_on_the_key_and_its_number_alone():
    found = np.asarray(augment(same := np.repeat(X[:1], len(X), 0), 0.8, KEY))
    assert len(np.unique(found, axis=0)) > 0.9 * len(X)
    np.testing.assert_allclose(augment(np.concatenate([same[:3], X[1:2]]), 0.8, KEY)[:3], found[:3], atol=1e-5)
    assert (np.abs(augment(same, 0.8, jax.random.key(4)) - found).max((1, 2, 3)) > 1e-3).mean() > 0.9


@pytest.mark.heavy
def test_one_program_serves_all_probabilities_and_above_one_is_one():
    traces = []
    run = jax.jit(lambda x, p: traces.append(p) or ada.augment(x, p, KEY))
    found = [np.asarray(run(X[:5], p)) for p in (0.0, 0.5, 1.0, 1.5)]
    assert len(traces) == 1
    np.testing.assert_array_equal(found[2], found[3])


@pytest.mark.heavy
def test_slopes_and_slopes_of_slopes_pass():
    """The R1 penalty of a critic behind the augmentation: its slope by the image and by the critic's weights."""
    with jax.enable_x64(True):
        x, w, u = np.random.default_rng(1).normal(size=(3, 2, 8, 8, 3))
        critic = lambda x, w: jnp.sum(jnp.sin(w * ada.augment(x, 0.7, KEY)))  # noqa: E731
        penalty = lambda x, w: jnp.sum(jax.grad(critic)(x, w) ** 2)  # noqa: E731
        run = jax.jit(jax.value_and_grad(penalty, (0, 1)))
        for slope, (dx, dw) in zip(run(x, w)[1], ((u, 0), (0, u)), strict=True):
            difference = run(x + 1e-6 * dx, w + 1e-6 * dw)[0] - run(x - 1e-6 * dx, w - 1e-6 * dw)[0]
            assert np.abs((slope * u).sum()) > 1e-2
            np.testing.assert_allclose((slope * u).sum(), difference / 2e-6, rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 8, 8, 2), (8, 8, 3), (2, 1, 1, 1), (2, 1, 8, 1)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(InputError, match="images in gray"):
        ada.augment(jnp.zeros(shape), 0.5, KEY)


def test_the_control_by_hand():
    """Batches of 50 at 10 kimg move p by 0.01 every 2 steps: up at r = 1 and 0.625, down at r = 0.25, not below 0."""
    run = jax.jit(lambda state, logits: ada.adapt(state, jnp.sign(logits).mean(), 50, kimg=10.0, interval=2))
    up, down = [3.0, 0.1, 9.0, 2.0], [5.0, -0.1, 0.2, 0.0]  # mean signs of 1 and 1/4
    state, found = ada.init_state(), []
    for logits in (up, up, up, down, down, down, down, up, up, up, down, down, down, down):
        state = run(state, jnp.array(logits))
        found.append(float(state["p"]))
    np.testing.assert_allclose(found, np.array([0, 1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 2, 2, 1]) / 100, atol=1e-7)
    for _ in range(4):
        state = run(state, jnp.array(down))
    assert state["p"] == 0
    assert run._cache_size() == 1


def test_the_control_waits_for_its_interval_and_starts_anew():
    state = ada.init_state()
    adapt = jax.jit(lambda state: ada.adapt(state, jnp.float32(1), 64))
    for count in (1, 2, 3):
        state = adapt(state)
        assert {k: float(v) for k, v in state.items()} == {"p": 0, "sign": count, "count": count}
    state = adapt(state)
    np.testing.assert_allclose([state["p"], state["sign"], state["count"]], [64 * 4 / 500e3, 0, 0], rtol=1e-6)
    assert {k: (v.shape, v.dtype) for k, v in state.items()} == {k: ((), jnp.float32) for k in state}


@pytest.mark.heavy
@pytest.mark.parametrize("p", [0.3, 1.0])
def test_noise_has_half_normal_strength(p):
    """A share p has noise of deviation 0.1 |n|; divided by its own deviation it is standard normal."""
    x = np.zeros((2000, 16, 16, 1), np.float32)
    found = np.float64(augment(x, p, KEY, parts="noise"))
    deviations = found.std((1, 2, 3))
    changed = deviations > 0
    assert stats.binomtest(int(changed.sum()), len(x), p).pvalue > 1e-3
    assert stats.kstest(deviations[changed] / 0.1, "halfnorm").pvalue > 1e-3
    assert is_normal(found[changed, 3, 5, 0], deviations[changed])


@pytest.mark.heavy
def test_cutout_is_a_square_of_half_the_side_about_a_uniform_center():
    """Pixel (i + 1/2) / 16 is zero within 1/4 of the center, in both directions; squares end at the borders."""
    found = np.asarray(augment(np.ones((3000, 16, 16, 3), np.float32), 0.5, KEY, parts="cutout"))
    assert (found == found[..., :1]).all()
    zero = found[..., 0] == 0
    cut = zero.any((1, 2))
    assert stats.binomtest(int(cut.sum()), len(cut), 0.5).pvalue > 1e-3
    places = (np.arange(16) + 0.5) / 16
    counts = {}
    for center in (np.arange(4096) + 0.5) / 4096:
        side = int((abs(places - center) < 0.25).sum())
        counts[side] = counts.get(side, 0) + 1 / 4096
    for axis in (1, 2):
        sides = zero[cut].any(axis).sum(1)
        assert set(sides) <= set(counts)
        observed = [(sides == side).sum() for side in counts]
        assert stats.chisquare(observed, np.array(list(counts.values())) * cut.sum()).pvalue > 1e-3
    rows, columns = zero.any(2), zero.any(1)
    np.testing.assert_array_equal(zero, rows[:, :, None] & columns[:, None])


@pytest.mark.heavy
def test_subsets_leave_out_the_other_transformations():
    """Blits keep the pixels' values; colors keep their places; "bgc" is the default."""
    x = X[:50]
    blits = np.asarray(augment(x, 1.0, KEY, parts="b"))
    np.testing.assert_array_equal(np.unique(blits[3]), np.intersect1d(np.unique(blits[3]), x[3]))
    same = np.repeat(x[:, :1, :1], 8, 1).repeat(8, 2)
    colors = np.asarray(augment(same, 1.0, KEY, parts="color"))
    np.testing.assert_allclose(colors, np.repeat(colors[:, :1, :1], 8, 1).repeat(8, 2), atol=1e-6)
    np.testing.assert_array_equal(augment(x, 0.7, KEY, parts="bgc"), augment(x, 0.7, KEY))
