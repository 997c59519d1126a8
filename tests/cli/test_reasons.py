"""Decisions in sentences."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from capper.cli.reasons import BASES, facts, sentence
from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.mute import Why
from capper.journal import Record
from capper.testing import NOON

WITHHELD = Record(
    time=NOON,
    viewer="anna",
    verdict=Verdict.WITHHOLD,
    advertisers=("shoes.example",),
    creative="ads.example/1",
    basis=Basis.CLICK,
    rule="caps",
    cap="3 per creative per day",
    count=3,
    reopens=NOON + timedelta(hours=5),
)


def said(**changes: object) -> str:
    return sentence(replace(WITHHELD, **changes), NOON, UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            (
                "Withheld: this ad of shoes.example was shown to anna 3 times in the last day, and the cap is"
                ' "3 per creative per day". It can be shown again from 17:00.'
            ),
        ),
        (
            {"cap": "1 per advertiser per calendar week", "count": 1, "viewer": "household"},
            (
                "Withheld: shoes.example was shown to the household once this calendar week, and the cap is"
                ' "1 per advertiser per calendar week". It can be shown again from 17:00.'
            ),
        ),
        (
            {"cap": "1 per advertiser per page", "count": 1, "reopens": None},
            (
                "Withheld: shoes.example was shown to anna once on this page, and the cap is"
                ' "1 per advertiser per page". It can be shown again on the next page.'
            ),
        ),
        (
            {"cap": "2 per campaign for life", "count": 2, "reopens": None},
            (
                "Withheld: this campaign of shoes.example was shown to anna twice so far, and the cap is"
                ' "2 per campaign for life". It can be shown again when the ledger has forgotten it.'
            ),
        ),
        (
            {"cap": "at most every 30 minutes per advertiser", "count": 1, "reopens": NOON - timedelta(days=1)},
            (
                "Withheld: shoes.example was shown to anna too short a while ago, and the cap is"
                ' "at most every 30 minutes per advertiser". It could be shown again from yesterday 12:00.'
            ),
        ),
        (
            {"cap": "never", "rule": "no shoes", "count": 0, "reopens": None},
            'Withheld: "no shoes" says never to show ads like this.',
        ),
        (
            {"cap": "0 per advertiser per day", "count": 0, "reopens": None},
            "Withheld: the caps at the top say never to show shoes.example.",
        ),
        (
            {"cap": None, "mute": Why.ASKED},
            "Withheld: anna muted shoes.example. It can be shown again from 17:00.",
        ),
        (
            {"cap": None, "mute": Why.CLICKED, "viewer": "household", "reopens": None},
            'Withheld: the household turned shoes.example away by the "i" of one of its ads.',
        ),
        ({"cap": None, "reopens": None}, "Withheld: shoes.example, by the caps at the top."),
        ({"cap": "a cap of another version", "reopens": None}, "Withheld: shoes.example, by the caps at the top."),
        (
            {"verdict": Verdict.SHOW, "count": 1, "reopens": None},
            'Shown: this ad of shoes.example, 2nd time of 3 by the cap "3 per creative per day".',
        ),
        (
            {"verdict": Verdict.SHOW, "count": 1, "repeated": True},
            (
                'Shown: this ad of shoes.example; the nearest cap is "3 per creative per day". It is part of a sighting that'
                " was decided on before, and was not counted again."
            ),
        ),
        (
            {"verdict": Verdict.SHOW, "cap": None, "counted": False, "rule": "work"},
            'Shown: no cap of "work" speaks about shoes.example. It was not counted in the ledger, which did not answer.',
        ),
        (
            {"verdict": Verdict.SHOW, "cap": None, "basis": Basis.UNIDENTIFIED, "advertisers": (), "creative": None},
            "Shown: nothing tells whose ad it is, and such an ad is never capped by guess.",
        ),
        (
            {"verdict": None, "note": "the body is UTF-16", "advertisers": (), "creative": None},
            "Left as it was: the body is UTF-16.",
        ),
        (
            {"verdict": None, "note": "by its own opt-out (Criteo)", "mute": Why.CLICKED},
            "Muted: shoes.example, by its own opt-out (Criteo).",
        ),
    ],
)
def test_sentence(changes, expected):
    """Each decision has a sentence that names the cap, the count and when it opens."""
    assert said(**changes) == expected


def test_supposed_and_zone():
    """What would happen now is told as such, in the policy's time zone."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert sentence(WITHHELD, now, ZoneInfo("Europe/Amsterdam"), supposed=True).startswith("It would be withheld now:")
    assert "from 18:00" in sentence(WITHHELD, now, ZoneInfo("Europe/Amsterdam"))


def test_every_basis_has_words():
    """Every rung of the identity ladder can be explained."""
    assert set(BASES) == set(Basis)


def test_facts():
    """A record is told name by name, what is not known as such."""
    told = dict(facts(replace(WITHHELD, entry=7, site="news.example"), NOON, UTC))

    assert told["campaign"] == "not known"
    assert told["known because"] == "it is where a click leads"
    assert (told["HAR entry"], told["site"]) == ("7", "news.example")
