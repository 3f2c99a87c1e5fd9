"""Programs compiled for TPUs and GPUs that are not here. Skipped where their compilers are not installed."""

import jax
import jax.numpy as jnp
import pytest
from compilers import GPU, TPU
from helpers import config_of

from experiments.scaling.calculator import gradient_bytes
from experiments.scaling.chips import CHIPS, target
from experiments.scaling.collectives import collectives
from experiments.scaling.compile import fits, least_seconds, opened, remedies
from experiments.scaling.programs import OutOfMemory, compiled, convolutions, largest_buffers
from genjax.engine.loop import shapes
from genjax.engine.mesh import make_mesh, replicated, sharded
from genjax.engine.phase import scheduled_phases
from genjax.errors import InputError
from genjax.ops.backend import writing_for
from genjax.run.description import step_inputs


def program_of(name, goal, phase=0, **overrides):
    """The compiled program of a phase of a config's smoke variant, and its task."""
    config = config_of(name, **overrides)
    task, source = opened(config)
    return compiled(task, list(scheduled_phases(task))[phase], source, True, target(goal), -1.0), task


@pytest.mark.heavy
@pytest.mark.parametrize("goal", [TPU, GPU])
@pytest.mark.parametrize("name", ["gan", "dcgan"])
def test_a_step_sends_sums_of_gradients_and_statistics_alone(name, goal):
    program, task = program_of(name, goal)
    assert {c.kind for c in program.collectives} == {"all-reduce"}
    sent = sum(c.times * c.nbytes for c in program.collectives)
    assert gradient_bytes(task) <= sent <= 1.1 * gradient_bytes(task) + 1000
    images = 10_000 * 28 * 28  # in an array of their own shape they take seven times their bytes on a TPU
    assert images < program.arguments <= program.peak < 3 * images
    assert fits(program, target(goal))
    assert bool(program.convolutions) == (name == "dcgan")


@pytest.mark.heavy
@pytest.mark.parametrize("goal", [TPU, GPU])
def test_a_game_of_sequences_sends_sums_alone(goal):
    """Each device has reals and fakes of its own: sequences are never exchanged."""
    program, _ = program_of("seqgan", goal, phase=-1)
    assert {c.kind for c in program.collectives} == {"all-reduce"}


@pytest.mark.heavy
@pytest.mark.parametrize("goal", [TPU, GPU])
def test_weights_gradients_are_summed_in_float32_whatever_nets_compute_in(goal):
    """Those of batch normalization's scales and offsets excepted, 12 numbers here, on TPUs."""
    program, _ = program_of("dcgan", goal, dtype="bfloat16")
    short = [size for c in program.collectives for kind, size in c.arrays if kind == "bf16"]
    assert short in ([], [(8,), (4,)])
    assert any("bf16 x bf16" in name for name in program.convolutions)


@pytest.mark.heavy
@pytest.mark.parametrize("goal", [TPU, GPU])
def test_a_gradient_of_three_terms_is_sent_once(goal):
    """A critic of reals, fakes and a penalty on its gradients."""
    program, task = program_of("wgan_gp", goal)
    critic_updates = [c for c in program.collectives if c.times > 1]
    params = sum(leaf.size for leaf in jax.tree.leaves(shapes(task).nets["critic"].params))
    stats = 4 * (8 + 4)  # of the generator's two batch normalizations: sums and sums of squares
    sent = sum(size for c in critic_updates for size in c.sizes)
    assert params <= sent <= params + stats + 1000


@pytest.mark.parametrize("goal", [TPU])
def test_a_program_that_does_not_fit_says_what_it_needs(goal, monkeypatch):
    monkeypatch.setattr(jax.stages.Lowered, "compile", _refuse)
    refused, _ = program_of("gan", goal)
    assert isinstance(refused, OutOfMemory)
    assert refused.needed == 17.49 * 2**30
    assert not fits(refused, target(goal))
    config = config_of("dcgan")
    tried = list(remedies(config, opened(config)[1], target(goal), -1.0))
    assert tried[0] == ({"remat": True}, "remat=True is not for these nets, which keep little: leave it at False")
    assert tried[1] == ({"dtype": "bfloat16"}, "17.5 GiB of 15.8 GiB")


