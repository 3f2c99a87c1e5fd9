"""GANs that grow: images of few pixels first, then of twice the side, one stage after the other.

A stage is two phases: it fades in while `alpha` goes from 0 to 1, and is then trained alone. Reals are downsampled to
the stage's size, and fade in as fakes do. Adam's state is reset at each new stage, and on request after its fade.
Source: arXiv:1710.10196, section 2, figure 2 and appendix A.
"""

import math
from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.engine.state import Key, State
from genjax.errors import InputError
from genjax.nets import contracts, doubling, progan, stylegan
from genjax.ops.pixels import scaled
from genjax.ops.resample import downsample2x, downsample_to, upsample2x
from genjax.tasks import sampling
from genjax.tasks.adversarial import Players, Setup, base_config, init_state, make_step, optimizers, validation

GENERATORS = {"progan": progan.Generator, "stylegan": stylegan.Generator}
CRITICS = {"progan": progan.Critic}
UNUSED = ("replay.capacity", "packing", "loss.feature_matching")
"""Keys for images of one size."""


def config() -> ConfigDict:
    """Every key of a growing GAN's config with its default, locked."""
    c = base_config(task="progressive")  # steps: of the last stage after its fading
    c.latent = 512
    c.generator = ConfigDict({"net": "progan"})  # further keys: the fields of genjax.nets.<net>.Generator
    c.critic = ConfigDict({"net": "progan"})
    c.growth = ConfigDict(
        {
            "start": 4,  # shorter side of the first stage in pixels; 4: the smallest; that of the data: no growth
            "fade": 600.0,  # thousands of reals while a stage fades in
            "stable": 600.0,  # thousands of reals after that, of every stage except the last
            "batches": (),  # batch size of each stage from `start` on; (): `batch` for all
            "learning_rates": (),  # of both nets at each stage from `start` on; (): those of `optimizer` for all
            "reset_after_fade": False,  # reset Adam's state at the end of each fade as well as at its beginning
        }
    )
    return c.lock()


class GrowthPhase(NamedTuple):
    """A phase of growth: a stage that fades in, or the training that follows."""

    stage: int
    size: tuple[int, int]  # height and width of its images
    fades: bool
    steps: int
    batch: int
    learning_rate: float | None = None  # None: those of `optimizer`
    start: int = 0  # the step at which it begins

    @property
    def pixels(self) -> str:
        """For example "8x8"."""
        return f"{self.size[0]}x{self.size[1]}"

    @property
    def name(self) -> str:
        """For example "8x8 fade"."""
        return f"{self.pixels} fade" if self.fades else self.pixels

    def alpha(self, step):
        """The share of the new stage, or None if nothing fades."""
        return (step - self.start) / self.steps if self.fades else None


