"""A run's folder, whatever is removed from it or damaged, gives what was saved or is refused, and stays unchanged."""

import json
import shutil

import jax
import numpy as np
import pytest
from fuzzing import damaged, property_of, result_or_line
from helpers import config_of
from hypothesis import strategies as st

from genjax import data, tasks
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.state import Net, State
from genjax.report import html
from genjax.run import restore
from genjax.run.description import run_info
from genjax.run.workdir import Workdir

STEPS = (1, 2, 3)


def state_of(step):
    weights = {"kernel": np.full((3, 4), step, np.float32), "bias": np.arange(step, step + 4, dtype=np.float32)}
    return State(np.int32(step), {"net": Net(weights, {}, ())}, {}, {})


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with a checkpoint of each of STEPS."""
    path = tmp_path_factory.mktemp("checkpoints")
    for step in STEPS:
        Checkpoints(path).save(state_of(step), {"seconds": float(step)})
    return path


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """The config.json and the metrics.jsonl of a run."""
    path = tmp_path_factory.mktemp("records")
    config = config_of("gan", data__name="ring8", generator__output="linear")
    source = data.load(config.data)
    (path / "config.json").write_text(json.dumps(run_info(config, source, tasks.build(config, source.shape)), indent=2))
    for step in STEPS:
        Workdir(path).log({"step": step, "seconds": 1.0, "critic/loss": 0.5})
    return path


def copied(folder, original):
    path = folder / "copy"
    shutil.rmtree(path, ignore_errors=True)
    return shutil.copytree(original, path)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def spoil(draw, folder):
    """Remove or damage one to four files or folders, and add others."""
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(sorted(path for path in folder.rglob("*") if path.is_file()) or [folder / "x"]))
        match draw(st.sampled_from(["bytes", "file", "folder", "turn", "add", "rename"])):
            case "bytes" if path.exists():
                path.write_bytes(draw(damaged(path.read_bytes())))
            case "file":
                path.unlink(missing_ok=True)
            case "folder" if path.parent != folder:
                shutil.rmtree(path.parent)
            case "turn":
                path.unlink(missing_ok=True)
                path.mkdir()
            case "add":
                (path.parent / draw(st.sampled_from(["00000009", "junk", "4.partial"]))).mkdir(exist_ok=True)
            case "rename" if path.exists():
                other = path.with_name(draw(st.sampled_from(["manifest.json", "other"])))
                if not other.is_dir():
                    path.rename(other)


@pytest.mark.heavy
@property_of(fixtures=["saved"], draws=st.data())
def test_a_checkpoint_is_what_was_saved_or_refused(folder, saved, draws):
    path = copied(folder, saved)
    spoil(draws.draw, path)
    before = contents(path)
    checkpoints = Checkpoints(path)
    for step in checkpoints.steps():
        state = result_or_line(lambda step=step: checkpoints.restore(step, state_of(step)))
        if state is not None:
            jax.tree.map(np.testing.assert_array_equal, state, state_of(step))
            assert checkpoints.metadata(step) == {"seconds": float(step)}
    assert contents(path) == before


@st.composite
def with_another_value(draw, root):
    """JSON with one value replaced by one of any type, or removed."""
    root = node = json.loads(json.dumps(root))
    while isinstance(node, dict) and node:
        key = draw(st.sampled_from(sorted(node)))
        if not isinstance(node[key], dict) or draw(st.integers(0, 4)) == 0:
            node[key] = draw(st.sampled_from([None, 0, -1, "x", [], {}, 1.5, True, [1, 2], [None], {"net": "mlp"}]))
            if draw(st.booleans()):
                del node[key]
            break
        node = node[key]
    return root


@property_of(fixtures=["records", "monkeypatch"], draws=st.data())
def test_records_of_a_run_are_read_or_refused(folder, records, monkeypatch, draws):
    path = copied(folder, records)
    file = path / "config.json"
    if draws.draw(st.booleans()):
        file.write_text(json.dumps(draws.draw(with_another_value(json.loads(file.read_text())))))
    else:
        file.write_bytes(draws.draw(damaged(file.read_bytes())))
    if draws.draw(st.booleans()):
        rows = path / "metrics.jsonl"
        rows.write_bytes(draws.draw(damaged(rows.read_bytes())))
    before = contents(path)
    monkeypatch.setattr(restore, "abstract_state", lambda *_: None)
    assert result_or_line(lambda: restore.restore(path), lines=3) is None  # it has no checkpoint
    assert contents(path) == before
    monkeypatch.setattr(html.curves, "draw", lambda rows, path: path.write_bytes(b""))  # drawing takes long
    result_or_line(lambda: html.write(path), lines=2)
