"""Images of 16 bits in tasks: the same training as of 8 bits on the same values, and samples with every level."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.data.feed import Feed
from genjax.data.source import in_memory
from genjax.engine.mesh import make_mesh
from genjax.engine.phase import scheduled_phases
from genjax.errors import InputError
from genjax.tasks import progressive

pytestmark = pytest.mark.heavy

SHAPE = (8, 8, 1)
KEY = jax.random.key(3)
X = np.random.default_rng(0).integers(0, 256, (1, 8, *SHAPE), np.uint8)
LABELS = np.zeros((1, 8), np.int32)


def config(name, bits):
    c = config_of(name, data__bits=bits)
    if name == "dcgan":
        c.generator = {"net": "dcgan", "channels": (3,)}
        c.critic = {"net": "dcgan", "channels": (3,), "dropout": 0.0}
        c.latent = 4
    return c


@pytest.mark.parametrize("name", ["dcgan", "vae_conv", "ae_conv"])
def test_a_step_on_the_same_values_is_the_same(name):
    """257 v of 65535 is v of 255: metrics agree to rounding."""
    found = []
    for bits, x in ((8, X), (16, np.uint16(257) * X)):
        task = tasks.build(config(name, bits), SHAPE)
        state = jax.jit(task.init)(KEY)
        _, metrics = jax.jit(task.phases[0].step)(state, {"x": x, "label": LABELS}, KEY)
        found.append(jax.device_get(metrics))
    for key, value in found[0].items():
        np.testing.assert_allclose(found[1][key], value, rtol=2e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", ["dcgan", "vae_conv"])
def test_samples_are_decoded_latents_at_every_level(name):
    task = tasks.build(config(name, 16), SHAPE)
    state = jax.jit(task.init)(KEY)
    seeds = jnp.arange(4)
    sample = jax.jit(task.outputs["sample"])(state, seeds)
    decoded = np.float64(jax.jit(lambda s: task.outputs["decode"](s, task.outputs["latents"](s, seeds)))(state))
    assert sample.dtype == jnp.uint16
    np.testing.assert_allclose(sample, decoded * 257, atol=0.6)
    assert (np.asarray(sample) % 257 != 0).any()


def test_reconstructions_take_sixteen_bits():
    task = tasks.build(config("ae_conv", 16), SHAPE)
    state = jax.jit(task.init)(KEY)
    run = jax.jit(task.outputs["reconstruct"])
    np.testing.assert_allclose(run(state, np.uint16(257) * X[0]), run(state, X[0]), rtol=1e-4)


def test_reals_of_a_growing_net_that_are_shrunk_when_read_are_the_same_to_the_bit(monkeypatch):
    setups = []
    monkeypatch.setattr(progressive, "make_step", setups.append)
    c = config_of("progan", data__bits=16, growth__start=4)
    c.generator, c.critic = ({"net": "progan", "channels": (3, 2)} for _ in range(2))
    task = tasks.build(c, SHAPE)
    x = np.random.default_rng(0).integers(0, 65536, (20, *SHAPE), np.uint16)
    source, mesh = in_memory("noise", "train", x, None), make_mesh()
    for setup, span in zip(setups, scheduled_phases(task), strict=True):
        seen = []
        for resident in (0, 2**30):
            feed = Feed(source, 0, mesh, resident)
            batches = feed.batches(span, span.start, 1)
            batch = feed.take_batch(feed.resident_data, jax.tree.map(lambda a: a[0], batches.take(1)))
            seen.append(np.asarray(setup.players.preprocess_real(batch["x"][0], span.start)))
            batches.close()
        np.testing.assert_array_equal(*seen)
        assert np.abs(seen[0]).max() <= 1
        assert seen[0].std() > 0.1


@pytest.mark.parametrize("name", ["style_gatys", "style_adain"])
def test_style_transfer_of_sixteen_bits_is_refused(name):
    shape = (64, 32, 3) if name == "style_adain" else (32, 32, 3)
    with pytest.raises(InputError, match=r"data\.bits=16: task '(style|adain)' takes images of 8 bits"):
        tasks.build(config_of(name, data__bits=16), shape)
