"""Features are a function of the image, the net and nothing else."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image, ImageFilter

from genjax.data import open_source
from genjax.errors import InputError
from genjax.metrics.features import FeatureNet, extract, inception, squeezenet

X = np.random.default_rng(0).integers(0, 256, (10, 6, 5, 3), np.uint8)


def toy(traced=None):
    """Two features that are known: an image's first pixel and its mean."""

    def look(variables, x):
        if traced is not None:
            traced.append(x.shape)
        x = x.astype(jnp.float32)
        return jnp.stack([x[:, 0, 0, 0], x.mean((1, 2, 3))], 1), x[:, 0, 0] * variables

    return FeatureNet("toy", 2, "", "none", look, jnp.float32(2))


@pytest.fixture(scope="module")
def small():
    return squeezenet(32)


@pytest.mark.heavy
@pytest.mark.parametrize("batch", [1, 3, 5, 10, 64])
@pytest.mark.parametrize("cuts", [None, [10], [1, 8, 1], [4, 0, 6], [1] * 10])
def test_features_come_in_order_however_the_images_are_cut(batch, cuts):
    images = X if cuts is None else np.split(X, np.cumsum(cuts)[:-1])
    done = []
    found = extract(toy(), images, batch=batch, probabilities=True, on_progress=done.append)
    assert found.features.dtype == np.float32
    np.testing.assert_array_equal(found.features[:, 0], X[:, 0, 0, 0])
    np.testing.assert_allclose(found.features[:, 1], X.mean((1, 2, 3)), rtol=1e-6)
    np.testing.assert_array_equal(found.probabilities, 2.0 * X[:, 0, 0])
    assert done == [*range(batch, 10, batch), 10]


def test_probabilities_are_made_when_asked_for():
    assert extract(toy(), X).probabilities is None


def test_a_net_says_how_many_images_suit_it():
    done = []
    extract(replace(toy(), batch=4), X, on_progress=done.append)
    assert done == [4, 8, 10]
    assert [squeezenet(size).batch for size in (32, 64, 128, 299)] == [64, 64, 16, 2]


def test_one_program_serves_all_batches():
    traced = []
    net = toy(traced)
    extract(net, X, batch=4)
    extract(net, (part for part in np.split(X, 5)), batch=4)
    assert traced == [(4, 6, 5, 3)]


@pytest.mark.heavy
def test_an_image_has_the_same_features_to_the_bit_in_any_company(small):
    """In its place of a batch; elsewhere to rounding, as in a batch of another size."""
    x = np.random.default_rng(1).integers(0, 256, (7, 28, 28, 1), np.uint8)
    together = extract(small, x, batch=4).features
    for place in range(4):
        others = 255 - x
        others[place] = x[place]
        np.testing.assert_array_equal(extract(small, others, batch=4).features[place], together[place])
    alone = np.concatenate([extract(small, x[i : i + 1], batch=4).features for i in range(7)])
    for found in (alone, extract(small, x, batch=3).features):
        np.testing.assert_allclose(found, together, rtol=1e-5, atol=1e-5 * together.max())


def test_products_are_in_full_float32_on_every_backend(small):
    program = small.compiled.lower(small.variables, X, True).as_text()
    products = [line for line in program.splitlines() if "stablehlo.convolution" in line or "dot_general" in line]
    assert len(products) >= 26  # convolutions; resizing adds its own
    assert all("HIGHEST" in line and "DEFAULT" not in line for line in products)


@pytest.mark.heavy
def test_gray_images_are_seen_as_color_ones_of_equal_channels(small):
    gray, color = (extract(small, np.repeat(X[..., :1], n, -1)).features for n in (1, 3))
    np.testing.assert_allclose(gray, color, rtol=1e-5, atol=1e-4)


@pytest.mark.heavy
def test_worse_images_are_further_away():
    source = open_source("emoji_32", "train[:80]")
    x, rng = source.read(np.arange(80)), np.random.default_rng(0)
    net = squeezenet(64)
    mean = extract(net, x).features.mean(0)
    noisy = [np.clip(x + rng.normal(0, s, x.shape), 0, 255).astype(np.uint8) for s in (8, 25, 60)]
    blurred = [np.stack([Image.fromarray(i).filter(ImageFilter.GaussianBlur(r)) for i in x]) for r in (0.5, 1, 2)]
    for worse in (noisy, blurred):
        distances = [np.linalg.norm(extract(net, y).features.mean(0) - mean) for y in worse]
        assert distances == sorted(distances)
        assert distances[2] > 2 * distances[0]


def test_a_net_says_what_its_features_are(small):
    assert (small.name, small.dimension) == ("SqueezeNet fire9", 512)
    assert "32 x 32" in small.resize
    assert len(small.sha256) == 64
    assert small.published
    assert not toy().published
    assert extract(small, X).features.shape == (10, 512)
    assert jax.tree.leaves(small.variables)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (X[:0], "no images"),
        ([], "no images"),
        (X / 255, "images are float64: expected uint8"),
        (np.full((1, 4, 4, 3), np.nan, np.float32), "images have NaN"),
        (X.astype(np.int32), "images are int32"),
        (X[0], r"shape \[6, 5, 3\]: expected \[N, H, W, 1 or 3\]"),
        (X[..., :2], r"shape \[10, 6, 5, 2\]"),
        (X[:, :0], r"shape \[10, 0, 5, 3\]"),
        ([X, X[:, :5]], r"images of shape \[5, 5, 3\] after images of shape \[6, 5, 3\]"),
        ([X, X[..., :1]], r"images of shape \[6, 5, 1\] after"),
    ],
)
def test_what_are_no_images_is_refused(images, message):
    with pytest.raises(InputError, match=message):
        extract(toy(), images)


def test_a_batch_of_none_is_refused():
    with pytest.raises(InputError, match="batch=0"):
        extract(toy(), X, batch=0)


def test_a_size_below_the_nets_is_refused():
    with pytest.raises(InputError, match="size=16: SqueezeNet needs images of 17 x 17"):
        squeezenet(16)


def test_inception_without_its_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no such file.*pt_inception-2015-12-05-6726825d\.pth"):
        inception(tmp_path / "none.pth")