def schedule(c: ConfigDict, sizes: list[tuple[int, int]]) -> list[GrowthPhase]:
    """The phases of growth over stages whose images have these sizes. Raises: InputError for an impossible one."""
    sides = [min(size) for size in sizes]
    if c.growth.start not in (4, *sides):
        raise InputError(
            f"growth.start={c.growth.start}: expected {', '.join(map(str, sides))}, the shorter sides of stages in "
            "pixels, or 4 for the smallest"
        )
    first = sides.index(c.growth.start) if c.growth.start in sides else 0
    sides = sides[first:]
    batches = c.growth.batches or (c.batch,) * len(sides)
    if len(batches) != len(sides) or min(batches) < 1:
        raise InputError(
            f"growth.batches={batches}: expected {len(sides)} numbers of at least 1, for sides of "
            f"{', '.join(map(str, sides))} pixels, or () for `batch` throughout"
        )
    rates = c.growth.learning_rates or (None,) * len(sides)
    if len(rates) != len(sides) or not all(isinstance(r, int | float) and r > 0 for r in rates if r is not None):
        raise InputError(
            f"growth.learning_rates={rates}: expected {len(sides)} numbers above 0, for sides of "
            f"{', '.join(map(str, sides))} pixels, or () for those of `optimizer` throughout"
        )
    if min(c.growth.fade, c.growth.stable) < 0:
        raise InputError(f"growth.fade={c.growth.fade}, growth.stable={c.growth.stable}: expected 0 or more")
    phases = []
    for number, batch in enumerate(batches):
        stage = first + number
        fade = math.ceil(1000 * c.growth.fade / batch) if number else 0
        stable = c.steps if stage == len(sizes) - 1 else math.ceil(1000 * c.growth.stable / batch)
        phases.append(GrowthPhase(stage, sizes[stage], True, fade, batch, rates[number]))
        phases.append(GrowthPhase(stage, sizes[stage], False, stable, batch, rates[number]))
    phases = [phase for phase in phases if phase.steps]
    starts = accumulate((phase.steps for phase in phases), initial=0)
    return [phase._replace(start=start) for phase, start in zip(phases, starts, strict=False)]


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A GAN that grows to images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    fixed = {"shape": tuple(shape), "remat": c.remat}
    generator = construct(GENERATORS, c.generator, "generator", contracts.GrowingGenerator.check, **fixed)
    critic = construct(CRITICS, c.critic, "critic", contracts.GrowingCritic.check, remat=c.remat)
    doubling.check_stages("critic", shape, critic.channels)
    validation.validate(c, generator, critic, shape)
    validation.reject_unused(c, UNUSED, "nets that grow")
    _check_conditioning(c, critic)
    growth = schedule(c, doubling.sizes(shape, len(critic.channels)))
    _check_batches(c, critic, growth)

    def init(key):
        keys = jax.random.split(key)
        class_onehot = jnp.zeros((1, c.classes)) if c.classes else None
        nets = (
            generator.init(keys[0], jnp.zeros((1, c.latent)), class_onehot=class_onehot),
            critic.init(keys[1], jnp.zeros((1, *shape)), class_onehot=class_onehot),
        )
        return init_state(c, *nets, shape)

    def reset_optimizers(state: State, key: Key) -> State:
        """Moments of the stage before would make the first updates of new layers too large."""
        tx = optimizers(c)
        nets = {name: net.replace(opt=tx[name].init(net.params)) for name, net in state.nets.items()}
        return state.replace(nets=nets)

    def train(before: GrowthPhase | None, part: GrowthPhase) -> Phase:
        forward = players(c, generator, critic, part)
        setup = Setup.of(_with_rate(c, part), forward, (*part.size, shape[2]), part.batch)
        resets = before and (before.stage != part.stage or c.growth.reset_after_fade)
        enter = {"enter": reset_optimizers} if resets else {}
        counts = {"batches_per_step": c.critic_steps, "image_size": part.size[0]}
        return Phase(part.name, part.steps, part.batch, make_step(setup), **counts, **enter)

    def image(variables, z, state, *noise):
        """Full-sized images of latents, or of styles and noise if the generator has styles."""
        return generator.apply(variables, z, level(growth, state.step), *noise, method="partially_grown")

    def generate(state, z, ema):
        return image(sampling.generator_variables(state, ema), z, state)

    phases = tuple(train(before, part) for before, part in pairwise([None, *growth]))
    if generator.has_styles:
        outputs = sampling.style_outputs(generator, image, c.latent, c.classes, c.data.bits)
        return Task(init, phases, outputs, c.classes, 2 * len(generator.channels))
    outputs = sampling.outputs(generate, c.latent, generator.output, c.classes, c.data.bits)
    return Task(init, phases, outputs, c.classes)


def players(c: ConfigDict, generator: Any, critic: Any, part: GrowthPhase) -> Players:
    """The forward functions of both nets in one phase."""

    def at_stage(net):
        apply = computing_in(c.dtype, net.apply)

        def player(variables, x, step, **options):
            return apply(variables, x, stage=part.stage, alpha=part.alpha(step), **options)

        return player

    def preprocess_real(x, step):
        x = downsample_to(x.astype(float), part.size[0])  # means of whole numbers are exact
        x = scaled(x, generator.output, c.data.bits)
        return progan.blend(part.alpha(step), upsample2x(downsample2x(x)), x) if part.fades else x

    return Players(at_stage(generator), at_stage(critic), preprocess_real)


def level(growth: list[GrowthPhase], step):
    """The growth of nets at a (traced) step: s once stage s is complete, s + alpha while stage s + 1 fades in."""
    steps, levels = zip(*_knots(growth), strict=True)
    return jnp.interp(step, jnp.array(steps, float), jnp.array(levels, float))


def _knots(growth: list[GrowthPhase]) -> Iterator[tuple[int, int]]:
    """The steps between which the level changes linearly, with the level there."""
    for part in growth:
        yield part.start, part.stage - part.fades
        yield part.start + part.steps, part.stage


def _with_rate(c: ConfigDict, part: GrowthPhase) -> ConfigDict:
    """The config with the learning rate of a phase."""
    if part.learning_rate is None:
        return c
    c = c.copy_and_resolve_references()
    for net in ("generator", "critic"):
        c.optimizer[net].learning_rate = float(part.learning_rate)
    return c


def _check_conditioning(c: ConfigDict, critic: Any) -> None:
    """Raise InputError for conditioning on classes that there are not."""
    conditioning = c.critic.get("conditioning")
    if conditioning and not c.classes:
        raise InputError(f"critic.conditioning={conditioning!r} needs classes: set classes to their number")


def _check_batches(c: ConfigDict, critic: Any, growth: list[GrowthPhase]) -> None:
    """Raise InputError for microbatches and groups that do not divide a stage's batch."""
    for part in growth:
        validation.check_microbatches(c, part.batch, f"the batch of {part.batch} at {part.pixels} pixels")
        noun = f"examples per microbatch at {part.pixels} pixels"
        validation.check_groups(critic, part.batch // c.grad_accum_steps, noun, c.grad_accum_steps)
