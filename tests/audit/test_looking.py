"""How much of a screen ads take."""

import pytest

from capper.audit.looking import Box, crowding


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([], (0, 0.0)),
        ([Box(0, 0, 500, 400)], (1, 0.2)),
        ([Box(0, 0, 1000, 100), Box(0, 900, 1000, 100)], (2, 0.2)),
        ([Box(0, 0, 1000, 100), Box(0, 950, 1000, 300)], (1, 0.3)),
        ([Box(0, 0, 1000, 100), Box(0, 3000, 1000, 100)], (1, 0.1)),
        ([Box(0, 0, 5000, 5000)], (1, 1.0)),
    ],
    ids=["none", "one", "both ends of a screen", "half of one", "far apart", "larger than a screen"],
)
def test_the_worst_place_to_scroll_to_counts(boxes, expected):
    """On a screen of 1000x1000: the most ads at one time, and the most of its area."""
    assert expected == crowding(boxes, 1000, 1000)
