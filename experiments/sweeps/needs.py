"""The resources that each run needs of a cluster, checked, and in the words of Slurm and of Ray."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from genjax.errors import InputError, did_you_mean

CHIPS = (1, 4, 8)  # of a TPU, in one machine
TPUS = {"v5e": "TPU-V5LITEPOD", "v6e": "TPU-V6E"}
"""Ray's names of the TPUs, for the generations whose number after the hyphen counts chips."""

EXAMPLE = 'as in NEEDS = {"cores": 2, "memory_gib": 8, "minutes": 120, "gpus": 1, "tpu": "v5e-8"}'


class Needs(NamedTuple):
    """Resources of one run; None is the cluster's default."""

    cores: int = 1
    memory_gib: float | None = None
    minutes: int | None = None
    gpus: int = 0
    tpu: str | None = None  # generation and number of chips

    @property
    def chips(self) -> int:
        """The number of chips of a TPU."""
        return int(self.tpu.split("-")[1]) if self.tpu else 0


def parse(value: Any) -> Needs:
    """The needs of a file. Raises: InputError for an unknown key or a value that no machine has."""
    if not isinstance(value, Mapping):
        raise InputError(f"NEEDS={value!r}: expected a dictionary, {EXAMPLE}")
    for key in value:
        if key not in Needs._fields:
            raise InputError(f"NEEDS: {key!r} is unknown{did_you_mean(key, Needs._fields)}, {EXAMPLE}")
    for key, least in (("cores", 1), ("minutes", 1), ("gpus", 0)):
        number = value.get(key, least)
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InputError(f"NEEDS: {key}={number!r}: expected an integer of at least {least}")
    memory = value.get("memory_gib", 1)
    if isinstance(memory, bool) or not isinstance(memory, int | float) or not 0 < memory < float("inf"):
        raise InputError(f"NEEDS: memory_gib={memory!r}: expected a positive number of GiB")
    if "tpu" in value:
        _check_tpu(value["tpu"])
        if value.get("gpus"):
            raise InputError("NEEDS has both gpus and tpu: a run trains on one kind of device")
    return Needs(**value)


def parse_slurm(value: Any) -> dict[str, Any]:
    """More parameters of Slurm by submitit's names, which it checks on submission. Raises: InputError."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(f'SLURM={value!r}: expected parameters, as in SLURM = {{"partition": "gpu", "account": "me"}}')
    return dict(value)


def as_slurm(needs: Needs, more: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of submitit, `more` among them.

    Raises: InputError for needs that Slurm does not know, and for those that `more` names again.
    """
    if needs.minutes is None:
        raise InputError('--on=slurm: how long may a run take? NEEDS = {"minutes": 120}; what is left goes on later')
    if needs.tpu:
        raise InputError("--on=slurm knows no tpu: name the partition, and gres where it has them, in SLURM")
    own = {"time": "minutes", "mem": "memory_gib", "cpus_per_task": "cores", "gpus_per_node": "gpus"}
    if twice := [f"{name} (NEEDS: {own[name]})" for name in own if name in more]:
        raise InputError(f"SLURM has {', '.join(twice)}: leave that to NEEDS")
    once = {"no-requeue": True, **more.get("additional_parameters", {})}
    srun = [f"--cpus-per-task={needs.cores}", *more.get("srun_args", ())]  # srun does not take it from sbatch
    return {
        "name": "genjax",
        "timeout_min": needs.minutes,
        "mem_gb": needs.memory_gib,
        "cpus_per_task": needs.cores,
        "gpus_per_node": needs.gpus or None,
        **{f"slurm_{name}": value for name, value in more.items()},
        "slurm_additional_parameters": once,
        "slurm_srun_args": srun,
    }


def as_ray(needs: Needs) -> dict[str, Any]:
    """The options of a task of Ray, which limits no time; its retries are off, as the sweep has a rule of its own."""
    resources = {"num_cpus": needs.cores, "num_gpus": needs.gpus, "max_retries": 0}
    if needs.memory_gib:
        resources["memory"] = int(needs.memory_gib * 2**30)
    if needs.tpu:
        resources |= {"resources": {"TPU": needs.chips}, "accelerator_type": TPUS[needs.tpu.split("-")[0]]}
    return resources


def _check_tpu(value: Any) -> None:
    match = re.fullmatch(r"(\w+)-(\d+)", value) if isinstance(value, str) else None
    if not match or match[1] not in TPUS or int(match[2]) not in CHIPS:
        choices = ", ".join(f"{name}-{chips}" for name in TPUS for chips in CHIPS)
        raise InputError(f"NEEDS: tpu={value!r}: expected the TPU of one machine: {choices}")
