"""Paired image-to-image translation: a generator of an image of its input, and a critic of both (pix2pix).

An example is a pair, whose first channels are the input and whose last are the target (`genjax.data.translation`). The
step is that of all GANs, with inputs in the place of latents. Source: arXiv:1611.07004.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from genjax.config import construct
from genjax.data.translation import MASKED, MIDDLE
from genjax.engine.phase import Phase, Task
from genjax.engine.precision import computing_in
from genjax.errors import InputError
from genjax.nets import contracts
from genjax.nets.squeezenet import map_distance
from genjax.ops.jitter import jitter
from genjax.ops.pixels import RANGES, scaled, to_float
from genjax.tasks import sampling, translating
from genjax.tasks.adversarial import Players, Setup, base_config, ignoring_step, init_state, make_step, validation
from genjax.tasks.translating import CRITICS, GENERATORS, outputs_of, space_of
from genjax.weights import squeezenet as squeezenet_weights

UNUSED = ("latent", "classes", "packing", "remat", "critic_moves_statistics", "loss.feature_matching")
"""Keys for latents, classes and critics with features."""

ADVICE = (
    "set data.name to a source of pairs, such as gray:emoji_64 or aligned:INPUTS,TARGETS, or input_channels to those "
    "of the input"
)

JITTER = 2**30
"""Number of the key of the crops within a step, out of reach of the others."""


def config() -> ConfigDict:
    """Every key of a translation's config with its default, locked."""
    c = base_config(task="translation")
    c.data.name = "gray:emoji_64"
    c.eval.metrics = "translation"
    c.generator = ConfigDict({"net": "unet"})  # further keys: the fields of its class in GENERATORS
    c.critic = ConfigDict({"net": "patchgan"})
    c.critic_sees_input = True  # its inputs are pairs; False: outputs alone
    c.input_channels = 0  # of an example, the first ones; 0: as data.name says
    c.loss.l1 = 100.0  # weight of the mean distance from the target in the generator's loss, lambda
    c.loss.perceptual = 0.0  # weight of the distance of the packaged SqueezeNet's maps (genjax.nets.squeezenet)
    c.jitter = 0  # pixels by which a pair is enlarged before a random crop of its own size (section 6.2)
    return c.lock()


def build(c: ConfigDict, shape: tuple[int, ...]) -> Task:
    """A translation for pairs of one shape, from its config.

    Raises: InputError for choices that do not exist or do not fit each other or the data.
    """
    inputs = translating.need_input_channels(c, shape, ADVICE)
    colors = outputs_of(c.data.name, shape[2] - inputs)
    encoded = (*shape[:2], inputs + colors)
    generator = construct(GENERATORS, c.generator, "generator", contracts.Translator.check, colors=colors)
    critic = construct(CRITICS, c.critic, "critic", contracts.PatchCritic.check)
    _validate(c, generator, critic, shape)
    translate = computing_in(c.dtype, generator.apply)
    space = space_of(c.data.name, generator.output)

    def of_input(x):
        return x[..., :inputs]

    def pairs(variables, x, step, *, train, class_onehot, rngs, mutable):
        """Inputs with their translations, in training."""
        y, stats = translate(variables, x, train=train, rngs={"dropout": rngs["noise"]}, mutable=mutable)
        return jnp.concatenate([x, y], -1), stats

    def judge(variables, x, *, class_onehot, **options):
        return critic.apply(variables, x if c.critic_sees_input else x[..., inputs:], **options)

    of_maps = map_distance(jax.tree.map(jnp.asarray, squeezenet_weights.load())) if c.loss.perceptual else None

    def distance(real, fake):
        """The weighted distances of outputs from their targets, and each without its weight."""
        target, made = real[..., inputs:], fake[..., inputs:]
        metrics = {"generator/l1": jnp.abs(target - made).mean()}
        value = c.loss.l1 * metrics["generator/l1"]
        if of_maps:
            pixels = (space.decode(of_input(real), y) for y in (target, made))
            metrics["generator/perceptual"] = of_maps(*pixels).mean()
            value += c.loss.perceptual * metrics["generator/perceptual"]
        return value, metrics

    def init(key):
        keys = jax.random.split(key, 3)
        x = jnp.zeros((1, *encoded))
        nets = (
            generator.init({"params": keys[0], "dropout": keys[2]}, of_input(x)),
            critic.init(keys[1], x if c.critic_sees_input else x[..., inputs:]),
        )
        return init_state(c, *nets, encoded)

    def translate_output(state, x):
        """Translations in use. Shapes: pairs or inputs uint8 [N, H, W, C] -> float [N, H, W, colors]."""
        return translating.translated(generator, sampling.generator_variables(state, True), of_input(x), space)

    players = Players(
        generator=pairs,
        critic=ignoring_step(computing_in(c.dtype, judge)),
        preprocess_real=lambda x, step: space.encode(x),
        inputs=of_input,
        distance=distance if c.loss.l1 or c.loss.perceptual else None,
    )
    adversarial_step = make_step(Setup.of(c, players, encoded, c.batch))

    is_masked = c.data.name.partition(":")[0] in MASKED

    def step(state, batch, key):
        """A step of adversarial training on crops of enlarged pairs, if asked for."""
        if c.jitter:
            keys = jax.random.split(jax.random.fold_in(key, JITTER), c.critic_steps)
            x = [to_float(x, generator.output) for x in batch["x"]]
            x = [jitter(x, c.jitter, key) for x, key in zip(x, keys, strict=True)]
            x = [masked_again(x, inputs, generator.output) for x in x] if is_masked else x
            batch = batch | {"x": jnp.stack(x)}
        return adversarial_step(state, batch, key)

    phase = Phase("train", c.steps, c.batch, step, batches_per_step=c.critic_steps)
    return Task(init, (phase,), {"translate": translate_output})


def masked_again(x, inputs: int, output: str):
    """Pairs of an image with a hole, its mask and the image, after an enlargement that has blurred the hole's border.

    The mask is white or black again, and the image with the hole is the target where the mask is white.
    Shapes: float [B, H, W, C], in the range of `output`, kept.
    """
    low, high = RANGES[output]
    known = x[..., inputs - 1 : inputs] > (low + high) / 2
    target = x[..., inputs:]
    return jnp.concatenate([jnp.where(known, target, scaled(MIDDLE, output)), jnp.where(known, high, low), target], -1)


def _validate(c: ConfigDict, generator, critic, shape: tuple[int, ...]) -> None:
    """Raises: InputError for choices that do not fit each other or the data."""
    translating.check(c, generator, critic, shape)
    if c.loss.l1 < 0 or c.loss.perceptual < 0:
        raise InputError(f"loss.l1={c.loss.l1}, loss.perceptual={c.loss.perceptual}: expected 0 or more")
    validation.validate(c, generator, critic, shape)
    validation.check_normalization(c, critic)
    validation.reject_unused(c, UNUSED, "translation")