def _refuse(*_):
    raise jax.errors.JaxRuntimeError(
        "RESOURCE_EXHAUSTED: Ran out of memory on HBM, the total memory required for HLO temporaries (17.49G) exceeds "
        "available HBM (15.75G)."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v5:2x2", "no chip 'v5'.*choose from v4, v5e"),
        ("v5e", "expected a form such as v5e:2x4, chips in a grid"),
        ("h100:2x2", "expected a form such as h100:8, a number of chips"),
    ],
)
def test_other_targets_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        target(text)


def test_a_step_takes_as_long_as_its_products_or_its_state_by_the_published_rates():
    config = config_of("gan")
    task, _ = opened(config)
    chip = CHIPS["v5e"]
    goal = type("Goal", (), {"chip": chip, "devices": (0, 1)})
    assert least_seconds(config, task, 10**15, goal.chip, 2) == pytest.approx(10**15 / 2 / 197e12)
    state = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes(task)))
    assert least_seconds(config, task, 0, goal.chip, 2) == pytest.approx(2 * state / 819e9)


def test_convolutions_are_counted_by_what_computes_them():
    text = """
  %a.1 = bf16[8,4,4,2]{3,2,1,0} parameter(0)
  %k = f32[3,3,2,2]{3,2,1,0} parameter(1)
  ROOT %c.2 = f32[8,4,4,2]{3,0,2,1:T(2,128)} convolution(%a.1, %k), window={size=3x3}, dim_labels=b01f_01io->b01f
  %d.9 = f32[2,39]{1,0} convolution(%a.1, %k), dim_labels=bf_io->bf, metadata={op_name="a"}
  %e = (f32[4,9,9,4]{3,2,1,0}, u8[0]) custom-call(%a.1, %k), dim_labels=b01f_o01i->b01f, custom_call_target="__cudnn$f"
"""
    assert convolutions(text) == {
        "convolution: bf16 x f32 -> f32, b01f_01io->b01f": 1,
        "f: bf16 x f32 -> f32, b01f_o01i->b01f": 1,
    }


def test_the_largest_results_of_a_step_have_the_names_of_modules():
    config = config_of("dcgan")
    task, source = opened(config)
    largest = largest_buffers(task, next(scheduled_phases(task)), source, 40)
    assert [b.nbytes for b in largest] == sorted((b.nbytes for b in largest), reverse=True)
    maps = next(b for b in largest if b.name == "Critic/Conv_0")
    assert maps.array == "f32[8,14,14,4]"
    assert maps.nbytes == 4 * 8 * 14 * 14 * 4


@pytest.mark.parametrize("platform", ["tpu", "cuda"])
def test_precision_is_that_of_every_convolution_and_product_of_a_step(platform):
    """In the lowered program; what the default and the highest mean is the backend's."""
    config = config_of("dcgan", precision="highest")
    task, source = opened(config)
    phase = task.phases[0]
    with writing_for("tpu"):
        inputs = step_inputs(phase, shapes(task), source)
        text = jax.jit(lambda *a: phase.step(*a)).trace(*inputs).lower(lowering_platforms=(platform,)).as_text()
    found = [line for line in text.splitlines() if "stablehlo.convolution" in line or "stablehlo.dot_general" in line]
    assert len(found) > 10
    assert all("HIGHEST" in line for line in found)


@pytest.mark.parametrize("goal", [TPU, GPU])
def test_a_loop_that_the_compiler_does_not_count_is_counted_by_its_limit(goal):
    mesh = make_mesh(target(goal).devices)

    def run(rows, scales):
        def body(total, scale):
            return total + jnp.sum(jnp.tanh(total + scale * rows), 0), None

        return jax.lax.scan(body, jnp.zeros(3), scales)[0]

    def like(shape, sharding):
        return jax.ShapeDtypeStruct(shape, jnp.float32, sharding=sharding)

    with jax.set_mesh(mesh):
        hlo = jax.jit(run).lower(like((8, 3), sharded(mesh, 0)), like((5,), replicated(mesh))).compile().as_text()
    sent = collectives(hlo)
    assert sum(c.times * c.nbytes for c in sent) == 5 * 3 * 4
