"""CycleGAN at 256x256, with the constants of its paper and its authors' code; not run here, except `clothes`.

Source: arXiv:1703.10593, sections 4 and 7.2 and the authors' PyTorch code: nine residual blocks, critics of 70x70
patches, a pool of 50 fakes, images of 286x286 cropped to 256x256 and mirrored, Adam at 2e-4 that falls to zero over the
second half. Paper: 200 epochs of sets of about 1,000 images; here: as many steps, 200,000, for any data. The
generator's least-squares loss here is halved, so its weight is 2.

`clothes` makes ankle boots of sneakers and sneakers of ankle boots, in a quarter of an hour on a core. Paper: 256x256
pixels, one image per step, nine blocks; here: 28x28, so fewer channels and blocks, four images per step, which two
cores use better, and no crops, which move clothes that are all in the center.
"""

from genjax.config import SMOKE, variant
from genjax.tasks import unpaired

CLOTHES = "unpaired:class:Sneaker:fashion_mnist_10k,class:Ankle boot:fashion_mnist_10k"


def get_config(name=""):
    """The config; "smoke" is a tiny one that finishes in seconds, "clothes" one of minutes."""
    c = unpaired.config()
    c.data.name = "unpaired:class:4:emoji_64,class:6:emoji_64"  # for sets of your own, unpaired:folder:A,folder:B
    c.data.size, c.data.upscale, c.data.channels, c.data.mirror = "256", True, 3, True
    c.steps, c.batch, c.jitter = 200_000, 1, 30
    c.generator = {"net": "resnet", "channels": (64, 128, 256), "blocks": 9}
    c.critic = {"net": "patchgan", "channels": (64, 128, 256, 512), "norm": "instance_plain"}
    c.loss.update(name="least_squares", adversarial=2.0, cycle=10.0, identity=0.5)
    for net in ("generator", "critic"):
        c.optimizer[net].update(learning_rate=2e-4, b1=0.5, b2=0.999, epsilon=1e-8, decay=100_000, decay_after=100_000)
    c.pool = 50
    c.sample_every, c.save_every, c.samples = 2_000, 5_000, 8
    smoke = SMOKE | {"data.size": "32", "batch": 2, "pool": 3}
    smoke |= {"generator.channels": (4, 8), "generator.blocks": 1, "critic.channels": (4, 8)}
    clothes = {"data.name": CLOTHES, "data.size": "", "data.upscale": False, "data.channels": 0, "jitter": 0}
    clothes |= {"steps": 6_000, "batch": 4, "samples": 32, "sample_every": 500, "save_every": 500}
    clothes |= {"generator.channels": (16, 32, 64), "generator.blocks": 4, "critic.channels": (32, 64)}
    clothes |= {f"optimizer.{net}.{key}": 3_000 for net in ("generator", "critic") for key in ("decay", "decay_after")}
    clothes |= {"eval.every": 1_000}
    return variant(c, name, smoke=smoke, clothes=clothes)
