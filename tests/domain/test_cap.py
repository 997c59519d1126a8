"""The grammar of caps: what is written is read, what is read prints back, what is wrong is told."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.cap import LONGEST, MOST, UNITS, Cap, parse_length, spell_length, spell_window
from capper.domain.identity import Level
from capper.domain.window import Calendar, CalendarUnit, Life, Rolling, Scope, Session, Spacing, Within

LENGTHS = st.integers(1, LONGEST // timedelta(seconds=1)).map(
    lambda seconds: timedelta(seconds=seconds)
) | st.sampled_from([count * unit for unit in UNITS.values() for count in (1, 2, 7, 1000)])
WINDOWS = st.one_of(
    LENGTHS.map(Rolling),
    st.sampled_from(CalendarUnit).map(Calendar),
    st.sampled_from(Scope).map(Within),
    st.just(Session()),
    st.just(Life()),
)
CAPS = st.one_of(
    st.builds(Cap, st.integers(0, MOST), st.sampled_from(Level), WINDOWS),
    st.builds(Cap, st.just(1), st.sampled_from(Level), LENGTHS.map(Spacing)),
    st.just(Cap(0)),
)


@given(cap=CAPS)
def test_every_cap_reads_back_as_it_prints(cap):
    """`Cap.parse(str(cap)) == cap`, whatever its count, level and window."""
    assert Cap.parse(str(cap)) == cap


@given(length=LENGTHS)
def test_every_length_reads_back_as_it_spells(length):
    """A length spelled in its largest unit is the same length."""
    assert parse_length(spell_length(length)) == length


WORDS = [
    "3",
    "0",
    "per",
    "at",
    "most",
    "every",
    "for",
    "life",
    "advertiser",
    "day",
    "28",
    "days",
    "never",
    "page",
    "once",
]


@given(text=st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_reading_refuses_or_prints_back(text):
    """Any text at all is a cap that prints back to itself, or a ValueError that quotes it; nothing else."""
    try:
        cap, refusal = Cap.parse(text), ""
    except ValueError as exc:
        cap, refusal = None, str(exc)

    assert repr(text) in refusal if cap is None else Cap.parse(str(cap)) == cap


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("3 per advertiser per day", Cap(3, Level.ADVERTISER, Rolling(timedelta(days=1)))),
        ("3 per day", Cap(3, Level.ADVERTISER, Rolling(timedelta(days=1)))),
        ("3 per day per creative", Cap(3, Level.CREATIVE, Rolling(timedelta(days=1)))),
        ("  ONCE  per Page per\tCampaign ", Cap(1, Level.CAMPAIGN, Within(Scope.PAGE))),
        ("twice per pod", Cap(2, Level.ADVERTISER, Within(Scope.POD))),
        ("0 per category per week", Cap(0, Level.CATEGORY, Rolling(timedelta(weeks=1)))),
        ("5 per 28 days", Cap(5, Level.ADVERTISER, Rolling(timedelta(days=28)))),
        ("5 per calendar month", Cap(5, Level.ADVERTISER, Calendar(CalendarUnit.MONTH))),
        ("9 for life per creative", Cap(9, Level.CREATIVE, Life())),
        ("2 per session", Cap(2, Level.ADVERTISER, Session())),
        ("at most every 30 minutes", Cap(1, Level.ADVERTISER, Spacing(timedelta(minutes=30)))),
        ("at most every hour per creative", Cap(1, Level.CREATIVE, Spacing(timedelta(hours=1)))),
        ("never", Cap(0)),
        ("1000 per creative per 1000 weeks", Cap(1000, Level.CREATIVE, Rolling(LONGEST))),
    ],
)
def test_caps_are_read(text, cap):
    """Sentences as people write them, in either order, any case and any white space."""
    assert Cap.parse(text) == cap


@pytest.mark.parametrize(
    ("cap", "text"),
    [
        (Cap(3, Level.CREATIVE, Rolling(timedelta(days=7))), "3 per creative per week"),
        (Cap(3, Level.CREATIVE, Rolling(timedelta(days=14))), "3 per creative per 14 days"),
        (Cap(3, Level.CREATIVE, Rolling(timedelta(minutes=90))), "3 per creative per 90 minutes"),
        (Cap(3, Level.CREATIVE, Calendar(CalendarUnit.WEEK)), "3 per creative per calendar week"),
        (Cap(3, Level.ADVERTISER, Life()), "3 per advertiser for life"),
        (Cap(1, Level.ADVERTISER, Spacing(timedelta(seconds=1))), "at most every second per advertiser"),
        (Cap(0), "never"),
    ],
)
def test_caps_are_printed(cap, text):
    """One way to write each cap."""
    assert str(cap) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' ends where a count, 'at most every' or 'never' was expected"),
        ("3", "'3' ends where a window, like 'per day', 'per page' or 'for life' was expected"),
        ("3 per advertiser", "ends where a window"),
        ("3 per advertizer per day", "found 'advertizer'; did you mean 'advertiser'?"),
        ("3 per advertiser per dya", "found 'dya'; did you mean 'day'?"),
        ("3 pre day", "expected 'per', found 'pre'; did you mean 'per'?"),
        ("nevr", "did you mean 'never'?"),
        ("never ever", "expected nothing more, found 'ever'"),
        ("three per day", "expected a count, 'at most every' or 'never', found 'three'"),
        ("-1 per day", "expected a count"),
        ("1.5 per day", "expected a count"),
        ("\u0663 per day", "expected a count"),
        ("1001 per day", "expected a number from 0 to 1000, found '1001'"),
        ("0000001000000000000000 per day", "expected a number from 0 to 1000"),
        (f"{'9' * 5000} per day", "expected a number from 0 to 1000"),
        ("3 per 0 days", "expected a number from 1 to"),
        ("3 per 1001 weeks", "expected a length of at most 1000 weeks, found '1001'"),
        ("3 per 99999999999999 days", "expected a number from 1 to"),
        ("3 per month", "expected '28 days' or 'calendar month' (months differ in length), found 'month'"),
        ("3 per 2 months", "expected a level"),
        ("3 per calendar hour", "expected 'calendar day', 'calendar week' or 'calendar month', found 'hour'"),
        ("3 per day per week", "expected one window only"),
        ("3 per creative per advertiser per day", "expected one level only"),
        ("at most every", "ends where a level"),
        ("at least every day", "expected 'most', found 'least'"),
        ("at most every day per page", "expected one of creative, campaign, advertiser, category, found 'page'"),
        ("3 for live", "expected 'life', found 'live'; did you mean 'life'?"),
    ],
)
def test_refusals_say_what_was_expected(text, says):
    """Each refusal names the word it stopped at, what belongs there, and what was perhaps meant."""
    with pytest.raises(ValueError) as refused:
        Cap.parse(text)

    assert says in str(refused.value)


@pytest.mark.parametrize("text", ["30 minutes per day", "per day", "", "day day"])
def test_a_length_is_only_a_length(text):
    """A length with anything more or less is refused."""
    with pytest.raises(ValueError):
        parse_length(text)


def test_a_length_of_less_than_a_second_cannot_be_spelled():
    """Windows are whole seconds."""
    with pytest.raises(ValueError, match="whole number of seconds"):
        spell_window(Rolling(timedelta(milliseconds=1500)))
