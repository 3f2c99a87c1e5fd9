"""A process that trains one workload with one library: python -m experiments.benchmarks.worker PEER WORKLOAD VARIANT

It answers with lines of JSON on stdout: first one when it is ready, then one per line on stdin:
{"run": steps} trains, {"matmul": times} multiplies float32 matrices of side 2048. In between it sleeps.
"""

import importlib
import json
import os
import resource
import sys
import time
from importlib import metadata
from pathlib import Path

from experiments.benchmarks.peers import PEERS
from experiments.benchmarks.workloads import WORKLOADS

SIDE = 2048


def main(peer: str, name: str, variant: str) -> None:
    """Answer requests until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # output of the libraries is no answer

    def answer(**message):
        print(json.dumps(message), file=answers)

    try:
        runner, ready = prepare(peer, name, variant)
    except Exception as error:
        answer(error=f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}")
        raise
    answer(**ready)
    used = time.process_time()
    for line in sys.stdin:
        request = json.loads(line)
        idle = time.process_time() - used  # of all threads: near zero if none spins
        start = time.perf_counter()
        if "matmul" in request:
            answer(seconds=matmul(request["matmul"]))
        else:
            losses = runner.run(request["run"])
            seconds = time.perf_counter() - start
            answer(seconds=seconds, losses=losses, idle_cpu_seconds=round(idle, 4), peak_mib=peak_mib())
        used = time.process_time()


def prepare(peer: str, name: str, variant: str):
    """The runner after its first steps, and the answer that says it is ready.

    Raises: ValueError if the number of parameters is not the workload's.
    """
    workload = WORKLOADS[name]
    library = importlib.import_module(f"experiments.benchmarks.peers.{PEERS[peer].module}")
    start = time.perf_counter()
    runner = library.build(workload, variant, lambda: images(workload))
    runner.run(1)
    compiled = time.perf_counter()
    losses = runner.run(workload.compared - 1)
    if sum(runner.parameters.values()) != sum(workload.parameters.values()):
        raise ValueError(f"numbers of parameters of {peer}: got {runner.parameters}, expected {workload.parameters}")
    steps = 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < 0.3:
        steps += 1
        runner.run(1)
    return runner, {
        "parameters": runner.parameters,
        "compile_seconds": compiled - start,
        "losses": losses,
        "step_seconds": (time.perf_counter() - begin) / steps,
        "peak_mib": peak_mib(),
        "versions": {package: metadata.version(package) for package in PEERS[peer].packages},
    }


def images(workload):
    """The packaged images of a workload as input of its nets. Shapes: -> float32 [N, *workload.shape]."""
    import numpy as np

    from genjax import data
    from genjax.config import defaults

    config = defaults("").data
    config.name = workload.data
    source = data.load(config)
    x = source.read(np.arange(source.size)).astype(np.float32)
    return (x * ((1 - workload.low) / 255) + workload.low).reshape(-1, *workload.shape)


def matmul(times: int) -> float:
    """Seconds that JAX takes for a product of two float32 matrices of side 2048."""
    import jax
    import jax.numpy as jnp

    a = jnp.full((SIDE, SIDE), 1 / SIDE, jnp.float32)
    multiply = jax.jit(jnp.matmul)
    a = jax.block_until_ready(multiply(a, a))
    start = time.perf_counter()
    for _ in range(times):
        a = multiply(a, a)
    jax.block_until_ready(a)
    return (time.perf_counter() - start) / times


def peak_mib() -> float:
    """The peak memory of this process, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts what the parent held before exec as well
        (line,) = (line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main(*sys.argv[1:])
