"""A run that answers requests: an image of a request, in milliseconds once its programs are compiled.

An image is made alone, in programs of one example, which are the same for a page and for a command: the same request is
the same image to the bit. `genjax.sample` makes a seed in a batch of 16, and may differ from it by rounding.
"""

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from genjax.config import NOISE
from genjax.data import open_source
from genjax.data.folder import open_image
from genjax.data.images import Form
from genjax.engine.checkpoint import Checkpoints
from genjax.engine.outputs import apply_in_batches, check_truncation, noise_option
from genjax.engine.state import State, local
from genjax.errors import InputError
from genjax.exploration.request import PLACES, Layers, Move, Request
from genjax.files import expand
from genjax.interpolation import PATHS, lerp
from genjax.ops.moments import moments, with_moments
from genjax.ops.noise import keys_of_seeds
from genjax.ops.pixels import quantize
from genjax.report import display
from genjax.run import exported
from genjax.run.loaded import OWN, number_of, open_examples
from genjax.run.restore import open_task, restore, saved_config

STATES = 4  # checkpoints that are kept in memory
DRAWN = 2000  # w, or latents of examples, of which principal directions are computed
MOST = max(PLACES)  # starts per call of a program, however few are asked for
JACOBIANS = 4  # seeds at which directions of a generator without w are computed
PAINTED = 256  # pixels of the longer side in style transfer
REACH = 2.5  # standard deviations of the plane of two latents, both ways
SECANT = 0.1  # step both ways along a latent, in standard deviations


