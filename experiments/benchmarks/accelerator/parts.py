"""The parts of the command in the order of their worth: what a short loan can least do without comes first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from experiments.benchmarks.workloads import WORKLOADS
from genjax.config import pick
from genjax.errors import InputError

HERE = "experiments.benchmarks.accelerator"
DETERMINISTIC = {"XLA_FLAGS": "--xla_gpu_deterministic_ops=true"}


@dataclass(frozen=True)
class Context:
    """The folders and the device of a session."""

    folder: Path  # of --out
    scratch: Path  # deleted at the end of the command
    platform: str = ""  # of JAX: "cpu", "gpu", "tpu"; "" in the first part, which finds out


@dataclass(frozen=True)
class Part:
    """Some measurements that succeed or fail together, in processes of their own.

    Fields:
        name: as in --parts.
        says: the question that it answers.
        table: the page's section, of `page.SECTIONS`.
        seconds: an estimate on a large GPU, mostly of compilation; a part that would not fit is left out.
        runs: "module:function", one process after the other; functions are (context, **options) -> rows.
        options: arguments of the functions.
        smoke: those that differ with --smoke; None: a part that is not tried, being like another.
        environment: variables of the processes; XLA_FLAGS are added to those that are set.
        needs_accelerator: whether it is left out on a CPU, where it would take hours.
    """

    name: str
    says: str
    table: str
    seconds: float
    runs: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    smoke: Mapping[str, Any] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    needs_accelerator: bool = False

    @property
    def tiny(self) -> "Part":
        """The part as --smoke runs it."""
        options = {**self.options, **(self.smoke or {})}
        return replace(self, options=options, seconds=min(self.seconds, 30.0), needs_accelerator=False)


BRIEF = {"calls": 2, "call_seconds": 0.0}


Points = tuple[tuple[int, str], ...]  # batches (0: the config's) and settings, of program.SETTINGS
DCGAN: Points = ((32, "default"), (128, "default"), (512, "default"), (512, "float32"), (512, "bfloat16"))
DCGAN += ((2048, "default"), (2048, "bfloat16"))
STYLEGAN: Points = ((16, "default"), (16, "bfloat16"))
WGAN_GP: Points = ((64, "default"), (64, "bfloat16"), (512, "default"), (512, "bfloat16"))


def _gan(name: str, points: Points, seconds: float, smoke: Mapping[str, Any] | None = None) -> Part:
    options = {"config": name, "points": points}
    return Part(
        name, f"a step of {name} at several batches", "steps", seconds, (f"{HERE}.speed:steps",), options, smoke
    )


def _grown(name: str, points: Points, seconds: float) -> Part:
    changes = dict(WORKLOADS[name].overrides)
    options = {"config": WORKLOADS[name].config, "changes": changes, "title": name, "points": points}
    return Part(name, f"the last phase of {name}", "steps", seconds, (f"{HERE}.speed:steps",), options)


def _stylegan2(pixels: int, setting: str, seconds: float) -> Part:
    options = {"config": f"stylegan2_ada:auto{pixels}", "points": ((0, setting),), "pixels": pixels}
    precision = {"default": "float32 with default products", "float32": "exact float32"}.get(setting, setting)
    says = f"StyleGAN2 at {pixels} pixels as NVIDIA timed it, in {precision}"
    name = f"stylegan2_{pixels}_{setting}"
    return Part(name, says, "steps", seconds, (f"{HERE}.speed:steps",), options, needs_accelerator=True)


def _torch(
    name: str, points: Points, seconds: float, form: str = "eager", smoke: Mapping[str, Any] | None = None
) -> Part:
    options = {"workload": name, "points": points, "form": form}
    short = f"{name}_torch" + ("" if form == "eager" else f"_{form}")
    says = f"the same step of {name} in PyTorch, {form}"
    return Part(short, says, "steps", seconds, (f"{HERE}.in_torch:steps",), options, smoke)


PARTS = (
    Part("device", "which device and which software", "facts", 15, (f"{HERE}.environment:facts",), smoke={}),
    Part(
        "resume",
        "a resumed run ends at the bits of one that was not stopped, with deterministic kernels",
        "checks",
        60,
        (f"{HERE}.resume:uninterrupted", f"{HERE}.resume:resumed"),
        {"config": "dcgan", "steps": 40},
        {"config": "gan:smoke", "steps": 4},
        DETERMINISTIC,
    ),
    Part(
        "cpu",
        "float32 is that of a CPU",
        "checks",
        100,
        (f"{HERE}.agreement:with_cpu",),
        {"configs": ("dcgan:smoke", "wgan_gp:smoke", "stylegan2:smoke"), "seeds": 5, "steps": 4},
        {"configs": ("gan:smoke",), "seeds": 2, "steps": 2},
    ),
    Part(
        "bfloat16",
        "bfloat16 trains as float32 does",
        "checks",
        60,
        (f"{HERE}.agreement:of_bfloat16",),
        {"config": "dcgan", "seeds": 8, "steps": 200, "samples": 1000},
        {"config": "gan:smoke", "seeds": 2, "steps": 4, "samples": 8},
    ),
    _stylegan2(256, "bfloat16", 100),
    _gan("dcgan", DCGAN, 80, {"config": "gan:smoke", "points": ((2, "default"), (4, "default")), "pixels": 28} | BRIEF),
    _torch("dcgan", DCGAN, 50, smoke={"workload": "gan", "points": ((2, "default"), (2, "bfloat16"))} | BRIEF),
    _stylegan2(1024, "bfloat16", 140),
    Part(
        "features",
        "features of the Fréchet Inception distance",
        "features",
        30,
        (f"{HERE}.features:of_inception",),
        {"pixels": (32, 256), "batches": (64, 256), "images": 2048},
        {"pixels": (32,), "batches": (2,), "images": 4, "net": "squeezenet"},
    ),
    _gan("wgan_gp", WGAN_GP, 60),
    _torch("wgan_gp", WGAN_GP, 40),
    _stylegan2(256, "default", 100),
    _grown("stylegan_64", STYLEGAN, 100),
    _torch("stylegan_64", STYLEGAN, 40),
    Part(
        "profile",
        "the kernels that a step of StyleGAN2 at 256 pixels takes its time in",
        "kernels",
        60,
        (f"{HERE}.profile:of_steps",),
        {"config": "stylegan2_ada:auto256", "setting": "bfloat16", "pixels": 256, "steps": 16},
        {"config": "gan:smoke", "pixels": 0, "steps": 2, "batch": 2},
        needs_accelerator=True,
    ),
    _stylegan2(1024, "default", 140),
    _stylegan2(256, "float32", 100),
    Part(
        "resume_plain",
        "the same with the kernels that XLA chooses by itself, which need not repeat their bits",
        "checks",
        50,
        (f"{HERE}.resume:uninterrupted", f"{HERE}.resume:resumed"),
        {"config": "dcgan", "steps": 40, "must": False},
    ),
    _torch("dcgan", DCGAN[:1], 90, "compile"),
    _torch("wgan_gp", WGAN_GP[:1], 90, "compile"),
    _stylegan2(1024, "float32", 140),
)
"""All parts, the first of which every session runs. The estimates were not measured on a chip."""


def chosen(names: Collection[str], smoke: bool) -> list[Part]:
    """The parts of some names (all without one) in their order, and the first. Raises: InputError for unknown names."""
    known = {part.name: part for part in PARTS if not smoke or part.smoke is not None}
    for name in names:
        pick(known, name, "--parts")
    parts = [part for part in known.values() if not names or part.name in names or part is PARTS[0]]
    return [part.tiny if smoke else part for part in parts]


def why_not(part: Part, remaining: float, platform: str) -> str:
    """The reason to leave a part out, or ""."""
    if part.needs_accelerator and platform == "cpu":
        return "this machine has no accelerator"
    if part.seconds > remaining:
        return f"it takes about {part.seconds:.0f} s, and {max(0, remaining):.0f} s of the budget were left"
    return ""


def check_budget(parts: Collection[Part], budget: float) -> None:
    """Refuse a budget in which nothing fits. Raises: InputError."""
    least = min(part.seconds for part in parts)
    if budget < least:
        raise InputError(f"--budget={budget:g}: expected {least:g} seconds or more, which the shortest part takes")
