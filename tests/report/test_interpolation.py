"""Where images of paths between latents stand."""

import numpy as np
from PIL import Image

from genjax.report import interpolation


def test_rows_have_the_originals_at_their_ends_behind_a_gap():
    images = np.full((2, 3, 4, 8, 1), 100, np.uint8)
    start, end = np.full((2, 4, 8, 1), 10, np.uint8), np.full((2, 4, 8, 1), 200, np.uint8)
    sheet = np.asarray(interpolation.rows(images, start, end))
    line = sheet[sheet.shape[0] // 4]
    changes = line[np.flatnonzero(np.diff(line.astype(int), prepend=-1))].tolist()
    # White around each image.
    assert changes == [255, 10, 255, 100, 255, 100, 255, 100, 255, 200, 255]
    assert (np.asarray(interpolation.rows(images)) == 100).any()


def test_the_originals_of_corners_stand_beside_them_and_nowhere_else():
    images = np.full((3, 2, 4, 4, 3), 100, np.uint8)
    originals = np.arange(1, 5, dtype=np.uint8)[:, None, None, None] * np.full((4, 4, 3), 10, np.uint8)
    sheet = np.asarray(interpolation.corners(images, originals))
    height, width = sheet.shape[:2]
    left, right, top, bottom = sheet[:, : width // 3], sheet[:, -width // 3 :], slice(0, height // 3), -height // 3
    assert {10, 20, 30, 40} <= set(np.unique(sheet).tolist())
    assert (left[top] == 10).any()
    assert (right[top] == 20).any()
    assert (left[bottom:] == 30).any()
    assert (right[bottom:] == 40).any()


def test_frames_are_grids_in_memory():
    frames = interpolation.frames(np.zeros((3, 4, 8, 8, 1), np.uint8))
    assert len(frames) == 3
    with Image.open(frames[0]) as image:
        assert image.format == "PNG"
