"""A worker process, from its parent's side."""

import json
import math
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT = 300.0
"""Seconds to wait for an answer, a worker's start and compilation included."""

ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",  # compile times are those of a first start
    "GOMP_SPINCOUNT": "10000",  # wait for microseconds, then sleep: spinning threads slow the others down
}


class Failed(RuntimeError):
    """A worker reported an error, died, or took too long."""


class Worker:
    """A library training a workload in its own process; a context manager, ready once entered."""

    def __init__(self, peer: str, workload: str, variant: str, limit: float = LIMIT, **environment: str):
        self.command = [sys.executable, "-m", "experiments.benchmarks.worker", peer, workload, variant]
        self.limit, self.idle, self.peak_mib, self.failed = limit, 0.0, 0.0, False
        cold = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
        self.environment = cold | ENVIRONMENT | environment

    def __enter__(self):
        """Start it and wait until it has compiled. Raises: Failed."""
        self.log = tempfile.TemporaryFile()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.log}
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, **pipes)
        try:
            self.ready = self._answer()
        except BaseException:
            self.__exit__()
            raise
        self.step_seconds, self.peak_mib = self.ready["step_seconds"], self.ready["peak_mib"]
        return self

    def __exit__(self, *_):
        """End it."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stdin.close()
        self.log.close()

    def run(self, steps: int) -> float:
        """Run `steps` steps. Returns: seconds per step. Raises: Failed, also if a loss is not finite."""
        answer = self.ask(run=steps)
        for name, value in answer["losses"].items():
            if not math.isfinite(value):
                raise self._failure(f"{name} became {value}")
        self.idle, self.peak_mib = max(self.idle, answer["idle_cpu_seconds"]), answer["peak_mib"]
        return answer["seconds"] / steps

    def ask(self, **request) -> dict:
        """Send a request. Returns: its answer. Raises: Failed."""
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._failure(self._died()) from None
        return self._answer()

    def _answer(self) -> dict:
        if not select.select([self.process.stdout], [], [], self.limit)[0]:
            raise self._failure(f"no answer within {self.limit:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise self._failure(self._died())
        answer = json.loads(line)
        if "error" in answer:
            raise self._failure(answer["error"])
        return answer

    def _failure(self, why: str) -> Failed:
        self.failed = True
        return Failed(why)

    def _died(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return f"the worker died with code {self.process.wait()}: {lines[-1] if lines else 'no message'}"
