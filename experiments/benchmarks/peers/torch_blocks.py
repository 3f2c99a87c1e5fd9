"""Nets of the benchmark that are more than one layer after another, in PyTorch: SNGAN's residual ones, StyleGAN2's."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


class Residual(nn.Module):
    """Two convolutions and a shortcut; "up" doubles the sides before them, "down" and "first" halve them after.

    With `norm`, batch normalization before each activation; with `spectral`, a largest singular value of one.
    """

    def __init__(self, channels, features, form, norm, spectral):
        super().__init__()
        wrap = spectral_norm if spectral else lambda layer: layer
        self.form = form
        self.first = wrap(nn.Conv2d(channels, features, 3, 1, 1))
        self.second = wrap(nn.Conv2d(features, features, 3, 1, 1))
        self.shortcut = nn.Identity() if form == "same" else wrap(nn.Conv2d(channels, features, 1))
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in ((channels, features) if norm else ()))

    def forward(self, x):
        """Apply to maps x."""
        h = x if self.form == "first" else F.relu(self.norms[0](x) if self.norms else x)
        if self.form == "up":
            h, x = (F.interpolate(maps, scale_factor=2, mode="bilinear") for maps in (h, x))
        h = self.first(h)
        h = self.second(F.relu(self.norms[1](h) if self.norms else h))
        if self.form == "first":
            return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2))
        if self.form == "down":
            return F.avg_pool2d(h, 2) + F.avg_pool2d(self.shortcut(x), 2)
        return h + self.shortcut(x)


class SumOverPlaces(nn.Module):
    """Maps to vectors."""

    def forward(self, x):
        """Apply to maps x."""
        return F.relu(x).sum((2, 3))


def smooth(x, pad, stride=1, gain=1.0):
    """Each channel filtered by 1, 3, 3, 1 along both axes, with `pad` zeros (or pixels less) on each side."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) * (gain**0.5 / 8)
    taps = torch.outer(line, line).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, taps, stride=stride, padding=pad, groups=x.shape[1])


def activated(x):
    """Leaky ReLU with He's gain."""
    return 2**0.5 * F.leaky_relu(x, 0.2)


class Modulated(nn.Module):
    """StyleGAN2's convolution: maps scaled by a style before it, and to unit norm after it, as in training there."""

    def __init__(self, channels, features, kernel, width, up, scaled):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features, channels, kernel, kernel))
        self.affine = scaled(nn.Linear(width, channels), width**-0.5)
        nn.init.ones_(self.affine.layer.bias)
        self.kernel, self.up, self.scale = kernel, up, (kernel**2 * channels) ** -0.5

    def forward(self, x, w):
        """Apply to maps x under styles w."""
        style, weight = self.affine(w), self.weight * self.scale
        x = x * style[:, :, None, None]
        if self.kernel == 1:
            return F.conv2d(x, weight)
        if self.up:
            x = smooth(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), 1, gain=4.0)
        else:
            x = F.conv2d(x, weight, padding=1)
        norm = ((style.square() @ weight.square().sum((2, 3)).T) + 1e-8).rsqrt()
        return x * norm[:, :, None, None]


class StyleLayer(nn.Module):
    """A modulated convolution, noise, a bias and an activation."""

    def __init__(self, channels, features, width, up, scaled):
        super().__init__()
        self.conv = Modulated(channels, features, 3, width, up, scaled)
        self.noise = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(features, 1, 1))

    def forward(self, x, w):
        """Apply to maps x under styles w."""
        x = self.conv(x, w)
        return activated(x + self.noise * torch.randn(len(x), 1, *x.shape[2:]) + self.bias)


class ToRGB(nn.Module):
    """A stage's image."""

    def __init__(self, channels, colors, width, scaled):
        super().__init__()
        self.conv = Modulated(channels, colors, 1, width, False, scaled)
        self.bias = nn.Parameter(torch.zeros(colors, 1, 1))

    def forward(self, x, w):
        """Apply to maps x under styles w."""
        return self.conv(x, w) + self.bias


class StyleGenerator2(nn.Module):
    """StyleGAN2's generator in training, with styles of two latents."""

    def __init__(self, mapping, size, parts, mixing):
        super().__init__()
        self.mapping, self.parts, self.mixing = nn.Sequential(*mapping), nn.ModuleList(parts), mixing
        self.constant = nn.Parameter(torch.randn(size[2], *size[:2]))
        self.count = len(parts) - sum(isinstance(part, ToRGB) for part in parts) + 1
        self.register_buffer("average", torch.zeros(mapping[-2].layer.out_features))

    def forward(self, z):
        """Images of latents z."""
        return self.synthesize(self.styles(z))

    def styles(self, z):
        """A style per layer, and one for the last image: [B, count, width]."""
        ws = self.mapping(z), self.mapping(torch.randn_like(z))
        self.average.lerp_(ws[0].detach().mean(0).float(), 0.005)
        first = torch.randint(1, self.count, (len(z), 1, 1))
        first = torch.where(torch.rand(len(z), 1, 1) < self.mixing, first, self.count)
        return torch.where(torch.arange(self.count)[:, None] < first, *(w[:, None] for w in ws))

    def synthesize(self, ws):
        """The image of styles: the sum of the stages' images, each doubled by zeros between its pixels and a filter."""
        x, image, number = self.constant.expand(len(ws), -1, -1, -1), None, 0
        for part in self.parts:
            if isinstance(part, ToRGB):
                new = part(x, ws[:, number])
                image = new if image is None else doubled(image) + new
            else:
                x, number = part(x, ws[:, number]), number + 1
        return image


def doubled(image):
    """An image of twice the sides, filtered."""
    batch, colors, height, width = image.shape
    spread = F.pad(image.reshape(batch, colors, height, 1, width, 1), (0, 1, 0, 0, 0, 1))
    spread = F.pad(spread.reshape(batch, colors, 2 * height, 2 * width), (2, 1, 2, 1))
    return smooth(spread, 0, gain=4.0)


class FilteredResidual(nn.Module):
    """A residual block of StyleGAN2's critic, which halves the sides."""

    def __init__(self, channels, features, scaled):
        super().__init__()
        root = (9 * channels) ** -0.5
        self.first = scaled(nn.Conv2d(channels, channels, 3, padding=1), root)
        self.second = scaled(nn.Conv2d(channels, features, 3, stride=2), root)
        self.skip = scaled(nn.Conv2d(channels, features, 1, bias=False), channels**-0.5)

    def forward(self, x):
        """Apply to maps x."""
        h = activated(self.second(smooth(activated(self.first(x)), 2)))
        return (h + self.skip(smooth(x, 1, stride=2))) * 0.5**0.5