class Explorer:
    """A run of images, opened for requests.

    Raises: InputError for a folder without a run, a run of another version, one of points, or one that has neither
    latents nor images to start from.
    """

    def __init__(self, workdir: str | os.PathLike):
        self.workdir = Path(workdir)
        self.info, _, self.task = open_task(workdir)
        self.shape = tuple(self.info["data"]["shape"])
        self.outputs = self.task.outputs
        if len(self.shape) != 3:
            raise InputError(f"{workdir} is a run of points or series: genjax.explore shows images, genjax.show these")
        if not self.kinds:
            has = ", ".join(self.outputs) or "none"
            raise InputError(f"{workdir}: the task makes no images that can be explored; its outputs are {has}")
        self._states: OrderedDict[tuple, State] = OrderedDict()
        self._memo: OrderedDict[tuple, Any] = OrderedDict()
        self._programs: dict[str, Callable] = {}

    @property
    def bits(self) -> int:
        """Bits per channel."""
        return self.info["config"]["data"].get("bits", 8)

    @property
    def classes(self) -> list[str]:
        """Names of the classes that can be chosen, or their numbers."""
        names = self.info["data"].get("labels") or []
        return [names[i] if i < len(names) else str(i) for i in range(self.task.classes)]

    @property
    def has_styles(self) -> bool:
        """Whether latents are mapped to w, one per layer."""
        return "map" in self.outputs

    @property
    def has_noise(self) -> bool:
        """Whether layers have noise that can be chosen."""
        return self.has_styles and self.info["config"]["generator"].get("noise", True)

    @property
    def has_average(self) -> bool:
        """Whether there are averaged weights."""
        return bool(self.state(None).ema)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of starts that the run has; the first is the default."""
        kinds = ["seeds"] if {"latents", "decode"} <= self.outputs.keys() else []
        if {"encode", "decode"} <= self.outputs.keys() or "translate" in self.outputs:
            kinds += ["examples", "images"]
        if {"features", "pixels"} <= self.outputs.keys():
            kinds += ["images"]
        return tuple([*kinds, "codes"] if "seeds" in kinds else kinds)

    @cached_property
    def examples(self):
        """The held-out examples of the run's data. Raises: InputError if they are gone."""
        return open_examples(self.info, OWN)

    def steps(self) -> list[int]:
        """The steps that have a checkpoint now; none for an exported folder, which has one state."""
        return [] if exported.is_exported(self.workdir) else Checkpoints(self.workdir / "checkpoints").steps()

    def state(self, step: int | str | None) -> State:
        """The state of a step (None: the newest when the run was opened). Raises: InputError if there is none."""
        if step not in self._states:
            _, state = restore(self.workdir, step)
            self._states[step] = local(state)
            while len(self._states) > STATES:
                self._states.popitem(last=False)
        self._states.move_to_end(step)
        return self._states[step]

    def image(self, request: Request) -> np.ndarray:
        """The image of a request. Shapes: -> uint8 or uint16 [H, W, C]. Raises: InputError if the run has none such."""
        request = self.checked(request)
        if "translate" in self.outputs:
            return self._translation(request)
        if "pixels" in self.outputs:
            return self._stylization(request)
        return self._rendered(request, self._code(request))

    def between(self, start: Request, end: Request, t: float) -> np.ndarray:
        """An image between those of two requests, by a straight path of styles, or by the path that latents ask for.

        Checkpoint, weights and noise are those of the start. Shapes: -> as `image`.
        Raises: InputError if nothing lies between them.
        """
        start, end = self.checked(start), self.checked(end)
        if "decode" not in self.outputs:
            raise InputError("a film passes between latents, which this run does not have")
        codes = np.stack([self._code(start), self._code(end)])
        if codes.dtype.kind != "f":
            raise InputError("a film passes between latents, and those of this run are whole numbers")
        if self.has_styles:
            ends = [1.0 if request.truncation is None else request.truncation for request in (start, end)]
            return self._rendered(
                replace(start, truncation=(1 - t) * ends[0] + t * ends[1]), np.float32(lerp(*codes, t))
            )
        return self._rendered(start, self._blended(replace(start, at=(t,)), codes))

    def _code(self, request: Request) -> np.ndarray:
        """The code that is decoded: styles [layers, width], or a latent [...]."""
        if not self.has_styles:
            return self._latent(request)
        if request.codes:
            return self._styled(request, self._between(request.at, lerp, self._codes(request)))
        z = self._moved(self._labeled(request, self._starts(request)), request)
        if request.blend in ("", "w"):
            w = self._between(request.at, lerp, self._w(request, z))
        else:
            w = self._w(request, self._blended(request, z)[None])[0]
        return self._styled(request, np.repeat(w[None], self.task.layers, 0))

    def _rendered(self, request: Request, code: np.ndarray) -> np.ndarray:
        """The image of a code. Shapes: [layers, width] or [...] -> [H, W, C]."""
        state = self.state(request.step)
        if not self.has_styles:
            options = {"ema": request.ema} if "seeds" in self.kinds else {}
            return self._stored(self._program("decode")(state, code[None], **options))
        psi = np.float32(1 if request.truncation is None else request.truncation)  # 1 is exactly none
        seed = np.array([request.seeds[0] if request.seeds else 0], np.int32)
        noise = request.noise or NOISE[0]
        return self._stored(self._program("synthesize")(state, code[None], psi, seed, request.ema, noise))

    def checked(self, request: Request) -> Request:
        """The request with the first seed or example if it has no start. Raises: InputError if it does not fit."""
        if not request.starts:
            if self.kinds[0] == "images":
                raise InputError("--images is missing: expected a content and a style, as in --images=a.jpg,b.jpg")
            request = request.with_starts(self.kinds[0], (0,))
        kind = next(kind for kind in ("seeds", "examples", "images", "codes") if getattr(request, kind))
        if kind not in self.kinds:
            raise InputError(f"--{kind}: this run starts from {' or '.join(self.kinds)}")
        check_truncation(request.truncation, self.outputs)
        if "seeds" not in self.kinds and request.truncation is not None:
            raise InputError("--truncation: this run draws no latents")
        if request.label:
            number_of(request.label, self.info["data"]["labels"], self.task.classes)
        if request.noise not in ("", NOISE[0]):
            noise_option(request.noise, self.outputs, "--noise")
            if not self.has_noise:
                raise InputError(f"--noise={request.noise}: the layers of this generator have no noise")
        if not self.has_styles and (request.mix or request.blend == "w"):
            raise InputError("--mix and --blend=w are for generators with styles, which this run is not of")
        layers = [part.layers for part in (*request.moves, request.mix) if part and part.layers != Layers()]
        for part in layers:
            if max(part.first, part.last or 0) >= self.task.layers:
                expected = f"0 to {self.task.layers - 1}" if self.task.layers else "none, as the run has no styles"
                raise InputError(f"layers {str(part)[1:]}: expected {expected}")
        return request

    # Starts

    def _starts(self, request: Request) -> np.ndarray:
        """Latents of the starts. Shapes: -> [starts, ...]."""
        state = self.state(request.step)
        if request.seeds:
            seeds = np.array(request.seeds + request.seeds[-1:] * (MOST - len(request.seeds)), np.int32)
            z = self._program("latents")(state, seeds, truncation=None if self.has_styles else request.truncation)
            return np.asarray(z)[: len(request.seeds)]
        if request.codes:
            return self._codes(request)
        x = self.inputs(request)
        key = "encoded", request.step, request.examples, request.images
        return self._remembered(
            key, lambda: np.stack([np.asarray(self._program("encode")(state, each[None]))[0] for each in x])
        )

    def inputs(self, request: Request) -> np.ndarray:
        """The examples or images that a request starts from, in the run's form. Shapes: -> [starts, *shape]."""
        if request.examples:
            if max(request.examples) >= self.examples.size:
                raise InputError(f"--examples={max(request.examples)}: expected below {self.examples.size:,}")
            return self.examples.read(np.array(request.examples))
        return np.stack([self.read(path) for path in request.images])

    def read(self, path: str) -> np.ndarray:
        """An image's file in the run's form. Shapes: -> [H, W, C]. Raises: InputError if it cannot be read as one."""
        form = Form(self.shape[:2], self.shape[2], saved_config(self.info).data.resize, bits=self.bits)
        return open_source(f"image:{expand(path)}", form=form).read(np.arange(1))[0]

    def _codes(self, request: Request) -> np.ndarray:
        """Latents that genjax.project has written. Shapes: -> [starts, ...], of w [starts, layers, width]."""
        return np.stack([self._file_code(text) for text in request.codes])

    def _file_code(self, text: str) -> np.ndarray:
        path, colon, index = text.rpartition(":")
        path, index = (path, index) if colon and index.isdecimal() else (text, "0")
        try:
            with np.load(expand(path), allow_pickle=False) as file:
                codes = file["codes"]
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise InputError(f"--codes={text}: expected a .npz of genjax.project, with `codes` ({error})") from error
        like = self._code_shape
        if codes.ndim not in (2, 3) or codes.dtype.kind != "f" or int(index) >= len(codes):
            raise InputError(f"--codes={text}: {codes.dtype} {list(codes.shape)} has no latents of number {index}")
        code = np.float32(codes[int(index)])
        if self.has_styles and code.shape == like[1:]:
            code = np.repeat(code[None], like[0], 0)
        if code.shape != like:
            raise InputError(f"--codes={text}: latents of shape {list(code.shape)}: expected {list(like)}")
        return code

    @cached_property
    def _code_shape(self) -> tuple[int, ...]:
        """The shape of the latents of genjax.project: of z, or of w+."""
        state = self.state(None)
        z = jax.eval_shape(self.outputs["latents"], state, jax.ShapeDtypeStruct((1,), np.int32))
        if not self.has_styles:
            return z.shape[1:]
        return (self.task.layers, jax.eval_shape(self.outputs["map"], state, z).shape[1])

    # Between starts

    def _between(self, at: tuple[float, ...], path: Callable, starts: np.ndarray) -> np.ndarray:
        """The place `at` between starts, along `path`. Shapes: [starts, ...] -> float32 [...]."""
        if not at:
            return np.float32(starts[0])
        flat = np.float64(starts).reshape(len(starts), -1)
        across, *down = at
        ends = [path(flat[i], flat[i + 1], across) for i in range(0, len(flat), 2)]
        code = path(*ends, down[0]) if down else ends[0]
        return np.float32(code).reshape(starts.shape[1:])

    def _blended(self, request: Request, z: np.ndarray) -> np.ndarray:
        """The latent at the request's place; the one-hot of a class is blended linearly. Shapes: [N, ...] -> [...]."""
        default = "slerp" if "latents" in self.outputs and request.seeds else "lerp"
        path = PATHS[request.blend or default]
        latent = z.shape[-1] - (self.task.classes if z.ndim == 2 else 0)
        parts = ((path, z[..., :latent]), (lerp, z[..., latent:]))
        return np.concatenate([self._between(request.at, each, part) for each, part in parts], -1)

    def _labeled(self, request: Request, z: np.ndarray) -> np.ndarray:
        """Latents with the class that the request names at their ends."""
        if not request.label:
            return z
        z = z.copy()
        classes = self.task.classes
        z[..., -classes:] = np.eye(classes)[number_of(request.label, self.info["data"]["labels"], classes)]
        return z

    def _latent(self, request: Request) -> np.ndarray:
        """The latent of a request, for the decoder. Shapes: -> [...]."""
        z = self._starts(request)
        if z.dtype.kind != "f":
            return self._edited(request, z)
        if request.edits:
            raise InputError("--edits is for maps of codes of a vector-quantized autoencoder")
        return self._moved(self._blended(request, self._labeled(request, z))[None], request, everything=True)[0]

    def _edited(self, request: Request, codes: np.ndarray) -> np.ndarray:
        """A map of codes with the request's edits. Raises: InputError for places and codes that there are not."""
        if request.moves or len(codes) > 1:
            raise InputError(
                "--moves, --at: nothing lies between codes that are whole numbers; change them with --edits"
            )
        codes = codes[0].copy()
        for edit in request.edits:
            if edit.row >= codes.shape[0] or edit.column >= codes.shape[1] or edit.code >= self.codebook:
                rows, columns = codes.shape
                raise InputError(
                    f"--edits={edit}: expected rows below {rows}, columns below {columns}, codes below {self.codebook}"
                )
            codes[edit.row, edit.column] = edit.code
        return codes

    @property
    def codebook(self) -> int:
        """Number of codes of a vector-quantized autoencoder, 0 of others."""
        return self.info["config"].get("codebook", {}).get("codes", 0)

    # Moves

    def _moved(self, z: np.ndarray, request: Request, everything: bool = False) -> np.ndarray:
        """Latents after the moves along them, and with `everything` along principal directions. Shapes: [N, ...]."""
        flat = z.reshape(len(z), -1).copy()
        for move in request.moves:
            if move.kind == "z":
                if move.index >= self.latents:
                    raise InputError(f"--moves={move}: expected z0 to z{self.latents - 1}")
                flat[:, move.index] += np.float32(move.amount)
            elif everything:
                flat[:, : self.latents] += self._step(move, request)
        return flat.reshape(z.shape)

    def _step(self, move, request: Request) -> np.ndarray:
        """A move along a principal direction. Shapes: -> float32 [D]."""
        directions = self.directions(request.step, request.ema)
        if move.index >= len(directions):
            raise InputError(f"--moves={move}: expected p0 to p{len(directions) - 1}")
        return np.float32(move.amount * directions[move.index])

    @cached_property
    def latents(self) -> int:
        """Number of latents that can be moved, the one-hot of a class left out; 0 of indices of codes."""
        state = self.state(None)
        if "latents" in self.outputs:
            z = jax.eval_shape(self.outputs["latents"], state, jax.ShapeDtypeStruct((1,), np.int32))
        elif "encode" in self.outputs and "decode" in self.outputs:
            z = jax.eval_shape(self.outputs["encode"], state, jax.ShapeDtypeStruct((1, *self.shape), self._dtype))
        else:
            return 0
        return int(np.prod(z.shape[1:])) - self.task.classes if z.dtype.kind == "f" else 0

    @property
    def _dtype(self):
        return np.uint16 if self.bits == 16 else np.uint8

    def directions(self, step: int | str | None, ema: bool = True) -> np.ndarray:
        """Principal directions, each of the length of a standard deviation along it, the largest first.

        Of w of `DRAWN` seeds; of the latents of examples, where there is no prior; or those along which a generator
        without w changes images most, eigenvectors of the mean J^T J over seeds, of length one.
        Source: arXiv:2004.02546, section 2.2 (w). Shapes: -> float64 [directions, D].
        """
        return self._remembered(("directions", step, ema), lambda: self._directions(self.state(step), ema))

    def _directions(self, state: State, ema: bool) -> np.ndarray:
        if "latents" not in self.outputs:
            return _components(self._encoded(state))
        if self.has_styles:
            z = apply_in_batches(self.outputs["latents"], state, np.arange(DRAWN, dtype=np.int32))
            return _components(apply_in_batches(self.outputs["map"], state, z, ema=ema))
        z = np.asarray(self._program("latents")(state, np.arange(JACOBIANS, dtype=np.int32)))
        gram = sum(np.float64(secants @ secants.T) for secants in (self._secants(state, each, ema) for each in z))
        _, vectors = np.linalg.eigh(gram)
        return _signed(vectors.T[::-1])

    def _encoded(self, state: State) -> np.ndarray:
        """Codes of the first `DRAWN` examples as vectors, without the one-hot of a class. Shapes: -> [N, D]."""
        count = min(DRAWN, self.examples.size)
        z = apply_in_batches(self.outputs["encode"], state, self.examples.read(np.arange(count)))
        return z.reshape(count, -1)[:, : self.latents or None]

    def neighbors(self, request: Request, count: int) -> tuple[int, ...]:
        """Numbers of the examples whose codes are nearest to that of a request, among the first `DRAWN`, nearest first.

        Of codes that are whole numbers, those that differ at the fewest places.
        Raises: InputError if the run encodes no examples, or they are missing.
        """
        request = self.checked(request)
        if not {"encode", "decode"} <= self.outputs.keys():
            raise InputError("neighbors are of the codes of examples, and this run encodes none")
        codes = self._remembered(("codes", request.step), lambda: self._encoded(self.state(request.step)))
        code = self._code(request).reshape(-1)[: codes.shape[1]]
        apart = (codes != code).sum(1) if codes.dtype.kind != "f" else np.square(np.float64(codes) - code).sum(1)
        return tuple(int(index) for index in np.argsort(apart, kind="stable")[:count])

    def middle(self, step: int | str | None) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of latents: of the prior, or of codes of examples. Shapes: -> [D] each."""
        if "latents" in self.outputs:
            return np.zeros(self.latents), np.ones(self.latents)
        codes = self._remembered(("codes", step), lambda: self._encoded(self.state(step)))
        return codes.mean(0), codes.std(0)

    def at_point(self, request: Request, x: float, y: float) -> Request:
        """The request whose latents of two dimensions are the point, `REACH` standard deviations around their mean.

        Units: x and y as shares of the plane's sides, from the top left. Moves along both latents lead there.
        """
        mean, std = self.middle(request.step)
        point = mean + REACH * std * np.array([2 * x - 1, 1 - 2 * y])
        request = replace(request, moves=())
        start = self._latent(self.checked(request)).reshape(-1)[:2]
        steps = (round(float(end - begin), 4) for end, begin in zip(point, start, strict=True))
        return replace(request, moves=tuple(Move(f"z{i}", step) for i, step in enumerate(steps)))

    def _secants(self, state: State, z: np.ndarray, ema: bool) -> np.ndarray:
        """Changes of an image per unit of each latent, by central differences. Shapes: z [D] -> float32 [D, pixels]."""
        moves = SECANT * np.eye(self.latents, len(z), dtype=np.float32)
        options = {"ema": ema}
        ahead, behind = (
            apply_in_batches(self.outputs["decode"], state, z + sign * moves, **options) for sign in (1, -1)
        )
        return (ahead - behind).reshape(self.latents, -1) / (2 * SECANT)

    # Images

    def _w(self, request: Request, z: np.ndarray) -> np.ndarray:
        """w of latents. Shapes: [N, latent] -> [N, width]."""
        padded = np.concatenate([z, np.repeat(z[-1:], MOST - len(z), 0)])
        return np.asarray(self._program("map")(self.state(request.step), padded, ema=request.ema))[: len(z)]

    def _styled(self, request: Request, ws: np.ndarray) -> np.ndarray:
        """Styles after mixing and moves. Shapes: float32 [layers, width], kept."""
        if mix := request.mix:
            other = self._starts(Request(seeds=(mix.seed,), step=request.step))
            ws[_rows(mix.layers)] = self._w(request, self._labeled(request, other))[0]
        for move in request.moves:
            if move.kind == "p":
                ws[_rows(move.layers)] += self._step(move, request)
        return ws

    def _translation(self, request: Request) -> np.ndarray:
        """The input beside its translation, and for an example its target too. Shapes: -> uint8 [H, n W, C]."""
        if len(request.starts) > 1:
            raise InputError("a translation starts from one image")
        if request.examples:
            pair = self.inputs(request)[0]
        else:
            pair = self._translator.read(request.images[0])
        y = self._stored(self._program("translate")(self.state(request.step), pair[None]))
        inputs = pair.shape[2] - y.shape[2] if request.examples else pair.shape[2]
        parts = [pair[..., :inputs], y, *([pair[..., inputs:]] if request.examples else [])]
        return np.concatenate([_colored(part) for part in parts], 1)

    @cached_property
    def _translator(self):
        from genjax.translation import Translator

        return Translator(self.workdir)

    def _stylization(self, request: Request) -> np.ndarray:
        """The content in the style, `at` its strength, by default 1. Shapes: -> uint8 [H, W, 3]."""
        if len(request.images) != 2:
            raise InputError(f"--images: {len(request.images)} files: expected a content and a style")
        content, style = (self._remembered(("paint", path), partial(_for_style, path)) for path in request.images)
        alpha = np.float32(request.at[0] if request.at else 1)
        if "stylize" not in self._programs:
            self._programs["stylize"] = jax.jit(partial(_stylize, self.outputs))
        y = self._programs["stylize"](self.state(request.step), content[None], style[None], alpha)
        return self._stored(y)

    def _stored(self, x) -> np.ndarray:
        return quantize(np.float32(x), self.bits)[0]

    # Programs

    def _program(self, name: str) -> Callable:
        if name not in self._programs:
            output = self.outputs[name]
            if name == "synthesize":
                self._programs[name] = jax.jit(partial(_synthesize, output), static_argnums=(4, 5))
            else:
                static = ("ema",) if name in ("map", "decode") else ()
                self._programs[name] = jax.jit(output, static_argnames=static)
        return self._programs[name]

    def _remembered(self, key: tuple, make: Callable) -> Any:
        """The value of `make`, kept for the next call with an equal key."""
        if key not in self._memo:
            self._memo[key] = make()
            while len(self._memo) > 64:
                self._memo.popitem(last=False)
        self._memo.move_to_end(key)
        return self._memo[key]


def _synthesize(synthesize, state, ws, psi, seeds, ema, noise):
    """The output "synthesize" with noise by its name."""
    drawn = keys_of_seeds(seeds) if noise == "random" else {"constant": None, "none": False}[noise]
    return synthesize(state, ws, ema=ema, truncation=psi, noise=drawn)


def _stylize(outputs, state, content, style, alpha):
    """Source: arXiv:1703.06868, eq. 14."""
    f = outputs["features"](state, content)
    target = with_moments(f, *moments(outputs["features"](state, style)))
    return outputs["pixels"](state, (1 - alpha) * f + alpha * target)


def _for_style(path: str) -> np.ndarray:
    """An image's file with sides that the nets of style transfer return. Shapes: -> float32 [H, W, 3]."""
    from genjax.stylization import MULTIPLE, size_of

    height, width = (max(side // MULTIPLE, 1) * MULTIPLE for side in size_of(expand(path), PAINTED))
    return np.float32(open_image(expand(path), (height, width)).read([0])[0])


def _colored(x: np.ndarray) -> np.ndarray:
    """Pixels in color. Shapes: [H, W, C] -> [H, W, 3]."""
    x = display.shown(x)
    return np.repeat(x, 3, 2) if x.shape[2] == 1 else x


def _rows(layers: Layers) -> slice:
    return slice(layers.first, None if layers.last is None else layers.last + 1)


def _components(x: np.ndarray) -> np.ndarray:
    """Principal components times the standard deviation along each. Shapes: [N, D] -> [min(N, D), D]."""
    x = np.float64(x)
    _, sizes, components = np.linalg.svd(x - x.mean(0), full_matrices=False)
    return _signed(components) * (sizes / len(x) ** 0.5)[:, None]


def _signed(directions: np.ndarray) -> np.ndarray:
    """Directions whose largest entry is positive, so that a direction keeps its sense from checkpoint to checkpoint."""
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], 1)
    return directions * np.where(largest < 0, -1, 1)
