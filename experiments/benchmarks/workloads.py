"""The workloads of the benchmark. The first four are the configs of the same names, which a test checks."""

import math
from dataclasses import replace

from experiments.benchmarks.layers import Layer, Net, Workload

PIXELS = (28, 28, 1)


def dense(*widths: int, activation: str = "selu", last: str = "linear") -> tuple[Layer, ...]:
    """Dense layers of the given widths."""
    return (*(Layer("dense", n, activation) for n in widths[:-1]), Layer("dense", widths[-1], last))


def dcgan_nets(dropout: float) -> dict[str, Net]:
    """The textbook's DCGAN on 28x28 images."""
    return {
        "generator": Net(
            (100,),
            (
                Layer("dense", 7 * 7 * 128),
                Layer("reshape", to=(7, 7, 128)),
                Layer("batch_norm"),
                Layer("transposed", 64, "selu", kernel=5, stride=2),
                Layer("batch_norm"),
                Layer("transposed", 1, "tanh", kernel=5, stride=2),
            ),
        ),
        "critic": Net(
            PIXELS,
            (
                Layer("conv", 64, "leaky_relu", kernel=5, stride=2),
                Layer("dropout", rate=dropout),
                Layer("conv", 128, "leaky_relu", kernel=5, stride=2),
                Layer("dropout", rate=dropout),
                Layer("flatten"),
                Layer("dense", 1),
            ),
        ),
    }


RMSPROP = {"name": "rmsprop", "learning_rate": 1e-3}
GAN = Workload(
    "gan",
    "gan",
    32,
    {"generator": Net((30,), dense(100, 150, 784, last="sigmoid")), "critic": Net((784,), dense(150, 100, 1))},
    RMSPROP,
    latent=30,
    config="gan",
)
DCGAN = Workload("dcgan", "gan", 32, dcgan_nets(0.4), RMSPROP, low=-1.0, latent=100, config="dcgan")
WGAN_GP = Workload(
    "wgan_gp",
    "gan",
    64,
    dcgan_nets(0.0),
    {"name": "adam", "learning_rate": 1e-4, "b1": 0.5, "b2": 0.9},
    low=-1.0,
    loss="wasserstein",
    latent=100,
    critic_steps=5,
    penalty=10.0,
    compared=20,
    config="wgan_gp",
)
CONV_AE = Workload(
    "conv_ae",
    "autoencoder",
    32,
    {
        "encoder": Net(
            PIXELS,
            tuple(
                layer
                for features in (16, 32, 64)
                for layer in (Layer("conv", features, "selu", kernel=3), Layer("pool"))
            ),
        ),
        "decoder": Net(
            (3, 3, 64),
            (
                Layer("transposed", 32, "selu", kernel=3, stride=2, padding="VALID"),
                Layer("transposed", 16, "selu", kernel=3, stride=2),
                Layer("transposed", 1, kernel=3, stride=2),  # logits: their sigmoid is in the loss
            ),
        ),
    },
    {"name": "sgd", "learning_rate": 1.0},
)
VAE = Workload(
    "vae",
    "vae",
    128,
    {  # the encoder's last layer is the heads of mean and log-variance side by side
        "encoder": Net((784,), dense(150, 100, 20)),
        "decoder": Net((10,), dense(100, 150, 784)),
    },
    RMSPROP,
    latent=10,
)


def progan_nets(latent: int, channels: tuple[int, ...]) -> dict[str, Net]:
    """ProGAN's nets when fully grown, for color images, without the layers that only earlier stages use."""
    gain = math.sqrt(2)
    stages = list(enumerate(channels))[1:]
    norm = Layer("pixel_norm")
    side = 4 * 2 ** len(stages)

    def conv(features, kernel=3, gain=gain, activation="leaky_relu"):
        return Layer("conv", features, activation, kernel=kernel, gain=gain)

    first = Layer("dense", 16 * channels[0], "leaky_relu", gain=gain / 4)
    start = (norm, first, Layer("reshape", to=(4, 4, channels[0])), norm, conv(channels[0]), norm)
    doubled = tuple(layer for _, n in stages for layer in (Layer("enlarge"), conv(n), norm, conv(n), norm))
    to_rgb = conv(3, kernel=1, gain=1.0, activation="linear")
    halved = tuple(layer for i, n in reversed(stages) for layer in (conv(n), conv(channels[i - 1]), Layer("shrink")))
    hidden = Layer("dense", channels[0], "leaky_relu", gain=gain)
    end = (Layer("stddev"), conv(channels[0]), Layer("flatten"), hidden, Layer("dense", 1, gain=1.0))
    return {
        "generator": Net((latent,), (*start, *doubled, to_rgb)),
        "critic": Net((side, side, 3), (conv(channels[-1], kernel=1), *halved, *end)),
    }


def progan(side: int, channels: tuple[int, ...]) -> Workload:
    """ProGAN's last phase on emoji: WGAN-GP with drift, and an averaged generator."""
    nets = {f"{net}.channels": channels for net in ("generator", "critic")}
    data = {"data.name": f"emoji_{side}", "data.size": "", "data.resize": "crop"}
    return Workload(
        f"progan_{side}",
        "gan",
        16,
        progan_nets(64, channels),
        {"name": "adam", "learning_rate": 1e-3, "b1": 0.0, "b2": 0.99},
        low=-1.0,
        loss="wasserstein",
        latent=64,
        penalty=10.0,
        drift=1e-3,
        average=11_000.0,
        config="progan",
        overrides=nets | data | {"growth.start": side},
        data=f"emoji_{side}",
    )


