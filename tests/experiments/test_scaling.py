"""Bytes sent, counted in the compiled program and by hand; the model of a ring has closed forms."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest
from helpers import ROOT, assert_refused_in_a_line, config_of, eight_devices

from experiments.scaling import preemption
from experiments.scaling.calculator import Scaled, as_text, describe, gradient_bytes, scale
from experiments.scaling.collectives import Collective, collectives, compile_step
from experiments.scaling.links import LINKS, Link, ring_seconds
from genjax import tasks
from genjax.engine.loop import shapes
from genjax.engine.mesh import make_mesh, sharded
from genjax.run.description import step_cost

SLOW = Link(1.0, 1000.0, "made up: 1e9 bytes a second, 1 ms a message")


@pytest.fixture(scope="module")
def eight():
    with eight_devices() as call:
        yield call


def test_a_ring_sends_each_byte_twice_except_the_own_share():
    assert ring_seconds(1e9, 1, SLOW) == 0
    assert ring_seconds(1e9, 2, SLOW) == pytest.approx(2 * (0.5 + 0.001))
    assert ring_seconds(1e9, 4, SLOW) == pytest.approx(6 * (0.25 + 0.001))
    assert ring_seconds(0, 4, LINKS["nvlink4"]) == pytest.approx(6 * 3.4e-6)
    assert ring_seconds(1e9, 10**6, Link(1.0, 0.0, "")) == pytest.approx(2, rel=1e-5)


def test_efficiency_is_the_share_of_a_step_that_is_not_sending():
    sent = [Collective("all-reduce", (("f32", (250_000_000,)),), 3)]
    one, two, three = scale(sent, 1.0, 4, (1, 2, 3), SLOW)
    assert one == Scaled(1, 0, 1, 1, 1, 1)
    assert two.sending == pytest.approx(3 * 1.002)
    assert two.wide_efficiency == pytest.approx(1 / (1 + 3.006))
    assert two.same == pytest.approx(0.5 + 3.006)
    assert two.same_efficiency == pytest.approx(0.5 / (0.5 + 3.006))
    assert (three.same, three.same_efficiency) == (None, None)  # a batch of 4 does not divide by 3
    assert len(as_text([one, two, three]).splitlines()) == 5
    assert describe(sent) == "a step sends 2.8 GiB (3,000,000,000 bytes) in 3 all-reduce calls"


def test_collectives_of_a_loop_count_as_often_as_it_runs(eight):
    sent = eight(sums_in_a_loop)
    assert {(c.kind, c.times, c.arrays) for c in sent} == {("all-reduce", 5, (("f32", (3,)),))}
    assert sum(c.nbytes for c in sent) == 12


def sums_in_a_loop():
    def run(rows, scales):
        def body(total, scale):
            return total + jnp.sum(jnp.tanh(total + scale * rows), 0), None

        return jax.lax.scan(body, jnp.zeros(3), scales)[0]

    rows = jax.device_put(jnp.ones((8, 3)), sharded(make_mesh(jax.devices()[:4]), 0))
    return collectives(jax.jit(run).lower(rows, jnp.arange(5.0)).compile().as_text())


@pytest.mark.parametrize(
    "config", ["gan", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dcgan", "wgan_gp"))]
)
def test_the_program_sends_the_bytes_counted_by_hand(config, eight):
    """The critic's gradients once for reals, once for fakes, and its kernels' once for the penalty."""
    sent, task = eight(sent_by, config), tasks.build(config_of(config), (28, 28, 1))
    nets = shapes(task).nets
    reals = task.phases[0].batches_per_step
    critic, generator = (jax.tree.leaves(nets[name].params) for name in ("critic", "generator"))
    kernels = size(leaf for leaf in critic if leaf.ndim > 1) if config == "wgan_gp" else 0
    channels = size(jax.tree.leaves(nets["generator"].stats)) // 2  # of mean and variance
    statistics = channels * (2 * (reals + 1) + 1)  # two sums a pass forwards, and backwards one besides the gradients
    expected = 4 * (reals * (2 * size(critic) + kernels) + size(generator) + statistics)
    counted = sum(c.times * c.nbytes for c in sent)
    assert 0 <= counted - expected <= 4 * 8 * (reals + 1), (counted, expected)  # metrics, a number each
    assert gradient_bytes(task) == 4 * (reals * size(critic) + size(generator))


def size(leaves):
    return sum(leaf.size for leaf in leaves)


def sent_by(name):
    return collectives(
        compile_step(tasks.build(config_of(name), (28, 28, 1)), (28, 28, 1), make_mesh(jax.devices()[:4]))
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "--config and --step_ms are needed"),
        (["--config=configs/gan.py", "--step_ms=1", "--link=nvlink"], "did you mean 'nvlink4'"),
        (["--config=configs/gan.py", "--step_ms=1", "--devices=eight"], "'eight' is not a number of devices"),
    ],
)
def test_bad_flags_are_refused_in_a_line(arguments, text):
    assert_refused_in_a_line("experiments.scaling.calculator", arguments, text)


@pytest.mark.slow
def test_memory_is_traded_for_microbatches_and_arithmetic():
    command = [sys.executable, "-m", "experiments.scaling.memory", "--config=configs/progan.py:smoke", "--nocompile"]
    done = subprocess.run([*command, "--config.batch=16", "--parts=1,4"], cwd=ROOT, capture_output=True, text=True)
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["1", "False"], ["1", "True"], ["4", "False"], ["4", "True"]], done.stderr
    plain, lean, parts, both = ((float(row[2]), float(row[3])) for row in rows)
    assert plain[0] == parts[0] < lean[0] == both[0]
    assert parts[1] < plain[1] > lean[1]


def test_a_state_is_saved_in_time_if_storage_is_fast_enough():
    """30 s: 1 s until the signal is heard, 9 s to read 900 bytes at 100 bytes/s, so 20 s to write them."""
    assert preemption.rate_needed(900, seconds=30, heard=1, hashed=100) == 45
    assert preemption.rate_needed(2900, seconds=30, heard=1, hashed=100) == float("inf")
    task, source = preemption.opened(config_of("gan", ""))
    like = shapes(task)
    weights = 132_951 + 136_634  # of docs/scaling.md, and a moment of RMSProp for each
    assert 0 <= preemption.nbytes(like) - 2 * 4 * weights < 100
    flops = step_cost(task.phases[0], like, source).flops
    assert preemption.longest_step(task, like, source, rate=flops / 3) == 3


def test_saving_a_state_is_measured_and_leaves_nothing(tmp_path):
    task, _ = preemption.opened(config_of("gan"))
    assert 0 < preemption.measured(shapes(task), tmp_path / "new") < 60
    assert not list(tmp_path.iterdir())
