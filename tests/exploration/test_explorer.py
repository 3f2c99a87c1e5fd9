"""Images of requests, against the outputs of the task itself, closed forms and NumPy; the command that makes one."""

import io
import shlex

import jax
import numpy as np
import pytest
from helpers import call, run, saved_run
from PIL import Image

from genjax.engine.checkpoint import Checkpoints
from genjax.engine.outputs import EVAL_BATCH
from genjax.errors import InputError
from genjax.exploration import directions, film
from genjax.exploration.explorer import Explorer
from genjax.exploration.projected import projected
from genjax.exploration.request import Edit, Layers, Mix, Move, Request
from genjax.ops.pixels import quantize
from genjax.report import display

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    """A GAN with classes and averaged weights."""
    return Explorer(saved_run("cgan", tmp_path_factory.mktemp("explore") / "gan"))


@pytest.fixture(scope="module")
def stylegan(tmp_path_factory):
    """A generator with styles, at two steps."""
    size = {"data__size": "8", "data__resize": "squash"}
    size |= {"generator__channels": (6, 4), "critic__channels": (6, 4), "generator__layers": 2}
    folder = saved_run("stylegan2", tmp_path_factory.mktemp("explore") / "stylegan", **size)
    explorer = Explorer(folder)
    state = explorer.state(None)
    Checkpoints(folder / "checkpoints").save(state.replace(step=state.step + 2), {})
    return explorer


@pytest.fixture(scope="module")
def vq(tmp_path_factory):
    """A vector-quantized autoencoder."""
    return Explorer(saved_run("vqvae", tmp_path_factory.mktemp("explore") / "vq"))


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Few seeds for principal directions."""
    monkeypatch.setattr(directions, "DRAWN", EVAL_BATCH)


def apart(a, b) -> int:
    """The largest difference of pixels."""
    assert a.dtype == b.dtype == np.uint8
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def test_a_seed_alone_is_the_sample_of_the_task(gan, stylegan):
    sample = jax.jit(gan.outputs["sample"], static_argnames=("ema",))
    seeds = np.array([5], np.int32)
    for ema in (True, False):
        expected = np.asarray(sample(gan.state(None), seeds, truncation=0.8, ema=ema))[0]
        assert apart(gan.image(Request(seeds=(5,), truncation=0.8, ema=ema)), expected) <= 1
    sample = jax.jit(stylegan.outputs["sample"], static_argnames=("noise",))
    pixels = []
    for noise in ("constant", "random", "none"):
        expected = np.asarray(sample(stylegan.state(None), seeds, truncation=0.6, noise=noise))[0]
        pixels.append(stylegan.image(Request(seeds=(5,), truncation=0.6, noise=noise)))
        assert apart(pixels[-1], expected) <= 1
    assert apart(pixels[0], pixels[1]) > 1
    assert apart(pixels[0], pixels[2]) > 1


def test_corners_are_their_seeds_and_halfway_is_on_the_great_circle(gan):
    seeds = (3, 14, 25, 36)
    for corner, at in zip(seeds, [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)], strict=True):
        assert apart(gan.image(Request(seeds=seeds, at=at)), gan.image(Request(seeds=(corner,)))) <= 1
    z = np.float64(call(gan.outputs["latents"], gan.state(None), np.array([3, 14], np.int32)))
    latent = z.shape[1] - 10
    lengths = np.linalg.norm(z[:, :latent], axis=1, keepdims=True)
    chord = (z[:, :latent] / lengths).sum(0)
    halfway = np.concatenate([lengths.mean() * chord / np.linalg.norm(chord), z[:, latent:].mean(0)])
    expected = quantize(np.asarray(gan.program("decode")(gan.state(None), np.float32(halfway)[None], ema=True)))[0]
    assert apart(gan.image(Request(seeds=(3, 14), at=(0.5,))), expected) <= 1


def test_a_class_replaces_the_one_hot_and_a_move_adds_to_a_latent(gan):
    z = np.array(call(gan.outputs["latents"], gan.state(None), np.array([3], np.int32)))
    z[0, -10:] = np.arange(10) == 7
    z[0, 2] += 1.5
    expected = quantize(np.asarray(gan.program("decode")(gan.state(None), z, ema=True)))[0]
    assert apart(gan.image(Request(seeds=(3,), label="7", moves=(Move("z2", 1.5),))), expected) == 0
    assert gan.classes[8] == "Bag"
    assert apart(gan.image(Request(seeds=(3,), label="Bag")), gan.image(Request(seeds=(3,), label="8"))) == 0


def test_principal_directions_of_w_are_those_of_its_covariance(stylegan):
    state = stylegan.state(None)
    z = call(stylegan.outputs["latents"], state, np.arange(EVAL_BATCH, dtype=np.int32))
    w = np.float64(call(stylegan.outputs["map"], state, z))
    variances, vectors = np.linalg.eigh(np.cov(w.T, bias=True))
    found = directions.principal(stylegan, None)[:3]
    np.testing.assert_allclose((found**2).sum(1), variances[::-1][:3], rtol=1e-3)
    cosines = (found / np.linalg.norm(found, axis=1, keepdims=True) * vectors.T[::-1][:3]).sum(1)
    np.testing.assert_allclose(np.abs(cosines), 1, atol=1e-3)


def test_directions_without_w_are_singular_vectors_of_a_linear_generator():
    """The Jacobian of x = 128 + z A is A^T everywhere, so the directions are A's left singular vectors."""
    a = np.float32(np.random.default_rng(0).normal(size=(4, 12)))
    explorer = Explorer.__new__(Explorer)
    explorer.outputs = {
        "latents": lambda state, seeds, truncation=None: np.zeros((1, 4), np.float32) + seeds[:, None],
        "decode": lambda state, z, ema=True: (128 + z @ a).reshape(-1, 2, 2, 3),
    }
    explorer._programs = {}
    explorer.latents = 4
    left, _, _ = np.linalg.svd(a, full_matrices=False)
    found = directions._directions(explorer, np.float32(0), True)
    np.testing.assert_allclose(np.abs((found * left.T).sum(1)), 1, atol=1e-3)
    assert (np.take_along_axis(found, np.abs(found).argmax(1)[:, None], 1) > 0).all()


