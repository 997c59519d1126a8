"""capper ledger, on the embedded server as people have it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from capper.domain.decision import prepare
from capper.ledger import open_ledger
from capper.ledger.secret import Secret
from capper.settings.policy import parse_policy
from capper.testing import a_sighting, an_ad

POLICY = """
caps = ["3 per advertiser per day", "9 per advertiser per week"]
[people.anna]
devices = ["user:anna"]
[people.ben]
devices = ["user:ben"]
"""


@pytest.fixture
def counted(home):
    """Anna was shown three ads for shoes and one for bikes, the household one for shoes."""
    (home / "config").mkdir()
    (home / "config" / "policy.toml").write_text(POLICY)
    policy = parse_policy(POLICY, "p")
    now = datetime.now(UTC)

    async def count():
        ledger = open_ledger(
            "embedded",
            Secret.load_or_create(home / "state" / "secret"),
            folder=home / "state" / "ledger",
            deadline=None,
        )
        try:
            for number, (viewer, advertiser) in enumerate(
                [("anna", "shoes.example")] * 3 + [("anna", "bikes.example"), ("household", "shoes.example")]
            ):
                at = now - timedelta(minutes=10 - number)
                sighting = a_sighting(an_ad(advertiser), viewer=viewer, occasion=f"o{number}")
                _, claim = prepare(policy, sighting, at)
                await ledger.claim(viewer, [claim], at, policy.session_gap)
        finally:
            await ledger.close()

    asyncio.run(count())
    return now


def test_show(capper, counted):
    """A person's record: counts per cap, and when what is full opens again."""
    result = capper("ledger", "show", "--person", "anna", "--json")
    shoes, bikes = json.loads(result.out)

    assert (shoes["advertiser"], bikes["advertiser"]) == ("shoes.example", "bikes.example")
    assert [(cap["cap"], cap["count"], cap["full"]) for cap in shoes["caps"]] == [
        ("3 per advertiser per day", 3, True),
        ("9 per advertiser per week", 3, False),
    ]
    opens = datetime.fromisoformat(shoes["caps"][0]["reopens"])
    assert abs(opens - (counted + timedelta(days=1, minutes=-10))) < timedelta(seconds=2)
    assert "3 of 3 per day, 3 of 9 per week" in capper("ledger", "show", "--person", "anna").out


def test_top_is_of_one_person(capper, counted):
    """Without a name it is the household's own record, not a sum of its members'."""
    anna = json.loads(capper("ledger", "top", "--person", "anna", "--most", "1", "--json").out)
    household = json.loads(capper("ledger", "top", "--json").out)

    assert [(one["advertiser"], one["times"]) for one in anna] == [("shoes.example", 3)]
    assert [(one["advertiser"], one["times"]) for one in household] == [("shoes.example", 1)]
    assert "#" not in capper("ledger", "top", "--person", "anna").out


def test_forget(capper, counted):
    """After a person is forgotten nothing is kept of her, and the others' records stand."""
    result = capper("ledger", "forget", "--person", "anna", "--yes")

    assert (result.code, result.out.startswith("anna is forgotten (")) == (0, True)
    assert capper("ledger", "show", "--person", "anna").code == 1
    assert capper("ledger", "show", "--person", "household").code == 0
    assert capper("ledger", "forget", "--person", "anna", "--yes").code == 1


def test_forget_takes_her_out_of_old_versions(capper, counted, home):
    """While the policy names her that is told; once it does not, versions that did are deleted with her."""
    policy = home / "config" / "policy.toml"
    capper("policy", "apply")
    first = capper("ledger", "forget", "--person", "anna", "--yes").out
    capper("people", "remove", "anna")
    second = json.loads(capper("ledger", "forget", "--person", "anna", "--yes", "--json").out)
    history = capper("policy", "history", "--json").out

    assert f"Her name still stands in version 1 of the policy and in {policy}: `capper people remove anna`" in first
    assert ([1, 2], []) == (second["versions"], second["named_in"])
    assert "anna" not in history
    assert [3] == [one["number"] for one in json.loads(history)]


def test_rotate(capper, counted):
    """With a new secret nothing of anyone can be read."""
    assert capper("ledger", "rotate", "--yes").code == 0
    assert [capper("ledger", "show", "--person", name).code for name in ("anna", "household")] == [1, 1]


@pytest.mark.parametrize("command", [["forget", "--person", "anna"], ["rotate"]])
def test_nothing_is_thrown_away_unasked(capper, home, command):
    """Where nobody can be asked, --yes is needed."""
    result = capper("ledger", *command, stdin="y\n")

    assert (result.code, result.err) == (2, "capper: nobody is there to be asked; add --yes if you mean it\n")


def test_nobody_by_that_name(capper, counted):
    """A name the policy does not know is bad input, with the likely one."""
    result = capper("ledger", "show", "--person", "ana")

    assert (result.code, result.err) == (
        2,
        'capper: the policy knows no "ana", only household, anna, ben; did you mean "anna"?\n',
    )


def test_an_empty_record(capper, home):
    """Nothing kept: exit 1, and an empty list as JSON."""
    result = capper("ledger", "show", "--person", "household", "--ledger", "memory", "--json")

    assert (result.code, result.out) == (1, "[]\n")


def test_a_ledger_that_is_gone(capper, home):
    """A ledger that does not answer is exit 3 and one sentence."""
    result = capper("ledger", "top", "--ledger", f"unix://{home}/nothing.sock")

    assert result.code == 3
    assert result.err.startswith("capper: ask the ledger at unix://")
    assert result.err.count("\n") == 1
