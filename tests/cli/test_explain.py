"""capper explain: journal lines, journal files and addresses."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from capper.assembly import RecogniserSource
from capper.cli.finding import Asking, judge
from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.journal import Record
from capper.ledger.memory import MemoryLedger
from capper.settings import Settings, load_policy
from capper.testing import NOON

RECORD = Record(
    time=NOON,
    viewer="anna",
    verdict=Verdict.WITHHOLD,
    advertisers=("shoes.example",),
    creative="ads.example/1",
    basis=Basis.CLICK,
    format=Format.BANNER,
    rule="caps",
    cap="3 per creative per day",
    count=3,
    reopens=NOON + timedelta(hours=5),
)
BANNER = "https://ad.doubleclick.net/ddm/clk/1;2;3?https%3A%2F%2Fwww.shoes.example%2Fsale"
LOCAL = ["--ledger", "memory"]


@pytest.fixture
def policy(home):
    path = home / "p.toml"
    path.write_text("""
caps = ["3 per advertiser per day", "1 per creative per hour"]
[people.anna]
[[rules]]
name = "no shoes at work"
advertiser = "shoes.example"
site = "work.example"
caps = ["never"]
""")
    return path


def test_a_line(capper):
    """A journal line is told in a sentence, then name by name, with the rule as the policy has it now."""
    told = capper("explain", RECORD.line().decode())

    assert told.code == 0
    assert told.out.startswith(
        "Withheld: this ad of shoes.example was shown to anna 3 times in the last day, and the cap is"
    )
    assert "it is where a click leads" in told.out
    assert "Now the caps at the top of the policy: 3 per creative per day," in told.out


def test_a_rule_that_is_gone(capper):
    """A rule the policy no longer has is told as gone."""
    line = RECORD.line().replace(b'"caps"', b'"old one"').decode()

    assert 'has no rule "old one" any more' in capper("explain", line).out


def test_a_file(capper, home):
    """A journal file is told line by line; `--json` adds each sentence to its record."""
    path = home / "j.jsonl"
    note = Record(NOON, "anna", note="the body is UTF-16")
    path.write_bytes(RECORD.line() + note.line())
    told = capper("explain", path)
    as_json = json.loads(capper("explain", path, "--json").out)

    assert [line.partition(":")[0] for line in told.out.splitlines()] == ["Withheld", "Left as it was"]
    assert as_json[0]["sentence"].startswith("Withheld")
    assert as_json[0]["cap"] == "3 per creative per day"
    assert as_json[1]["note"] == "the body is UTF-16"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("nothing/of/the/kind", "no journal line, no file and no http(s) address"),
        ("{", "the journal line cannot be read: not JSON"),
        ('{"time": 5}', "the journal line cannot be read"),
        ("\x1b[31m", "no journal line"),
        ("https://[", "address"),
    ],
)
def test_refused(capper, what, words):
    """What is none of the three ends with 2 and one sentence."""
    told = capper("explain", what)

    assert (told.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert words in told.err
    assert "\x1b" not in told.err


def test_a_damaged_file(capper, home):
    """A damaged journal is refused with the number of its line."""
    (home / "j.jsonl").write_bytes(RECORD.line() + b"\xff\n")
    told = capper("explain", home / "j.jsonl")

    assert (told.code, "line 2" in told.err) == (2, True)


def test_an_address(capper, policy):
    """An ad's address is told with its filter rule, whose ad it is, and what would become of it now."""
    told = capper("explain", BANNER, "--page", "https://www.news.example/", "--policy", policy, *LOCAL)

    assert told.code == 0
    assert told.out.startswith("It would be shown now:")
    assert "filter rule    |" in told.out
    assert "shoes.example" in told.out
    assert "0 of 3" in told.out


def test_an_address_that_a_rule_speaks_about(capper, policy):
    """A rule that says never is named."""
    told = capper("explain", BANNER, "--page", "https://work.example/", "--policy", policy, "--json", *LOCAL)
    found = json.loads(told.out)

    assert found["sentence"] == 'It would be withheld now: "no shoes at work" says never to show ads like this.'
    assert (found["label"], found["rule"], found["verdict"]) == ("ad", "no shoes at work", "withhold")


