"""What is recorded of whom, while a study goes on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.exchange import Exchange, Request
from capper.domain.identity import Ad, Basis, Viewer
from capper.domain.sighting import Sighting
from capper.study.exposure import Arm, Kind
from capper.study.recording import Recording
from capper.study.register import (
    Participant,
    Study,
    StudyKeys,
    change_study,
    data_file,
    joined,
    key_file,
    left,
    make_key,
    register_file,
)
from capper.study.store import Store
from capper.testing import NOON, FrozenClock

ANNA = Viewer("anna")
SHOES = Ad(("shoes.example",), "ads.example/7", "ads.example/9", basis=Basis.ADOMAIN)


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def begin(tmp_path, clock):
    """Begins a study: `begin("one", names=True)`; anna takes part, and agrees to names. A second later it is seen."""

    def start(name="ads", **parts):
        keys = StudyKeys(make_key(key_file(tmp_path, name)))
        study = Study(name, NOON, NOON + timedelta(days=7), "I agree.", 7, **parts)
        study = joined(study, keys.of("person", "anna"), Participant(NOON, study.text, names=True))
        change_study(register_file(tmp_path), name, lambda _: study)
        clock.forward(seconds=1)
        return keys

    return start


@pytest.fixture
async def recording(tmp_path, clock):
    made = Recording(tmp_path, clock, every=0)
    yield made
    await made.close()


@pytest.fixture
def kept(tmp_path, recording):
    """What has been written of a study, once all that waits is."""

    async def read(name="ads"):
        await recording.write()
        store = Store.open(data_file(tmp_path, name))
        found = list(store.rows()), list(store.visit_rows())
        store.close()
        return found

    return read


def seen(viewer=ANNA, ad=SHOES, **decision):
    sighting = Sighting(viewer, ad, "o", page="p1", site="news.example", network="ads.example")
    return [sighting], [Decision(Verdict.SHOW, viewer, ad, "caps", **decision)]


async def test_an_exposure(begin, recording, kept, clock):
    """Shown or withheld: when, in the study's own names, by which rung and which cap; no advertiser's name unless asked for."""
    keys = begin()
    recording.decided(clock(), *seen())
    sightings, [shown] = seen()
    withheld = replace(shown, verdict=Verdict.WITHHOLD, cap=Cap.parse("3 per day"), count=3)
    recording.decided(clock.forward(minutes=1), sightings, [withheld])
    [one, other], _ = await kept()

    assert (keys.of("person", "anna"), keys.of("advertiser", "shoes.example")) == (one.person, one.advertiser)
    assert (keys.of("site", "news.example"), keys.of("load", "p1"), "ads.example") == (one.site, one.load, one.network)
    assert (Verdict.SHOW, Basis.ADOMAIN, Arm.CAPPED, "") == (one.verdict, one.basis, one.arm, one.name)
    assert (Verdict.WITHHOLD, 3, "3 per advertiser per day") == (other.verdict, other.before, other.cap)
    assert timedelta(minutes=1) == other.time - one.time


async def test_only_of_those_who_agreed(begin, recording, kept, clock):
    """Nothing of ben; nothing of anna before it begins, after it ends, or once she has left."""
    begin()
    recording.decided(clock(), *seen(Viewer("ben")))
    recording.decided(NOON - timedelta(seconds=1), *seen())
    recording.decided(NOON + timedelta(days=7), *seen())

    assert ([], []) == await kept()


async def test_a_privacy_level_below_research_comes_first(begin, tmp_path, clock, kept):
    """Of who agreed once and chose a more private level since, nothing is recorded."""
    begin()
    recording = Recording(tmp_path, clock, every=0, permits=lambda name: name != "anna")
    recording.decided(clock(), *seen())
    await recording.close()

    assert ([], []) == await kept()


async def test_who_leaves_is_recorded_no_more(begin, recording, kept, clock, tmp_path):
    """From that moment on, though the recording learns of it a second later: what waits of hers is not written either."""
    keys = begin()
    recording.decided(clock(), *seen())
    recording.opened(Exchange(Request("GET", "https://www.shoes.example/"), ANNA, clock()))
    change_study(register_file(tmp_path), "ads", lambda study: left(study, keys.of("person", "anna")))

    assert ([], []) == await kept()

    recording.decided(clock.forward(seconds=1), *seen())

    assert ([], []) == await kept()


async def test_a_study_is_seen_while_capper_runs(begin, recording, kept, clock):
    """Begun a second ago."""
    recording.decided(clock(), *seen())
    begin()
    recording.decided(clock(), *seen())
    rows, _ = await kept()

    assert 1 == len(rows)


async def test_what_was_met_before_it_was_stopped_is_kept(begin, recording, clock, tmp_path):
    """Although it waited; nothing after."""
    begin()
    recording.decided(clock(), *seen())
    change_study(register_file(tmp_path), "ads", lambda study: replace(study, stopped=clock()))
    recording.decided(clock.forward(seconds=1), *seen())
    store = Store.open(data_file(tmp_path, "ads"))

    assert 1 == len(list(store.rows()))
    store.close()


async def test_repeats_are_no_exposures(begin, recording, kept, clock):
    """One occasion counts once, however often it is asked for."""
    begin()
    recording.decided(clock(), *seen())
    recording.decided(clock(), *seen(repeated=True))
    rows, _ = await kept()

    assert 1 == len(rows)


@pytest.mark.parametrize(("asks", "name"), [(True, "shoes.example"), (False, "")])
async def test_names_are_kept_where_the_study_asks(begin, recording, kept, clock, asks, name):
    """And she agreed to that."""
    begin(names=asks)
    recording.decided(clock(), *seen())
    [row], _ = await kept()

    assert name == row.name


async def test_a_visit(begin, recording, kept, clock):
    """In the names of advertisers, so that an ad of the shop's can be told from others."""
    keys = begin()
    for viewer in (ANNA, Viewer("ben")):
        request = Request("GET", "https://www.shoes.example/p/1")
        recording.opened(Exchange(request, viewer, clock()))
    _, [visit] = await kept()

    assert (keys.of("advertiser", "shoes.example"), Kind.PRODUCT) == (visit.site, visit.kind)


