"""Unpaired translation: its losses by closed forms, its steps against PyTorch, its outputs, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import config_of

from genjax import tasks
from genjax.engine.update import optimizer
from genjax.errors import InputError
from genjax.ops import noise
from genjax.tasks.adversarial.keys import derive
from genjax.tasks.unpaired import StepKeys

SHAPE = (8, 8, 4)
STEPS = 3


def small(**overrides):
    """Images of two channels at 8x8, without crops."""
    given = {"batch": 2, "pool": 2, "jitter": 0, "data__mirror": False, "steps": STEPS}
    config = config_of("cyclegan", **given | overrides)
    config.generator = {"net": "resnet", "channels": (3, 4), "blocks": 1}
    config.critic = {"net": "patchgan", "channels": (3, 4), "norm": "instance_plain"}
    for net in ("generator", "critic"):
        config.optimizer[net].update(learning_rate=0.01, decay=2, decay_after=1)
    return config


@pytest.fixture(scope="module")
def trained():
    """A task, its states and metrics of a few steps in float64, and what the steps were given."""
    x = np.random.default_rng(0).integers(0, 256, (STEPS, 1, 2, *SHAPE), np.uint8)
    with jax.enable_x64(True):
        task = tasks.build(small(), SHAPE)
        states, metrics, step = [jax.jit(task.init)(jax.random.key(0))], [], jax.jit(task.phases[0].step)
        for number in range(STEPS):
            state, measured = step(states[-1], {"x": jnp.asarray(x[number])}, jax.random.key(number))
            states.append(state)
            metrics.append(measured)
        made = {name: np.asarray(jax.jit(task.outputs[name])(states[0], x[0, 0])) for name in ("to_b", "to_a")}
        again = {name: np.asarray(jax.jit(task.outputs[name])(states[0], np.uint8(x[0, 0, ..., :2]))) for name in made}
    return task, states, metrics, x[:, 0], made, again


def test_outputs_take_images_and_pairs(trained):
    *_, made, again = trained
    assert made["to_b"].shape == (2, 8, 8, 2)
    np.testing.assert_array_equal(made["to_b"], again["to_b"])  # the first channels of a pair are A's
    assert (made["to_a"] != again["to_a"]).any()


def test_the_rate_is_constant_and_then_falls_to_zero():
    tx = optimizer("sgd", 0.5, decay=4, decay_after=3)
    state, steps = tx.init(jnp.zeros(())), []
    for _ in range(9):
        update, state = tx.update(jnp.ones(()), state)
        steps.append(-float(update))
    np.testing.assert_allclose(steps, [0.5, 0.5, 0.5, 0.5, 0.375, 0.25, 0.125, 0, 0], atol=1e-7)
    with pytest.raises(InputError, match="decay_after=-1"):
        optimizer("sgd", 0.5, decay_after=-1)


def test_the_losses_are_those_of_the_paper(trained):
    """By the task's own outputs: of a round trip (eq. 2), of images of the target, and the sum with the weights."""
    task, states, metrics, x, made, _ = trained
    with jax.enable_x64(True):
        call = {name: jax.jit(task.outputs[name]) for name in made}
        back = call["to_a"](states[0], made["to_b"] / 127.5 - 1)  # floats are as the nets take them

    def distance(x, y):
        return np.abs(np.float64(x) - np.float64(y)).mean() / 127.5  # pixels from -1 to 1

    found = {name: float(value) for name, value in metrics[0].items()}
    assert found["generator/cycle_a"] == pytest.approx(distance(back, x[0, ..., :2]), rel=1e-6)
    cycles = found["generator/cycle_a"] + found["generator/cycle_b"]
    expected = 2 * 2 * found["generator/adversarial"] + 10 * cycles + 10 * 0.5 * 2 * found["generator/identity"]
    assert found["generator/loss"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("overrides", "shape", "message"),
    [
        ({}, (8, 8), "takes pairs of an input and its target as channels"),
        ({"data__name": "emoji_64"}, (8, 8, 6), "set data.name to two sources of images"),
        ({}, (8, 8, 3), "takes pairs of an input"),
        ({"input_channels": 1}, SHAPE, "have 1 and 3: set data.channels"),
        ({}, (8, 9, 4), "8x9 pixels: set data.size, such as 8x8, or fewer generator.channels"),
        ({}, (2, 2, 4), "too small for these convolutions"),
        ({"data__bits": 16}, SHAPE, "task 'unpaired' takes images of 8 bits"),
        ({"pool": -1}, SHAPE, "pool=-1: expected 0 or more"),
        ({"jitter": -1}, SHAPE, "jitter=-1: expected 0 or more"),
        ({"loss__cycle": -1.0}, SHAPE, "loss.cycle=-1.0: expected 0 or more"),
        ({"loss__cycle": 0.0, "loss__adversarial": 0.0}, SHAPE, "loss.adversarial=0 needs loss.cycle"),
        ({"loss__name": "squares"}, SHAPE, "no 'squares'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(overrides, shape, message):
    with pytest.raises(InputError, match=message):
        tasks.build(small(**overrides), shape)


torch = pytest.importorskip("torch", reason="the peer is PyTorch: pip install -e '.[bench]'")
F = torch.nn.functional


def kernels(tree):
    """Ours as PyTorch's leaves: [h, w, in, out] as [out, in, h, w], a transposed [h, w, out, in] as [in, out, h, w]."""
    leaves = {f"{layer}.{name}": a for layer, names in tree.items() for name, a in names.items()}
    as_torch = {key: torch.tensor(np.array(a, np.float64)) for key, a in leaves.items()}
    as_torch = {key: a.permute(3, 2, 0, 1) if a.ndim == 4 else a for key, a in as_torch.items()}
    return {key: a.contiguous().requires_grad_() for key, a in as_torch.items()}


def generate(p, x):
    """A residual generator with one halving and one block, from the paper's table."""

    def reflected(x, layer, edge):
        return F.conv2d(F.pad(x, [edge] * 4, mode="reflect"), p[f"{layer}.kernel"], p.get(f"{layer}.bias"))

    x = F.relu(F.instance_norm(reflected(x, "Conv_0", 3)))
    x = F.relu(F.instance_norm(F.conv2d(x, p["Conv_1.kernel"], stride=2, padding=1)))
    y = F.relu(F.instance_norm(reflected(x, "Conv_2", 1)))
    x = x + F.instance_norm(reflected(y, "Conv_3", 1))
    x = F.conv_transpose2d(x, p["ConvTranspose_0.kernel"], stride=2, padding=1, output_padding=1)
    return torch.tanh(reflected(F.relu(F.instance_norm(x)), "Conv_4", 3))


def judge(p, x):
    x = F.leaky_relu(F.conv2d(x, p["Conv_0.kernel"], p["Conv_0.bias"], stride=2, padding=1), 0.2)
    x = F.leaky_relu(F.instance_norm(F.conv2d(x, p["Conv_1.kernel"], padding=1)), 0.2)
    return F.conv2d(x, p["Conv_2.kernel"], p["Conv_2.bias"], padding=1)


def test_steps_are_those_of_pytorch(trained):
    """The authors' order: both generators, then both critics on fakes of before, by way of the pools."""
    _, states, metrics, x, _, _ = trained
    nets = {name: kernels(net.params) for name, net in states[0].nets.items()}
    of_players = (("to_b", "to_a"), ("critic_b", "critic_a"))
    adams = [
        torch.optim.Adam([p for name in names for p in nets[name].values()], lr=0.01, betas=(0.5, 0.999), eps=1e-8)
        for names in of_players
    ]
    rates = [torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - max(0, step - 1) / 2) for adam in adams]
    pools = {"b": [], "a": []}
    for step in range(STEPS):
        with jax.enable_x64(True):
            keys = jax.random.split(derive(StepKeys, jax.random.key(step)).pools)
            numbers = dict(zip("ba", (np.asarray(noise.uniform(key, 2, (2,))) for key in keys), strict=True))
        pairs = torch.tensor(x[step].astype(np.float64)).permute(0, 3, 1, 2) / 127.5 - 1
        real = {"a": pairs[:, :2], "b": pairs[:, 2:]}
        fake = {"b": generate(nets["to_b"], real["a"]), "a": generate(nets["to_a"], real["b"])}
        cycle = {"a": generate(nets["to_a"], fake["b"]), "b": generate(nets["to_b"], fake["a"])}
        cycle = {name: F.l1_loss(cycle[name], real[name]) for name in cycle}
        same = sum(F.l1_loss(generate(nets[f"to_{name}"], real[name]), real[name]) for name in "ab")
        fooled = sum(((judge(nets[f"critic_{name}"], fake[name]) - 1) ** 2).mean() for name in "ab")
        loss = fooled + 10 * (cycle["a"] + cycle["b"]) + 5 * same
        adams[0].zero_grad()
        loss.backward()
        adams[0].step()
        adams[1].zero_grad()  # of the critics, which the generators' loss passed through
        of_critics = 0
        for name in "ab":
            used = []
            for image, (coin, place) in zip(fake[name].detach(), numbers[name], strict=True):
                place = int(place * 2)
                if len(pools[name]) < 2:
                    pools[name].append(image)
                elif coin > 0.5:
                    image, pools[name][place] = pools[name][place], image
                used.append(image)
            on_real, on_fake = (judge(nets[f"critic_{name}"], x) for x in (real[name], torch.stack(used)))
            of_critics = of_critics + 0.5 * (((on_real - 1) ** 2).mean() + (on_fake**2).mean())
        of_critics.backward()
        adams[1].step()
        for rate in rates:
            rate.step()
        found = metrics[step]
        assert float(found["generator/loss"]) == pytest.approx(loss.item(), rel=1e-7)
        assert float(found["generator/adversarial"]) == pytest.approx(fooled.item() / 4, rel=1e-7)
        assert float(found["generator/cycle_a"]) == pytest.approx(cycle["a"].item(), rel=1e-7)
        assert float(found["generator/cycle_b"]) == pytest.approx(cycle["b"].item(), rel=1e-7)
        assert float(found["generator/identity"]) == pytest.approx(same.item() / 2, rel=1e-7)
        assert float(found["critic/loss"]) == pytest.approx(of_critics.item() / 2, rel=1e-7)
    assert any(coin > 0.5 for coin, _ in [*numbers["a"], *numbers["b"]])  # the pools were used
    for name, net in states[-1].nets.items():
        for key, expected in nets[name].items():
            layer, part = key.split(".")
            ours = torch.tensor(np.array(net.params[layer][part]))
            ours = ours.permute(3, 2, 0, 1) if ours.ndim == 4 else ours
            np.testing.assert_allclose(ours, expected.detach(), atol=1e-7, err_msg=f"{name} {key}")
    for name, pool in pools.items():
        held = torch.tensor(np.array(states[-1].extra[f"pool_{name}"])).permute(0, 3, 1, 2)
        np.testing.assert_allclose(held, torch.stack(pool), atol=1e-7)
