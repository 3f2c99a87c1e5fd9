"""Series of unequal length: what is after an end is in no number, and series that do not fit are refused."""

import numpy as np
import pytest
from helpers import config_of, run

from genjax.run.records import read_evaluations
from genjax.run.training import train

pytestmark = pytest.mark.usefixtures("no_report")

STEPS = 6
LENGTHS = np.arange(40) % STEPS + 1


def series(steps=STEPS):
    return np.random.default_rng(0).random((40, steps, 2), np.float32)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A run, with the series that it was trained on and others."""
    folder = tmp_path_factory.mktemp("place")
    x, gaps = series(), series()
    np.savez(folder / "own.npz", x=x, lengths=LENGTHS)
    beyond = np.arange(STEPS) >= LENGTHS[:, None]
    np.savez(folder / "other_ends.npz", x=np.where(beyond[..., None], 1e9, x), lengths=LENGTHS)
    np.savez(folder / "longer.npz", x=series(STEPS + 3))
    np.savez(folder / "shorter.npz", x=series(STEPS - 1))
    gaps[5, 2] = np.nan
    np.savez(folder / "gaps.npz", x=gaps, lengths=LENGTHS)
    given = {"data__name": f"series:{folder / 'own.npz'}", "data__split": "train[:30]", "eval__heldout": "train[30:]"}
    assert train(config_of("ae_recurrent", **given), folder / "run") == 0
    return folder


@pytest.mark.heavy
def test_the_error_is_a_mean_over_the_numbers_that_are_there(place):
    workdir = f"--workdir={place / 'run'}"
    assert run("genjax.reconstruct", workdir, f"--out={place / 'y.npy'}").code == 0
    y, errors = np.load(place / "y.npy"), []
    for restored, true, length in zip(y, series()[30:], LENGTHS[30:], strict=True):
        errors += ((restored[:length].astype(float) - true[:length]) ** 2).ravel().tolist()
        assert np.isnan(restored[length:]).all()
    done = run("genjax.evaluate", workdir)  # by the run's own held-out split
    assert done.code == 0, done.err
    (row,) = read_evaluations(place / "run" / "metrics.jsonl")
    assert len(errors) == 2 * LENGTHS[30:].sum()
    assert row["values"]["Reconstruction, mean squared error"] == pytest.approx(np.mean(errors), rel=1e-6)


@pytest.mark.heavy
def test_latents_know_nothing_of_what_is_after_an_end(place):
    found = []
    for name in ("own", "other_ends"):
        given = [f"--data=series:{place / name}.npz", "--split=train", f"--out={place / 'z.npz'}"]
        done = run("genjax.encode", f"--workdir={place / 'run'}", *given)
        assert done.code == 0, done.err
        found.append(np.load(place / "z.npz")["latents"])
    assert np.isfinite(found[0]).all()
    assert len(np.unique(found[0], axis=0)) == 40
    np.testing.assert_array_equal(*found)


@pytest.mark.heavy
@pytest.mark.parametrize(("module", "flag"), [("genjax.encode", "--data"), ("genjax.reconstruct", "--images")])
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("series:{}/longer.npz", ["series of 9 steps of 2 numbers", "trained on series of 6", "cut them to 6 steps"]),
        ("series:{}/shorter.npz", ["series of 5 steps", "fill them up with NaN to 6 steps"]),
        ("series:{}/gaps.npz", ["gaps.npz: step 2 of series 5 is not finite"]),
        ("{}/own.npz", ["series:"]),
    ],
)
def test_series_that_do_not_fit_are_refused(module, flag, name, texts, place):
    suffix = "npz" if module == "genjax.encode" else "npy"
    given = [f"--workdir={place / 'run'}", f"{flag}={name.replace('{}', str(place))}", f"--out={place}/none.{suffix}"]
    run(module, *given).assert_refused(*texts)
