"""Nets as lists of layers that every library can build, and the arithmetic of a training step of them."""

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Layer:
    """One layer.

    `kind`: dense, conv, transposed, pool (2x2 maximum), batch_norm, dropout, reshape, flatten; of ProGAN pixel_norm,
    enlarge (nearest neighbors), shrink (means of 2x2), stddev. With a `gain` weights are N(0, 1) and scaled by it.
    Of StyleGAN: constant (the first maps; what comes before is the mapping), blur (with a filter of `kernel` taps),
    noise (scaled, with a bias), style (by w of `to` numbers). Of StyleGAN2: modulated (with noise and bias, of stride 2
    if it doubles), to_rgb, filtered (a residual block of its critic). Of SNGAN: residual (of a `form`), sum.
    """

    kind: str
    features: int = 0
    activation: str = "linear"
    kernel: int = 0
    stride: int = 1
    padding: str = "SAME"
    rate: float = 0.0
    gain: float = 0.0
    multiplier: float = 1.0  # of the learning rate
    bias: bool = True
    form: str = ""  # of a residual block: up, down, first, same
    norm: bool = False  # batch normalization within it
    spectral: bool = False  # spectral normalization
    to: tuple[int, ...] = ()

    def output(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of one example after the layer."""
        match self.kind:
            case "dense":
                return (self.features,)
            case "conv":
                return (*(-(-n // self.stride) for n in shape[:2]), self.features)
            case "transposed":
                grow = max(self.kernel - self.stride, 0) if self.padding == "VALID" else 0
                return (*(n * self.stride + grow for n in shape[:2]), self.features)
            case "pool":
                return (shape[0] // 2, shape[1] // 2, shape[2])
            case "enlarge":
                return (2 * shape[0], 2 * shape[1], shape[2])
            case "shrink":
                return (shape[0] // 2, shape[1] // 2, shape[2])
            case "stddev":
                return (*shape[:2], shape[2] + 1)
            case "blur":
                return (*(-(-n // self.stride) for n in shape[:2]), shape[2])
            case "modulated":
                return (self.stride * shape[0], self.stride * shape[1], self.features)
            case "filtered":
                return (shape[0] // 2, shape[1] // 2, self.features)
            case "residual":
                scale = {"up": 2, "same": 1}.get(self.form, 0.5)
                return (int(scale * shape[0]), int(scale * shape[1]), self.features)
            case "sum":
                return (shape[-1],)
            case "reshape" | "constant":
                return self.to
            case "flatten":
                return (math.prod(shape),)
        return shape

    def flops(self, shape: tuple[int, ...]) -> int:
        """Multiplications and additions in the matrix products of one example's forward pass; nothing else counts."""
        taps = self.kernel**2 * shape[-1] * self.features
        match self.kind:
            case "dense":
                return 2 * shape[0] * self.features
            case "conv":
                return 2 * taps * math.prod(self.output(shape)[:2])
            case "transposed":
                return 2 * taps * math.prod(shape[:2])
            case "style":
                return 2 * self.to[0] * 2 * shape[-1]
            case "modulated":
                return 2 * (taps * math.prod(shape[:2]) + self.to[0] * shape[-1])
            case "to_rgb":
                return 2 * shape[-1] * (math.prod(shape[:2]) * self.features + self.to[0])
            case "filtered":
                halved = math.prod(shape[:2]) // 4
                return 2 * (9 * shape[-1] ** 2 * math.prod(shape[:2]) + (9 + 1) * shape[-1] * self.features * halved)
            case "residual":
                places = math.prod(shape[:2]) * (4 if self.form == "up" else 1)
                shortcut = {"same": 0, "first": places // 4}.get(self.form, places)
                features = self.features
                return 2 * features * (9 * (shape[-1] + features) * places + shape[-1] * shortcut)
        return 0

    def parameters(self, shape: tuple[int, ...]) -> int:
        """Number of trained parameters."""
        match self.kind:
            case "dense":
                return (shape[0] + 1) * self.features
            case "conv" | "transposed":
                return (self.kernel**2 * shape[-1] + self.bias) * self.features
            case "batch_norm" | "noise":
                return 2 * shape[-1]
            case "constant":
                return math.prod(self.to)
            case "style":
                return (self.to[0] + 1) * 2 * shape[-1]
            case "modulated" | "to_rgb":
                noise = self.kind == "modulated"
                style = (self.to[0] + 1) * shape[-1]
                return self.kernel**2 * shape[-1] * self.features + self.features + noise + style
            case "filtered":
                return 9 * shape[-1] * (shape[-1] + self.features) + shape[-1] * (1 + self.features) + self.features
            case "residual":
                shortcut = 0 if self.form == "same" else (shape[-1] + 1) * self.features
                norms = 2 * (shape[-1] + self.features) if self.norm else 0
                return (9 * (shape[-1] + self.features) + 2) * self.features + shortcut + norms
        return 0


@dataclass(frozen=True)
class Net:
    """Layers one after the other."""

    shape: tuple[int, ...]  # of one input
    layers: tuple[Layer, ...]

    def each(self):
        """The layers with the shapes of their inputs."""
        shape = self.shape
        for layer in self.layers:
            yield layer, shape
            shape = layer.output(shape)

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""
        return sum(layer.parameters(shape) for layer, shape in self.each())

    @property
    def flops(self) -> int:
        """Operations of one example's forward pass; the gradients of inputs and of weights cost as many each."""
        return sum(layer.flops(shape) for layer, shape in self.each())

    @property
    def first_flops(self) -> int:
        """Operations of the first layer alone: the gradient of its input is not needed if that is data or noise."""
        return next(n for n in (layer.flops(shape) for layer, shape in self.each()) if n)


@dataclass(frozen=True)
class Workload:
    """A training step to time. `kind`: gan, autoencoder, vae."""

    name: str
    kind: str
    batch: int
    nets: dict[str, Net]
    optimizer: dict
    low: float = 0.0  # pixels are in [low, 1]
    loss: str = "non_saturating"
    latent: int = 0
    critic_steps: int = 1
    penalty: float = 0.0
    drift: float = 0.0
    r1: float = 0.0
    r1_interval: int = 1  # steps between updates by it; if more than 1, they are updates of their own
    path_length: float = 0.0  # weight of its regularization, of half a batch every fourth step
    mixing: float = 0.0  # how likely styles are of two latents
    average: float = 0.0  # half-life of the generator's, in images
    compared: int = 5  # steps after which losses are compared with those of the other libraries
    config: str = ""  # the workload is configs/<config>.py
    overrides: dict = field(default_factory=dict)  # of the config
    data: str = "fashion_mnist_10k"

    @property
    def equalized(self) -> bool:
        """Whether it has layers of ProGAN, StyleGAN or SNGAN, which of the peers only PyTorch implements here."""
        return any(layer.gain or layer.form for net in self.nets.values() for layer in net.layers)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image as input of the nets; flat for dense layers."""
        return self.nets["critic" if self.kind == "gan" else "encoder"].shape

    @property
    def convolutional(self) -> bool:
        """Whether it has convolutions, so that the layout in memory matters."""
        return len(self.shape) == 3

    @property
    def parameters(self) -> dict[str, int]:
        """Number of trained parameters by net."""
        return {name: net.parameters for name, net in self.nets.items()}

    @property
    def flops(self) -> int:
        """Floating-point operations that a step needs, in matrix products alone.

        Training a net takes three passes (values, gradients of inputs, gradients of weights), without the gradient of
        the data. GAN: a critic update makes fakes and trains on reals and fakes; a gradient penalty takes four more
        passes over the critic: values, gradient, and the gradient of that, which for piecewise linear activations is
        one pass up to the logits and one to the weights; as many of the generator for path lengths, of half a batch
        every fourth step. The generator's update passes through the critic's values and
        the gradient of its input.
        """
        if self.kind != "gan":
            encoder, decoder = self.nets["encoder"], self.nets["decoder"]
            return self.batch * (3 * (encoder.flops + decoder.flops) - encoder.first_flops)
        generator, critic = self.nets["generator"], self.nets["critic"]
        update = generator.flops + 2 * (3 * critic.flops - critic.first_flops)
        if self.penalty or self.r1:
            update += 4 * critic.flops // self.r1_interval
        if self.path_length:
            update += generator.flops // 2
        through = 3 * generator.flops - generator.first_flops + 2 * critic.flops
        return self.batch * (self.critic_steps * update + through)
