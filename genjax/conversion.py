"""Trained weights of others as a run's folder, from which every command goes on."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from ml_collections import ConfigDict

from genjax import config_files, data, tasks
from genjax.config import check
from genjax.data.source import Source
from genjax.data.translation import DERIVATIONS
from genjax.engine import loop
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.mesh import make_mesh, replicated
from genjax.engine.phase import Task
from genjax.engine.state import State
from genjax.errors import InputError
from genjax.ops import ada
from genjax.run.counters import Counters
from genjax.run.description import run_info
from genjax.run.workdir import Workdir
from genjax.tasks import stylegan2
from genjax.weights import any_file, rdn, stylegan2_flaxmodels, stylegan2_nvidia, stylegan2_rosinality
from genjax.weights.rdn import Enlarger
from genjax.weights.stylegan2 import Weights

READERS = (stylegan2_flaxmodels, stylegan2_rosinality, stylegan2_nvidia, rdn)
"""The kinds of files; the first one that recognizes a file's beginning reads it."""

FILES = ", ".join(reader.KIND for reader in READERS)

NVIDIA = "NVIDIA's license permits non-commercial use alone, for research and evaluation: LICENSE.txt of their code"
"""What --license is asked for, of the weights that most files hold."""


def convert(
    path: str | os.PathLike, out: str | os.PathLike, license_text: str, config: ConfigDict | None = None
) -> list[str]:
    """Write a run's folder with the weights of a file; lines on it, and on what was not carried over.

    `config` has the options of further training, and names its data; what the file tells of the nets replaces its
    keys. Without it they are those of `stylegan2_ada:auto...` at the images' size, and no data are named; of a net that
    enlarges images, those of `superres` with packaged images.
    Raises: InputError before anything is compiled, for a file of another kind or with nets that genjax lacks, a folder
    that has contents, or a license that is not given.
    """
    out = Path(out)
    if not license_text.strip():
        raise InputError(
            "--license is needed: the terms under which the file's authors give their weights, which the run records "
            f"({NVIDIA})"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"--out={out} exists: choose a new folder")
    sha256 = any_file.digest(path, f"expected {FILES}")
    weights = any_file.read(path, READERS, FILES)
    if isinstance(weights, Enlarger):
        notes = ["it has the generator alone: the critic begins with random weights"]
        config, source, task = _enlarging_task(weights, config)
        claim, state_of = f"enlarges images {weights.fields['scale']} times", _enlarging_state
    else:
        notes = list(weights.notes)
        config, source, task = _task(weights, config, notes, out)
        size, _, colors = weights.shape
        claim, state_of = f"{size}x{size} pixels, {colors} channels", _state
    record = {"file": Path(path).name, "sha256": sha256, "kind": weights.kind, "license": license_text}
    info = run_info(config, source, task) | {"weights": record | {"notes": notes}}
    _check_fit(task, weights)
    state = state_of(config, task, weights)
    with _written_whole(out) as folder, Workdir(folder) as workdir:
        Checkpoints(folder / "checkpoints").save(state, Counters().to_json())
        workdir.begin(info, saved=0)
    return [f"{weights.kind}: {claim}", f"license: {license_text}", *notes]


def _task(weights: Weights, config: ConfigDict | None, notes: list[str], out: Path) -> tuple[ConfigDict, Source, Task]:
    """The run's config, with its data and task."""
    side, _, colors = weights.shape
    if config is not None and config.task != "stylegan2":
        raise InputError(f"--config is of the task {config.task!r}: expected stylegan2, as {weights.kind} is of it")
    if config is None:
        config = config_files.load(f"stylegan2_ada:auto{min(max(side, 8), 1024)}")
        config.data.update(name="", size=str(side), channels=colors)
        config.batch = max(config.batch, weights.fields.get("critic", {}).get("minibatch_group", 1))
    config.latent, config.classes = weights.latent, weights.classes
    config.data.mirror = config.data.mirror or weights.mirror
    _set_nets(config, weights)
    _set_augmentation(config, weights, notes)
    check(config, tasks.default_config(config.task))
    source = data.load(config.data) if config.data.name else _no_data(weights.shape)
    if source.shape != weights.shape:
        raise InputError(
            f"{source.name} has examples of shape {list(source.shape)}, and the weights are of images of "
            f"{list(weights.shape)}: set data.size and data.channels"
        )
    task = tasks.build(config, weights.shape)
    if not source.name:
        notes.append(
            "no data are named: genjax.evaluate needs --reference, and further training is that of a new run with "
            f"--config={out} --config.init.weights={out} --config.data.name=DATA"
        )
    return config, source, task


