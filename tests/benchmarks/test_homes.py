"""The made-up homes of the simulation: the same ones each time, and about what the figures they are made from say."""

from datetime import UTC, datetime, timedelta
from itertools import chain
from statistics import mean

from benchmarks.homes import ADS, AT_ONCE, DISTINCT, HOURS, PERSONS, homes

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def week(person, begins=MONDAY):
    """The exchanges of a week."""
    return [meeting for hour in range(7 * 24) for meeting in person.hour(begins + timedelta(hours=hour))]


def test_the_same_seed_gives_the_same_days():
    """Whoever repeats a run measures the same people; another seed has others."""

    def days(seed):
        return [list(person.hour(MONDAY + timedelta(hours=20))) for home in homes(3, seed) for person in home]

    assert days(7) == days(7)
    assert days(7) != days(8)


def test_homes_have_as_many_people_as_counted():
    """On average, over two thousand of them."""
    sizes = [len(home) for home in homes(2000, 7)]

    assert abs(mean(sizes) - PERSONS) < 0.1
    assert {1, 2, 3, 4, 5} == set(sizes)


def test_a_week_has_as_many_ads_as_measured():
    """So many in all and to an exchange, and of these so many different ones, once ads have begun to follow."""
    people = list(chain.from_iterable(homes(8, 7)))
    for person in people:
        week(person)
    weeks = [week(person, MONDAY + timedelta(days=7)) for person in people]
    ads = [[each.ad for meeting in meetings for each in meeting.sightings] for meetings in weeks]

    assert abs(mean(map(len, ads)) / 7 / ADS - 1) < 0.05
    assert abs(mean(map(len, ads)) / mean(map(len, weeks)) / AT_ONCE - 1) < 0.05
    assert 0.85 < mean(len(set(found)) for found in ads) / DISTINCT <= 1


def test_a_day_is_shared_out_whole():
    """Its hours are per cents of it."""
    assert 100 == round(sum(HOURS), 6)
