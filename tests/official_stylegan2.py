"""StyleGAN2's nets under the names of its authors' PyTorch code: random ones, their equations, and their pickles.

The equations are arXiv:1912.04958's in float64 NumPy, with a transposed convolution where that code has one.
"""

from collections import OrderedDict
from functools import partial

import jax
import numpy as np
from numpy_nets import conv, leaky_relu, upfirdn
from pickling import Call, EasyDict, Name, pickled, tensor

from genjax.nets.stylegan2 import Critic, Generator

TAPS = np.array([1, 3, 3, 1]) / 8
FILTER = np.float32(np.outer(TAPS, TAPS))
CHANNELS = (6, 5, 4)  # at 4, 8 and 16 pixels
LATENT, WIDTH, LAYERS, COLORS = 7, 8, 3, 3
SIDE = 16


def mapping_sizes(latent, width, layers, classes):
    sizes = {"mapping.embed.weight": (width, classes), "mapping.embed.bias": (width,)} if classes else {}
    first = latent + width * bool(classes)
    for i in range(layers):
        sizes |= {f"mapping.fc{i}.weight": (width, width if i else first), f"mapping.fc{i}.bias": (width,)}
    return sizes


def random_generator(seed=0, colors=COLORS, channels=CHANNELS, classes=0):
    """Tensors by name, float32."""
    rng = np.random.default_rng(seed)
    sizes = mapping_sizes(LATENT, WIDTH, LAYERS, classes)
    sizes |= {"mapping.w_avg": (WIDTH,), "synthesis.b4.const": (channels[0], 4, 4)}
    for stage, outputs in enumerate(channels):
        block = f"synthesis.b{4 << stage}"
        layers = {"conv1": (outputs, outputs, 3, 3), "torgb": (colors, outputs, 1, 1)}
        layers |= {"conv0": (outputs, channels[stage - 1], 3, 3)} if stage else {}
        for name, size in layers.items():
            layer = f"{block}.{name}"
            sizes |= {f"{layer}.weight": size, f"{layer}.bias": size[:1]}
            sizes |= {f"{layer}.affine.weight": (size[1], WIDTH), f"{layer}.affine.bias": size[1:2]}
            if name != "torgb":
                sizes |= {f"{layer}.noise_strength": (), f"{layer}.noise_const": (4 << stage, 4 << stage)}
    return drawn(rng, sizes, {f"synthesis.b{4 << stage}.resample_filter": FILTER for stage in range(len(channels))})


def random_critic(seed=1, colors=COLORS, channels=CHANNELS, residual=True, statistic=1, classes=0):
    """Tensors by name, float32."""
    side, last, first = 2 << len(channels), channels[-1], channels[0]
    sizes = {f"b{side}.fromrgb.weight": (last, colors, 1, 1), f"b{side}.fromrgb.bias": (last,)}
    for inputs, outputs, block in zip(channels[:0:-1], channels[-2::-1], (side >> i for i in range(9)), strict=False):
        sizes |= {f"b{block}.conv0.weight": (inputs, inputs, 3, 3), f"b{block}.conv0.bias": (inputs,)}
        sizes |= {f"b{block}.conv1.weight": (outputs, inputs, 3, 3), f"b{block}.conv1.bias": (outputs,)}
        sizes |= {f"b{block}.skip.weight": (outputs, inputs, 1, 1)} if residual else {}
    sizes |= {"b4.conv.weight": (first, first + statistic, 3, 3), "b4.conv.bias": (first,)}
    sizes |= {"b4.fc.weight": (first, 16 * first), "b4.fc.bias": (first,)}
    outputs = first if classes else 1
    sizes |= {"b4.out.weight": (outputs, first), "b4.out.bias": (outputs,)}
    sizes |= mapping_sizes(0, first, 2, classes) if classes else {}
    return drawn(np.random.default_rng(seed), sizes, {f"b{side}.conv1.resample_filter": FILTER})


