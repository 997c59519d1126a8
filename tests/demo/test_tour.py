"""The tour through the demo's world: what happens to whom, and the table at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from capper.demo.household import TurnedClock, running_household
from capper.demo.sites import AD_SERVER
from capper.demo.tour import DEVICES, POLICY, STEPS, Row, Stop, summary, tour
from capper.domain.errors import CapperError
from capper.settings import parse_policy
from capper.testing import NOON


@asynccontextmanager
async def toured(folder: Path) -> AsyncIterator[tuple[list[Stop], list[str]]]:
    """The stops of a whole tour, with a ledger in memory, and every banner that the ad server was asked for."""
    clock = TurnedClock(NOON)
    async with running_household(folder, POLICY, DEVICES, ledger="memory", clock=clock) as household:
        stops = [stop async for stop in tour(household, clock)]
        yield stops, [one.asked.path for one in household.world.asked(AD_SERVER, "/banner/shoes")]


def became(stop: Stop) -> dict[str, str]:
    """Each advertiser at a stop, and what became of the ad."""
    return {record.label.partition(".")[0]: record.verdict for record in stop.records}


async def test_the_tour_tells_its_story(tmp_path: Path):
    """The shoe ad is shown to anna three times on two devices, then withheld, and shown again a day later; ben has his own."""
    async with toured(tmp_path) as (stops, _):
        story = [(stop.step.person, became(stop)) for stop in stops]

    assert story == [
        ("anna", {"shoes": "show", "travel": "show"}),
        ("anna", {"shoes": "show", "coffee": "show"}),
        ("anna", {"shoes": "show", "coffee": "show"}),
        ("anna", {"shoes": "withhold", "travel": "show"}),
        ("anna", {"shoes": "withhold", "coffee": "show"}),
        ("ben", {"shoes": "show", "travel": "withhold"}),
        ("ben", {"shoes": "show", "coffee": "show"}),
        ("anna", {"shoes": "withhold", "coffee": "withhold"}),
        ("anna", {"shoes": "show", "travel": "show"}),
    ]


async def test_the_table_says_why_and_until_when(tmp_path: Path):
    """The summary counts by person and advertiser, and gives cap, count and reopening of what was withheld."""
    async with toured(tmp_path) as (stops, _):
        rows = summary(stops)

    cap = "3 per advertiser per day, 3 counted"
    day = timedelta(days=1)
    assert rows == [
        Row("anna", "coffee.example", 3, 1, cap, NOON + timedelta(minutes=4) + day),
        Row("anna", "shoes.example", 4, 3, cap, NOON + day),
        Row("anna", "travel.example", 3, 0, "", None),
        Row("ben", "coffee.example", 1, 0, "", None),
        Row("ben", "shoes.example", 2, 0, "", None),
        Row("ben", "travel.example", 0, 1, "never: ben has had his holiday", None),
    ]


async def test_what_is_withheld_is_not_fetched(tmp_path: Path):
    """No banner of a withheld ad is asked of the ad server, in the page or in a frame."""
    async with toured(tmp_path) as (stops, fetched):
        shown = sum(became(stop).get("shoes") == "show" for stop in stops)

    assert 0 < len(fetched) <= shown


def test_each_device_belongs_to_someone():
    """The policy's people own the addresses that the doors lend."""
    people = parse_policy(POLICY, "demo").people
    owned = {device: person.name for person in people.values() for device in person.devices}

    assert {name: owned[address] for name, address in DEVICES.items()} == {
        name: name.partition("'")[0] for name in DEVICES
    }
    assert {step.device for step in STEPS} == set(DEVICES)


def test_nothing_makes_an_empty_table():
    """A summary of nothing is empty, and a stop without ads adds nothing."""
    stop = Stop(NOON, STEPS[0], ())

    assert summary([]) == summary([stop, replace(stop, step=STEPS[1])]) == []


async def test_an_address_that_is_not_ours_is_one_sentence(tmp_path: Path):
    """Where a machine lends no second loopback address, the demo says so."""
    with pytest.raises(CapperError, match=r"203\.0\.113\.9 is none here"):
        async with running_household(tmp_path, POLICY, {"tv": "203.0.113.9"}, ledger="memory"):
            pass
