"""AdaIN in closed form."""

import numpy as np

from genjax.ops.moments import adaptive_instance_norm, moments, with_moments


def test_moments_are_numpys():
    x = np.random.default_rng(0).normal(2, 3, (2, 6, 5, 4))
    mean, deviation = moments(x)
    np.testing.assert_allclose(mean[:, 0, 0], x.mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(deviation[:, 0, 0], x.std((1, 2)), rtol=1e-5)


def test_adain_has_the_styles_moments_and_the_contents_places():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 6, 5, 4)), rng.normal(3, 2, (2, 3, 9, 4))
    found = np.asarray(adaptive_instance_norm(x, y))
    np.testing.assert_allclose(found.mean((1, 2)), y.mean((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(found.std((1, 2)), y.std((1, 2)), rtol=1e-4)
    for example in range(2):
        for channel in range(4):  # an affine function of the content, channel by channel
            pair = x[example, ..., channel].ravel(), found[example, ..., channel].ravel()
            np.testing.assert_allclose(np.corrcoef(*pair)[0, 1], 1, rtol=1e-6)


def test_its_own_moments_leave_a_map_as_it_is():
    x = np.random.default_rng(0).normal(size=(1, 6, 5, 4))
    np.testing.assert_allclose(adaptive_instance_norm(x, x), x, atol=1e-5)
    np.testing.assert_allclose(with_moments(x, *moments(x)), x, atol=1e-5)
