"""What other caps would have done, reckoned by days."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.dashboard.supposing import Choice, choice_of, chosen, effects, with_choice, would_be_shown
from capper.domain.cap import Cap
from capper.domain.daily import EVERYBODY, Daily, Follower

TODAY = 100
CAPS = tuple(map(Cap.parse, ("3 per creative per day", "5 per advertiser per day", "15 per advertiser per week")))
WEEKS = st.dictionaries(st.integers(TODAY - 9, TODAY + 1), st.builds(Daily, st.integers(0, 9), st.integers(0, 9)))
LIMITS = st.none() | st.integers(1, 30)


@pytest.mark.parametrize(
    ("choice", "shown"),
    [(Choice(None, None), 12), (Choice(2, None), 6), (Choice(None, 5), 5), (Choice(3, 7), 7), (Choice(4, 100), 12)],
)
def test_a_limit_of_days_and_of_the_week(choice, shown):
    """Four a day on three days: the stricter of the two decides."""
    days = {TODAY - ago: Daily(3, 1) for ago in range(3)} | {TODAY - 7: Daily(50)}

    assert shown == would_be_shown(days, TODAY, choice)


@given(WEEKS, LIMITS, LIMITS)
def test_a_stricter_choice_never_shows_more(days, day, week):
    """And none shows more than there was."""
    free = would_be_shown(days, TODAY, Choice(None, None))
    found = would_be_shown(days, TODAY, Choice(day, week))
    stricter = would_be_shown(days, TODAY, Choice(day and max(day - 1, 1), week and max(week - 1, 1)))

    assert 0 <= stricter <= found <= free
    assert found <= (week if week is not None else free)


def test_the_sum_of_all_is_nobody():
    """It is no advertiser, and one that was not met last week is left out."""
    found = [
        Follower(EVERYBODY, {TODAY: Daily(9)}),
        Follower("a", {TODAY: Daily(2)}),
        Follower("b", {TODAY - 20: Daily(2)}),
    ]

    assert ["a"] == [effect.name for effect in effects(found, TODAY, Choice(1, None))]


@pytest.mark.parametrize(
    ("day", "week", "choice"),
    [
        ("", "", Choice(5, 15)),
        ("2", "7", Choice(2, 7)),
        ("21", "41", Choice(None, None)),
        ("0", "42", Choice(5, 15)),
        ("-1", "x", Choice(5, 15)),
        ("\u0663", "9" * 400, Choice(5, 15)),
    ],
)
def test_where_the_sliders_are(day, week, choice):
    """The last place is no limit; what is nowhere leaves what holds."""
    assert choice == chosen(day, week, choice_of(CAPS))


def test_a_slider_that_was_not_moved_leaves_a_limit_beyond_its_end():
    """A cap of 100 a day stands at the last place, and stays 100."""
    now = Choice(100, None)

    assert now == chosen(str(now.places["day"]), str(now.places["week"]), now)


def test_caps_without_a_slider_stay():
    """In their places; what is chosen takes the place of what said so before."""
    assert ["3 per creative per day", "2 per advertiser per day"] == list(map(str, with_choice(CAPS, Choice(2, None))))
    assert ["4 per advertiser per week"] == list(map(str, with_choice((), Choice(None, 4))))


@given(LIMITS, LIMITS)
def test_what_is_chosen_is_what_they_say(day, week):
    """The caps made of a choice say that choice."""
    assert Choice(day, week) == choice_of(with_choice(CAPS, Choice(day, week)))
