"""Windows of large images: on the grid, far enough from borders, each pixel in one core."""

import numpy as np
import pytest

from genjax.errors import InputError
from genjax.ops.windows import ENDLESS, check_windows, overlap_of, places, windows, within


@pytest.mark.parametrize(("tile", "overlap", "multiple"), [(64, 16, 8), (48, 32, 8), (96, 32, 16), (96, 64, 16)])
def test_cores_cover_a_side_once_away_from_inner_borders(tile, overlap, multiple):
    check_windows(tile, overlap, multiple)
    for side in range(20, 300):
        found = windows(side, tile, overlap, multiple)
        assert found.length <= max(tile, multiple)
        assert all(start % multiple == 0 for start in found.starts)
        assert found.starts[-1] + found.length == side
        assert found.bounds[0] == 0
        assert found.bounds[-1] == side
        for start, first, end in found.cores:
            assert start == 0 or first >= overlap / 2
            assert start + found.length == side or found.length - end >= overlap / 2
            assert first < min(end, found.length)


def test_a_windows_map_has_the_positions_of_its_core():
    """Sides of 70 and 45 pixels at a stride of 4, the second in one window: 18 and 12 positions, each once."""
    sides = windows(70, 32, 16, 8), windows(45, 48, 16, 8)
    count = np.zeros((18, 12))
    for place in places(*sides):
        core = np.asarray(within(place, (-(-sides[0].length // 4), 12), 4))
        top = place[0, 0] // 4
        count[top : top + len(core)] += core
    np.testing.assert_array_equal(count, 1)
    assert places(*sides)[-1][0, 2] + places(*sides)[-1][0, 0] == ENDLESS


def test_an_overlap_keeps_cores_as_far_as_a_net_reaches():
    assert [overlap_of(reach, 16) for reach in (1, 16, 17, 70)] == [32, 32, 64, 160]


@pytest.mark.parametrize(("tile", "overlap"), [(50, 16), (48, 8), (40, 16), (0, 16), (64, -32)])
def test_windows_that_do_not_fit_are_refused(tile, overlap):
    with pytest.raises(InputError, match=f"tile={tile}, overlap={overlap}: expected .* multiple of 32"):
        check_windows(tile, overlap, 16)
