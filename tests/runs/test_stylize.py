"""Style transfer as typed: what it writes, and what it answers to images and flags that are wrong."""

import numpy as np
import pytest
from helpers import run
from PIL import Image

from genjax import stylization
from genjax.ops.chroma import luma
from genjax.stylization import Painter
from genjax.weights import adain


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of many kinds, and files that are none."""
    path, rng = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    y, x = np.mgrid[:40, :48] / 48
    photo = np.uint8(90 + 80 * np.stack([x, y, 1 - x], -1))
    Image.fromarray(photo).save(path / "photo.png")
    Image.fromarray(np.dstack([photo, np.uint8(255 * x)])).save(path / "alpha.png")
    Image.fromarray(photo[..., 0]).save(path / "gray.png")
    Image.fromarray(photo[..., 0].astype(np.uint16) * 257).save(path / "deep.png")
    turned = Image.fromarray(photo)
    turned.getexif()[0x0112] = 6
    turned.save(path / "turned.jpg", exif=turned.getexif())
    Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(path / "style.png")
    Image.fromarray(np.uint8(255 * (x > 0.5))).save(path / "mask.png")
    Image.fromarray(np.uint8(255 * (x <= 0.5))).save(path / "other.png")
    Image.fromarray(photo[:2]).save(path / "strip.png")
    (path / "torn.png").write_bytes((path / "photo.png").read_bytes()[:-20])
    (path / "text.png").write_text("no image")
    (path / "set").mkdir()
    for name in ("a", "b"):
        Image.fromarray(photo).save(path / "set" / f"{name}.png")
    return path


def stylized(folder, *flags, content="photo.png", style="style.png"):
    styles = ",".join(str(folder / name) for name in style.split(","))
    return run("genjax.stylize", f"--content={folder / content}", f"--style={styles}", *flags)


def test_an_image_is_painted_by_descent_with_progress_and_an_animation(folder, tmp_path):
    out, gif = tmp_path / "x.png", tmp_path / "x.gif"
    done = stylized(folder, f"--out={out}", f"--gif={gif}", "--steps=4", "--size=48")
    assert done.code == 0, done.err
    assert "40x48 pixels, about" in done.err  # memory is said first
    assert "step 4/4 (100%)" in done.err
    assert str(out) in done.out
    with Image.open(out) as image, Image.open(gif) as frames:
        assert image.size == (48, 40)
        assert frames.n_frames >= 3
    with Image.open(folder / "photo.png") as photo, Image.open(out) as image:
        assert np.abs(np.float32(photo) - np.float32(image)).mean() > 3


@pytest.mark.parametrize(
    ("content", "size"),
    [("alpha.png", (48, 40)), ("gray.png", (48, 40)), ("deep.png", (48, 40)), ("turned.jpg", (40, 48))],
)
def test_images_of_every_kind_are_painted_at_once(content, size, folder, tmp_path):
    """With transparency on white, of one channel, of 16 bits, and turned by EXIF."""
    out = tmp_path / "x.png"
    done = stylized(folder, f"--out={out}", "--method=adain", "--size=48", content=content)
    assert done.code == 0, done.err
    assert f"{size[1]}x{size[0]} pixels, about" in done.err
    with Image.open(out) as image:
        assert (image.size, image.mode) == (size, "RGB")


def test_a_folder_is_painted_image_by_image(folder, tmp_path):
    done = stylized(folder, f"--out={tmp_path / 'x'}", "--method=adain", "--size=48", content="set")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["a.png", "b.png"]


def painted(folder, *styles, content="photo.png", **options):
    painter = Painter("", [str(folder / style) for style in styles], size=48, **options)
    return np.float32(painter.paint(folder / content))


def test_alpha_shares_and_masks_go_from_one_to_the_other(folder):
    plain, own = painted(folder, "style.png", alpha=0.0), painted(folder, "photo.png")
    np.testing.assert_array_equal(painted(folder, "photo.png", alpha=1.0), own)
    np.testing.assert_allclose(own, plain, atol=2)  # its own moments are its own
    one, other = painted(folder, "style.png"), painted(folder, "gray.png")
    shared = painted(folder, "style.png", "gray.png", shares=(1.0, 0.0))
    np.testing.assert_allclose(shared, one, atol=1)
    halfway = painted(folder, "style.png", "gray.png", shares=(1, 1))
    assert np.abs(halfway - one).mean() < np.abs(other - one).mean()
    masks = [str(folder / name) for name in ("mask.png", "other.png")]
    masked = painted(folder, "style.png", "gray.png", masks=masks)
    right, left = slice(40, None), slice(0, 8)
    assert np.abs(masked - one)[:, right].mean() < np.abs(masked - other)[:, right].mean()
    assert np.abs(masked - other)[:, left].mean() < np.abs(masked - one)[:, left].mean()


def test_a_flat_image_gets_no_frame(folder, monkeypatch):
    painter = Painter("", [str(folder / "style.png")], size=64)
    flat = np.full((64, 80, 3), 40.0, np.float32)
    assert np.ptp(painter.painted(flat), axis=(0, 1)).max() < 10
    monkeypatch.setattr(stylization, "BORDER", 0)
    assert np.ptp(Painter("", [str(folder / "style.png")], size=64).painted(flat), axis=(0, 1)).max() > 30


def test_luma_alone_leaves_the_colors_of_the_content(folder):
    with Image.open(folder / "photo.png") as image:
        photo = np.float32(image)
    x = painted(folder, "gray.png", color="luma", alpha=0.1)
    inside = ((x > 0) & (x < 255)).all(-1)  # where nothing was clipped
    assert inside.mean() > 0.1
    np.testing.assert_allclose((x - luma(x))[inside], (photo - luma(photo))[inside], atol=1.1)  # of rounding
    assert np.abs(luma(x) - luma(photo)).mean() > 1


def test_matched_styles_have_the_contents_colors(folder):
    painter = Painter("", [str(folder / "style.png")], size=48, color="match")
    with Image.open(folder / "photo.png") as image:
        photo = np.float32(image)
    recolored = np.asarray(painter._recolored(painter.styles[0], photo))
    np.testing.assert_allclose(recolored.mean((0, 1)), photo.mean((0, 1)), atol=6)  # but for what was clipped
    assert np.abs(painted(folder, "style.png", color="match") - painted(folder, "style.png")).mean() > 3


def test_the_packaged_decoder_is_the_one_that_was_packaged(monkeypatch):
    monkeypatch.setattr(adain, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="The packaged decoder of AdaIN is damaged: install genjax-models again"):
        adain.load_decoder()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"content": "none.png"}, "none.png does not exist: expected an image file"),
        ({"style": "none.png"}, "none.png does not exist"),
        ({"content": "torn.png"}, "torn.png (incomplete file)"),
        ({"style": "text.png"}, "text.png (not an image that Pillow reads)"),
        ({"content": "strip.png"}, "strip.png is 2x48: with 256 pixels on the longer side the shorter has 11"),
        ({"content": "set"}, "set is a folder, which --method=adain takes"),
        ({"flag": "--out=x.tiff"}, "--out=x.tiff: expected a .png"),
        ({"flag": "--gif=x.mp4"}, "--gif=x.mp4: expected a .gif"),
        ({"flag": "--alpha=0.5"}, "--alpha is for --method=adain, and this is --method=gatys"),
        ({"flag": "--method=adain --steps=3"}, "--steps is for --method=gatys, and this is --method=adain"),
        ({"flag": "--method=adain --alpha=2"}, "alpha"),
        ({"flag": "--shares=0.5,0.5"}, "--shares: expected one for each of 1 styles, got 2"),
        ({"flag": "--shares=half"}, "--shares=half: expected numbers with commas"),
        ({"flag": "--masks=a.png,b.png"}, "--masks: expected one for each of 1 styles, got 2"),
        ({"flag": "--encoder=vgg:none.pth"}, "none.pth"),
        ({"flag": "--encoder=vgg19"}, "encoder='vgg19': expected 'squeezenet', which is packaged, or 'vgg:FILE'"),
        ({"flag": "--method=adain --workdir=runs/none"}, "runs/none is not a run's folder"),
        ({"flag": "--size=16"}, "size"),
        (
            {"flag": "--tile=100"},
            "tile=100, overlap=160: expected an overlap that is a multiple of 32",
        ),
        ({"flag": "--method=adain --tile=100"}, "tile=100, overlap=96"),
        ({"flag": "--overlap=32"}, "tile=0, overlap=32"),
    ],
)
def test_what_is_wrong_is_answered_in_a_line_before_anything_is_compiled(flags, message, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = stylized(folder, *flags.pop("flag", f"--out={tmp_path}/x.png").split(), **flags)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.splitlines()) <= 2
    assert not list(tmp_path.iterdir())
