"""`capper measure` as those who run a study, and those who take part, meet it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.exposure import Exposure
from capper.study.register import StudyKeys, data_file, key_file, read_key, read_studies, register_file
from capper.study.store import Store


@pytest.fixture
def state(home, monkeypatch):
    """A household of anna and ben at the level of research."""
    (home / "config").mkdir()
    (home / "config" / "policy.toml").write_text("caps = []\n[people.anna]\n[people.ben]\njournal_level = 2\n")
    monkeypatch.setenv("CAPPER_JOURNAL_LEVEL", "3")
    return home / "state"


@pytest.fixture
def study(state):
    """The study called autumn, as it is registered."""
    return lambda: read_studies(register_file(state)).get("autumn")


@pytest.fixture
def recorded(state):
    """Something recorded of anna."""

    def write(person="anna", name="autumn"):
        keys = StudyKeys(read_key(key_file(state, name)))
        store = Store.open(data_file(state, name))
        row = Exposure(datetime.now(UTC), keys.of("person", person), "", "s", Format.BANNER, "", Basis.CLICK)
        store.add([row, row])
        store.close()

    return write


def test_from_beginning_to_end(capper, study, recorded):
    """Begun, joined, looked at, stopped."""
    begun = capper("measure", "start", "autumn", "--for", "2 weeks", "--control-days", "0.25", "--seed", "7")
    joined = capper("measure", "join", "autumn", "--person", "anna", stdin="y\n")
    recorded()
    [told] = json.loads(capper("measure", "status", "--json").out)
    table = capper("measure", "status").out
    stopped = capper("measure", "stop", "autumn")

    assert "capper measure join autumn" in begun.out
    assert 'Taking part in the study "autumn"' in joined.out
    assert "anna takes part in autumn from now on" in joined.out
    assert (True, 1, 2, 0.25, 7) == tuple(told[key] for key in ("runs", "participants", "exposures", "control", "seed"))
    assert "consent" not in told
    assert all(word in table for word in ("autumn", "recording", "25% of days"))
    assert "autumn is over\n" == stopped.out
    assert not study().runs(datetime.now(UTC))
    assert timedelta(weeks=2) == study().until - study().begun


def test_nothing_is_recorded_of_who_does_not_agree(capper, study):
    """She is shown the text, and says no."""
    capper("measure", "start", "autumn")
    said = capper("measure", "join", "autumn", "--person", "anna", stdin="n\n")

    assert (1, {}) == (said.code, dict(study().participants))
    assert "Nothing is recorded." in said.out


def test_names_are_asked_for(capper, study):
    """Where the study wants them, and by themselves."""
    capper("measure", "start", "autumn", "--names")
    said = capper("measure", "join", "autumn", "--person", "anna", stdin="y\nn\n")
    [participant] = study().participants.values()

    assert "own names" in said.out
    assert (False, study().text) == (participant.names, participant.consent)


def test_the_text_may_be_ones_own(capper, study, home):
    """And is what she agreed to."""
    (home / "text").write_text("Only what you allow.")
    capper("measure", "start", "autumn", "--consent", home / "text")

    assert "Only what you allow." in capper("measure", "join", "autumn", "--person", "anna", stdin="n\n").out
    assert "Only what you allow." == study().consent


def test_who_withdraws_is_overwritten(capper, study, state, recorded):
    """At once; a second time there is nothing left to do."""
    capper("measure", "start", "autumn")
    capper("measure", "join", "autumn", "--person", "anna", "--yes")
    recorded()
    left, again = (capper("measure", "withdraw", "autumn", "--person", "anna") for _ in range(2))
    store = Store.open(data_file(state, "autumn"))

    assert "2 exposures of hers were overwritten" in left.out
    assert (0, 1, {}, {}) == (left.code, again.code, dict(study().participants), store.counts())
    store.close()


@pytest.mark.usefixtures("state")
def test_one_study_at_a_time(capper):
    """Or what two studies know of one person could be laid side by side."""
    capper("measure", "start", "autumn")
    capper("measure", "start", "winter")
    capper("measure", "join", "autumn", "--person", "anna", "--yes")
    said = capper("measure", "join", "winter", "--person", "anna", "--yes")

    assert (2, True) == (said.code, "takes part in autumn already" in said.err)


def test_a_study_is_closed(capper, state):
    """Its key is gone: nobody and nothing in it can be named any more."""
    capper("measure", "start", "autumn")
    said = capper("measure", "stop", "autumn", "--close", "--yes")

    assert "its key is destroyed" in said.out
    assert not key_file(state, "autumn").exists()
    assert 2 == capper("measure", "withdraw", "autumn", "--person", "anna").code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("start", "../up"), "expected a study's name"),
        (("start", "autumn"), "already"),
        (("start", "winter", "--for", "ever"), "--for"),
        (("start", "winter", "--epsilon", "0"), "--epsilon"),
        (("start", "winter", "--control-days", "0.5", "--control-people", "0.5"), "not both"),
        (("start", "winter", "--consent", "/nowhere"), "/nowhere"),
        (("join", "autum", "--person", "anna"), 'did you mean "autumn"?'),
        (("join", "autumn", "--person", "carl"), 'knows no "carl"'),
        (("join", "autumn", "--person", "ben"), "journal_level = 2"),
        (("stop", "spring"), "no study called spring"),
    ],
)
def test_what_cannot_be_done(capper, state, words, said):
    """Each says why."""
    capper("measure", "start", "autumn")
    told = capper("measure", *words)

    assert (2, True) == (told.code, said in told.err)


def test_below_the_level_of_research_there_is_no_study(capper, home):
    """It says where the level is set."""
    told = capper("measure", "start", "autumn")

    assert (2, True) == (told.code, "journal_level = 3 in capper.toml" in told.err)
    assert "There are no studies" in capper("measure", "status").out