def _enlarging_task(weights: Enlarger, config: ConfigDict | None) -> tuple[ConfigDict, Source, Task]:
    """The config of a net that enlarges images, with its data and task."""
    scale = weights.fields["scale"]
    kind = f"small{scale}"
    if kind not in DERIVATIONS:
        raise InputError(f"the net enlarges images {scale} times: expected 2, 4 or 8, as small2: to small8: do")
    if config is not None and config.task != "translation":
        raise InputError(f"--config is of the task {config.task!r}: expected translation, as {weights.kind} is of it")
    if config is None:
        config = config_files.load("superres")
        config.data.name = ""
    config.data.name = config.data.name or f"{kind}:emoji_64"
    with config.unlocked():
        config.generator = {"net": "rdn", "output": "sigmoid"} | weights.fields
    check(config, tasks.default_config(config.task))
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    return config, source, task


def _enlarging_state(config: ConfigDict, task: Task, weights: Enlarger) -> State:
    """The state at step 0 with a generator of a file."""
    state = loop.initial_state(task, config.seed, make_mesh())
    variables = jax.device_put(weights.variables["generator"], replicated(make_mesh()))
    nets = state.nets | {"generator": state.nets["generator"].replace(params=variables["params"])}
    return state.replace(nets=nets, ema=state.ema | ({"generator": variables} if state.ema else {}))


def _set_nets(config: ConfigDict, weights: Weights) -> None:
    """The nets of the weights in place of a config's, of which the mixing of styles in training stays."""
    nets = {"critic": {"channels": weights.fields["generator"]["channels"], "minibatch": "stddev_strided"}}
    nets |= weights.fields
    mixing = config.generator.get("mixing")
    with config.unlocked():
        config.generator = {"net": "stylegan2"} | nets["generator"] | ({} if mixing is None else {"mixing": mixing})
        config.critic = {"net": "stylegan2"} | nets["critic"]


def _set_augmentation(config: ConfigDict, weights: Weights, notes: list[str]) -> None:
    """Adaptive augmentation as the weights were trained with, if genjax has it, from their probability on."""
    config.augment = ""
    if weights.augmentation is None:
        return
    parts, p = weights.augmentation
    names = [name for name, own in ada.PARTS.items() if own == parts]
    if names:
        config.augment, config.ada.parts = "ada", names[0]
        notes.append(f"adaptive augmentation goes on from the probability {p:.3g}")
    elif parts:
        notes.append(f"augment is off: genjax has no set of the transformations {', '.join(parts)}")


def _no_data(shape: tuple[int, ...]) -> Source:
    """The source of a run that has no data: it has no name and no examples."""
    return Source("", "", 0, shape, np.dtype(np.uint8), lambda _: np.zeros((0, *shape), np.uint8), None, (), "")


def _check_fit(task: Task, weights: Weights) -> None:
    """Raises: InputError for variables of other names or shapes than those of the task's nets."""
    like = loop.shapes(task)
    for name, variables in weights.variables.items():
        own = like.nets["generator" if name == "average" else name].variables
        got, expected = (jax.tree.map(lambda a: a.shape, tree) for tree in (variables, own))
        if got != expected:
            raise InputError(f"the file's {name} has other arrays than a net of {weights.fields} has")


def _state(config: ConfigDict, task: Task, weights: Weights) -> State:
    """The state at step 0 with the weights of a file. Nets that it lacks begin as in training; optimizers are new."""
    nets = dict(weights.variables)
    nets.setdefault("generator", nets.get("average"))
    nets.setdefault("average", nets["generator"])
    mesh = make_mesh()
    if "critic" not in nets:
        nets["critic"] = loop.initial_state(task, config.seed, mesh).nets["critic"].variables

    def first(nets):
        state = stylegan2.state_of(config, nets["generator"], nets["critic"], weights.shape)
        ema = {"generator": nets["average"]} if state.ema else {}
        p = {"ada": ada.init_state(weights.augmentation[1])} if weights.augmentation and config.augment == "ada" else {}
        return state.replace(ema=ema, extra=state.extra | p)

    return jax.jit(first, out_shardings=replicated(mesh))(nets)


@contextlib.contextmanager
def _written_whole(out: Path) -> Iterator[Path]:
    """A folder to write to that becomes `out` at the end, and is gone if that is not reached."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise InputError(f"--out={out} cannot be written: {error.strerror or error}") from error
    try:
        yield folder
        folder.chmod(0o777 & ~_umask())  # mkdtemp's are private
        if out.exists():  # empty
            out.rmdir()
        os.replace(folder, out)
    except OSError as error:
        raise InputError(f"--out={out} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _umask() -> int:
    """The mask of the process's new files, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