def test_styles_of_all_layers_are_the_other_seed_and_of_some_a_mixture(stylegan):
    assert apart(stylegan.image(Request(seeds=(1,), mix=Mix(2))), stylegan.image(Request(seeds=(2,)))) == 0
    state = stylegan.state(None)
    z = call(stylegan.outputs["latents"], state, np.array([1, 2], np.int32))
    w = np.asarray(call(stylegan.outputs["map"], state, z))
    ws = np.repeat(w[:1, None], stylegan.task.layers, 1)
    ws[:, 2:] = w[1]
    ws[:, :3] += np.float32(-1.5 * directions.principal(stylegan, None)[1])
    expected = quantize(np.asarray(call(stylegan.outputs["synthesize"], state, ws)))[0]
    request = Request(seeds=(1,), mix=Mix(2, Layers(2)), moves=(Move("p1", -1.5, Layers(0, 2)),))
    assert apart(stylegan.image(request), expected) <= 1


def test_a_code_of_the_map_is_replaced(vq):
    x = vq.examples.read(np.array([3]))
    codes = np.array(call(vq.outputs["encode"], vq.state(None), x))
    codes[0, 1, 2] = 5
    expected = quantize(np.asarray(vq.program("decode")(vq.state(None), codes)))[0]
    assert apart(vq.image(Request(examples=(3,), edits=(Edit(1, 2, 5),))), expected) == 0


def test_neighbors_are_the_nearest_codes_and_the_first_is_the_example_itself(vq):
    codes = np.asarray(call(vq.outputs["encode"], vq.state(None), vq.examples.read(np.arange(EVAL_BATCH))))
    differing = (codes != codes[5]).reshape(EVAL_BATCH, -1).sum(1)
    numbers = vq.neighbors(Request(examples=(5,)), 4)
    assert differing[list(numbers)].tolist() == sorted(differing)[:4]
    assert 5 in numbers or differing[numbers[0]] == 0


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    """A linear autoencoder with codes of two dimensions."""
    folder = tmp_path_factory.mktemp("explore") / "flat"
    return Explorer(saved_run("ae_stacked", folder, autoencoder__widths=(8, 2)))


def test_a_point_of_the_plane_is_its_latent_and_a_way_between_examples_is_straight(flat):
    codes = np.asarray(call(flat.outputs["encode"], flat.state(None), flat.examples.read(np.arange(EVAL_BATCH))))
    decode = lambda z: quantize(np.asarray(flat.program("decode")(flat.state(None), np.float32(z)[None])))[0]  # noqa: E731
    point = codes.mean(0) + 2.5 * codes.std(0) * [0.5, -1.0]
    assert apart(flat.image(flat.at_point(Request(examples=(3,)), 0.75, 1.0)), decode(point)) <= 1
    way = flat.image(Request(examples=(0, 1), at=(0.25,)))
    assert apart(way, decode(0.75 * codes[0] + 0.25 * codes[1])) <= 1
    found = directions.principal(flat, None)
    np.testing.assert_allclose(np.abs(found[0] @ found[1]), 0, atol=1e-4)


