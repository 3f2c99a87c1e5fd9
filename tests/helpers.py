"""The helpers of tests of whole runs: tiny configs, comparisons to the bit, and processes that can be killed."""

import atexit
import contextlib
import importlib.util
import json
import multiprocessing
import os
import runpy
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
COMPILED = "/jax/core/compile/backend_compile_duration"  # JAX's event for every program that it compiles or loads
HEAVY = {"jax", "jaxlib", "flax", "optax", "orbax", "tensorstore", "scipy", "matplotlib", "PIL", "rich", "tensorboardX"}
"""Packages that take longer to import than all else that --help needs."""
TIMINGS = ("seconds", "images_per_second", "reading")
STEPS = 6  # of the run in tests/faults

# Processes are forked from a server that has imported everything and started nothing: they begin in milliseconds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "genjax.run.training",
        "genjax.train",
        "genjax.sample",
        "genjax.evaluation",
        "genjax.tasks.gan",
        "genjax.report.html",
        "matplotlib.backends.backend_agg",
        "scipy.linalg.lapack",
        "scipy.ndimage",
        "scipy.special",
        "tests.preloaded",
    ]
)


def config_of(name: str, variant: str = "smoke", **overrides):
    """A variant of configs/<name>.py; overrides have "__" for dots: data__name="ring8"."""
    spec = importlib.util.spec_from_file_location(f"configs_{name}", ROOT / "configs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = module.get_config(variant)
    config.update_from_flattened_dict({key.replace("__", "."): value for key, value in overrides.items()})
    return config


def fashion(split: str):
    """A split of the packaged Fashion-MNIST, as the smoke variants of autoencoders load it."""
    from genjax import data

    config = config_of("ae_stacked").data
    config.split = split
    return data.load(config)


def step_inputs(phase, source, state):
    """What a step of a phase takes, as shapes and types: the state, a batch and a key."""
    import jax

    batch = {"x": jax.ShapeDtypeStruct((phase.batches_per_step, phase.batch, *source.shape), source.dtype)}
    if source.labels is not None:
        batch["label"] = jax.ShapeDtypeStruct((phase.batches_per_step, phase.batch), np.int32)
    return state, batch, jax.eval_shape(lambda: jax.random.key(0))


def call(function, *args, **options):
    """A function of arrays as one program: called op by op it is many. Options that are no arrays are static."""
    import jax

    traced = {
        name: options.pop(name) for name, value in [*options.items()] if hasattr(value, "shape") or name == "rngs"
    }
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    return jax.jit(function, static_argnames=tuple(options))(*args, **options, **traced)


def assert_keeps_state(out, state) -> None:
    """What a step returns is a state like the one it got, and scalar metrics."""
    import jax

    after, metrics = out
    assert jax.tree.map(lambda a: (a.shape, a.dtype), after) == jax.tree.map(lambda a: (a.shape, a.dtype), state)
    assert metrics
    assert {metric.shape for metric in metrics.values()} == {()}


def saved_run(name: str, path: Path, **overrides) -> Path:
    """The folder of a run at step 7 whose weights and statistics are all different, random ones; none is trained."""
    import jax

    from genjax import data, tasks
    from genjax.engine.checkpoint import Checkpoints
    from genjax.engine.loop import initial_state
    from genjax.engine.mesh import make_mesh, replicated
    from genjax.run.description import run_info
    from genjax.run.workdir import Workdir

    config = config_of(name, **overrides)
    source = data.load(config.data)
    task = tasks.build(config, source.shape)
    mesh = make_mesh()
    leaves, tree = jax.tree.flatten(jax.device_get(initial_state(task, 0, mesh)))
    draws = np.random.default_rng(0)
    leaves = [a + np.float32(draws.normal(0, 0.05, a.shape)) if a.dtype == np.float32 else a for a in leaves]
    state = jax.device_put(tree.unflatten(leaves).replace(step=np.int32(7)), replicated(mesh))
    with Workdir(path) as workdir:
        workdir.begin(run_info(config, source, task), 7)
    Checkpoints(path / "checkpoints").save(state, {})
    return path


def with_remedies(**overrides):
    """The smallest DCGAN with what a GAN's state and randomness can have, at once, on labeled images."""
    config = config_of("dcgan", classes=10, augment="color,translation,cutout", replay__capacity=20, **overrides)
    config.data.update(size="8", resize="squash")
    config.generator = {"net": "dcgan", "channels": (4,), "conditioning": "batch_norm"}
    config.critic = {"net": "dcgan", "channels": (4,), "spectral": True, "conditioning": "projection"}
    config.loss.name, config.ema.half_life, config.penalty.r1 = "hinge", 50.0, 0.1
    config.instance_noise.update(std=0.1, steps=10)
    return config


def checkpoints(run: Path) -> list[int]:
    """The steps of which a run has a checkpoint."""
    folder = run / "checkpoints"
    return sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit()) if folder.exists() else []


