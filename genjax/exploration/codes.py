"""The code of a request, which a run decodes: its starts, blended, labeled, moved, mixed, edited.

A code is a latent, a map of whole numbers of a vector-quantized autoencoder, or one w per layer of a StyleGAN.
"""

from collections.abc import Callable

import numpy as np

from genjax.data import open_source
from genjax.data.images import Form
from genjax.errors import InputError
from genjax.exploration.directions import principal
from genjax.exploration.opened import Opened
from genjax.exploration.request import PLACES, Layers, Move, Request
from genjax.files import expand
from genjax.interpolation import PATHS, lerp
from genjax.run.loaded import number_of
from genjax.run.restore import saved_config

MOST = max(PLACES)  # starts per call of a program, however few are asked for


def code(run: Opened, request: Request) -> np.ndarray:
    """The code that is decoded. Shapes: -> styles [layers, width], or a latent [...], or a map of codes int [h, w]."""
    if not run.has_styles:
        return latent(run, request)
    if request.codes:
        return _styled(run, request, _between(request.at, lerp, _of_files(run, request)))
    z = _moved(run, _labeled(run, request, _starts(run, request)), request)
    if request.blend in ("", "w"):
        w = _between(request.at, lerp, _w(run, request, z))
    else:
        w = _w(run, request, blended(run, request, z)[None])[0]
    return _styled(run, request, np.repeat(w[None], run.task.layers, 0))


def latent(run: Opened, request: Request) -> np.ndarray:
    """The latent of a request, for a decoder. Shapes: -> [...]."""
    z = _starts(run, request)
    if z.dtype.kind != "f":
        return _edited(run, request, z)
    if request.edits:
        raise InputError("--edits is for maps of codes of a vector-quantized autoencoder")
    return _moved(run, blended(run, request, _labeled(run, request, z))[None], request, everything=True)[0]


# Starts


def inputs(run: Opened, request: Request) -> np.ndarray:
    """The examples or images that a request starts from, in the run's form. Shapes: -> [starts, *shape]."""
    if request.examples:
        if max(request.examples) >= run.examples.size:
            raise InputError(f"--examples={max(request.examples)}: expected below {run.examples.size:,}")
        return run.examples.read(np.array(request.examples))
    return np.stack([read_image(run, path) for path in request.images])


def read_image(run: Opened, path: str) -> np.ndarray:
    """An image's file in the run's form. Shapes: -> [H, W, C]. Raises: InputError if it cannot be read as one."""
    form = Form(run.shape[:2], run.shape[2], saved_config(run.info).data.resize, bits=run.bits)
    return open_source(f"image:{expand(path)}", form=form).read(np.arange(1))[0]


def _starts(run: Opened, request: Request) -> np.ndarray:
    """Latents of the starts. Shapes: -> [starts, ...]."""
    state = run.state(request.step)
    if request.seeds:
        seeds = np.array(request.seeds + request.seeds[-1:] * (MOST - len(request.seeds)), np.int32)
        z = run.program("latents")(state, seeds, truncation=None if run.has_styles else request.truncation)
        return np.asarray(z)[: len(request.seeds)]
    if request.codes:
        return _of_files(run, request)
    x = inputs(run, request)
    key = "encoded", request.step, request.examples, request.images
    return run.remembered(
        key, lambda: np.stack([np.asarray(run.program("encode")(state, each[None]))[0] for each in x])
    )


def _of_files(run: Opened, request: Request) -> np.ndarray:
    """Latents that genjax.project has written. Shapes: -> [starts, ...], of w [starts, layers, width]."""
    return np.stack([_of_file(run, text) for text in request.codes])


