"""The page a placeholder leads to: hers alone, and nothing happens there without a form of ours."""

import html
import re
from datetime import timedelta

import pytest

from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.ledger.tickets import Ticket, Tickets
from capper.testing import NOON

ORIGIN = {"Origin": "https://capper.internal"}
NAME = (Level.ADVERTISER, "shoes.example")
SHOES = Ticket((NAME,), NOON, "caps", "6 per advertiser per day", 6, NOON + timedelta(hours=2, minutes=10))


@pytest.fixture
def about(house) -> str:
    """Anna's ticket."""
    return Tickets(house.secret).seal("anna", SHOES)


def text(answer) -> str:
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def seal(answer) -> str:
    return re.search(r'name="seal" value="(\w+)"', answer.text)[1]


async def do(anna, about: str, deed: str, **fields: str):
    shown = await anna.get("/ad", params={"about": about})
    return await anna.post(
        "/ad", data={"seal": seal(shown), "about": about, "do": deed} | fields, follow_redirects=True
    )


async def test_it_says_why(browser, about):
    """The sentence of the placeholder, the cap, and what she can do; in the language she reads."""
    read = text(await (await browser("anna")).get("/ad", params={"about": about}))
    dutch = text(await (await browser("anna", **{"Accept-Language": "nl"})).get("/ad", params={"about": about}))

    assert "shoes.example \u2013 6 of 6 per 24 hours, again at 14:10 By the cap 6 per advertiser per day" in read
    assert "Show it once Never again, for 90 days" in read
    assert "6 van 6 per 24 uur, weer om 14:10" in dutch


async def test_she_mutes_and_takes_it_back(house, browser, clock, about):
    """Muted for as long as the policy says; undone, the caps hold again; the page says what was done."""
    anna = await browser("anna", **ORIGIN)
    muted = text(await do(anna, about, "never"))
    [mute] = await house.ledger.mutes("anna", clock())
    undone = text(await do(anna, about, "undo"))

    assert "You see no more of it until February 20, 2027" in muted
    assert "Undo: it may be shown again" in muted
    assert mute == Mute(*NAME, Why.ASKED, NOON, NOON + timedelta(days=90))
    assert "It may be shown again" in undone
    assert await house.ledger.mutes("anna", clock()) == []


async def test_she_sees_one_more(house, browser, about):
    """Show once is the ledger's to keep."""
    told = text(await do(await browser("anna", **ORIGIN), about, "once"))

    assert "it is shown once" in told
    assert house.ledger._records["anna"].said[NAME].once


async def test_a_ticket_is_of_no_use_to_anybody_else(house, browser, clock, caplog, about):
    """Ben, or anna two days later, is shown nothing of it and can do nothing with it; the log says that it was tried."""
    ben = await browser("ben", **ORIGIN)
    shown = await ben.get("/ad", params={"about": about})
    done = await ben.post("/ad", data={"seal": seal(await ben.get("/data")), "about": about, "do": "never"})
    clock.forward(days=2)
    late = await (await browser("anna")).get("/ad", params={"about": about})

    assert (shown.status_code, done.status_code, late.status_code) == (410, 410, 410)
    assert "shoes" not in shown.text + done.text + late.text
    assert (2, 1, False) == (
        caplog.text.count("refused: a ticket that is another's"),
        caplog.text.count("refused: POST '/ad': what the form is about is another's"),
        about in caplog.text,
    )
    assert await house.ledger.mutes("ben", NOON) == []


@pytest.mark.parametrize("about", ["", "x", "\x00", "A" * 20_000, "<script>"])
async def test_what_is_no_ticket(browser, about):
    """Anything else is told to be no good, and is not repeated."""
    answer = await (await browser("anna")).get("/ad", params={"about": about})

    assert answer.status_code == 410
    assert "<script>" not in answer.text


async def test_nothing_is_done_without_our_form(house, browser, clock, about):
    """A link does nothing; a form of another site, or without her word, or with a made-up deed, is refused."""
    anna = await browser("anna")
    word = seal(await anna.get("/ad", params={"about": about, "do": "never"}))
    fields = {"about": about, "do": "never"}
    answers = [
        await anna.post("/ad", data=fields | {"seal": word}),
        await anna.post("/ad", data=fields | {"seal": word}, headers={"Origin": "https://news.example"}),
        await anna.post("/ad", data=fields, headers=ORIGIN),
        await anna.post("/ad", data=fields | {"seal": word, "do": "all"}, headers=ORIGIN),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 400]
    assert await house.ledger.mutes("anna", clock()) == []


async def test_it_cannot_be_framed(browser, about):
    """No page can lay itself over its buttons."""
    answer = await (await browser("anna")).get("/ad", params={"about": about})

    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_names_from_the_network_are_text(house, browser):
    """An advertiser's name cannot break out of the page."""
    evil = "sponsor/<script>alert(1)</script>"
    about = Tickets(house.secret).seal("anna", Ticket(((Level.ADVERTISER, evil),), NOON, "<b>", "<i>", 1))
    answer = await (await browser("anna")).get("/ad", params={"about": about, "do": '"><script>', "done": "<script>"})

    assert "<script" not in answer.text
    assert "<i>" not in answer.text