async def test_two_studies_cannot_be_joined(begin, tmp_path):
    """Nothing is called the same in both."""
    one, other = begin("one"), begin("other")

    assert all(
        one.of(purpose, "x") != other.of(purpose, "x")
        for purpose in ("person", "load", "site", "creative", "campaign", "advertiser")
    )
    assert one.of("site", "x") != one.of("advertiser", "x")


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
async def test_caps_are_off_on_some_days(begin, recording, clock, share):
    """As the seed drew: the same whenever it is asked; of forty days about the share."""
    begin(control=share)
    days = [clock() + timedelta(hours=4 * day) for day in range(42)]
    found = [recording.control("anna", day) for day in days]

    assert found == [recording.control("anna", day) for day in days]
    assert not any(recording.control("ben", day) for day in days)
    assert {0.0: {False}, 1.0: {True}, 0.5: {False, True}}[share] == set(found)


async def test_an_exposure_says_its_arm(begin, recording, kept, clock):
    """So that effects can be estimated."""
    begin(control=1.0)
    recording.decided(clock(), *seen())
    [row], _ = await kept()

    assert Arm.CONTROL == row.arm


async def test_a_disk_that_does_not_take_it_costs_no_page(begin, recording, clock, tmp_path, caplog):
    """It is said how much was lost."""
    begin()
    recording.decided(clock(), *seen())
    store = Store.open(data_file(tmp_path, "ads"))
    store._connection.execute("DROP TABLE exposures")
    store.close()
    await recording.write()

    assert "the study ads: write 1 exposures" in caplog.text
