"""Sequences of tokens whose distribution is known: those of an LSTM with random weights, the oracle of SeqGAN.

A sequence is a series of one whole number per step. Source: arXiv:1609.05473, section 4.1; shapes and the first token
of the authors' code, `target_lstm.py`.
"""

import hashlib
import math
import re
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text
from genjax.data.splits import parse
from genjax.errors import InputError
from genjax.weights import numpy_pickle

SIZES = {"train": 10_000, "test": 2_000}
WIDTH = 32
"""Of the embedding and of the state."""
STEPS = 20
"""Of sequences of the authors' oracle."""
MOST_TOKENS, MOST_STEPS = 20_000, 200
BLOCK = 500
"""Sequences at once."""
GATES = (0, 3, 9, 6)
"""Of the authors' arrays after the embedding, where those of the input, forget, candidate and output gate begin."""


@dataclass(frozen=True, eq=False)
class Oracle:
    """An LSTM over tokens, begun with token 0 and zeros; gates in the order of `genjax.nets.tokens.TokenLSTM`.

    Shapes: embedding [V, E], kernel [E, 4H], recurrent_kernel [H, 4H], bias [4H], head_kernel [H, V], head_bias [V].
    """

    embedding: np.ndarray
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray
    head_kernel: np.ndarray
    head_bias: np.ndarray

    @property
    def vocabulary(self) -> int:
        """The number of tokens."""
        return len(self.embedding)

    def log_probability(self, tokens: np.ndarray) -> np.ndarray:
        """log p of sequences, in nats; computed in float32, summed in float64. Shapes: int [N, T] -> float64 [N].

        Raises: InputError for tokens that the oracle does not have.
        """
        tokens = np.asarray(tokens)
        if tokens.size and not (tokens.min() >= 0 and tokens.max() < self.vocabulary):
            raise InputError(
                f"tokens go from {tokens.min()} to {tokens.max()}: expected whole numbers from 0 to "
                f"{self.vocabulary - 1}, the tokens of the oracle"
            )
        return np.concatenate([self._score(tokens[i : i + BLOCK]) for i in range(0, len(tokens), BLOCK)])

    def sample(self, rng: np.random.Generator, count: int, steps: int) -> np.ndarray:
        """Sequences of the oracle. Shapes: -> int32 [count, steps]."""
        uniform = rng.random((count, steps))
        return np.concatenate([self._draw(uniform[i : i + BLOCK]) for i in range(0, count, BLOCK)])

    def _score(self, tokens):
        state, last = self._begin(len(tokens))
        total = np.zeros(len(tokens))
        for token in tokens.T:
            state, logits = self._advance(state, last)
            logits -= logits.max(1, keepdims=True)
            chosen = logits[np.arange(len(token)), token]
            total += np.float64(chosen) - np.log(np.float64(np.exp(logits, logits).sum(1)))
            last = token
        return total

    def _draw(self, uniform):
        state, last = self._begin(len(uniform))
        drawn = np.empty(uniform.shape, np.int32)
        for step, u in enumerate(uniform.T):
            state, logits = self._advance(state, last)
            logits -= logits.max(1, keepdims=True)
            last = _draw(np.exp(logits, logits), u)
            drawn[:, step] = last
        return drawn

    def _begin(self, count):
        zeros = np.zeros((count, len(self.recurrent_kernel)), np.float32)
        return (zeros, zeros), np.zeros(count, np.int32)

    def _advance(self, state, token):
        h, c = state
        i, f, g, o = np.split(self.embedding[token] @ self.kernel + h @ self.recurrent_kernel + self.bias, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
        return (h, c), h @ self.head_kernel + self.head_bias


def load_oracle(request: Request) -> Source:
    """10,000 sequences of an oracle in "train" and 2,000 in "test".

    "oracle_5000x20": 5,000 tokens, 20 steps and weights of N(0, 1), the same for all runs. "oracle:FILE": the weights
    of SeqGAN's authors, `save/target_params_py3.pkl` of their repository, and 20 steps.
    Shapes: float32 (steps, 1), whole numbers.
    Raises: InputError for sizes out of range, and files that are no such weights.
    """
    request.refuse_image_form("sequences of tokens")
    oracle, steps = (read_oracle(request.argument), STEPS) if ":" in request.name else _of_name(request.name)
    parts = parse(request.split, SIZES)
    drawn = {
        name: oracle.sample(np.random.default_rng((6, list(SIZES).index(name))), SIZES[name], steps)
        for name in sorted({part.name for part in parts})
    }
    x = np.concatenate([drawn[part.name][slice(*part.bounds(SIZES[part.name]))] for part in parts])
    x = x[..., None].astype(np.float32)
    # Rounding of another machine's matrix products may change a token: the fingerprint is of what they are made of.
    bounds = [f"{part.name} {part.bounds(SIZES[part.name])}" for part in parts]
    return Source(
        name=request.name,
        split=request.split,
        size=len(x),
        shape=x.shape[1:],
        dtype=x.dtype,
        read=lambda indices: x[np.asarray(indices)],
        labels=None,
        label_names=(),
        fingerprint=fingerprint_of_text([f"oracle {steps} {_digest(oracle)}", *bounds]),
        oracle=oracle,
    )


def draw_oracle(tokens: int, width: int = WIDTH) -> Oracle:
    """An oracle of weights of N(0, 1) by a fixed seed."""
    rng = np.random.default_rng((6, len(SIZES), tokens))
    shapes = {"embedding": (tokens, width), "kernel": (width, 4 * width), "recurrent_kernel": (width, 4 * width)}
    shapes |= {"bias": (4 * width,), "head_kernel": (width, tokens), "head_bias": (tokens,)}
    return Oracle(**{name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()})


def read_oracle(path: str) -> Oracle:
    """The oracle of a file of SeqGAN's authors. Raises: InputError."""
    expected = "expected save/target_params_py3.pkl of SeqGAN's authors, 15 arrays of an LSTM"
    if not Path(path).is_file():
        raise InputError(f"oracle:{path}: no such file; {expected}")
    try:
        arrays = [np.asarray(array, np.float32) for array in numpy_pickle.read(path)]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged file can raise anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path} cannot be read as weights: {reason}; {expected}") from error
    embedding, *gates, head, bias = arrays if len(arrays) == 15 else [np.zeros(0)] * 15
    width = len(head)
    shapes = [(embedding.shape[-1], width), (width, width), (width,)] * 4
    head_fits = head.shape == (width, len(embedding)) and bias.shape == (len(embedding),)
    if embedding.ndim != 2 or not width or [a.shape for a in gates] != shapes or not head_fits:
        raise InputError(f"{path} has arrays {[list(a.shape) for a in arrays][:16]}: {expected}")
    if not all(np.isfinite(a).all() for a in arrays):
        raise InputError(f"{path} has weights that are not finite: {expected}")
    kernel, recurrent, offset = (np.concatenate([gates[first + k] for first in GATES], -1) for k in range(3))
    return Oracle(embedding, kernel, recurrent, offset, head, bias)