def drawn(rng, sizes, others):
    scale = {name: 100 if ".fc" in name and "mapping" in name else 1 for name in sizes}
    arrays = {name: np.array(scale[name] * rng.standard_normal(size), np.float32) for name, size in sizes.items()}
    return arrays | others


def affine(t, name, x, rate=1.0):
    weight = np.float64(t[f"{name}.weight"])
    return rate * (x @ weight.T / np.sqrt(weight.shape[1]) + np.float64(t[f"{name}.bias"]))


def activated(x, clamp=np.inf):
    return np.clip(np.sqrt(2) * leaky_relu(x), -clamp, clamp)


def modulated(t, name, x, w, demodulate=True):
    """Eqs. 1 and 3 on maps [B, H, W, I]; the sides are doubled by a transposed convolution and a filter for conv0."""
    weight = np.float64(t[f"{name}.weight"])  # [O, I, h, w]
    kernel = affine(t, f"{name}.affine", w)[:, None, :, None, None] * weight / np.sqrt(np.prod(weight.shape[1:]))
    if demodulate:
        kernel = kernel / np.sqrt((kernel**2).sum((2, 3, 4), keepdims=True) + 1e-8)
    if not name.endswith("conv0"):
        return np.stack([conv(x[i : i + 1], k.transpose(2, 3, 1, 0))[0] for i, k in enumerate(kernel)])
    side = x.shape[1]
    y = np.zeros((len(x), 2 * side + 1, 2 * side + 1, weight.shape[0]))
    for a in range(3):
        for b in range(3):
            y[:, a : a + 2 * side : 2, b : b + 2 * side : 2] += np.einsum("bijc,boc->bijo", x, kernel[..., a, b])
    return upfirdn(y, 2 * TAPS, pads=(1, 1))


def mapped(t, z, onehot=None):
    """w of latents and classes, each normalized alone. Shapes: [B, LATENT] or [B, 0], [B, classes] -> [B, width]."""
    parts = [z] if z.shape[1] else []
    parts += [] if onehot is None else [affine(t, "mapping.embed", onehot)]
    w = np.concatenate([part / np.sqrt((part**2).mean(1, keepdims=True) + 1e-8) for part in parts], 1)
    for i in range(sum(name.endswith(".weight") and name.startswith("mapping.fc") for name in t)):
        w = activated(affine(t, f"mapping.fc{i}", w, 0.01))
    return w


def image(t, z, psi=1.0, clamp=np.inf, noise=True, onehot=None):
    """The image of latents. Shapes: [B, LATENT], [B, classes] -> [B, side, side, colors]."""
    w = mapped(t, z, onehot)
    w = t["mapping.w_avg"] + psi * (w - t["mapping.w_avg"]) if psi != 1 else w
    x = np.broadcast_to(t["synthesis.b4.const"].transpose(1, 2, 0), (len(z), 4, 4, len(t["synthesis.b4.const"])))
    out, side = 0.0, 4
    while f"synthesis.b{side}.conv1.weight" in t:
        for name in ("conv0", "conv1")[side == 4 :]:
            layer = f"synthesis.b{side}.{name}"
            maps = t[f"{layer}.noise_strength"] * np.float64(t[f"{layer}.noise_const"])[None, :, :, None]
            x = activated(modulated(t, layer, x, w) + noise * maps + t[f"{layer}.bias"], clamp)
        layer = f"synthesis.b{side}.torgb"
        new = np.clip(modulated(t, layer, x, w, demodulate=False) + t[f"{layer}.bias"], -clamp, clamp)
        out = new if side == 4 else upfirdn(out, 2 * TAPS, up=2, pads=(2, 1)) + new
        side *= 2
    return out


