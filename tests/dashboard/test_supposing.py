"""What other caps would have done, reckoned by days."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.dashboard.supposing import Choice, choice_of, chosen, ruling, supposed, with_choice
from capper.domain.cap import Cap
from capper.domain.daily import Daily, Follower
from capper.domain.policy import Policy, Rule
from capper.settings.policy_own import with_own_caps

TODAY = 100
CAPS = tuple(map(Cap.parse, ("3 per creative per day", "5 per advertiser per day", "15 per advertiser per week")))
LIMITS = st.none() | st.integers(1, 30)


def test_last_week_under_another_choice():
    """Four a day on three days, before and after: the stricter of the two limits decides, and only for her."""
    days = {TODAY - ago: Daily(3, 1) for ago in range(3)} | {TODAY - 7: Daily(50)}
    policy = Policy(Rule("caps", CAPS))
    found = supposed([Follower("shoes.example", days)], "anna", policy, Choice(2, 5), TODAY)

    assert (12, 5) == (found.total("before").shown, found.total("after").shown)
    assert CAPS == ruling(with_own_caps(policy, "anna", ()), "ben").caps


def test_her_own_rule_is_changed_and_not_doubled():
    """What she chose before gives way; the owner's rules stay above it."""
    owners = Rule("shoes", (), advertiser=("shoes.example",))
    once = with_own_caps(Policy(Rule("caps", CAPS), (owners,)), "anna", CAPS[:1])
    twice = with_own_caps(once, "anna", CAPS[1:])

    assert (owners, Rule("anna's own caps", CAPS[1:], people=("anna",))) == twice.rules


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
