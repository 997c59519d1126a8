"""`capper measure sketch`: three households and one who adds up, from the invitation to what each tells by itself."""

import json
from datetime import UTC, datetime

import pytest

from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.exposure import Exposure
from capper.study.joint import Answer, Roster, read_sketch, study_keys
from capper.study.register import data_file, invitation_file, read_studies, register_file
from capper.study.store import Store

HOUSES = ("one", "two", "three", "four")
WEEK = "2026-W03"
MONDAY = datetime(2026, 1, 12, 12, tzinfo=UTC)


@pytest.fixture
def files(home):
    """A folder for what is sent."""
    (home / "sent").mkdir()
    return home / "sent"


@pytest.fixture
def houses(capper, home, files, monkeypatch):
    """Four households of a joint study with a roster; each has a person who met an ad everybody met, and one that followed only her."""
    monkeypatch.setenv("CAPPER_JOURNAL_LEVEL", "3")
    capper(
        "measure", "sketch", "invite", "joint", "--ads", 50, "--epsilon", 7, "--most", 3, "--out", files / "invitation"
    )
    for house in HOUSES:
        state = home / house
        capper("measure", "start", "autumn", "--invitation", files / "invitation", "--state", state)
        capper("measure", "sketch", "key", "autumn", "--out", files / f"{house}.key", "--state", state)
        study = read_studies(register_file(state))["autumn"]
        keys, store = study_keys(state, study), Store.open(data_file(state, "autumn"))
        met = [("all", "s1"), *((f"follows {house}", f"s{site}") for site in range(6)), ("other", "s2")]
        row = {"load": "", "format": Format.BANNER, "network": "", "basis": Basis.CLICK}
        store.add(
            [
                Exposure(MONDAY, keys.of("person", house), site=site, advertiser=keys.of("advertiser", ad), **row)
                for ad, site in met
            ]
        )
        store.close()
    said = capper(
        "measure",
        "sketch",
        "roster",
        files / "invitation",
        *(files / f"{each}.key" for each in HOUSES),
        "--out",
        files / "roster",
    )
    assert "4 households" in said.out
    return home


@pytest.fixture
def make(capper, houses, files):
    """`make("one")` writes the sketch of a household."""

    def run(house, *words):
        return capper(
            "measure", "sketch", "make", "autumn", files / "roster", "--week", WEEK, "--out", files / f"{house}.sketch",
            "--state", houses / house, *words,
        )  # fmt: skip

    return run


@pytest.fixture
def combine(capper, files):
    """`combine("one", "two", ...)` adds up."""

    def run(*who, words=()):
        sketches = [files / f"{each}.sketch" for each in who]
        return capper(
            "measure",
            "sketch",
            "combine",
            files / "roster",
            *sketches,
            "--week",
            WEEK,
            "--out",
            files / "answer",
            *words,
        )

    return run


def test_the_consent_says_that_it_is_joint(houses):
    """Whoever joins reads what leaves the household."""
    study = read_studies(register_file(houses / "one"))["autumn"]

    assert "This household takes part together with others" in study.consent


def test_each_household_tells_what_follows_its_people(capper, houses, files, make, combine):
    """From an answer that has no count of anybody's; the epsilon of it is spent in each."""
    made = [make(house).code for house in HOUSES]
    combined = combine(*HOUSES)
    found = [
        json.loads(capper("measure", "sketch", "detect", "autumn", files / "roster", files / "answer", "--json", "--state", houses / house).out)
        for house in HOUSES
    ]  # fmt: skip
    account = json.loads(capper("measure", "budget", "autumn", "--json", "--state", houses / "one").out)

    assert ([0] * 4, 0) == (made, combined.code)
    assert [3] * 4 == [each["pairs"] for each in found] == [each["decided"] for each in found]
    assert 7 == account["spent"]["epsilon"]


