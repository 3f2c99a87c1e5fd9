"""Writers to the trackers that people have: one small class each, whose library is imported when it is made."""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class About:
    """A run as a tracker is given it: its folder, the project that it belongs to, and its config by dotted keys."""

    folder: Path
    project: str
    config: Mapping[str, Any]


class Writer(Protocol):
    """One run of a tracker. It is made from what there is to say of the run and from its id there; "" makes a new one.

    Any method may raise anything.
    """

    package: ClassVar[str]  # that is imported, of `genjax.errors.EXTRAS` or installed with genjax
    id: str  # of the run there, by which a later process goes on
    where: str  # for the user: an address or a place

    def __init__(self, about: About, run_id: str): ...

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """A point of each curve."""

    def image(self, step: int, name: str, image: "Image") -> None:
        """An RGB image of a sequence."""

    def flush(self) -> None:
        """Write what is buffered."""

    def close(self) -> None:
        """Write everything, and end."""


class TensorBoard:
    """Event files in a run's tensorboard/."""

    package = "tensorboardX"

    def __init__(self, about: About, run_id: str):
        import tensorboardX

        self.id = "tensorboard"
        self.where = str(about.folder / self.id)
        suffix = f".{secrets.token_hex(3)}"  # two processes of one second must not share a file
        self._writer = tensorboardX.SummaryWriter(self.where, filename_suffix=suffix)
        self.flush, self.close = self._writer.flush, self._writer.close

    def scalars(self, step, values):
        """One curve per name."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def image(self, step, name, image):
        """One sequence of images per name."""
        self._writer.add_image(name, np.asarray(image), step, dataformats="HWC")


class WeightsAndBiases:
    """A run of Weights & Biases, whose files are in the run's wandb/; WANDB_MODE=offline sends nothing."""

    package = "wandb"

    def __init__(self, about: About, run_id: str):
        import wandb

        self.id = run_id or secrets.token_hex(4)
        self._image = wandb.Image
        self._run = wandb.init(
            project=about.project,
            name=about.folder.name,
            id=self.id,
            resume="allow",
            reinit="create_new",
            dir=str(about.folder),
            config=dict(about.config),
            allow_val_change=True,
            settings=wandb.Settings(console="off", silent=True, login_timeout=30),
        )
        # Their own count of calls may not go back, and is not known to a process that goes on offline.
        self._run.define_metric("*", step_metric="step")
        self.where = self._run.url or self._run.dir

    def scalars(self, step, values):
        """One row."""
        self._run.log({"step": step, **values})

    def image(self, step, name, image):
        """An image of a row."""
        self._run.log({"step": step, name: self._image(image)})

    def flush(self):
        """A process of its own writes what it is given."""

    def close(self):
        """Wait until everything is written."""
        self._run.finish()


class MLflow:
    """A run of MLflow, in the store of MLFLOW_TRACKING_URI or MLflow's own default, and the experiment `project`."""

    package = "mlflow"

    def __init__(self, about: About, run_id: str):
        from mlflow import MlflowClient, entities, get_tracking_uri

        self._client = MlflowClient()
        self._entities = entities
        self.id = run_id or self._create(about)
        self._client.update_run(self.id, "RUNNING")
        self.where = f"run {self.id} in {get_tracking_uri()}"

    def _create(self, about: About) -> str:
        experiment = self._client.get_experiment_by_name(about.project)
        number = experiment.experiment_id if experiment else self._client.create_experiment(about.project)
        run_id = self._client.create_run(number, run_name=about.folder.name).info.run_id
        params = [self._entities.Param(key, str(value)[:500]) for key, value in about.config.items()]
        for i in range(0, len(params), 100):  # the most of one request
            self._client.log_batch(run_id, params=params[i : i + 100])
        return run_id

    def scalars(self, step, values):
        """One metric per name, in which MLflow accepts few signs."""
        now = int(time.time() * 1000)
        names = {name: re.sub(r"[^/\w.\- :]", "_", name) for name in values}
        metrics = [self._entities.Metric(names[name], float(value), now, step) for name, value in values.items()]
        self._client.log_batch(self.id, metrics=metrics)

    def image(self, step, name, image):
        """An artifact in images/, a PNG per step."""
        self._client.log_image(self.id, image, f"images/{name}/step_{step:08d}.png")

    def flush(self):
        """Every request is written at once."""

    def close(self):
        """Say that nothing more comes."""
        self._client.set_terminated(self.id)


class Trackio:
    """A run of trackio, on this machine: in TRACKIO_DIR or trackio's own default."""

    package = "trackio"

    def __init__(self, about: About, run_id: str):
        import trackio

        self.id = run_id or f"{about.folder.name}-{secrets.token_hex(3)}"
        self._image = trackio.Image
        config = dict(about.config)
        quiet = {"auto_log_gpu": False, "auto_log_cpu": False, "embed": False}
        self._run = trackio.init(about.project, self.id, config=config, resume="allow", **quiet)
        self.where = f"run {self.id}; to look: trackio show --project {about.project}"

    def scalars(self, step, values):
        """One row."""
        self._run.log(dict(values), step=step)

    def image(self, step, name, image):
        """An image of a row."""
        self._run.log({name: self._image(image)}, step=step)

    def flush(self):
        """A thread of its own writes what it is given."""

    def close(self):
        """Wait until everything is written."""
        self._run.finish()


WRITERS: dict[str, type[Writer]] = {
    "tensorboard": TensorBoard,
    "wandb": WeightsAndBiases,
    "mlflow": MLflow,
    "trackio": Trackio,
}
"""Name in log.trackers -> writer."""
