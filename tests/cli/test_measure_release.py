"""`capper measure release`, `budget` and `privacy` as whoever runs a study meets them."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.draft import Draft
from capper.study.exposure import Exposure
from capper.study.register import Study, change_study, register_file, releases_file
from capper.study.rt1 import World, simulate
from capper.study.simulated import keep
from capper.testing import NOON


@pytest.fixture
def state(home):
    """A finished study of sixty simulated people."""
    keep(home / "state", "practice", 1, simulate(1, 6, World(people=60, visits=20, campaigns=20)))
    return home / "state"


@pytest.fixture
def release(capper, state):
    """`release("reach", "--epsilon", 1)` of that study."""
    return lambda *words: capper("measure", "release", "practice", *words)


def test_a_figure_is_released_once(capper, release, home):
    """Asked again it is the same answer, and costs nothing; the file and the screen have the same."""
    first = json.loads(release("frequency", "--epsilon", 2, "--json").out)
    again = release("frequency", "--epsilon", 2, "--out", home / "figure.json")
    account = json.loads(capper("measure", "budget", "practice", "--json").out)

    assert first == json.loads((home / "figure.json").read_text())
    assert "nothing is spent" in again.out
    assert ({"epsilon": 2, "delta": 1e-6}, 6) == (account["spent"], account["left"]["epsilon"])
    assert all(key in first for key in ("seal", "epsilon", "delta", "request", "answer"))
    assert first["answer"]["rows"][0]["cell"] == ["1"]


def test_it_is_refused_once_all_is_spent(capper, release):
    """And says what is left; what was answered can still be read."""
    done = release("threshold", "--epsilon", 7, "--each", 50)
    refused = release("threshold", "--epsilon", 1.5)
    table = capper("measure", "budget", "practice")

    assert "an ad is met by" in done.out
    assert (2, "", True) == (refused.code, refused.out, "1 is left of the study's 8" in refused.err)
    assert all(text in table.out for text in ("threshold", "7 of 8 spent, 1 left", "as it was written"))


def test_a_record_that_was_tampered_with_is_refused(capper, release, state):
    """By `budget`, and nothing more is released."""
    release("threshold", "--epsilon", 7)
    file = releases_file(state, "practice")
    file.write_text(file.read_text().replace('"epsilon":7.0', '"epsilon":0.7'))

    for told in (capper("measure", "budget", "practice"), release("reach", "--epsilon", 1)):
        assert (2, True) == (told.code, "not as it was written" in told.err)


def test_what_was_taken_out_is_noticed(capper, release, state):
    """The record without its last line, or none at all, looks whole by itself: the register of studies knows better."""
    seal = json.loads(release("threshold", "--epsilon", 1, "--json").out)["seal"]
    kept = capper("measure", "budget", "practice", "--seal", seal)
    other = capper("measure", "budget", "practice", "--seal", "0" * 64)
    releases_file(state, "practice").unlink()
    gone = capper("measure", "budget", "practice")
    more = release("threshold", "--epsilon", 2)

    assert (0, 2, 2, 2) == (kept.code, other.code, gone.code, more.code)
    assert all("some were taken out" in each.err for each in (other, gone, more))


@pytest.mark.parametrize(("agreed", "cell"), [(60, "shoes.example"), (59, "s")])
def test_advertisers_are_named_where_everybody_agreed(capper, home, agreed, cell):
    """Were it some, a name would tell that one of those met it."""
    rows = [
        Exposure(
            NOON,
            f"p{n}",
            "",
            "site",
            Format.BANNER,
            "",
            Basis.CLICK,
            advertiser="s",
            name="shoes.example" * (n < agreed),
        )
        for n in range(60)
    ]
    with Draft(home / "state", "practice") as draft:
        draft.fill(rows)
        made = draft.register(Study("", NOON, NOON, "Nobody was asked.", 7, names=True))
    people = {key: replace(each, names=key != "p59" or agreed == 60) for key, each in made.participants.items()}
    change_study(register_file(home / "state"), "practice", lambda _: replace(made, participants=people))
    told = json.loads(capper("measure", "release", "practice", "reach", "--epsilon", 8, "--each", 1, "--json").out)

    assert [[cell]] == [row["cell"] for row in told["answer"]["rows"]]


def test_tables_are_for_people(release):
    """Counts by two with their margins; where there is nothing to tell, it says so."""
    counts = release("counts", "--by", "format", "--by", "basis", "--margins", "--epsilon", 4)
    nothing = release("counts", "--by", "hour", "--week", "2020-W01", "--epsilon", 1)

    assert all(word in counts.out for word in ("format", "basis", "banner", "all", "release 1 of practice", "seal "))
    assert "nothing to tell: no cell has clearly" in nothing.out


def test_no_person_is_in_what_leaves(release, state, capper):
    """Whatever is released, no name of hers is."""
    people = json.loads((state / "studies" / "studies.json").read_text())["studies"][0]["participants"]
    for words in (("reach",), ("frequency", "--each", 3), ("counts", "--by", "hour"), ("threshold",)):
        release(*words, "--epsilon", 1)
    told = capper("measure", "budget", "practice", "--json").out

    assert 4 == len(json.loads(told)["releases"])
    assert not any(person in told for person in people)


def test_what_is_kept_is_told(capper, release):
    """By field, since when, with which keys, and what has left."""
    release("threshold", "--epsilon", 1)
    told = json.loads(capper("measure", "privacy", "practice", "--json").out)
    shown = capper("measure", "privacy", "practice").out

    assert 60 == told["people"] == told["stored"]["exposures"]["person"]["different"]
    assert 0 == told["stored"]["exposures"]["name"]["rows"]
    assert (True, 1, 1) == (told["keys"]["study"], told["releases"], told["spent"]["epsilon"])
    assert datetime(2026, 1, 5, tzinfo=UTC).date() == datetime.fromisoformat(told["oldest"]).date()
    assert all(text in shown for text in ("advertiser", "the key of the study is there", "epsilon 1 of 8"))


def test_too_few_people_release_nothing(capper, home, monkeypatch):
    """Nothing is spent for it either."""
    monkeypatch.setenv("CAPPER_JOURNAL_LEVEL", "3")
    capper("measure", "start", "autumn")
    told = capper("measure", "release", "autumn", "reach", "--epsilon", 1)

    assert (2, True) == (told.code, "0 people take part in autumn, and no sum over fewer than 20" in told.err)
    assert "nothing was released" in capper("measure", "budget", "autumn").out
    assert "not there yet" in capper("measure", "privacy", "autumn").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("reach", "--epsilon", "0"), "an epsilon of at least"),
        (("reach", "--epsilon", "1", "--delta", "0.5"), "delta"),
        (("reach", "--epsilon", "1", "--key", "person"), "--key"),
        (("reach", "--epsilon", "1", "--week", "2026-47"), "2026-W47"),
        (("counts", "--epsilon", "1"), "one or two"),
        (("everything", "--epsilon", "1"), "everything"),
    ],
)
def test_what_cannot_be_asked(release, words, said):
    """Each says why."""
    told = release(*words)

    assert (2, True) == (told.code, said in told.err)
