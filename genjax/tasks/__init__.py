"""What is trained: nets x losses -> Task. `build` finds a config's task by its name."""

from ml_collections import ConfigDict

from genjax.config import pick
from genjax.engine.phase import Task


def build(config: ConfigDict, shape: tuple[int, ...]) -> Task:
    """The task that a config describes, for examples of one shape. Raises: InputError if they do not fit."""
    from genjax.tasks import classifier, gan

    return pick({"gan": gan.build, "classifier": classifier.build}, config.task, "task")(config, shape)


def config_of(name: str) -> ConfigDict:
    """A task's config with every key and its default. Raises: InputError for an unknown task."""
    from genjax.tasks import classifier, gan

    return pick({"gan": gan.config, "classifier": classifier.config}, name, "task")()
