"""The pool of earlier images: that of its authors, written again as a list; its coin and its places."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from genjax.ops import noise
from genjax.ops.history import exchange


class Pool:
    """A list of images, with the same random numbers."""

    def __init__(self, capacity):
        self.capacity, self.images = capacity, []

    def query(self, images, numbers):
        """The images to use."""
        out = []
        for image, (coin, place) in zip(images, numbers, strict=True):
            if len(self.images) < self.capacity:
                self.images.append(image)
                out.append(image)
            elif coin > 0.5:
                place = int(place * self.capacity)
                out.append(self.images[place])
                self.images[place] = image
            else:
                out.append(image)
        return out


@pytest.mark.parametrize(("capacity", "count"), [(5, 1), (5, 4), (2, 6)])
def test_the_pool_is_that_of_the_authors(capacity, count):
    ours, theirs, call = jnp.zeros((capacity, 1)), Pool(capacity), jax.jit(exchange)
    for step in range(12):
        x = 1 + step * count + np.arange(count, dtype=np.float32)
        key = jax.random.key(step)
        ours, found = call(ours, x[:, None], jnp.int32(step), key)
        numbers = np.asarray(noise.uniform(key, count, (2,)))
        np.testing.assert_array_equal(found[:, 0], theirs.query(x, numbers))
        np.testing.assert_array_equal(ours[: len(theirs.images), 0], theirs.images)
    assert len(theirs.images) == capacity


def test_half_of_the_images_are_earlier_ones_and_each_place_is_as_likely():
    pool, new = jnp.arange(10.0), jnp.full(4_000, -1.0)
    after, found = jax.jit(lambda key: exchange(pool, new, jnp.int32(10), key))(jax.random.key(0))
    places = np.asarray(noise.uniform(jax.random.key(0), 4_000, (2,)))
    kept = places[places[:, 0] > 0.5, 1]
    assert stats.binomtest(len(kept), 4_000, 0.5).pvalue > 1e-3
    assert stats.chisquare(np.bincount((kept * 10).astype(int), minlength=10)).pvalue > 1e-3
    assert sorted(found[found >= 0].tolist()) == list(range(10))  # each leaves the pool once
    assert (after == -1).all()


def test_a_long_run_keeps_the_pool_full():
    """2^31 images are more than an int32 counts."""
    theirs = Pool(50)
    theirs.images = list(range(50))
    after, found = exchange(jnp.arange(50.0), jnp.full(9, -1.0), jnp.int32(2**30), jax.random.key(3))
    np.testing.assert_array_equal(found, theirs.query([-1] * 9, np.asarray(noise.uniform(jax.random.key(3), 9, (2,)))))
    np.testing.assert_array_equal(after, theirs.images)
    assert (after == -1).any()
