"""Whether the run in a folder goes on: the same run, from a checkpoint. Nothing that was saved is lost."""

from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

from genjax.config import changes, differences, flat
from genjax.engine.checkpoint import Newest
from genjax.errors import InputError
from genjax.run import origin
from genjax.run.paths import PLACES, located
from genjax.run.restore import naming_origin, saved_config
from genjax.run.workdir import ASIDE, Records, Workdir

WITHOUT_EFFECT = {
    "data.workers": "the batches are the same",
    "log.trackers": "the numbers are the same",
    "log.project": "the numbers are the same",
}
"""Keys that change no bit of a run -> what a line says of a change."""


def check_same_run(workdir: Workdir, info: Mapping[str, Any], force: bool) -> list[str]:
    """Refuse a run of another config, data, files or extensions. Returns: lines on what differs without effect.

    Raises: InputError with the differences.
    """
    old = workdir.read_info()
    if old is None or force:
        return []
    with naming_origin(old):
        config = saved_config(old)
    parts = [({part: old.get(part, {})}, {part: info[part]}) for part in ("data", "files", "extensions")]
    idle = [(key, was, now) for key, was, now in changes(config, info["config"]) if key in WITHOUT_EFFECT]
    config.update_from_flattened_dict({key: now for key, _, now in idle})
    moved = []
    if _same_contents(old, info):
        parts = parts[2:]
        moved = [(key, was, now) for key, was, now in changes(config, info["config"]) if key in PLACES]
        config.update_from_flattened_dict({key: now for key, _, now in moved})
    different = [line for pair in [(config, info["config"]), *parts] for line in differences(*pair)]
    if different:
        lines = "\n  ".join([f"{workdir.path} holds a run of another config:", *different, *origin.difference(old)])
        raise InputError(f"{lines}\nchoose another --workdir, or --resume=force to resume it with the new config")
    notes = [f"{key}: {was} -> {now}: moved, the contents are the same" for key, was, now in moved]
    notes += [f"{key}: {was} -> {now}: {WITHOUT_EFFECT[key]}" for key, was, now in idle]
    new_keys = sorted(key for key, was, _ in changes(old["config"], config) if was == "absent")
    if new_keys:
        notes.append(f"keys that the run did not have are at their defaults: {', '.join(new_keys)}")
    return notes


def with_names_kept(workdir: Workdir, info: dict[str, Any]) -> dict[str, Any]:
    """`info` with the origin of a run's first weights, and with the relative names that it was given.

    The names are kept if they are the same files: a run may move with its data.
    """
    old = workdir.read_info()
    info = {key: old[key] for key in ("init", "weights", "together") if old and key in old} | info
    places = located(old["config"], old.get("folder")) if old else {}
    now = flat(info["config"])
    if not places or any(now.get(key) != place for key, place in places.items()):
        return info
    names = flat(old["config"])
    config = ConfigDict(info["config"])
    config.update_from_flattened_dict({key: names[key] for key in places})
    return info | {"config": config.to_dict(), "folder": old.get("folder")}


def _same_contents(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether data and files are the same, wherever they are."""
    contents = [
        [{**info.get("data", {}), "name": ""}, list(info.get("files", {}).values()), _lengths(info["config"])]
        for info in (old, new)
    ]
    return contents[0] == contents[1]


def _lengths(config: Mapping[str, Any]) -> list[int]:
    """The number of files that each list of the style names."""
    return [len(config.get("style", {}).get(name, ())) for name in ("images", "masks")]


def check_nothing_is_lost(workdir: Workdir, newest: Newest, force: bool) -> None:
    """Refuse to begin at step 0 where a run was saved, and to go on without a config.json. Raises: InputError."""
    if force:
        return
    info = workdir.read_info()
    records = workdir.records_after(-1)
    aside = workdir.path / ASIDE
    if info is None:
        contents = [str(records)] if any(records) else []
        contents += ["checkpoints"] if newest.damaged or newest.step is not None else []
        if contents:
            raise InputError(
                f"{workdir.path} has no config.json, but {' and '.join(contents)}: put it back, choose another "
                "--workdir, or --resume=force\nto go on from the newest checkpoint (without one, all of it is moved to "
                f"{aside})"
            )
    elif newest.step is None and (newest.damaged or _was_saved(info, records)):
        saved = f"{workdir.path} has a run that was saved ({records or 'no rows'}), but no intact checkpoint:"
        damaged = newest.damaged or ["there is none in checkpoints/"]
        raise InputError(
            "\n  ".join([saved, *damaged]) + "\nput its checkpoints back, choose another --workdir, or --resume=force "
            f"to begin at step 0 (all of it is moved to {aside})"
        )


def _was_saved(info: Mapping[str, Any], records: Records) -> bool:
    """Whether a run ever had a checkpoint. Runs of before this was recorded are known by their rows."""
    if "saved" in info:
        return info["saved"] is not None
    return any(row["step"] >= info["config"].get("save_every", 1) for row in records.rows)
