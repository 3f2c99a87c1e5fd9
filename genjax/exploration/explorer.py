"""A run that answers requests: an image of a request, in milliseconds once its programs are compiled.

An image is made alone, in programs of one example, which are the same for a page and for a command: the same request is
the same image to the bit. `genjax.sample` makes a seed in a batch of 16, and may differ from it by rounding.
"""

from dataclasses import replace

import numpy as np

from genjax.config import NOISE
from genjax.engine.outputs import check_truncation, noise_option
from genjax.errors import InputError
from genjax.exploration import codes, directions, stylized, translated
from genjax.exploration.opened import Opened
from genjax.exploration.request import STARTS, Layers, Move, Request
from genjax.interpolation import lerp
from genjax.report import display
from genjax.run.loaded import number_of

REACH = 2.5
"""Standard deviations of the plane of two latents, both ways."""


class Explorer(Opened):
    """A run of images that answers requests. Raises: InputError as `Opened`."""

    def image(self, request: Request) -> np.ndarray:
        """The image of a request. Shapes: -> uint8 or uint16 [H, W, C]. Raises: InputError if the run has none such."""
        request = self.checked(request)
        if self.is_translation:
            return translated.translation(self, request)
        if self.is_stylization:
            return stylized.stylization(self, request)
        if self.is_still:
            return np.asarray(self.program("sample")(self.state(request.step), np.zeros(1, np.int32)))[0]
        return self._rendered(request, codes.code(self, request))

    def between(self, start: Request, end: Request, t: float) -> np.ndarray:
        """An image between those of two requests, by a straight path of styles, or by the path that latents ask for.

        Checkpoint, weights and noise are those of the start. Shapes: -> as `image`.
        Raises: InputError if nothing lies between them.
        """
        start, end = self.checked(start), self.checked(end)
        if "decode" not in self.outputs:
            raise InputError("a film passes between latents, which this run does not have")
        ends = np.stack([codes.code(self, start), codes.code(self, end)])
        if ends.dtype.kind != "f":
            raise InputError("a film passes between latents, and those of this run are whole numbers")
        if self.has_styles:
            psi = [1.0 if request.truncation is None else request.truncation for request in (start, end)]
            start = replace(start, truncation=(1 - t) * psi[0] + t * psi[1])
            return self._rendered(start, np.float32(lerp(*ends, t)))
        return self._rendered(start, codes.blended(self, start, ends, (t,)))

    def _rendered(self, request: Request, code: np.ndarray) -> np.ndarray:
        """The image of a code. Shapes: [layers, width] or [...] -> [H, W, C]."""
        state = self.state(request.step)
        if not self.has_styles:
            options = {"ema": request.ema} if "seeds" in self.kinds else {}
            return self.stored(self.program("decode")(state, code[None], **options))
        psi = np.float32(1 if request.truncation is None else request.truncation)  # 1 is exactly none
        seed = np.array([request.seeds[0] if request.seeds else 0], np.int32)
        noise = request.noise or NOISE[0]
        return self.stored(self.program("synthesize")(state, code[None], psi, seed, request.ema, noise))

    def checked(self, request: Request) -> Request:
        """The request with the first seed or example if it has no start. Raises: InputError if it does not fit."""
        if not request.starts:
            request = request.with_starts(self.kinds[0], (0,))
        kind = next(kind for kind in STARTS if getattr(request, kind))
        if kind not in self.kinds:
            raise InputError(f"--{kind}: this run starts from {' or '.join(self.kinds)}")
        check_truncation(request.truncation, self.outputs)
        if request.truncation is not None and ("seeds" not in self.kinds or self.is_still):
            raise InputError("--truncation: this run draws no latents")
        if request.label:
            number_of(request.label, self.info["data"]["labels"], self.task.classes)
        if request.to and not self.is_unpaired:
            raise InputError(f"--to={request.to} is for translations without pairs, which this run is not of")
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

    def read(self, path: str, to: str = "") -> np.ndarray:
        """An image's file as the run takes it. Shapes: -> [H, W, C]. Raises: InputError if it cannot be used."""
        if self.is_translation:
            return translated.read_input(self, path, to)
        return stylized.read_image(path) if self.is_stylization else codes.read_image(self, path)

    def inputs(self, request: Request) -> list[np.ndarray]:
        """The images that a request starts from, if it has some and its own image does not show them.

        Shapes: -> as many uint8 [H, W, 1 or 3]. Raises: InputError if they cannot be read.
        """
        if not (request.examples or request.images) or self.is_translation:
            return []
        if self.is_stylization:
            return [np.uint8(x) for x in stylized.pair(self, request)]
        return [display.shown(x) for x in codes.inputs(self, request)]

    def code_map(self, request: Request) -> np.ndarray:
        """The codes of a vector-quantized autoencoder after the request's edits. Shapes: -> int [h, w]."""
        return codes.latent(self, self.checked(request))

    def neighbors(self, request: Request, count: int) -> tuple[int, ...]:
        """Numbers of the examples whose codes are nearest to that of a request, among the first 2,000, nearest first.

        Of codes that are whole numbers, those that differ at the fewest places.
        Raises: InputError if the run encodes no examples, or they are missing.
        """
        request = self.checked(request)
        if not self.encodes:
            raise InputError("neighbors are of the codes of examples, and this run encodes none")
        known = directions.codes(self, request.step)
        code = codes.latent(self, request).reshape(-1)[: known.shape[1]]
        apart = (known != code).sum(1) if known.dtype.kind != "f" else np.square(np.float64(known) - code).sum(1)
        return tuple(int(index) for index in np.argsort(apart, kind="stable")[:count])

    def at_point(self, request: Request, x: float, y: float) -> Request:
        """The request whose latents of two dimensions are the point, `REACH` standard deviations around their mean.

        Units: x and y as shares of the plane's sides, from the top left. Moves along both latents lead there.
        """
        mean, std = directions.spread(self, request.step)
        point = mean + REACH * std * np.array([2 * x - 1, 1 - 2 * y])
        request = replace(request, moves=())
        start = codes.latent(self, self.checked(request)).reshape(-1)[:2]
        steps = (round(float(end - begin), 4) for end, begin in zip(point, start, strict=True))
        return replace(request, moves=tuple(Move(f"z{i}", step) for i, step in enumerate(steps)))
