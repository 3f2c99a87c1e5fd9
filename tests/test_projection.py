"""Projection: images that a generator can make are found again, and the same each time."""

import jax
import numpy as np
import pytest
from helpers import COMPILED, call, config_of, run

from genjax import projection, tasks
from genjax.errors import NotApplicable
from genjax.run.loaded import Run
from genjax.run.training import train
from genjax.visualize import styles

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("no_report")]

SHAPE = (8, 8, 3)


@pytest.fixture(scope="module")
def toy():
    """A generator as it begins, but paler, so that no pixel is beyond black or white."""
    config = config_of("stylegan2", latent=5, ema__half_life=0.0)
    config.generator = {"net": "stylegan2", "channels": (6, 4), "width": 7, "layers": 2}
    config.critic = {"net": "stylegan2", "channels": (6, 4)}
    task = tasks.build(config, SHAPE)
    about = {"config": config.to_dict(), "data": {"shape": list(SHAPE)}}
    state = jax.jit(task.init)(jax.random.key(0))
    net = state.nets["generator"]
    pale = lambda path, a: 0.2 * a if "to_rgb" in jax.tree_util.keystr(path) else a  # noqa: E731
    net = net.replace(params=jax.tree_util.tree_map_with_path(pale, net.params))
    state = state.replace(nets=state.nets | {"generator": net})
    return Run(task, jax.device_put(state, jax.devices()[0]), None, 0, about)  # on a device, as what is restored


@pytest.fixture(autouse=True)
def by_pixels(monkeypatch):
    """In place of the perceptual distance, which takes long to compile: none."""
    monkeypatch.setattr(projection, "perceptual_distance", lambda: lambda x, y: 0.0)


def test_an_image_of_the_generator_is_found_again(toy):
    w = styles.w_of(toy, 3)
    targets = styles.decode(toy, w)
    compiled, after_step = [], []
    jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name))
    found = projection.project(
        toy, targets, "w", 200, on_progress=lambda _: after_step.append(compiled.count(COMPILED))
    )
    assert after_step[0] == after_step[-1] > 0  # the first step's program is that of all
    assert found.codes.shape == w.shape
    assert found.losses.shape == (200, 3)
    assert found.losses[-1].max() < 0.05 * found.losses[0].max()
    assert np.abs(found.images.astype(int) - targets).mean() < 0.3 * np.abs(found.start.astype(int) - targets).mean()
    assert np.ptp(found.start, 0).max() == 0  # all begin at the average


def test_a_w_for_each_layer_comes_nearer_than_one(toy):
    targets = np.random.default_rng(0).integers(100, 150, (2, *SHAPE), np.uint8)
    one, each = (projection.project(toy, targets, space, 100) for space in ("w", "w+"))
    assert each.codes.shape == (2, 4, 7)
    assert each.losses[-1].mean() < one.losses[-1].mean()


def test_the_same_seed_finds_the_same(toy):
    targets = np.full((1, *SHAPE), 90, np.uint8)
    first, second = (projection.project(toy, targets, "w", 20) for _ in range(2))
    np.testing.assert_array_equal(first.codes, second.codes)


def test_z_begins_at_the_nearest_seed(toy):
    z = call(toy.task.outputs["latents"], toy.state, np.arange(5, dtype=np.int32))
    targets = toy.decode(np.asarray(z))[3:4]
    start, _ = projection._start(toy, targets, "z")
    np.testing.assert_array_equal(start[0], z[3])


def test_the_rate_rises_and_falls_as_the_papers():
    """Over the first 5% a straight line, over the last 25% half a cosine."""
    t = np.array([0, 0.025, 0.05, 0.5, 0.75, 0.875, 1])
    np.testing.assert_allclose(projection._rate(t), [0, 0.5, 1, 1, 1, 0.5, 0], atol=1e-6)


def test_a_generator_without_w_has_none():
    config = config_of("gan")
    other = Run(tasks.build(config, (28, 28, 1)), None, None, 0, {"config": config.to_dict(), "data": {}})
    with pytest.raises(NotApplicable, match="no output 'map'"):
        projection.project(other, np.zeros((1, 28, 28, 1), np.uint8), "w", 1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained")
    assert train(config_of("gan"), path) == 0
    return path


def test_the_command_writes_an_image_and_the_codes(trained, tmp_path):
    out = tmp_path / "p.png"
    done = run(
        "genjax.project",
        f"--workdir={trained}",
        "--images=fashion_mnist_10k",
        "--split=test[:3]",
        "--space=z",
        "--steps=2",
        f"--out={out}",
    )
    assert done.code == 0, done.err
    assert "look at:" in done.out
    with np.load(out.with_suffix(".npz")) as found:
        assert found["codes"].shape == (3, 30)
        assert found["losses"].shape == (2, 3)
    assert out.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images=emoji_32", "--space=z"], "32x32"),
        (["--images=fashion_mnist_10k"], "no output 'map'"),
        (["--images=fashion_mnist_10k", "--space=z", "--out=x.npy"], "expected a .png"),
        (["--images=nowhere", "--space=z"], "'nowhere' is no folder"),
    ],
)
def test_mistakes_are_answered_in_a_line(trained, arguments, message):
    run("genjax.project", f"--workdir={trained}", *arguments).assert_refused(message, lines=3)