def logits(t, x, group, clamp=np.inf, residual=True, onehot=None):
    """The logits of images [B, side, side, colors], with strided groups of the standard deviation, 0: none."""

    def layer(name, x, stride=1):
        weight = np.float64(t[f"{name}.weight"])
        kernel = weight.transpose(2, 3, 1, 0) / np.sqrt(np.prod(weight.shape[1:]))
        return activated(conv(x, kernel, stride, stride == 1) + t[f"{name}.bias"], clamp)

    side = x.shape[1]
    x = layer(f"b{side}.fromrgb", x)
    while side > 4:
        h = layer(f"b{side}.conv1", upfirdn(layer(f"b{side}.conv0", x), TAPS, pads=(2, 2)), 2)
        if residual:
            weight = np.float64(t[f"b{side}.skip.weight"])[:, :, 0, 0]
            h = (h + upfirdn(x, TAPS, pads=(1, 1))[:, ::2, ::2] @ weight.T / np.sqrt(weight.shape[1])) / np.sqrt(2)
        x, side = h, side // 2
    if group:
        groups = x.reshape(group, -1, *x.shape[1:])
        spread = np.sqrt(((groups - groups.mean(0)) ** 2).mean(0) + 1e-8).mean((1, 2, 3))
        x = np.concatenate([x, np.tile(spread, group)[:, None, None, None] * np.ones((*x.shape[:3], 1))], 3)
    x = layer("b4.conv", x).transpose(0, 3, 1, 2).reshape(len(x), -1)
    out = affine(t, "b4.out", activated(affine(t, "b4.fc", x)))
    if onehot is None:
        return out[:, 0]
    return (out * mapped(t, np.zeros((len(x), 0)), onehot)).sum(1) / np.sqrt(out.shape[1])


def kind_of(path: str) -> tuple[str, dict]:
    """The class of a module, and the attributes by which it computes."""
    last = path.rpartition(".")[2]
    if path.startswith("mapping.fc"):
        return "FullyConnectedLayer", {"activation": "lrelu", "bias_gain": 0.01, "weight_gain": np.float64(0.003)}
    if last in ("affine", "fc", "out", "embed"):
        return "FullyConnectedLayer", {"activation": "lrelu" if last == "fc" else "linear", "bias_gain": 1}
    if path.startswith("synthesis."):
        up = {"up": 2 if last == "conv0" else 1, "use_noise": True, "activation": "lrelu", "act_gain": np.sqrt(2)}
        kinds = {"conv0": ("SynthesisLayer", up), "conv1": ("SynthesisLayer", up), "torgb": ("ToRGBLayer", {})}
        return kinds.get(last, ("SynthesisBlock", {"architecture": "skip", "use_fp16": False}))
    kinds = {"mapping": ("MappingNetwork", {"c_dim": 0, "w_avg_beta": 0.995}), "synthesis": ("SynthesisNetwork", {})}
    kinds |= {"b4": ("DiscriminatorEpilogue", {}), "mbstd": ("MinibatchStdLayer", {"num_channels": 1})}
    if last in ("conv0", "conv1", "skip", "fromrgb", "conv"):
        down = 2 if last in ("conv1", "skip") else 1
        return "Conv2dLayer", {"activation": "linear" if last == "skip" else "lrelu", "up": 1, "down": down}
    return kinds.get(last, ("DiscriminatorBlock", {"use_fp16": False}))


