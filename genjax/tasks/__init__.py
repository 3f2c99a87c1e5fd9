"""What is trained: nets x losses -> Task. `build` finds a config's task by its name."""

from ml_collections import ConfigDict

from genjax.config import pick
from genjax.engine.phase import Task


def build(config: ConfigDict, shape: tuple[int, ...]) -> Task:
    """The task that a config describes, for examples of one shape. Raises: InputError if they do not fit."""
    from genjax.tasks import autoencoder, classifier, gan

    return pick(
        {"autoencoder": autoencoder.build, "classifier": classifier.build, "gan": gan.build}, config.task, "task"
    )(config, shape)


def config_of(name: str) -> ConfigDict:
    """A task's config with every key and its default. Raises: InputError for an unknown task."""
    from genjax.tasks import autoencoder, classifier, gan

    return pick({"autoencoder": autoencoder.config, "classifier": classifier.config, "gan": gan.config}, name, "task")()
