"""Bars on one scale, whatever the counts."""

from hypothesis import given
from hypothesis import strategies as st

from capper.dashboard.chart import HEIGHT, WIDTH, chart
from capper.domain.daily import Daily

COUNTS = st.integers(0, 10**6)


def test_what_was_withheld_stands_on_what_was_shown():
    """Half of the scale each."""
    [bar] = chart([(1, Daily(5, 5))]).bars

    assert (HEIGHT / 2, HEIGHT / 2, 0.0, HEIGHT / 2) == (
        bar.shown_y,
        bar.shown_height,
        bar.withheld_y,
        bar.withheld_height,
    )


def test_days_without_anything_have_a_scale_all_the_same():
    """Nothing is divided by nothing."""
    drawn = chart([(1, Daily()), (2, Daily())])

    assert (1, {0.0}) == (drawn.top, {bar.shown_height for bar in drawn.bars})


@given(st.lists(st.builds(Daily, COUNTS, COUNTS), min_size=1, max_size=28))
def test_bars_stay_within_the_drawing(days):
    """None is cut off, none overlaps the next, and the scale ends at a round number above them."""
    drawn = chart(list(enumerate(days)))
    ends = [bar.x + bar.width for bar in drawn.bars]

    assert all(bar.withheld_y >= -0.2 and bar.shown_y + bar.shown_height <= HEIGHT + 0.2 for bar in drawn.bars)
    assert all(0 <= bar.x < bar.x + bar.width <= WIDTH for bar in drawn.bars)
    assert all(end <= bar.x for end, bar in zip(ends, drawn.bars[1:], strict=False))
    assert drawn.top >= max(day.met for day in days)
    assert set(str(drawn.top)[1:]) <= {"0"}
