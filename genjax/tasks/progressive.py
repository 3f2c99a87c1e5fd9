"""GANs that grow: images of few pixels first, then of twice the side, a stage at a time.

A stage is two phases: it fades in, `alpha` going from 0 to 1 under it, and is then trained as it is. Reals are shrunk
to the stage's size, and fade as fakes do. Adam begins anew with each stage.
Source: arXiv:1710.10196, section 2, figure 2 and appendix A.
"""

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.errors import InputError
from genjax.nets import contracts, progan, stylegan
from genjax.ops.pixels import scaled
from genjax.ops.resample import downsample2x, downsample_to, upsample2x
from genjax.tasks import sampling
from genjax.tasks.adversarial import step as adversarial
from genjax.tasks.adversarial import validation
from genjax.tasks.adversarial.step import Players

GENERATORS = {"progan": progan.Generator, "stylegan": stylegan.Generator}
CRITICS = {"progan": progan.Critic}


def config() -> ConfigDict:
    """Every key of a growing GAN's config with its default, locked."""
    c = adversarial.config(task="progressive")  # steps: of the last stage, once it is blend in
    c.latent = 512
    c.generator = ConfigDict({"net": "progan"})  # further keys: the fields of genjax.nets.<net>.Generator
    c.critic = ConfigDict({"net": "progan"})
    c.growth = ConfigDict(
        {
            "start": 4,  # pixels a side of the first stage; those of the data: no growth
            "fade": 600.0,  # thousands of reals while a stage fades in
            "stable": 600.0,  # thousands of reals of a stage as it is, but the last
            "batches": (),  # of each stage from `start` on; (): `batch` throughout
        }
    )
    return c.lock()


class Part(NamedTuple):
    """A phase of growth."""

    stage: int  # 4 * 2**stage pixels a side
    fades: bool
    steps: int
    batch: int
    start: int = 0  # the step at which it begins

    @property
    def side(self) -> int:
        """Pixels a side."""
        return 4 * 2**self.stage

    @property
    def name(self) -> str:
        """As in "8x8 fade"."""
        return f"{self.side}x{self.side}" + " fade" * self.fades

    def alpha(self, step):
        """How far it has blend in, or None if it does not fade."""
        return (step - self.start) / self.steps if self.fades else None


def schedule(c: ConfigDict, side: int) -> list[Part]:
    """The phases of growth up to `side` pixels. Raises: InputError for one that cannot be."""
    sides = [4 * 2**stage for stage in range(20) if c.growth.start <= 4 * 2**stage <= side]
    if not sides or sides[0] != c.growth.start:
        raise InputError(f"growth.start={c.growth.start}: expected 4, 8, 16, ... up to the data's {side} pixels a side")
    batches = c.growth.batches or (c.batch,) * len(sides)
    if len(batches) != len(sides) or min(batches) < 1:
        raise InputError(
            f"growth.batches={batches}: expected {len(sides)} numbers of at least 1, for {', '.join(map(str, sides))} "
            "pixels a side, or () for `batch` throughout"
        )
    if min(c.growth.fade, c.growth.stable) < 0:
        raise InputError(f"growth.fade={c.growth.fade}, growth.stable={c.growth.stable}: expected 0 or more")
    steps = lambda kimg, batch: -int(-1000 * kimg // batch)  # noqa: E731
    parts = []
    for side_, batch in zip(sides, batches, strict=True):
        stage, last = side_.bit_length() - 3, side_ == side
        fade = steps(c.growth.fade, batch) if side_ > sides[0] else 0
        parts.append(Part(stage, True, fade, batch))
        parts.append(Part(stage, False, c.steps if last else steps(c.growth.stable, batch), batch))
    parts = [part for part in parts if part.steps]
    starts = accumulate((part.steps for part in parts), initial=0)
    return [part._replace(start=start) for part, start in zip(parts, starts, strict=False)]


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A GAN that grows to images of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    generator = construct(
        GENERATORS, c.generator, "generator", contracts.GrowingGenerator.check, shape=tuple(shape), remat=c.remat
    )
    critic = construct(CRITICS, c.critic, "critic", contracts.GrowingCritic.check, remat=c.remat)
    progan.check_stages("critic", shape, critic.channels)
    validation.validate(c, generator, critic, shape)
    parts = schedule(c, shape[0])
    _refuse(c, critic, parts)
    players = [computing_in(c.dtype, net.apply) for net in (generator, critic)]

    def init(key):
        keys = jax.random.split(key)
        nets = generator.init(keys[0], jnp.zeros((1, c.latent))), critic.init(keys[1], jnp.zeros((1, *shape)))
        return adversarial.first_state(c, *nets, shape)

    def game(part):
        """The nets in one phase."""

        def player(apply):
            where = lambda step: {"stage": part.stage, "alpha": part.alpha(step)}  # noqa: E731
            return lambda variables, x, step, **options: apply(variables, x, **where(step), **options)

        def see(x, step):
            x = scaled(downsample_to(x.astype(float), part.side), generator.output)  # means of whole numbers are exact
            return progan.blend(part.alpha(step), upsample2x(downsample2x(x)), x) if part.fades else x

        return Players(*map(player, players), see)

    def begin_anew(state, key):
        """Adam's moments are those of the nets before: with them the first updates of a new layer are too large."""
        tx = adversarial.optimizers(c)
        fresh = {name: net.replace(opt=tx[name].init(net.params)) for name, net in state.nets.items()}
        return state.replace(nets=fresh)

    def phase(part, before):
        small = (part.side, part.side, shape[2])
        step = adversarial.make_step(c, game(part), small, part.batch)
        enter = {"enter": begin_anew} if before and before.stage != part.stage else {}
        return Phase(
            part.name, part.steps, part.batch, step, batches_per_step=c.critic_steps, image_size=part.side, **enter
        )

    def level(step):
        """How far the nets have grown: stage s as it is at s, stage s + 1 on its way at s + alpha."""
        times, levels = zip(*_knots(parts), strict=True)
        return jnp.interp(step, jnp.array(times, float), jnp.array(levels, float))

    def image(variables, z, state, *noise):
        """Of latents, or of styles under noise where the generator has them."""
        return generator.apply(variables, z, level(state.step), *noise, method="partially_grown")

    phases = tuple(phase(part, before) for before, part in pairwise([None, *parts]))
    if generator.has_styles:
        return Task(init, phases, sampling.style_outputs(generator, image, c.latent))
    generate = lambda state, z, ema: image(sampling.weights(state, ema), z, state)  # noqa: E731
    return Task(init, phases, sampling.outputs(generate, c.latent, generator.output))


def _knots(parts: list[Part]) -> Iterator[tuple[int, int]]:
    """Steps, and the level there; straight lines between them."""
    for part in parts:
        yield part.start, part.stage - part.fades
        yield part.start + part.steps, part.stage


def _refuse(c, critic, parts):
    """Raise InputError for remedies that are of images of one size, and groups that do not divide a batch."""
    unused = "classes", "replay.capacity", "packing", "loss.feature_matching"
    validation.reject_unused(c, unused, "nets that grow")
    for part in parts:
        validation.check_microbatches(c, part.batch, f"the batch of {part.batch} at {part.side} pixels")
        at_once = part.batch // c.grad_accum_steps
        if at_once > 4 and at_once % 4 and critic.minibatch == "stddev":
            raise InputError(
                f"critic.minibatch='stddev' is over groups of 4, which do not divide the {at_once} examples at "
                f"{part.side} pixels that are worked on at once: choose a multiple of 4 (or less than 4)"
            )
