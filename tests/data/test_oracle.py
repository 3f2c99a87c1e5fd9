"""The oracle against an LSTM in float64, written gate by gate with the authors' names; files of weights."""

import itertools
import pickle

import numpy as np
import pytest

from genjax.data import oracle, registry
from genjax.errors import InputError
from genjax.evaluation.context import EvalContext
from genjax.evaluation.registry import METRICS

NAMES = [f"{letter}{gate}" for gate in ("i", "f", "og", "c") for letter in "WUb"]
TOKENS, WIDTH, EMBEDDING = 7, 3, 2
RNG = np.random.default_rng(0)
SHAPES = {"W": (EMBEDDING, WIDTH), "U": (WIDTH, WIDTH), "b": (WIDTH,)}
ARRAYS = [
    RNG.normal(size=shape).astype(np.float32)
    for shape in ((TOKENS, EMBEDDING), *(SHAPES[name[0]] for name in NAMES), (WIDTH, TOKENS), (TOKENS,))
]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_probability(sequence):
    """log p of one sequence, from the authors' arrays in their order."""
    table, *gates, head, bias = map(np.float64, ARRAYS)
    p = dict(zip(NAMES, gates, strict=True))
    h, c, token, total = np.zeros(WIDTH), np.zeros(WIDTH), 0, 0.0
    for following in sequence:
        x = table[token]
        i, f, o = (sigmoid(x @ p[f"W{g}"] + h @ p[f"U{g}"] + p[f"b{g}"]) for g in ("i", "f", "og"))
        c = f * c + i * np.tanh(x @ p["Wc"] + h @ p["Uc"] + p["bc"])
        h = o * np.tanh(c)
        logits = h @ head + bias
        total += logits[following] - np.log(np.exp(logits).sum())
        token = following
    return total


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "target_params_py3.pkl"
    path.write_bytes(pickle.dumps(ARRAYS, protocol=3))
    return path


def test_a_file_of_the_authors_gives_the_likelihoods_of_their_equations(path):
    x = RNG.integers(0, TOKENS, (20, 6))
    got = oracle.read_oracle(str(path)).log_probability(x)
    np.testing.assert_allclose(got, [log_probability(row) for row in x], rtol=1e-5)


def test_sequences_have_the_oracles_frequencies(path):
    count = 20_000
    drawn = oracle.read_oracle(str(path)).sample(np.random.default_rng(1), count, 2)
    for pair in itertools.product(range(TOKENS), repeat=2):
        p = np.exp(log_probability(pair))
        assert abs((drawn == pair).all(1).sum() - count * p) < 5 * np.sqrt(count * p * (1 - p)) + 1


@pytest.mark.heavy
def test_a_source_has_splits_of_its_own_and_the_same_sequences_each_time():
    train, again, test = (registry.open_source("oracle_9x4", split) for split in ("train", "train", "test"))
    x = train.read(np.arange(train.size))
    assert (x.shape, x.dtype) == ((10_000, 4, 1), np.float32)
    assert test.size == 2_000
    np.testing.assert_array_equal(x, again.read(np.arange(train.size)))
    assert train.fingerprint == again.fingerprint != test.fingerprint
    part = registry.open_source("oracle_9x4", "train[10:30]+test[:5]")
    expected = np.concatenate([x[10:30], test.read(np.arange(5))])
    np.testing.assert_array_equal(part.read(np.arange(25)), expected)
    assert set(np.unique(x)) == set(range(9))
    assert registry.open_source("oracle_9x5").fingerprint != train.fingerprint


def test_the_metric_is_the_mean_likelihood_of_samples_and_of_the_reference(path):
    reference = registry.open_source(f"oracle:{path}", "train[:500]")
    samples = registry.open_source(f"oracle:{path}", "test[:300]")
    values, settings = METRICS["nll_oracle"](EvalContext(samples, reference, None, []))
    each = [[-log_probability(row) / 20 for row in s.read(np.arange(n))[..., 0].astype(int)]
            for s, n in ((samples, 300), (reference, 500))]  # fmt: skip
    assert [v.number for v in values] == pytest.approx([np.mean(e) for e in each], rel=1e-5)
    assert values[0].std == pytest.approx(np.std(each[0]) / np.sqrt(300), rel=1e-4)
    assert settings["count"] == 300


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("oracle_1x20", "expected 2 to 20,000 tokens"),
        ("oracle_50x1000", "2 to 200 steps"),
        ("oracle:absent.pkl", "no such file; expected save/target_params_py3.pkl"),
    ],
)
def test_names_of_no_oracle_are_refused(name, message):
    with pytest.raises(InputError, match=message):
        registry.open_source(name)


class Malicious:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "it is empty"),
        (b"GIF89a", "cannot be read as weights"),
        (pickle.dumps(ARRAYS, protocol=3)[:-200], "cannot be read as weights"),
        (pickle.dumps(Malicious()), "it names builtins.print"),
        (pickle.dumps({"a": ARRAYS[0]}, protocol=3), "no list of arrays"),
        (pickle.dumps([1, 2], protocol=3), "no list of arrays"),
        (pickle.dumps(ARRAYS[:14], protocol=3), "expected save/target_params_py3.pkl"),
        (pickle.dumps([*ARRAYS[:1], *ARRAYS[2:], ARRAYS[1]], protocol=3), "expected save/target_params_py3.pkl"),
        (pickle.dumps([np.full_like(a, np.nan) for a in ARRAYS], protocol=3), "not finite"),
        (pickle.dumps([np.array(["a"])] * 15, protocol=3), "no real number"),
        (pickle.dumps([np.array([1.0, 2.0], ">f4")] * 15, protocol=3), "big-endian"),
    ],
)
def test_other_files_are_refused_without_running_them(tmp_path, capsys, contents, message):
    path = tmp_path / "x.pkl"
    path.write_bytes(contents)
    with pytest.raises(InputError, match=message):
        oracle.read_oracle(str(path))
    assert not capsys.readouterr().out


def test_tokens_that_the_oracle_lacks_are_refused():
    with pytest.raises(InputError, match="tokens go from -1 to 9: expected whole numbers from 0 to 8"):
        oracle.draw_oracle(9).log_probability([[-1, 9]])
