"""Style transfer in windows: the statistics, the loss and the gradient are those of the whole image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from genjax.errors import InputError
from genjax.nets.adain import Decoder, reach
from genjax.nets.vgg import VGG, layers
from genjax.stylization import Painter
from genjax.tasks.style.images import Images
from genjax.tasks.style.objective import Objective
from genjax.tasks.style.settings import Settings, config
from genjax.weights import encoders

pytestmark = pytest.mark.heavy

HEIGHT, WIDTH = 101, 150


@pytest.fixture(scope="module")
def encoder():
    return encoders.load("squeezenet")


def objective(encoder, tile, overlap=0):
    c = config()
    c.style.images = c.style.masks = ("a", "b")
    c.style.layers, c.content.layers, c.tile, c.overlap = ("conv1", "fire2"), ("fire3",), tile, overlap
    return Objective(encoder, Settings.parse(c, (HEIGHT, WIDTH, 3), encoder))


def blocks(rng, height, width):
    x = rng.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3))
    return np.float32(x.repeat(4, 0).repeat(4, 1)[:height, :width])


def test_the_descent_in_windows_is_that_of_the_whole_image(encoder):
    """With two styles of other sizes, and masks, which are slanted so that no window is like another."""
    rng = np.random.default_rng(0)
    masks = tuple(np.float32(rng.random((HEIGHT, WIDTH, 3))) for _ in range(2))
    content, styles = np.uint8(blocks(rng, HEIGHT, WIDTH)), (blocks(rng, 90, 77), blocks(rng, 60, 99))
    x = jnp.float32(rng.uniform(-1, 1, (HEIGHT, WIDTH, 3)))

    @jax.jit
    def of_whole(images, x):
        return descended(objective(encoder, 0), images, x)

    @jax.jit
    def in_windows(images, x):
        return descended(objective(encoder, 48), images, x)

    def descended(objective, images, x):
        targets = objective.targets(encoder.variables, images, (HEIGHT, WIDTH))
        value = jax.value_and_grad(lambda x: objective.loss(x, encoder.variables, targets), has_aux=True)(x)
        return targets, value

    images = Images(content, styles, masks)
    whole, windows = of_whole(images, x), in_windows(images, x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(a).max()), whole, windows)


def squeezenet():
    encoder = encoders.load("squeezenet")
    return encoder.geometry, lambda x: encoder.apply(encoder.variables, x, encoder.layers)


def narrow_vgg():
    net = VGG(16, last="relu4_1", widths=(2, 2, 2, 2, 2))
    variables = net.init(jax.random.key(0), np.zeros((1, 32, 32, 3), np.float32))
    return encoders._geometry(layers(16, "relu4_1"), 2), lambda x: net.apply(variables, x)


@pytest.mark.parametrize("net", [squeezenet, narrow_vgg])
def test_pixels_beyond_a_layers_reach_do_not_change_it(net):
    """A pixel that is NaN makes NaN of all that depends on it."""
    geometry, maps = net()
    side = 320
    x = np.full((1, side, side, 3), 99.0, np.float32)
    x[0, 171, 171] = np.nan
    for name, y in jax.jit(maps)(x).items():
        stride, reach = geometry[name]
        assert abs(side / stride - y.shape[1]) <= 1
        rows = np.flatnonzero(np.isnan(y).any((0, 2, 3))) * stride
        assert 171 - (stride - 1) - reach <= rows.min()
        assert rows.max() <= 171 + reach


def test_features_beyond_the_decoders_reach_do_not_change_its_image():
    decoder = Decoder()
    x = np.full((1, 24, 24, 128), 0.5, np.float32)
    variables = decoder.init(jax.random.key(0), x)
    x[0, 12, 12] = np.nan
    rows = np.flatnonzero(np.isnan(decoder.apply(variables, x)).any((0, 2, 3)))
    assert 48 - reach(decoder.widths) <= rows.min()
    assert rows.max() <= 51 + reach(decoder.widths)


def test_adain_in_windows_is_that_of_the_whole_image(tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    Image.fromarray(np.uint8(blocks(rng, 120, 90))).save(tmp_path / "style.png")
    x = blocks(rng, 141, 220)
    whole, windows = (Painter("", [str(tmp_path / "style.png")], size=120, tile=tile).painted(x) for tile in (0, 128))
    np.testing.assert_allclose(windows, whole, atol=0.01)  # of 255
    assert whole.std() > 5


@pytest.mark.parametrize(("tile", "overlap"), [(100, 0), (64, 0), (0, 32), (96, 90)])
def test_windows_that_do_not_fit_are_refused(encoder, tile, overlap):
    with pytest.raises(InputError, match=f"tile={tile}, overlap="):
        Painter("", [], shares=[1], tile=tile, overlap=overlap)
    with pytest.raises(InputError, match=f"tile={tile - 1}, overlap="):
        objective(encoder, tile - 1, overlap)
