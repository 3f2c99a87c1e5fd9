"""The keys that all adversarial tasks share."""

from ml_collections import ConfigDict

from genjax.config import defaults
from genjax.losses.penalty import PENALTIES


def base_config(task: str) -> ConfigDict:
    """The keys of an adversarial task with their defaults; not locked, so that the task can add its own."""
    c = defaults(task=task)
    c.latent = 100  # dimensions of z ~ N(0, 1)
    c.classes = 0  # number of classes, with labels 0 ... classes - 1; 0: labels are not used
    c.critic_steps = 1  # updates of the critic per update of the generator, each on other reals and fakes
    c.critic_floor = 0.0  # skip the critic's update while its loss is below this value
    c.critic_moves_statistics = False  # the generator's statistics move while it makes the critic's fakes, too
    c.loss = ConfigDict(
        {
            "name": "non_saturating",  # of genjax.losses.adversarial.LOSSES, or "package.module:name"
            "label_smoothing": 0.0,  # one-sided: reals are labeled 1 - value
            "drift": 0.0,  # weight of the mean squared logit of reals in the critic's loss (arXiv:1710.10196, A.1)
            "adversarial": 1.0,  # weight in the generator's loss; 0 leaves feature matching alone
            "feature_matching": 0.0,  # weight in the generator's loss (arXiv:1606.03498, section 3.1)
            "auxiliary": 1.0,  # weight of the class loss in both losses, with critic.conditioning="auxiliary"
        }
    )
    # Weights beside E over reals + E over fakes, as in the sources: `r1` is gamma, `gradient_penalty` lambda.
    c.penalty = ConfigDict(dict.fromkeys(PENALTIES, 0.0))
    c.penalty.name = ""  # a penalty of your own, "package.module:name" of a function (critic, real, fake, key)
    c.penalty.weight = 0.0  # the weight of the penalty `name`
    c.penalty.interval = 1  # compute penalties every `interval` steps, scaled by it (arXiv:1912.04958, section 3.1)
    c.penalty.separate_step = False  # penalties in an optimizer step of their own, with Adam's constants rescaled
    c.penalty.before_augmentation = False  # slopes in the examples before `augment`, with a draw of their own
    adam = {"name": "adam", "learning_rate": 2e-4, "b1": 0.5, "b2": 0.999, "epsilon": 1e-7, "decay": 0}
    adam["frozen"] = ""  # modules that keep their first weights, "Conv_0,Block_0" (arXiv:2002.10964); "": none
    c.optimizer = ConfigDict({"generator": dict(adam), "critic": adam | {"weight_clip": 0.0}})  # decay: in steps
    # The average of the generator's weights: its half-life in images, 0: no average; statistics "averaged" or "copied".
    c.ema = ConfigDict({"half_life": 0.0, "ramp": 0.05, "statistics": "averaged"})
    c.augment = ""  # of the critic's inputs: "ada", or a list of genjax.ops.augment.POLICIES and "package.module:name"
    c.ada = ConfigDict({"target": 0.6, "kimg": 500.0, "interval": 4})  # see genjax.ops.ada.adapt
    c.ada.parts = "bgc"  # the transformations, of genjax.ops.ada.PARTS
    c.ada.fixed = 0.0  # their probability, if it shall not adapt; 0: it adapts, from 0 on
    c.instance_noise = ConfigDict({"std": 0.0, "steps": 0})  # on the critic's inputs; falls to 0 over `steps`, if > 0
    c.packing = 1  # examples per input of the critic (arXiv:1712.04086)
    c.replay = ConfigDict({"capacity": 0, "share": 0.5})  # size of the buffer of earlier fakes; their share of a batch
    c.unroll = 0  # further updates of the critic that the generator's gradient passes through (arXiv:1611.02163)
    c.grad_accum_steps = 1  # microbatches per update, whose gradients are averaged; batch statistics are of each alone
    c.remat = False  # recompute activations in the backward pass to save memory: for large images
    return c
