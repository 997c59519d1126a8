"""capper whatif."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from capper.domain.daily import EVERYBODY, Addition, Daily, day_of
from capper.ledger.memory import MemoryLedger

OLD, NEW = 'caps = ["5 per day"]\n', 'caps = ["2 per day"]\n'


@pytest.fixture
def new(home):
    """The policy to try, beside the owner's own."""
    (home / "config").mkdir()
    (home / "config" / "policy.toml").write_text(OLD + '[people.anna]\ndevices = ["192.168.1.20"]\n')
    path = home / "new.toml"
    path.write_text(NEW)
    return path


@pytest.fixture
def counted(monkeypatch):
    """A ledger that counted five shoes and a hostile name for anna today."""
    ledger, today = MemoryLedger(), day_of(datetime.now(UTC), UTC)
    additions = [
        Addition("shoes.example", today, Daily(4, 3)),
        Addition("\x1b[2J.example", today, Daily(1)),
        Addition(EVERYBODY, today, Daily(5, 3)),
    ]
    asyncio.run(ledger.tally("anna", additions, today))
    monkeypatch.setattr("capper.cli.governing.open_ledger", lambda *_, **__: ledger)


def test_over_the_days_that_were_counted(capper, new, counted, home):
    """A table, the frequency as bars, what was in fact, and what cannot be told; a page too."""
    page = home / "whatif.html"
    told = capper("whatif", "--policy", new, "--person", "anna", "--html", page)
    found = json.loads(capper("whatif", "--policy", new, "--person", "anna", "--json").out)

    assert told.code == 0, told.err
    assert ["shoes.example", "7", "5", "2", "-3"] in [line.split() for line in told.out.splitlines()]
    assert "In fact 5 ads were shown and 3 withheld" in told.out
    assert "at most what would have been shown" in told.out
    assert "\N{FULL BLOCK}" in told.out
    assert "\x1b" not in told.out
    assert (found["before"]["shown"], found["after"]["shown"], found["exact"]) == (6, 3, False)
    assert page.stat().st_mode & 0o777 == 0o600
    assert b"shoes.example" in page.read_bytes()


def test_nothing_was_counted(capper, new, counted):
    """Exits with 1 and says so."""
    told = capper("whatif", "--policy", new)

    assert (told.code, "nothing to compare" in told.out) == (1, True)


def test_a_policy_or_a_person_that_is_none(capper, new, counted):
    """Both are told as everywhere."""
    new.write_text("caps = [")
    bad = capper("whatif", "--policy", new)
    new.write_text(NEW)
    nobody = capper("whatif", "--policy", new, "--person", "ana")

    assert (bad.code, nobody.code) == (2, 2)
    assert 'did you mean "anna"' in nobody.err


@pytest.mark.parametrize(
    "words", [("--har", "x.har", "--person", "anna"), ("--har", "x.har", "--days", "3"), ("--viewer", "anna")]
)
def test_what_would_be_without_effect_is_refused(capper, new, words):
    """Whose counts and whose recordings are asked for apart; one in the other's place is not passed over."""
    told = capper("whatif", "--policy", new, *words)

    assert (2, True) == (told.code, "is said by" in told.err)


def test_over_recordings(capper, new, home):
    """Each is replayed under both policies, one after the other with one memory, and numbers are exact."""
    image = "https://ads.example/shoes.png"
    page = f'<html><body><a href="{image}?adurl=https%3A%2F%2Fshoes.example%2F"><img src="{image}" width=300 height=250></a></body></html>'
    lists = home / "ads.txt"
    lists.write_text("||ads.example^\n")
    config = home / "capper.toml"
    config.write_text(f'lists = ["{lists}"]\n')
    files = []
    for day in (1, 2):
        entries = [
            {
                "startedDateTime": f"2026-11-0{day}T10:{minute:02}:00Z",
                "time": 1,
                "request": {"method": "GET", "url": f"https://news.example/{minute}", "httpVersion": "h2", "headers": [], "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0},
                "response": {"status": 200, "statusText": "", "httpVersion": "h2", "headers": [{"name": "Content-Type", "value": "text/html"}], "cookies": [], "content": {"size": len(page), "mimeType": "text/html", "text": page}, "redirectURL": "", "headersSize": -1, "bodySize": -1},
                "cache": {},
                "timings": {"send": 0, "wait": 1, "receive": 0},
            }
            for minute in range(0, 60, 15)
        ]  # fmt: skip
        path = home / f"{day}.har"
        path.write_text(
            json.dumps({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": entries}})
        )
        files += ["--har", path]
    new.write_text('caps = ["3 per week"]\n')
    found = json.loads(capper("whatif", "--policy", new, *files, "--config", config, "--json").out)

    assert (found["exact"], found["before"]["shown"], found["after"]["shown"], found["after"]["withheld"]) == (
        True,
        8,
        3,
        5,
    )
    assert found["advertisers"][0]["advertiser"] == "shoes.example"
