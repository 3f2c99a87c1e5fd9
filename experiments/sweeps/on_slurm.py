"""Runs as Slurm's jobs, one each, through submitit. Their scripts and outputs are in the sweep's folder, in slurm/."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.sweeps import outcome, process
from experiments.sweeps.executor import LOST, SAVED
from experiments.sweeps.needs import Needs, as_slurm
from experiments.sweeps.plan import Run
from genjax.errors import InputError
from genjax.files import write_bytes

JOB = "job.json"  # in a run's folder: its newest job
REFUSED = ("CANCELLED", "OUT_OF_MEMORY")  # states of jobs whose runs are not submitted again
OVER = ("PREEMPTED", "NODE_FAIL", "BOOT_FAIL")  # states that last, since Slurm itself requeues none of the jobs


class Job:
    """A job; its exit code is read from the file that the job writes, and never from submitit's pickles."""

    def __init__(self, run: Run, job):
        self.run, self.job = run, job
        self._log = process.Log(run)
        self._stopped = self._saved = False

    def poll(self) -> int | None:
        """The exit code; `LOST` for a job that ended without one, unless its run is done."""
        code = process.read_code(self.run.path / process.ENDED)
        if self._stopped or code not in (None, SAVED):
            return LOST if code is None else code
        if code == SAVED and not self._saved:
            self._saved = True
            self.job.watcher.register_job(self.job.job_id)  # which makes it ask Slurm soon: is it being cancelled?
        state = self.job.state
        if state in ("RUNNING", "COMPLETING") if code else not self.job.done() and not state.startswith(OVER):
            return None
        if outcome.state(self.run) == outcome.DONE:
            return 0
        return 1 if state.startswith(REFUSED) else code or LOST

    def stop(self, number: int) -> None:
        """Cancel the job, whose run saves and ends."""
        self.job.cancel(check=False)
        self._stopped = True

    def reason(self, code: int) -> str:
        """The state of the job, or else the words of the run."""
        if code == LOST or self.job.state.startswith(REFUSED):
            return f"job {self.job.job_id}: {self.job.state}; see {self.job.paths.stderr}"
        return self._log.reason(code)


class OnSlurm:
    """Submits each run as a job; a run whose job still waits or runs is not submitted again, but looked at."""

    resubmits = True
    leaves = "stay in Slurm's queue; the same command finds them again, and scancel ends them"

    def __init__(self, folder: Path, needs: Needs, more: Mapping[str, Any], at_once: int | None, cluster="slurm"):
        try:
            import submitit
        except ImportError as error:
            raise InputError("--on=slurm needs submitit: pip install 'genjax[slurm]'") from error
        if cluster == "slurm" and not (shutil.which("sbatch") and shutil.which("srun")):
            raise InputError("--on=slurm: there is no sbatch on this machine; run the sweep on a login node")
        self.at_once, self._needs = at_once, needs
        self._refusal = submitit.core.utils.FailedJobError
        self._submitit = submitit.AutoExecutor(folder.absolute() / "slurm", cluster=cluster)
        try:
            self._submitit.update_parameters(**as_slurm(needs, more))
        except (NameError, ValueError, TypeError) as error:
            raise InputError(f"SLURM={dict(more)!r}: {str(error).splitlines()[0]}") from error

    def submit(self, run: Run) -> Job:
        """Submit a run, or find the job that it has in the queue."""
        run.path.mkdir(parents=True, exist_ok=True)
        if old := self._queued(run):
            return Job(run, old)
        process.describe(run, self._needs.cores)
        call = process.call(run, self._needs.cores)
        (run.path / process.ENDED).unlink(missing_ok=True)
        try:
            job = self._submitit.submit(process.keep, call)
        except self._refusal as error:
            raise InputError(f"Slurm refuses {run.title}: {str(error).strip().splitlines()[-1]}") from error
        write_bytes(run.path / JOB, json.dumps({"job": job.job_id}).encode())
        return Job(run, job)

    def _queued(self, run: Run):
        """The newest job of a run if it has not ended."""
        if not (run.path / JOB).exists() or (run.path / process.ENDED).exists():
            return None
        name = json.loads((run.path / JOB).read_text("utf-8"))["job"]
        job = self._submitit._executor.job_class(self._submitit.folder, name)
        return None if job.done(force_check=True) or job.state.startswith(OVER) else job
