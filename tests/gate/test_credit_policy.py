"""Whose credit prompts go, and where: the policy's word for a person and a site, on the gate."""

from dataclasses import replace

import pytest

from capper.domain.exchange import Action
from capper.domain.policy import CreditPrompts, Policy
from capper.gate import Gate
from capper.gate.credit import Credit
from capper.journal import Journal, Level, ListSink
from capper.later import Late
from capper.ledger.memory import MemoryLedger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.settings.policy import parse_policy
from capper.testing import an_exchange

BODY = b'{"tiles":[{"title":"You are pre-approved for a loan of up to $5,000. Apply now!"}],"name":"Ann"}'
JSON = {"Content-Type": "application/json", "Content-Length": str(len(BODY))}
POLICY = """
credit_prompts = "strip"
caps = []
[people.anna]
[people.ben]
credit_prompts = "leave"
[[credit]]
site = "cinema.example"
people = "ben"
credit_prompts = "strip"
[[credit]]
site = ["bank.example"]
credit_prompts = "leave"
"""


class Desk:
    """A gate under a policy, and what its journal kept."""

    def __init__(self, credit: Credit, policy: Policy) -> None:
        recogniser = Recogniser(Engines.build([]), AdReader(load_networks()))
        self.sink = ListSink()
        self.journal = Journal(Level.OWN, self.sink)
        self.gate = Gate(lambda: recogniser, MemoryLedger(), lambda: policy, self.journal, credit=Late(lambda: credit))


@pytest.fixture(scope="module")
def credit():
    return Credit.load()


@pytest.fixture
def desk(credit):
    return Desk(credit, parse_policy(POLICY, "p"))


def asked(url, viewer="anna", page=""):
    """An answer with a prompt in it, asked for by a page; left out, by one of its own host."""
    request = {"Sec-Fetch-Dest": "empty", "Referer": page or url}
    return an_exchange(url, viewer=viewer, request=request, response=JSON, body=BODY)


@pytest.mark.parametrize(
    ("url", "viewer", "goes"),
    [
        ("https://shop.example/api", "anna", True),
        ("https://shop.example/api", "ben", False),
        ("https://cinema.example/api", "ben", True),
        ("https://bank.example/api", "anna", False),
        ("https://api.bank.example/api", "anna", False),
        ("https://notbank.example/api", "anna", True),
        ("https://shop.example/api", "household", True),
    ],
)
async def test_by_site_and_person(desk, url, viewer, goes):
    """The first entry that fits speaks, else the person, else the top.

    What is left is not even held back.
    """
    exchange = asked(url, viewer)
    outcome = await desk.gate.admit(exchange)

    assert goes == (outcome.action is Action.REWRITE)
    assert goes == desk.gate.wants(exchange)


async def test_what_a_page_asks_of_another_host(desk):
    """It is left where it is left in the page."""
    url = "https://api.bankcdn.example/api"
    left, goes = [await desk.gate.admit(asked(url, page=f"https://www.{site}.example/")) for site in ("bank", "shop")]

    assert (Action.PASS, Action.REWRITE) == (left.action, goes.action)


async def test_a_page_is_judged_by_its_own_site(desk):
    """The page before it, from which a link led here, has no say."""
    html = b"<html lang=en><p>Hi</p><p>You're pre-approved for a loan of up to $5,000. Apply now!</p></html>"
    exchange = an_exchange(
        "https://shop.example/",
        request={"Sec-Fetch-Dest": "document", "Referer": "https://bank.example/"},
        response={"Content-Type": "text/html; charset=utf-8"},
        body=html,
    )

    assert Action.REWRITE is (await desk.gate.admit(exchange)).action


@pytest.mark.parametrize("mode", CreditPrompts)
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_what_is_left_streams(credit, mode, media_type):
    """Where the policy leaves prompts, answers and texts pass as they stream; otherwise they are held back to be read."""
    gate = Desk(credit, Policy(credit_prompts=mode)).gate
    response = JSON | {"Content-Type": media_type}
    exchange = an_exchange(
        "https://shop.example/a", request={"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin", "Referer": "https://shop.example/"},
        response=response, body=BODY,
    )  # fmt: skip

    assert (mode is not CreditPrompts.LEAVE) == gate.wants(exchange)


async def test_what_is_marked_is_told_as_that(credit):
    """It was not taken out, and her journal does not say so."""
    desk = Desk(credit, Policy(credit_prompts=CreditPrompts.MARK))
    html = b"<html lang=en><p>Hi</p><p>You're pre-approved for a loan of up to $5,000. Apply now!</p></html>"
    await desk.gate.admit(an_exchange(response={"Content-Type": "text/html; charset=utf-8"}, body=html))
    await desk.journal.drain()

    assert ["credit prompt marked in a page"] == [record.note for record in desk.sink.records]


@pytest.mark.parametrize(
    ("top", "hers", "language", "said"),
    [
        ("false", "", "nl", ""),
        ("true", "", "nl", "1 kredietaanbod verwijderd"),
        ("false", "credit_note = true", "sv", "1 krediterbjudande borttaget"),
        ("true", "credit_note = false", "nl", ""),
        ("true", 'credit_note = true\nlanguage = "de"', "nl", "1 Kreditangebot entfernt"),
        ("true", "", "xx", "1 credit prompt removed"),
    ],
)
async def test_a_page_says_so_to_whoever_wants_it(credit, top, hers, language, said):
    """As she chose, else the household; in her language, and only in a whole page."""
    policy = parse_policy(f"caps = []\ncredit_note = {top}\n[people.anna]\n{hers}", "p")
    gate = Desk(credit, policy).gate
    whole = b"<!DOCTYPE html><html lang=en><p>Hi</p><p>You're pre-approved for a loan of up to $5,000. Apply now!</p></html>"

    async def page(body, dest):
        request = {"Accept-Language": language, "Sec-Fetch-Dest": dest}
        exchange = an_exchange(request=request, response={"Content-Type": "text/html; charset=utf-8"}, body=body)
        return (await gate.admit(replace(exchange, viewer=policy.viewer("anna")))).response.body.decode()

    wholes = [await page(whole, dest) for dest in ("document", "")]
    others = [
        await page(whole, "empty"),
        await page(whole, "iframe"),
        await page(whole[15:].replace(b"html", b"b"), ""),
    ]
    full = await gate.admit(asked("https://shop.example/api"))

    assert all(said in each and ("<aside" in each) == bool(said) for each in wholes)
    assert not any("<aside" in each for each in others)
    assert b"aside" not in full.response.body


async def test_it_is_in_her_journal(desk):
    """A cut is a record of hers: what kind, by which pack and words, and not how much."""
    await desk.gate.admit(asked("https://shop.example/api"))
    await desk.journal.drain()
    (record,) = desk.sink.records

    assert ("anna", "en") == (record.viewer, record.pack)
    assert record.signals
    assert b"5,000" not in record.line()