def _of_name(name: str) -> tuple[Oracle, int]:
    tokens, steps = (int(n) for n in re.findall(r"\d+", name))
    if not (2 <= tokens <= MOST_TOKENS and 2 <= steps <= MOST_STEPS):
        raise InputError(
            f"data.name={name!r}: expected 2 to {MOST_TOKENS:,} tokens and 2 to {MOST_STEPS} steps, as in "
            "oracle_5000x20"
        )
    return draw_oracle(tokens), steps


def _digest(oracle: Oracle) -> str:
    sha = hashlib.sha256()
    for field in fields(oracle):
        array = getattr(oracle, field.name)
        sha.update(f"{field.name} {array.shape}".encode())
        sha.update(np.ascontiguousarray(array.astype("<f4")))
    return sha.hexdigest()


def _draw(weights, u):
    """Indices with probabilities in proportion to weights, by the inverse of their distribution function, in two steps.

    Shapes: weights [N, V], u [N] -> int64 [N].
    """
    rows = np.arange(len(weights))
    side = math.isqrt(weights.shape[1])
    blocks = np.pad(weights, ((0, 0), (0, -weights.shape[1] % side))).reshape(len(weights), -1, side)
    ends = blocks.sum(2).cumsum(1, dtype=np.float64)
    target = u * ends[:, -1]
    block = np.minimum((ends <= target[:, None]).sum(1), (ends < ends[:, -1:]).sum(1))
    inner = blocks[rows, block].cumsum(1, dtype=np.float64)
    target -= np.where(block, ends[rows, block - 1], 0)
    return block * side + np.minimum((inner <= target[:, None]).sum(1), (inner < inner[:, -1:]).sum(1))


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))  # without overflow