def leaves(run: Path, step: int | None = None) -> dict[str, tuple]:
    """Every array of a checkpoint, read by Orbax alone: its type, shape and bytes, by path."""
    import jax
    import orbax.checkpoint as ocp

    path = run.absolute() / "checkpoints" / f"{checkpoints(run)[-1] if step is None else step:08d}" / "state"
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader:
        tree = reader.metadata(path).item_metadata.tree
        as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), tree)
        state = reader.restore(path, args=ocp.args.PyTreeRestore(restore_args=as_numpy))
    arrays = jax.tree_util.tree_leaves_with_path(state)
    return {jax.tree_util.keystr(key): (str(a.dtype), a.shape, a.tobytes()) for key, a in arrays}


def rows(run: Path) -> list[dict]:
    """metrics.jsonl without what a clock measured."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key not in TIMINGS} for line in lines]


def ending(run: Path) -> dict[str, object]:
    """All that a finished run must have in common with the uninterrupted one."""
    samples = {path.name: path.read_bytes() for path in sorted((run / "samples").glob("*"))}
    return leaves(run) | samples | {f"row {row['step']}": row for row in rows(run)} | {"rows": len(rows(run))}


def largest(folder: Path) -> Path:
    """The largest file of a folder and those in it."""
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def flip_a_byte(folder: Path) -> str:
    """Damage one bit of the largest file; its name."""
    data = bytearray(largest(folder).read_bytes())
    data[len(data) // 2] ^= 1
    largest(folder).write_bytes(data)
    return largest(folder).name


def assert_same(actual: dict, expected: dict) -> None:
    """Two endings are equal to the bit; the message names the entries that differ."""
    different = [key for key in actual.keys() | expected.keys() if actual.get(key) != expected.get(key)]
    assert not different, f"{len(different)} of {len(expected)} differ: {sorted(different)[:8]}"


@dataclass(frozen=True)
class Result:
    """The exit code of a process, its output, and the number of programs that it compiled."""

    code: int  # -n: killed by signal n
    out: str
    err: str
    compiled: int  # programs

    def assert_refused(self, *texts: str, lines: int = 2) -> None:
        """Bad input: exit code 2, a message of at most `lines` lines that has these texts, and nothing compiled."""
        assert self.code == 2, (self.code, self.err)
        assert "Traceback" not in self.err
        for text in texts:
            assert text in self.err
        assert len(self.err.strip().splitlines()) <= lines, self.err
        assert self.compiled == 0


class Program:
    """`python -m <module> <args>` in a process of its own, begun at once."""

    def __init__(self, module: str, *args: object, before=None, **environment: str):
        """`before` is a function of this or a test's module that the process calls first."""
        self.folder = Path(tempfile.mkdtemp(prefix="genjax-test-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        arguments = (module, [str(arg) for arg in args], self.folder, environment, before)
        self.process = PROCESSES.Process(target=_main, args=arguments, daemon=True)
        self.process.start()

    def kill(self, number: int) -> None:
        """Send a signal."""
        if self.process.is_alive():
            os.kill(self.process.pid, number)

    def wait(self, seconds: float = 900) -> Result:
        """Wait for the end."""
        self.process.join(seconds)
        assert not self.process.is_alive(), f"still running after {seconds} s: {self.read('err')}"
        return Result(self.process.exitcode, self.read("out"), self.read("err"), int(self.read("compiled") or -1))

    def read(self, name: str) -> str:
        """The text that it has written so far to "out" or "err"."""
        path = self.folder / name
        return path.read_text() if path.exists() else ""


def run(module: str, *args: object, **environment: str) -> Result:
    """`python -m <module> <args>`, waited for."""
    return Program(module, *args, **environment).wait()


@contextlib.contextmanager
def eight_devices():
    """A process that has eight devices, as a function that calls a function of a test's module there."""
    with ProcessPoolExecutor(1, PROCESSES, initializer=_have_eight_devices) as process:
        yield lambda function, *args: process.submit(function, *args).result()


def _have_eight_devices():
    import jax

    jax.config.update("jax_num_cpu_devices", 8)


def without_report() -> None:
    """Draw no report in this process, which takes longer than a run of a few steps."""
    from genjax.run.recorder import Recorder

    Recorder.report = lambda self: None


def until(condition, seconds: float = 600) -> float:
    """Wait until a condition holds; how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "waited too long"
        time.sleep(0.005)
    return time.monotonic() - start


def _main(module, args, folder, environment, before):
    import jax

    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.update(environment)
    os.chdir(ROOT)
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name))
    if before:
        before()
    sys.argv = [module, *args]
    sys.modules.pop(module, None)  # as python -m would find it
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        (folder / "compiled").write_text(str(compiled.count(COMPILED)))


def assert_refused_in_a_line(module: str, arguments: list[str], text: str) -> None:
    """`python -m module` ends with exit code 2 and one line of stderr that contains the text."""
    run(module, *arguments).assert_refused(text, lines=1)
