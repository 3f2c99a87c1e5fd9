"""Sound: the user's own .wav files, and tones that are drawn to try nets without any."""

import io
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from genjax.data.request import Request
from genjax.data.source import Source, fingerprint_of_text, in_memory
from genjax.data.splits import parse, read_splits
from genjax.errors import InputError

WINDOW = 16_384
"""Samples of an example, unless data.size says otherwise: WaveGAN's."""

SCALE = 32_768
"""16-bit samples per unit: sound is from -1 to 1."""

SIZES = {"train": 1000, "test": 100}


def load_wav(request: Request) -> Source:
    """All windows of `data.size` samples, side by side, of a .wav file or of those in a folder and its sub-folders.

    The last window of a file is filled up with zeros. Files are in the order of their names.
    Shapes: float32 (data.size, 1), from -1 to 1.
    Raises: InputError if there is no such file, one is not mono of 16 bits, or rates differ.
    """
    size = _window(request)
    root = Path(request.argument)
    paths = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.suffix.lower() == ".wav")
    if not paths:
        raise InputError(f"{request.name}: expected a .wav file or a folder of them; there is none")
    windows = []
    rates = {}
    for path in paths:
        x, rate = read(path)
        rates.setdefault(rate, path)
        windows.append(np.pad(x, (0, -len(x) % size)).reshape(-1, size, 1))
    if len(rates) > 1:
        (first, one), (second, other) = list(rates.items())[:2]
        raise InputError(f"{one} has {first:,} samples per second, and {other} {second:,}: bring all to one rate")
    x = np.concatenate(windows)
    if not len(x):
        raise InputError(f"{request.name}: the files have no samples")
    x, _ = read_splits(request.split, ("train",), lambda _: (x, None))
    source = in_memory(request.name, request.split, x, None)
    return replace(source, notes=(f"{len(paths):,} files of {next(iter(rates)):,} samples per second",))


def read(path: Path) -> tuple[np.ndarray, int]:
    """The samples of a .wav file, from -1 to 1, and their number per second. Shapes: -> float32 [N].

    Raises: InputError if it cannot be read, or is not mono of 16 bits.
    """
    try:
        with wave.open(str(path), "rb") as file:
            form = file.getnchannels(), 8 * file.getsampwidth()
            rate = file.getframerate()
            data = file.readframes(file.getnframes()) if form == (1, 16) else b""
    except (OSError, EOFError, wave.Error) as error:
        raise InputError(f"{path} cannot be read as a .wav: {error or 'it is cut short'}") from error
    if form != (1, 16):
        raise InputError(f"{path} has {form[0]} channels of {form[1]} bits: expected mono of 16 bits")
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / SCALE, rate


def wav(x: np.ndarray, rate: int) -> bytes:
    """A mono .wav file of 16 bits; samples beyond -1 and 1 are clipped. Shapes: x float [N]."""
    samples = np.clip(np.rint(np.float64(x) * SCALE), -SCALE, SCALE - 1).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def load_tones(request: Request) -> Source:
    """A tone with three overtones that decays, at 16,000 samples per second; 1,000 in "train" and 100 in "test".

    Shapes: float32 (data.size, 1), from -1 to 1. Raises: InputError for a form that only images have.
    """
    size = _window(request)
    first = {"train": 0, "test": SIZES["train"]}
    parts = parse(request.split, SIZES)
    numbers = np.concatenate([first[p.name] + np.arange(*p.bounds(SIZES[p.name])) for p in parts])
    return Source(
        name=request.name,
        split=request.split,
        size=len(numbers),
        shape=(size, 1),
        dtype=np.dtype(np.float32),
        read=lambda indices: np.stack([_tone(n, size) for n in numbers[np.asarray(indices)].ravel()]),
        labels=None,
        label_names=(),
        fingerprint=fingerprint_of_text([f"tones {size}", *map(str, numbers)]),
    )


def _tone(number: int, size: int) -> np.ndarray:
    rng = np.random.default_rng((6, int(number)))
    time = np.arange(size) / 16_000
    pitch = 110 * 2 ** rng.uniform(0, 3)
    overtones = rng.dirichlet(np.ones(4))
    x = sum(a * np.sin(2 * np.pi * pitch * (n + 1) * time) for n, a in enumerate(overtones))
    return (rng.uniform(0.5, 0.9) * np.exp(-rng.uniform(1, 6) * time) * x).astype(np.float32)[:, None]


def is_sound(name: str) -> bool:
    """Whether the source of a name has sound."""
    return name == "tones" or name.startswith("wav:")


def _window(request: Request) -> int:
    """Samples of an example. Raises: InputError for forms that only images have."""
    size = request.form.size or (WINDOW, WINDOW)
    if request.form.channels or size[0] != size[1]:
        raise InputError(
            f"{request.name} has sound, not images: leave data.channels unset, and set data.size to a number of "
            "samples, such as 16384"
        )
    return size[0]