def test_an_image_is_encoded_in_the_form_of_the_data(flat, tmp_path):
    x = flat.examples.read(np.array([2]))[0]
    Image.fromarray(x[..., 0]).save(tmp_path / "x.png")
    assert apart(flat.image(Request(images=(str(tmp_path / "x.png"),))), flat.image(Request(examples=(2,)))) == 0


def test_a_translation_is_between_its_input_and_its_target(tmp_path):
    explorer = Explorer(saved_run("pix2pix", tmp_path / "run"))
    pair = explorer.examples.read(np.array([1]))
    y = quantize(np.asarray(jax.jit(explorer.outputs["translate"])(explorer.state(None), pair)))[0]
    image = explorer.image(Request(examples=(1,)))
    width = pair.shape[2]
    assert apart(image[:, width : 2 * width], y) == 0
    assert apart(image[:, 2 * width :], pair[0, ..., -3:]) == 0
    assert apart(image[:, :width, :1], pair[0, ..., :1]) == 0


def test_a_translation_without_pairs_goes_both_ways_and_back(tmp_path):
    explorer = Explorer(saved_run("cyclegan", tmp_path / "run"))
    pair, state = explorer.examples.read(np.array([1])), explorer.state(None)
    a, b = np.split(pair, 2, -1)
    for to, x in (("", a), ("a", b)):
        names = ("to_a", "to_b") if to else ("to_b", "to_a")
        there = quantize(np.asarray(jax.jit(explorer.outputs[names[0]])(state, x)))
        back = quantize(np.asarray(jax.jit(explorer.outputs[names[1]])(state, there)))
        expected = np.concatenate([x[0], there[0], back[0]], 1)
        assert apart(explorer.image(Request(examples=(1,), to=to)), expected) <= 1
    Image.fromarray(a[0]).save(tmp_path / "x.png")
    mine = explorer.image(Request(images=(str(tmp_path / "x.png"),)))
    assert apart(mine, explorer.image(Request(examples=(1,)))) == 0


def test_a_style_is_as_strong_as_the_place_says(tmp_path):
    explorer = Explorer(saved_run("style_adain", tmp_path / "run"))
    x, state = np.float32(explorer.examples.read(np.array([0, 1]))), explorer.state(None)
    assert (
        apart(
            explorer.image(Request(examples=(0,))),
            quantize(np.asarray(jax.jit(explorer.outputs["stylize"])(state, x[:1])))[0],
        )
        <= 1
    )
    half = x.shape[1] // 2
    features = [call(explorer.outputs["features"], state, part) for part in (x[:1, :half], x[1:, half:])]
    rest = quantize(np.asarray(call(explorer.outputs["pixels"], state, features[0])))[0]
    assert apart(explorer.image(Request(examples=(0, 1), at=(0.0,))), rest) <= 1
    with pytest.raises(InputError, match="expected a content and a style"):
        explorer.image(Request(images=(__file__,)))


def test_a_descent_is_its_image_at_each_step(tmp_path):
    explorer = Explorer(saved_run("style_gatys", tmp_path / "run"))
    expected = np.asarray(call(explorer.outputs["sample"], explorer.state(None), np.zeros(1, np.int32)))[0]
    assert apart(explorer.image(Request(step=7)), expected) <= 1


def test_a_film_without_styles_is_the_path_of_the_plane(gan):
    seeds = (3, 14)
    for t in (0.0, 0.5, 1.0):
        along = gan.between(*(Request(seeds=(seed,)) for seed in seeds), t)
        assert apart(along, gan.image(Request(seeds=seeds, at=(t,)))) <= 1
    moved = Request(seeds=(3,), moves=(Move("z0", 1.0),))
    assert apart(gan.between(Request(seeds=seeds, at=(0.5,)), moved, 1.0), gan.image(moved)) <= 1


def test_a_film_passes_its_images_and_closes(stylegan):
    stations = (Request(seeds=(1,)), Request(seeds=(2,), truncation=0.5, moves=(Move("p0", 1.0),)))
    assert film.read_text(film.to_text(stations), "film.json") == stations
    for start, end in (stations, stations[::-1]):
        assert apart(stylegan.between(start, end, 0.0), stylegan.image(start)) == 0
        assert apart(stylegan.between(start, end, 1.0), stylegan.image(end)) <= 1
    with Image.open(io.BytesIO(film.gif_of(stylegan, stations))) as animation:
        assert animation.n_frames >= film.FRAMES  # equal frames in a row are one
        assert animation.info["loop"] == 0


