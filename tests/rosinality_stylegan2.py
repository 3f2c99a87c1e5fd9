"""StyleGAN2's tensors under the names of rosinality's stylegan2-pytorch, those of its model.py, and its checkpoints."""

import zipfile
from collections import OrderedDict

import numpy as np
import official_stylegan2 as official
from official_stylegan2 import FILTER, random_critic, random_generator
from pickling import Call, Name, pickled, storage

from genjax.weights.torch_file import MAGIC


def rosinality(t):
    """A generator's tensors."""
    out = {"input.input": t["synthesis.b4.const"][None]}
    for i in range(official.LAYERS):
        out |= {f"style.{i + 1}.{part}": t[f"mapping.fc{i}.{part}"] for part in ("weight", "bias")}
    layers = {"conv1": "b4.conv1", "to_rgb1": "b4.torgb", "to_rgbs.0": "b8.torgb", "to_rgbs.1": "b16.torgb"}
    layers |= {f"convs.{i}": f"b{8 << i // 2}.conv{i % 2}" for i in range(4)}
    for theirs, name in layers.items():
        name = f"synthesis.{name}"
        out |= {f"{theirs}.conv.weight": t[f"{name}.weight"][None]}
        out |= {f"{theirs}.conv.modulation.{part}": t[f"{name}.affine.{part}"] for part in ("weight", "bias")}
        if "rgb" in theirs:
            out |= {f"{theirs}.bias": t[f"{name}.bias"].reshape(1, 3, 1, 1)}
        else:
            out |= {f"{theirs}.activate.bias": t[f"{name}.bias"]}
            out |= {f"{theirs}.noise.weight": t[f"{name}.noise_strength"].reshape(1)}
        if name.endswith("conv0"):
            out |= {f"{theirs}.conv.blur.kernel": 4 * FILTER}
    out |= {f"to_rgbs.{i}.upsample.kernel": 4 * FILTER for i in range(2)}
    for i, name in enumerate(("b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1")):
        out |= {f"noises.noise_{i}": t[f"synthesis.{name}.noise_const"][None, None]}
    return out


def rosinality_critic(t):
    """A critic's tensors."""
    out = {"convs.0.0.weight": t["b16.fromrgb.weight"], "convs.0.1.bias": t["b16.fromrgb.bias"]}
    for i, side in ((1, 16), (2, 8)):
        block = f"convs.{i}"
        out |= {
            f"{block}.conv1.0.weight": t[f"b{side}.conv0.weight"],
            f"{block}.conv1.1.bias": t[f"b{side}.conv0.bias"],
        }
        out |= {
            f"{block}.conv2.1.weight": t[f"b{side}.conv1.weight"],
            f"{block}.conv2.2.bias": t[f"b{side}.conv1.bias"],
        }
        out |= {f"{block}.skip.1.weight": t[f"b{side}.skip.weight"]}
        out |= {f"{block}.conv2.0.kernel": FILTER, f"{block}.skip.0.kernel": FILTER}
    out |= {"final_conv.0.weight": t["b4.conv.weight"], "final_conv.1.bias": t["b4.conv.bias"]}
    for i, name in enumerate(("b4.fc", "b4.out")):
        out |= {f"final_linear.{i}.{part}": t[f"{name}.{part}"] for part in ("weight", "bias")}
    return out


def save(path, contents, legacy=False):
    """Write nested dictionaries of arrays as `torch.save` does."""
    arrays = {}

    def described(value):
        if isinstance(value, dict):
            return OrderedDict((key, described(inner)) for key, inner in value.items())
        if not isinstance(value, np.ndarray):
            return value
        arrays[str(len(arrays))] = value
        pid = storage(value, str(len(arrays) - 1))
        strides = tuple(n // value.itemsize for n in value.strides)
        rebuild = Name("torch._utils", "_rebuild_tensor_v2")
        return Call(rebuild, pid if legacy else pid[:-1], 0, value.shape, strides, False, OrderedDict())

    content = pickled(described(contents))
    if legacy:
        head = b"".join(map(pickled, [MAGIC, 1001, {"little_endian": True}]))
        data = b"".join(a.size.to_bytes(8, "little") + np.ascontiguousarray(a).tobytes() for a in arrays.values())
        path.write_bytes(head + content + pickled(list(arrays)) + data)
        return path
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        for key, array in arrays.items():
            archive.writestr(f"archive/data/{key}", np.ascontiguousarray(array).tobytes())
    return path


def checkpoint():
    """What a file of random nets in training holds."""
    averaged, plain = random_generator(0), random_generator(2)
    options = Call(Name("argparse", "Namespace"), told={"batch": 16, "r1": 10.0, "augment": True, "path": "lmdb"})
    return {
        "g": rosinality(plain),
        "d": rosinality_critic(random_critic()),
        "g_ema": rosinality(averaged),
        "d_optim": {"state": {0: {"step": 3, "exp_avg": np.ones((2, 2), np.float32)}}},
        "args": options,
        "ada_aug_p": 0.2,
        "latent_avg": averaged["mapping.w_avg"],
    }