def test_an_ad_has_one_name_in_all_households(houses):
    """And people have one of their own in each."""
    keys = [study_keys(houses / each, read_studies(register_file(houses / each))["autumn"]) for each in HOUSES]

    assert 1 == len({each.of("advertiser", "shoes.test") for each in keys})
    assert (
        4 == len({each.of("person", "anna") for each in keys}) == len({each.of("site", "news.test") for each in keys})
    )


def test_a_second_sketch_of_a_week_is_refused(houses, make):
    """Two, taken from each other, would tell; the very same may be written again."""
    first, again = make("one"), make("one")
    store = Store.open(data_file(houses / "one", "autumn"))
    store.add([Exposure(MONDAY, "p", "", "s", Format.BANNER, "", Basis.CLICK, advertiser="more")])
    store.close()
    other = make("one")

    assert [0, 0, 2] == [each.code for each in (first, again, other)]
    assert "another sketch of 2026-W03 was made" in other.err


def test_who_is_missing_is_made_up_for(capper, houses, files, make, combine):
    """By all the others, once they were told who it is."""
    here = HOUSES[:3]
    for house in here:
        make(house)
    waiting = combine(*here)
    [missing] = files.glob("missing-*.json")
    for house in here:
        capper(
            "measure", "sketch", "make-up", "autumn", files / "roster", missing, "--week", WEEK, "--out", files / f"{house}.up",
            "--state", houses / house,
        )  # fmt: skip
    partly = combine(*here, words=["--made-up", files / "one.up"])
    done = combine(*here, words=[word for house in here for word in ("--made-up", files / f"{house}.up")])

    assert (1, True) == (waiting.code, "missing:" in waiting.out)
    assert [2, 0] == [partly.code, done.code]
    assert Answer.read(files / "answer", Roster.read(files / "roster")).week == WEEK


def test_an_answer_is_given_once(make, combine):
    """A second with other noise would tell more."""
    for house in HOUSES:
        make(house)

    assert [0, 2] == [combine(*HOUSES).code, combine(*HOUSES).code]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: b"x" + data,
        lambda _: b"",
        lambda data: data[:16] + b"[" * 5000,
    ],
)
def test_a_spoilt_sketch_is_refused(files, make, combine, spoil):
    """Whole, with its name."""
    make("one")
    file = files / "one.sketch"
    file.write_bytes(spoil(file.read_bytes()))
    told = combine("one")

    assert (2, True) == (told.code, "one.sketch" in told.err)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[" * 100_000,
        '{"capper": "roster", "version": 1, "members": [1]}',
        '{"capper": "roster", "version": 2}',
    ],
)
def test_a_spoilt_roster_is_refused(capper, files, text):
    """Before anything is done with it."""
    (files / "roster").write_text(text)
    told = capper(
        "measure", "sketch", "combine", files / "roster", files / "none", "--week", WEEK, "--out", files / "answer"
    )

    assert (2, True) == (told.code, "roster" in told.err)


def test_who_adds_up_gets_no_key(houses, files, make):
    """Neither the roster nor a sketch has the key by which ads are named, or what they are called."""
    make("one")
    key = json.loads(invitation_file(houses / "one", "autumn").read_text())["key"]

    assert key not in (files / "roster").read_text()
    assert key.encode() not in (files / "one.sketch").read_bytes()
    sender, _ = read_sketch(files / "one.sketch", "sketch", Roster.read(files / "roster"), WEEK)
    assert sender.hex() in (files / "one.key").read_text()


def test_what_cannot_be_done(capper, houses, files, home):
    """Each says why."""
    capper("measure", "start", "alone")
    week = ("--week", "2999-W01", "--out", files / "x")
    alone = capper("measure", "sketch", "key", "alone", "--out", files / "x")
    early = capper("measure", "sketch", "make", "autumn", files / "roster", *week, "--state", houses / "one")
    two = capper(
        "measure", "sketch", "roster", files / "invitation", files / "one.key", files / "two.key", "--out", files / "y"
    )

    assert [2, 2, 2] == [alone.code, early.code, two.code]
    assert "start --invitation FILE" in alone.err
    assert "2999-W01 is not over" in early.err
    assert ("three households" in two.err, False) == (True, (files / "y").exists())