def module(kind, arrays, path="", changed=None, clamp=None, **attributes):
    """A module with those within it, of the tensors whose names begin with its path; `changed`: attributes by path."""
    changed = changed or {}
    prefix = f"{path}." if path else ""
    own = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
    buffers = {n: tensor(a) for n, a in own.items() if n in ("w_avg", "noise_const", "resample_filter", "p")}
    rebuild = Name("torch._utils", "_rebuild_parameter")
    parameters = {
        n: Call(rebuild, tensor(a), False, OrderedDict()) for n, a in own.items() if "." not in n and n not in buffers
    }
    inner = OrderedDict()
    for name in dict.fromkeys(n.partition(".")[0] for n in own if "." in n):
        child_kind, child_attributes = kind_of(prefix + name)
        if "weight" in {n.removeprefix(f"{name}.") for n in own} and child_kind != "FullyConnectedLayer":
            child_attributes = child_attributes | {"conv_clamp": None if name == "skip" else clamp}
        inner[name] = module(child_kind, arrays, prefix + name, changed, clamp, **child_attributes)
    state = {"training": False, "_parameters": OrderedDict(parameters), "_buffers": OrderedDict(buffers)}
    state |= {"_non_persistent_buffers_set": set(), "_forward_hooks": OrderedDict(), "_modules": inner}
    state |= (
        attributes | changed.get(path, {}) | {"_init_args": (), "_init_kwargs": EasyDict(mapping_kwargs=EasyDict())}
    )
    return persistent(state.pop("class_name", kind), state)


def persistent(kind, state, **changed):
    """A call of the function that rebuilds modules."""
    source = "raise SystemExit('the source of a pickle was run')"
    meta = {"type": "class", "version": 6, "module_src": source, "class_name": kind, "state": state}
    return Call(Name("torch_utils.persistence", "_reconstruct_persistent_obj"), meta | changed)


def critic_module(arrays, group=4, changed=None, clamp=None, architecture="resnet"):
    """D."""
    if group:
        arrays = arrays | {"b4.mbstd.p": np.float32(0)}
    blocks = {name.partition(".")[0]: {"architecture": architecture} for name in arrays}
    changed = {path: blocks.get(path, {}) | (changed or {}).get(path, {}) for path in {*blocks, *(changed or {})}}
    changed["b4.mbstd"] = {"group_size": group, "_buffers": OrderedDict()} | changed.get("b4.mbstd", {})
    return module("Discriminator", arrays, "", changed, clamp)


def augmentation(p=0.37, **chances):
    """AugmentPipe, of "bgc" unless some chances are given."""
    names = ("xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac")
    names += ("brightness", "contrast", "lumaflip", "hue", "saturation")
    return module("AugmentPipe", {"p": np.float32(p)}, **(chances or dict.fromkeys(names, 1.0)))


def contents(changed=None, clamp=None, group=4, **others):
    """What a pickle of random nets holds."""
    nets = {
        "training_set_kwargs": {"path": "data.zip", "xflip": True, "max_size": 70_000, "resolution": SIDE},
        "G": module("Generator", random_generator(2), "", changed, clamp, z_dim=LATENT),
        "D": critic_module(random_critic(), group, changed, clamp),
        "G_ema": module("Generator", random_generator(0), "", changed, clamp, z_dim=LATENT),
        "augment_pipe": augmentation(),
    }
    return nets | others


def images(weights, z, net="average", psi=1.0, onehot=None):
    """Images of a converted generator in float64, so that mistakes are seen and no rounding."""
    generator = Generator(weights.shape, **weights.fields["generator"])
    with jax.enable_x64(True):
        variables = jax.tree.map(np.float64, weights.variables[net])

        @jax.jit
        def draw(z):
            w = generator.apply(variables, z, class_onehot=onehot, method="map")
            ws = generator.apply(variables, w, method="styles")
            ws = generator.apply(variables, ws, psi, method="truncate")
            return generator.apply(variables, ws, method="synthesize")

        return np.asarray(draw(np.float64(z)))


def judged(weights, x, onehot=None):
    """Logits of a converted critic in float64."""
    with jax.enable_x64(True):
        variables = jax.tree.map(np.float64, weights.variables["critic"])
        critic = partial(Critic(**weights.fields["critic"]).apply, class_onehot=onehot)
        return np.asarray(jax.jit(critic)(variables, np.float64(x)))


def write(path, protocol=4, **options):
    """Write a pickle of random nets."""
    path.write_bytes(pickled(contents(**options), protocol))
    return path
