"""Requests: what the flags of genjax.explore say, read back to the same; places on the plane of seeds; refusals."""

import shlex

import pytest

from genjax.errors import InputError
from genjax.exploration import request as requests
from genjax.exploration.page.seeds import SIDE, place
from genjax.exploration.page.uploads import keep
from genjax.exploration.request import Edit, Layers, Mix, Move, Request, from_json, to_json

EVERYTHING = Request(
    seeds=(3, 5, 8, 13),
    at=(0.1 + 0.2, 1e-7),
    blend="slerp",
    label="T-shirt/top",
    truncation=0.7,
    moves=(Move("z3", -1.5), Move("p0", 0.25, Layers(2, 5)), Move("p1", 2.0, Layers(4))),
    mix=Mix(7, Layers(4)),
    noise="random",
    ema=False,
    step=1000,
)

ALL = [
    EVERYTHING,
    Request(),
    Request(step="best"),
    Request(examples=(0, 4), at=(0.5,), edits=(Edit(3, 4, 17),)),
    Request(images=("a b.jpg", "x,y.png"), at=(1.0,)),
    Request(codes=("projection.npz:3",)),
    Request(examples=(2,), to="a"),
]


@pytest.mark.parametrize("request_", ALL, ids=lambda request: " ".join(request.flags()) or "default")
def test_flags_and_a_films_file_say_the_same_request(request_):
    assert from_json(to_json(request_)) == request_
    program, *flags = shlex.split(request_.command("runs/my run", "x.png"))[2:]
    assert program == "genjax.explore"
    assert flags[0] == "--workdir=runs/my run"
    assert flags[-1] == "--out=x.png"
    values = {}
    for flag in flags[1:-1]:
        name, equals, text = flag[2:].partition("=")
        if not equals:
            assert name == "noema"
            values["ema"] = False
        elif name in requests.EXPECTED:
            values[name] = requests.read(name, text)
        elif name in ("images", "codes"):
            values[name] = requests.read_paths(text)
        else:
            values[name] = {"truncation": float, "step": lambda t: t if t == "best" else int(t)}.get(name, str)(text)
    assert Request(**values) == request_


def test_each_form_has_one_text():
    assert str(Move("p0", 1.0, Layers(2, 5))) == "p0:1@2-5"
    assert str(Move("z12", -0.5)) == "z12:-0.5"
    assert str(Mix(7, Layers(4))) == "7@4-"
    assert Move.parse("p0:1@3").layers == Layers(3, 3)
    assert Mix.parse("7").layers == Layers()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Request(seeds=(1, 2, 3)), "3 starts: expected 1, the 2 ends of a path, or 4 corners"),
        (lambda: Request(seeds=(1,), examples=(2,)), "--seeds and --examples"),
        (lambda: Request(seeds=(1, 2), at=(0.5, 0.5)), "expected 1 numbers"),
        (lambda: Request(seeds=(1, 2), at=(1.5,)), "--at=1.5: expected 1 numbers from 0 to 1"),
        (lambda: Request(seeds=(1, 2), at=(float("nan"),)), "--at=nan"),
        (lambda: Request(blend="cubic"), "--blend=cubic: expected slerp, lerp, w"),
        (lambda: Request(to="c"), "--to=c: expected a or b"),
        (lambda: Request(noise="loud"), "--noise=loud: expected constant, random, none"),
        (lambda: Request(truncation=float("inf")), "--truncation=inf"),
        (lambda: requests.read("seeds", "1,x"), "--seeds=1,x: expected numbers from 0"),
        (lambda: requests.read("seeds", str(2**31)), "--seeds=2147483648"),
        (lambda: requests.read("at", "half"), "--at=half"),
        (lambda: requests.read("moves", "w0:1"), "--moves=w0:1: expected directions"),
        (lambda: requests.read("moves", "z0:inf"), "--moves=z0:inf"),
        (lambda: requests.read("moves", "p0:1@5-2"), "--moves=p0:1@5-2"),
        (lambda: requests.read("mix", "x@1"), "--mix=x@1: expected a seed and layers"),
        (lambda: requests.read("edits", "1:2"), "--edits=1:2: expected rows"),
        (lambda: from_json({"seed": "1"}), "expected flags of genjax.explore by name"),
        (lambda: from_json(["seeds"]), "expected flags of genjax.explore by name"),
    ],
)
def test_what_says_no_request_is_refused(make, text):
    with pytest.raises(InputError) as error:
        make()
    assert text in str(error.value)


def test_a_point_of_the_plane_lies_between_the_four_seeds_around_it():
    middle = 1 / (2 * SIDE)
    assert place(middle, middle, 100) == ((100,), ())
    assert place(0.0, 0.0, 0) == ((0,), ())  # beyond the middle of the outermost cells: their seed
    assert place(1.0, 1.0, 0) == ((SIDE**2 - 1,), ())
    assert place(1 / SIDE, middle, 0) == ((0, 1, SIDE, SIDE + 1), (0.5, 0.0))
    seeds, at = place(2.25 / SIDE, 1.75 / SIDE, 7)
    first = 7 + SIDE + 1
    assert seeds == (first, first + 1, first + SIDE, first + SIDE + 1)
    assert at == (0.75, 0.25)


def test_an_upload_is_kept_by_its_content_and_only_if_it_is_an_image(tmp_path):
    def refuse(path):
        raise InputError(f"{path} is not an image")

    with pytest.raises(InputError, match=r"^My cat\.PNG is not an image"):
        keep(tmp_path / "new", b"text", "My cat.PNG", refuse)
    assert not list((tmp_path / "new").iterdir())
    path = keep(tmp_path / "new", b"content", "x.png", lambda path: None)
    assert path.read_bytes() == b"content"
    assert keep(tmp_path / "new", b"content", "x.png", lambda path: None) == path
    with pytest.raises(InputError, match="not an image"):
        keep(tmp_path / "new", b"content", "x.png", refuse)
    assert path.exists()  # of an earlier, good upload
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another --uploads"):
        keep(tmp_path / "file", b"x", "x.png", refuse)