def test_the_command_makes_the_image_again_to_the_bit(stylegan, tmp_path):
    request = Request(seeds=(4, 5), at=(0.25,), step=9, moves=(Move("p0", 1.0, Layers(0, 3)),), noise="random")
    expected = display.file_of(stylegan.image(request))[1]
    words = shlex.split(request.command(str(stylegan.workdir), str(tmp_path / "x.png")))
    done = run(words[2], *words[3:], before=with_few)
    assert done.code == 0, done.err
    assert (tmp_path / "x.png").read_bytes() == expected


def with_few() -> None:
    """The setting of `few`, in another process."""
    directions.DRAWN = EVAL_BATCH


def test_checkpoints_are_followed_and_one_that_is_gone_is_named(stylegan):
    assert stylegan.steps() == [7, 9]
    with pytest.raises(InputError, match="no checkpoint of step 8; it has 7, 9"):
        stylegan.image(Request(step=8))


@pytest.mark.parametrize(
    ("name", "request_", "text"),
    [
        ("gan", Request(mix=Mix(1)), "--mix and --blend=w are for generators with styles"),
        ("gan", Request(blend="w"), "--mix and --blend=w are for generators with styles"),
        ("gan", Request(examples=(1,)), "--examples: this run starts from seeds or codes"),
        ("gan", Request(label="Hat"), "--label=Hat: no such class"),
        ("gan", Request(noise="none"), "only StyleGANs have noise"),
        ("gan", Request(truncation=-1.0), "--truncation=-1.0"),
        ("gan", Request(moves=(Move("z99999", 1.0),)), "expected z0 to z"),
        ("gan", Request(moves=(Move("p0", 1.0, Layers(1)),)), "layers 1-: expected none"),
        ("gan", Request(to="a"), "--to=a is for translations without pairs"),
        ("gan", Request(codes=("nothing.npz",)), "expected a .npz of genjax.project"),
        ("stylegan", Request(mix=Mix(1, Layers(9))), "layers 9-: expected 0 to 3"),
        ("stylegan", Request(moves=(Move("p999", 1.0),)), "expected p0 to p"),
        ("vq", Request(seeds=(1,)), "--seeds: this run starts from examples or images"),
        ("vq", Request(examples=(10**6,)), "--examples=1000000: expected below"),
        ("vq", Request(moves=(Move("z0", 1.0),)), "change them with --edits"),
        ("vq", Request(edits=(Edit(99, 0, 0),)), "--edits=99-0:0: expected rows below"),
        ("vq", Request(truncation=0.5), "--truncation: this run draws no latents"),
        ("vq", Request(images=(__file__,)), "test_explorer.py"),
    ],
)
def test_what_a_run_does_not_have_is_refused_in_a_line(name, request_, text, request):
    with pytest.raises(InputError) as error:
        request.getfixturevalue(name).image(request_)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_runs_that_show_no_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="is not a run's folder"):
        Explorer(tmp_path)
    nets = {"generator": {"net": "mlp", "output": "linear"}, "critic": {"net": "mlp"}}
    folder = saved_run("gan", tmp_path / "points", data__name="ring8", **nets)
    with pytest.raises(InputError, match="points or series"):
        Explorer(folder)


def test_a_run_that_has_saved_nothing_yet_is_refused_with_a_message(stylegan, tmp_path):
    (tmp_path / "config.json").write_text((stylegan.workdir / "config.json").read_text())
    with pytest.raises(InputError, match="has no checkpoint yet: a run that is training saves one every 2 steps"):
        Explorer(tmp_path)


def test_an_image_is_projected_once_and_decoded(gan, tmp_path):
    Image.fromarray(gan.image(Request(seeds=(3,)))[..., 0]).save(tmp_path / "x.png")
    counts = []
    code = projected(gan, tmp_path / "x.png", 7, 2, counts.append)
    assert counts == [1, 2]
    assert projected(gan, tmp_path / "x.png", 7, 2, counts.append) == code
    assert counts == [1, 2]
    with np.load(code.rpartition(":")[0]) as file:
        expected = quantize(np.asarray(gan.program("decode")(gan.state(7), file["codes"], ema=True)))[0]
    assert apart(gan.image(Request(codes=(code,), step=7)), expected) == 0


def test_a_run_of_another_version_is_refused_with_a_message(stylegan, tmp_path):
    text = (stylegan.workdir / "config.json").read_text()
    (tmp_path / "config.json").write_text(text.replace('"latent"', '"latents"'))
    with pytest.raises(InputError, match="has keys that the task 'stylegan2' lacks: latents"):
        Explorer(tmp_path)