def stylegan(side: int, channels: tuple[int, ...], width: int = 64) -> Workload:
    """StyleGAN's last phase on emoji: mixed styles, the non-saturating loss with R1, and an averaged generator."""
    gain = math.sqrt(2)
    stages = list(enumerate(channels))[1:]
    dense = Layer("dense", width, "leaky_relu", gain=gain, multiplier=0.01)
    noise = Layer("noise", activation="leaky_relu")
    style = Layer("style", to=(width,))
    start = (Layer("pixel_norm"), *[dense] * 8, Layer("constant", to=(4, 4, channels[0])), noise, style)

    def conv(features):
        return Layer("conv", features, kernel=3, gain=gain, bias=False)

    doubled = tuple(
        layer
        for _, n in stages
        for layer in (Layer("enlarge"), conv(n), Layer("blur", kernel=3), noise, style, conv(n), noise, style)
    )
    to_rgb = Layer("conv", 3, kernel=1, gain=1.0)
    generator = Net((width,), (*start, conv(channels[0]), noise, style, *doubled, to_rgb))
    base = progan(side, channels)
    layers = base.nets["critic"].layers
    halving = Layer("blur", kernel=4, stride=2)
    critic = Net(base.shape, tuple(halving if layer.kind == "shrink" else layer for layer in layers))
    return replace(
        base,
        name=f"stylegan_{side}",
        nets={"generator": generator, "critic": critic},
        loss="non_saturating",
        penalty=0.0,
        drift=0.0,
        r1=0.1,
        mixing=0.9,
        average=10_000.0,
        config="stylegan",
    )


def stylegan2(side: int, channels: tuple[int, ...], width: int = 64) -> Workload:
    """StyleGAN2 on emoji, without augmentation: lazy R1, path lengths, mixed styles, and an averaged generator."""
    first = stylegan(side, channels, width)
    mapping = first.nets["generator"].layers[:9]
    stages = list(enumerate(channels))[1:]

    def modulated(features, stride=1):
        return Layer("modulated", features, kernel=3, stride=stride, to=(width,))

    to_rgb = Layer("to_rgb", 3, kernel=1, to=(width,))
    later = tuple(layer for _, n in stages for layer in (modulated(n, 2), modulated(n), to_rgb))
    start = (Layer("constant", to=(4, 4, channels[0])), modulated(channels[0]), to_rgb)
    end = first.nets["critic"].layers[-5:]
    from_rgb = Layer("conv", channels[-1], "leaky_relu", kernel=1, gain=math.sqrt(2))
    halved = tuple(Layer("filtered", channels[i - 1], gain=1.0) for i, _ in reversed(stages))
    nets = {
        "generator": Net((width,), (*mapping, *start, *later)),
        "critic": Net((side, side, 3), (from_rgb, *halved, *end)),
    }
    sizes = {f"{net}.channels": channels for net in nets}
    return replace(
        first,
        name=f"stylegan2_{side}",
        nets=nets,
        optimizer={"name": "adam", "learning_rate": 2e-3, "b1": 0.0, "b2": 0.99},
        r1=0.2,
        r1_interval=16,
        path_length=2.0,
        config="stylegan2",
        overrides=sizes | {"data.name": f"emoji_{side}", "augment": ""},
    )


def resnet(batch: int) -> Workload:
    """The residual nets of the paper on spectral normalization, with one update of the critic per generator's."""
    up = Layer("residual", 256, form="up", norm=True)
    generator = (
        Layer("dense", 16 * 256),
        Layer("reshape", to=(4, 4, 256)),
        *[up] * 3,
        Layer("batch_norm", activation="relu"),
        Layer("conv", 3, "tanh", kernel=3),
    )
    blocks = (Layer("residual", 128, form=form, spectral=True) for form in ("first", "down", "same", "same"))
    critic = (*blocks, Layer("sum"), Layer("dense", 1, spectral=True))
    return Workload(
        "hinge_resnet",
        "gan",
        batch,
        {"generator": Net((128,), generator), "critic": Net((32, 32, 3), critic)},
        {"name": "adam", "learning_rate": 2e-4, "b1": 0.0, "b2": 0.9},
        low=-1.0,
        loss="hinge",
        latent=128,
        compared=40,  # logits are sums over 64 places, and swing by ten before
        config="hinge_resnet",
        overrides={"critic_steps": 1},
        data="emoji_32",
    )


DCGAN_128 = replace(DCGAN, name="dcgan_128", batch=128)
CHANNELS = {32: (64, 64, 48, 24), 64: (64, 64, 48, 24, 16)}
GROWN = [workload(side, channels) for workload in (progan, stylegan) for side, channels in CHANNELS.items()]
WORKLOADS = {
    w.name: w for w in (GAN, DCGAN, DCGAN_128, WGAN_GP, CONV_AE, VAE, *GROWN, stylegan2(64, CHANNELS[64]), resnet(16))
}
"""By name, in the order of the table."""
