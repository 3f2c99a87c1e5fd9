"""PyTorch: eager or compiled; NCHW or channels last; on as many threads as there are cores, or on one.

With bfloat16, its autocast chooses the type of each operation.
"""

import itertools
import os

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from experiments.benchmarks.layers import Net, Workload
from experiments.benchmarks.peers import Runner
from experiments.benchmarks.peers.torch_blocks import (
    FilteredResidual,
    Residual,
    StyleGenerator2,
    StyleLayer,
    SumOverPlaces,
    ToRGB,
)

ACTIVATIONS = {
    "linear": nn.Identity,
    "relu": nn.ReLU,
    "selu": nn.SELU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class Reshape(nn.Module):
    """Vectors to maps [B, C, H, W], without a copy in either layout."""

    def __init__(self, to, channels_last):
        super().__init__()
        self.to, self.channels_last = to, channels_last

    def forward(self, x):
        """Apply to vectors x."""
        height, width, channels = self.to
        if self.channels_last:
            return x.view(-1, height, width, channels).permute(0, 3, 1, 2)
        return x.view(-1, channels, height, width)


class Flatten(nn.Module):
    """Maps to vectors, without a copy in either layout."""

    def __init__(self, channels_last):
        super().__init__()
        self.channels_last = channels_last

    def forward(self, x):
        """Apply to maps x."""
        return (x.permute(0, 2, 3, 1) if self.channels_last else x).flatten(1)


class Scaled(nn.Module):
    """A dense or a convolutional layer whose weights are multiplied by a constant at run time.

    With a `multiplier` m, weights and biases are stored divided by m, so they learn m times as fast.
    """

    def __init__(self, layer, constant, multiplier=1.0):
        super().__init__()
        self.layer, self.constant, self.multiplier = layer, constant * multiplier, multiplier
        nn.init.normal_(layer.weight, std=1 / multiplier)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        """Apply to x."""
        weight, bias = self.layer.weight * self.constant, self.layer.bias
        if isinstance(self.layer, nn.Linear):
            return F.linear(x, weight, bias if self.multiplier == 1 else bias * self.multiplier)
        return F.conv2d(x, weight, bias, self.layer.stride, self.layer.padding)


class PixelNorm(nn.Module):
    """Each pixel's channels over their root mean square."""

    def forward(self, x):
        """Apply to vectors or maps x."""
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class Spread(nn.Module):
    """A map of the standard deviation over groups of four neighbors."""

    def forward(self, x):
        """Apply to maps x."""
        grouped = x.view(-1, 4, *x.shape[1:])
        spread = (grouped.var(1, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
        maps = spread.repeat_interleave(4).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return torch.cat([x, maps], 1)


class Blur(nn.Module):
    """Each channel filtered by 3 or 4 binomial taps along both axes, and every `stride`-th pixel kept."""

    def __init__(self, channels, taps, stride):
        super().__init__()
        line = torch.tensor({3: [1.0, 2.0, 1.0], 4: [1.0, 3.0, 3.0, 1.0]}[taps])
        square = torch.outer(line, line) / line.sum() ** 2
        self.register_buffer("taps", square.expand(channels, 1, taps, taps).contiguous())
        self.stride = stride

    def forward(self, x):
        """Apply to maps x."""
        return F.conv2d(x, self.taps, stride=self.stride, padding=1, groups=x.shape[1])


class Noise(nn.Module):
    """Noise, one number per pixel, times one scale per channel, and a bias."""

    def __init__(self, channels):
        super().__init__()
        self.scale, self.bias = (nn.Parameter(torch.zeros(channels, 1, 1)) for _ in range(2))

    def forward(self, x):
        """Apply to maps x."""
        return x + self.scale * torch.randn(len(x), 1, *x.shape[2:]) + self.bias


class Style(nn.Module):
    """Channels normalized, then scaled and offset by functions of w."""

    def __init__(self, width, channels):
        super().__init__()
        self.affine = Scaled(nn.Linear(width, 2 * channels), width**-0.5)

    def forward(self, x, w):
        """Apply to maps x."""
        scale, offset = self.affine(w)[:, :, None, None].chunk(2, 1)
        return F.instance_norm(x, eps=1e-8) * (1 + scale) + offset


class StyleGenerator(nn.Module):
    """StyleGAN's generator in training: styles of two latents, of the first up to a random layer."""

    def __init__(self, mapping, size, synthesis, mixing):
        super().__init__()
        self.mapping, self.synthesis, self.mixing = nn.Sequential(*mapping), nn.ModuleList(synthesis), mixing
        self.constant = nn.Parameter(torch.ones(size[2], *size[:2]))
        self.styles = sum(isinstance(part, Style) for part in synthesis)
        self.register_buffer("average", torch.zeros(mapping[-2].layer.out_features))

    def forward(self, z):
        """Apply to latents z."""
        ws = self.mapping(z), self.mapping(torch.randn_like(z))
        self.average.lerp_(ws[0].detach().mean(0).float(), 0.005)
        first = torch.randint(1, self.styles, (len(z), 1))
        first = torch.where(torch.rand(len(z), 1) < self.mixing, first, self.styles)
        x, number = self.constant.expand(len(z), -1, -1, -1), 0
        for part in self.synthesis:
            if isinstance(part, Style):
                x, number = part(x, torch.where(number < first, *ws)), number + 1
            else:
                x = part(x)
        return x


def module(net: Net, channels_last: bool, batch_norm=nn.BatchNorm2d, mixing=0.0) -> nn.Module:
    """A net of a workload. "SAME" with stride 2 is padding k // 2, which is off by one pixel from TensorFlow's.

    For 5x5 kernels it is its mirror image: the nets are the same on images turned by half a circle.
    """
    mapping, start, parts = [], (), []
    for layer, shape in net.each():
        k, stride = layer.kernel, layer.stride
        match layer.kind:
            case "dense" | "conv" if layer.gain:
                fan_in = k**2 * shape[-1] if k else shape[0]
                size = (shape[-1], layer.features, k, 1, k // 2)
                plain = nn.Conv2d(*size, bias=layer.bias) if k else nn.Linear(fan_in, layer.features)
                parts.append(Scaled(plain, layer.gain / fan_in**0.5, layer.multiplier))
            case "pixel_norm":
                parts.append(PixelNorm())
            case "enlarge":
                parts.append(nn.Upsample(scale_factor=2))
            case "shrink":
                parts.append(nn.AvgPool2d(2))
            case "stddev":
                parts.append(Spread())
            case "constant":
                mapping, start, parts = parts, layer.to, []
            case "blur":
                parts.append(Blur(shape[-1], k, stride))
            case "noise":
                parts.append(Noise(shape[-1]))
            case "style":
                parts.append(Style(*layer.to, shape[-1]))
            case "modulated":
                parts.append(StyleLayer(shape[-1], layer.features, *layer.to, stride == 2, Scaled))
            case "to_rgb":
                parts.append(ToRGB(shape[-1], layer.features, *layer.to, Scaled))
            case "filtered":
                parts.append(FilteredResidual(shape[-1], layer.features, Scaled))
            case "residual":
                parts.append(Residual(shape[-1], layer.features, layer.form, layer.norm, layer.spectral))
            case "sum":
                parts.append(SumOverPlaces())
            case "dense" if layer.spectral:
                parts.append(spectral_norm(nn.Linear(shape[0], layer.features)))
            case "dense":
                parts.append(nn.Linear(shape[0], layer.features))
            case "conv":
                parts.append(nn.Conv2d(shape[-1], layer.features, k, stride, k // 2))
            case "transposed" if layer.padding == "SAME":
                parts.append(nn.ConvTranspose2d(shape[-1], layer.features, k, stride, k // 2, stride - 1))
            case "transposed":
                parts.append(nn.ConvTranspose2d(shape[-1], layer.features, k, stride))
            case "pool":
                parts.append(nn.MaxPool2d(2))
            case "batch_norm":
                parts.append(batch_norm(shape[-1], eps=1e-3, momentum=0.01))
            case "dropout" if layer.rate:
                parts.append(nn.Dropout(layer.rate))
            case "reshape":
                parts.append(Reshape(layer.to, channels_last))
            case "flatten":
                parts.append(Flatten(channels_last))
        if layer.activation != "linear":
            parts.append(ACTIVATIONS[layer.activation]())
    for part in parts:
        if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)
    if mapping:
        net = (StyleGenerator2 if isinstance(parts[0], StyleLayer) else StyleGenerator)(mapping, start, parts, mixing)
    else:
        net = nn.Sequential(*parts)
    return net.to(memory_format=torch.channels_last if channels_last else torch.preserve_format)


def build(workload: Workload, variant: str, images) -> Runner:
    """The step in one of its variants."""
    torch.set_num_threads(1 if "1 thread" in variant else len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    channels_last = "channels_last" in variant
    data = torch.from_numpy(images()).to(torch.get_default_device())
    if workload.convolutional:
        layout = torch.channels_last if channels_last else torch.contiguous_format
        data = data.permute(0, 3, 1, 2).contiguous(memory_format=layout)
    nets = {name: module(net, channels_last, mixing=workload.mixing) for name, net in workload.nets.items()}
    compiled = torch.compile if variant.startswith("compile") else lambda function: function
    step = (gan if workload.kind == "gan" else _reconstruct)(workload, nets, batches(data, workload.batch), compiled)

    def run(n):
        with torch.autocast("cpu", torch.bfloat16, enabled="bfloat16" in variant):
            for _ in range(n):
                losses = step()
        return {name: value.item() for name, value in losses.items()}

    return Runner({name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}, run)


def batches(data, size):
    """Endless batches, shuffled again each epoch."""
    while True:
        for indices in torch.randperm(len(data)).split(size):
            if len(indices) == size:
                yield data[indices]


def optimizer(params, compiled, name, learning_rate, b1=0.9, b2=0.999):
    """A function that takes a step of an optimizer with the gradients in place, and then clears them."""
    params = list(params)
    if name == "adam":
        opt = torch.optim.Adam(params, learning_rate, (b1, b2), eps=1e-7, fused=True)
    elif name == "rmsprop":
        opt = torch.optim.RMSprop(params, learning_rate, alpha=0.9, eps=1e-7, foreach=True)
    else:
        opt = torch.optim.SGD(params, learning_rate, fused=True)
    step = compiled(opt.step)

    def descend():
        step()
        opt.zero_grad()

    return descend


def gan(workload, nets, batches, compiled, optimizer=optimizer):
    """A function that takes one step and returns both losses."""
    generator, critic = nets["generator"], nets["critic"]
    descend = {name: optimizer(net.parameters(), compiled, **workload.optimizer) for name, net in nets.items()}
    averaged = [p.detach().clone() for p in generator.parameters()] if workload.average else []
    ones = torch.ones(workload.batch, 1)
    labels = torch.cat([ones, torch.zeros_like(ones)])

    @compiled
    def fakes():
        return generator(torch.randn(workload.batch, workload.latent))

    @compiled
    def critic_loss(real, fake):
        logits = critic(torch.cat([real, fake]))
        if workload.loss == "non_saturating":
            return F.binary_cross_entropy_with_logits(logits, labels)
        on_real, on_fake = logits.chunk(2)
        if workload.loss == "hinge":
            return F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
        return on_fake.mean() - on_real.mean() + workload.drift * on_real.square().mean()

    def penalty(real, fake):  # eager in either form: compiled functions cannot be differentiated twice
        mix = torch.lerp(real, fake, torch.rand(workload.batch, 1, 1, 1)).requires_grad_()
        (slope,) = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)
        return ((slope.flatten(1).square().sum(1) + 1e-12).sqrt() - 1).square().mean()

    def r1(real):
        real = real.detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
        return slope.square().sum((1, 2, 3)).mean() / 2

    @compiled
    def generator_loss():
        logits = critic(generator(torch.randn(workload.batch, workload.latent)))
        return F.binary_cross_entropy_with_logits(logits, ones) if workload.loss == "non_saturating" else -logits.mean()

    def unevenness():
        latents = torch.randn(workload.batch // 2, workload.latent)
        ws = generator.styles(latents)
        images = generator.synthesize(ws)
        y = torch.randn_like(images) / images[0, 0].numel() ** 0.5
        (slope,) = torch.autograd.grad((images * y).sum(), ws, create_graph=True)
        lengths = (slope.square().sum(2).mean(1) + 1e-12).sqrt()
        mean_length.lerp_(lengths.detach().float().mean(), 0.01)
        return (lengths - mean_length).square().mean()

    mean_length = torch.zeros(())
    count = itertools.count()

    def step():
        number = next(count)
        for _ in range(workload.critic_steps):
            real = next(batches)
            with torch.no_grad():
                fake = fakes().float()
            on_critic = critic_loss(real, fake)
            if workload.penalty:
                on_critic = on_critic + workload.penalty * penalty(real, fake)
            if workload.r1 and workload.r1_interval == 1:
                on_critic = on_critic + workload.r1 * r1(real)
            on_critic.backward()
            descend["critic"]()
            if workload.r1_interval > 1 and number % workload.r1_interval == 0:
                (workload.r1_interval * workload.r1 * r1(real)).backward()
                descend["critic"]()
        critic.requires_grad_(False)
        on_generator = generator_loss()
        on_generator.backward()
        descend["generator"]()
        critic.requires_grad_(True)
        if workload.path_length and number % 4 == 0:
            (4 * workload.path_length * unevenness()).backward()
            descend["generator"]()
        if averaged:
            weights = [p.detach() for p in generator.parameters()]
            torch._foreach_lerp_(averaged, weights, 1 - 0.5 ** (workload.batch / workload.average))
        return {"critic/loss": on_critic, "generator/loss": on_generator}

    return step


def _reconstruct(workload, nets, batches, compiled):
    encoder, decoder = nets["encoder"], nets["decoder"]
    descend = optimizer([p for net in nets.values() for p in net.parameters()], compiled, **workload.optimizer)

    @compiled
    def loss(x):
        code, divergence = encoder(x), 0.0
        if workload.kind == "vae":
            mean, log_var = code.chunk(2, dim=1)
            code = mean + (log_var / 2).exp() * torch.randn_like(mean)
            divergence = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum(1).mean() / x[0].numel()
        return F.binary_cross_entropy_with_logits(decoder(code), x) + divergence

    def step():
        value = loss(next(batches))
        value.backward()
        descend()
        return {"loss": value}

    return step