def test_no_ad(capper):
    """An address that no list names is told as no ad."""
    told = json.loads(capper("explain", "https://www.news.example/story.html", "--json", *LOCAL).out)

    assert (told["label"], told["verdict"]) == ("none", None)
    assert told["sentence"] == "Not an ad: no list names it."


def test_an_unknown_person(capper, policy):
    """A person the policy does not know is refused."""
    told = capper("explain", BANNER, "--policy", policy, "--person", "carl", *LOCAL)

    assert told.code == 2
    assert "carl" in told.err


async def test_counts(policy):
    """What the ledger counted is told for each cap, with the hour it opens; asking counts nothing."""
    caps = load_policy(policy)
    recogniser = RecogniserSource(Settings(state=policy.parent / "state"), NOON).current()
    ledger = MemoryLedger()
    asking = Asking(BANNER, "https://www.news.example/")

    async def ask(minutes: int, *, count: bool):
        now = NOON + timedelta(minutes=minutes)

        async def peek(claim):
            call = ledger.claim if count else ledger.peek
            return (await call("anna", [claim], now, caps.session_gap))[0]

        return await judge(asking, recogniser, caps, caps.viewer("anna"), now, peek=peek)

    for minutes in range(3):
        await ask(minutes, count=True)
    for _ in range(2):
        found = await ask(3, count=False)

    assert found.decision.withheld
    assert [(held.name, held.count, held.reopens) for held in found.held] == [
        ("shoes.example", 3, NOON + timedelta(days=1))
    ]


PROMPT = Record(
    NOON,
    "anna",
    note="credit prompt taken out of a page",
    prompt="limit raised",
    pack="nl",
    signals=("amount", "raise"),
)


def test_a_credit_prompt(capper):
    """One that was taken out is told as that, with the words that gave it away."""
    out = capper("explain", PROMPT.line().decode()).out

    assert out.startswith(
        "Credit nobody asked for: limit raised; credit prompt taken out of a page, told by the nl pack from: amount, raise.\n"
    )
    assert "signals        amount, raise" in out


def test_her_last_day(capper, policy, monkeypatch):
    """Without anything named, what was decided for a person is told with its time: ads and credit prompts, in order."""
    ledger, now = MemoryLedger(), datetime.now(UTC)
    for record in (RECORD, PROMPT):
        asyncio.run(ledger.note("anna", [replace(record, time=now).line()], now, timedelta(days=1)))
    asyncio.run(ledger.note("anna", [b"of another version"], now, timedelta(days=1)))
    monkeypatch.setattr("capper.cli.governing.open_ledger", lambda *_, **__: ledger)
    told = capper("explain", "--person", "anna", "--policy", policy)
    as_json = json.loads(capper("explain", "--person", "anna", "--policy", policy, "--json").out)

    assert 0 == told.code
    assert ["Withheld", "Credit nobody asked for"] == [
        line.split("  ", 1)[1].partition(":")[0] for line in told.out.splitlines()
    ]
    assert ["withhold", None] == [row.get("verdict") for row in as_json]
    assert "limit raised" == as_json[1]["prompt"]


def test_nothing_within_her_last_day(capper, policy):
    """Nothing kept is said, with exit code 1; a person the policy does not know is refused."""
    told = capper("explain", "--person", "anna", "--policy", policy, *LOCAL)

    assert (1, "nothing is kept of what was decided for anna within the last day\n") == (told.code, told.out)
    assert (1, "[]") == ((found := capper("explain", "--policy", policy, "--json", *LOCAL)).code, found.out.strip())
    assert 2 == capper("explain", "--person", "ana", "--policy", policy, *LOCAL).code


def test_a_ledger_that_is_gone(capper, policy):
    """A ledger that does not answer leaves the counts unknown, and says so."""
    told = capper(
        "explain", BANNER, "--policy", policy, "--ledger", "redis://127.0.0.1:1", "--page", "https://a.example/"
    )

    assert told.code == 0
    assert "the ledger is silent" in told.out
    assert "?" in told.out
