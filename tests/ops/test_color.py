"""Matrices of colors against what they do to the gray axis, and against SciPy's rotations."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from genjax.ops import color

X = np.random.default_rng(0).uniform(-1, 1, (4, 5, 3)).astype(np.float32)
LUMA = X.mean(2, keepdims=True)


def test_brightness_adds_and_contrast_multiplies():
    np.testing.assert_allclose(color.recolor(X, color.brightness(0.3)), X + 0.3, atol=1e-6)
    np.testing.assert_allclose(color.recolor(X, color.contrast(1.7)), 1.7 * X, atol=1e-6)


def test_a_luma_flip_is_the_householder_reflection_of_the_gray_axis():
    matrix, v = color.luma_flip()[:3, :3], np.ones(3) / np.sqrt(3)
    np.testing.assert_allclose(matrix, np.eye(3) - 2 * np.outer(v, v), atol=1e-12)
    result = color.recolor(X, color.luma_flip())
    np.testing.assert_allclose(result.mean(2, keepdims=True), -LUMA, atol=1e-6)
    np.testing.assert_allclose(result + LUMA, X - LUMA, atol=1e-6)  # hue and saturation as they were


@pytest.mark.parametrize("angle", [-3.0, 0.5, 2 * np.pi / 3])
def test_hue_turns_about_the_gray_axis(angle):
    expected = Rotation.from_rotvec(angle * np.ones(3) / np.sqrt(3)).as_matrix()
    np.testing.assert_allclose(color.hue(angle)[:3, :3], expected, atol=1e-6)
    np.testing.assert_allclose(color.recolor(X, color.hue(angle)).mean(2, keepdims=True), LUMA, atol=1e-6)


def test_a_third_of_a_turn_makes_red_green():
    np.testing.assert_allclose(color.hue(2 * np.pi / 3) @ np.array([1, 0, 0, 1.0]), [0, 1, 0, 1], atol=1e-6)


def test_saturation_is_the_distance_from_gray():
    np.testing.assert_allclose(color.recolor(X, color.saturation(0)), np.repeat(LUMA, 3, 2), atol=1e-6)
    np.testing.assert_allclose(color.recolor(X, color.saturation(2.5)), LUMA + 2.5 * (X - LUMA), atol=1e-6)


def test_no_change_is_none_to_the_bit():
    x = X.copy()
    x[0, 0] = -0.0
    for matrix in (
        color.brightness(0.0),
        color.contrast(1.0),
        color.luma_flip(0),
        color.hue(jnp.float32(0)),
        color.saturation(1.0),
    ):
        np.testing.assert_array_equal(np.asarray(color.recolor(x, jnp.float32(matrix))).view("u4"), x.view("u4"))


@pytest.mark.parametrize("name", ["brightness", "contrast", "luma_flip", "hue", "saturation"])
def test_a_gray_image_is_one_of_three_equal_colors(name):
    matrix = getattr(color, name)(1 if name == "luma_flip" else 0.4)
    result = color.recolor(X[..., :1], matrix)
    np.testing.assert_allclose(np.repeat(result, 3, 2), color.recolor(np.repeat(X[..., :1], 3, 2), matrix), atol=1e-6)
    if name in ("hue", "saturation"):
        np.testing.assert_allclose(result, X[..., :1], atol=1e-6)