def _of_file(run: Opened, text: str) -> np.ndarray:
    path, colon, index = text.rpartition(":")
    path, index = (path, index) if colon and index.isdecimal() else (text, "0")
    try:
        with np.load(expand(path), allow_pickle=False) as file:
            codes = file["codes"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(f"--codes={text}: expected a .npz of genjax.project, with `codes` ({error})") from error
    like = run.code_shape
    if codes.ndim not in (2, 3) or codes.dtype.kind != "f" or int(index) >= len(codes):
        raise InputError(f"--codes={text}: {codes.dtype} {list(codes.shape)} has no latents of number {index}")
    z = np.float32(codes[int(index)])
    if run.has_styles and z.shape == like[1:]:
        z = np.repeat(z[None], like[0], 0)
    if z.shape != like:
        raise InputError(f"--codes={text}: latents of shape {list(z.shape)}: expected {list(like)}")
    return z


# Between starts


def blended(run: Opened, request: Request, z: np.ndarray, at: tuple[float, ...] | None = None) -> np.ndarray:
    """The latent at the request's place, or at another; the one-hot of a class is blended linearly.

    Shapes: [N, ...] -> [...].
    """
    at = request.at if at is None else at
    default = "slerp" if "latents" in run.outputs and request.seeds else "lerp"
    path = PATHS[request.blend or default]
    size = z.shape[-1] - (run.task.classes if z.ndim == 2 else 0)
    parts = ((path, z[..., :size]), (lerp, z[..., size:]))
    return np.concatenate([_between(at, each, part) for each, part in parts], -1)


def _between(at: tuple[float, ...], path: Callable, starts: np.ndarray) -> np.ndarray:
    """The place `at` between starts, along `path`. Shapes: [starts, ...] -> float32 [...]."""
    if not at:
        return np.float32(starts[0])
    flat = np.float64(starts).reshape(len(starts), -1)
    across, *down = at
    ends = [path(flat[i], flat[i + 1], across) for i in range(0, len(flat), 2)]
    place = path(*ends, down[0]) if down else ends[0]
    return np.float32(place).reshape(starts.shape[1:])


def _labeled(run: Opened, request: Request, z: np.ndarray) -> np.ndarray:
    """Latents with the class that the request names at their ends."""
    if not request.label:
        return z
    z = z.copy()
    classes = run.task.classes
    z[..., -classes:] = np.eye(classes)[number_of(request.label, run.info["data"]["labels"], classes)]
    return z


# Changes


def _moved(run: Opened, z: np.ndarray, request: Request, everything: bool = False) -> np.ndarray:
    """Latents after the moves along them, and with `everything` along principal directions. Shapes: [N, ...]."""
    flat = z.reshape(len(z), -1).copy()
    for move in request.moves:
        if move.kind == "z":
            if move.index >= run.latents:
                raise InputError(f"--moves={move}: expected z0 to z{run.latents - 1}")
            flat[:, move.index] += np.float32(move.amount)
        elif everything:
            flat[:, : run.latents] += _step(run, move, request)
    return flat.reshape(z.shape)


def _step(run: Opened, move: Move, request: Request) -> np.ndarray:
    """A move along a principal direction. Shapes: -> float32 [D]."""
    known = principal(run, request.step, request.ema)
    if move.index >= len(known):
        raise InputError(f"--moves={move}: expected p0 to p{len(known) - 1}")
    return np.float32(move.amount * known[move.index])


def _w(run: Opened, request: Request, z: np.ndarray) -> np.ndarray:
    """w of latents. Shapes: [N, latent] -> [N, width]."""
    padded = np.concatenate([z, np.repeat(z[-1:], MOST - len(z), 0)])
    return np.asarray(run.program("map")(run.state(request.step), padded, ema=request.ema))[: len(z)]


def _styled(run: Opened, request: Request, ws: np.ndarray) -> np.ndarray:
    """Styles after mixing and moves. Shapes: float32 [layers, width], kept."""
    if mix := request.mix:
        other = _starts(run, Request(seeds=(mix.seed,), step=request.step))
        ws[_rows(mix.layers)] = _w(run, request, _labeled(run, request, other))[0]
    for move in request.moves:
        if move.kind == "p":
            ws[_rows(move.layers)] += _step(run, move, request)
    return ws


def _edited(run: Opened, request: Request, codes: np.ndarray) -> np.ndarray:
    """A map of codes with the request's edits. Raises: InputError for places and codes that there are not."""
    if request.moves or len(codes) > 1:
        raise InputError("--moves, --at: nothing lies between codes that are whole numbers; change them with --edits")
    codes = codes[0].copy()
    for edit in request.edits:
        if edit.row >= codes.shape[0] or edit.column >= codes.shape[1] or edit.code >= run.codebook:
            rows, columns = codes.shape
            raise InputError(
                f"--edits={edit}: expected rows below {rows}, columns below {columns}, codes below {run.codebook}"
            )
        codes[edit.row, edit.column] = edit.code
    return codes


def _rows(layers: Layers) -> slice:
    return slice(layers.first, None if layers.last is None else layers.last + 1)
