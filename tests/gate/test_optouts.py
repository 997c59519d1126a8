"""What a person says to an ad holds everywhere: which ad she meant, and that nothing is muted on a guess."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest

from capper.domain.cap import Cap
from capper.domain.exchange import Outcome
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal, ListSink
from capper.ledger.memory import MemoryLedger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.optout import OptOuts
from capper.recognise.recogniser import Recogniser
from capper.testing import FrozenClock, StubLedger, an_exchange

NEWS, MAIL = "https://www.news.example/story", "https://www.mail.example/inbox"
RULES = "||doubleclick.net^\n||googlesyndication.com^\n||criteo.com^\n||criteo.net^"
RECOGNISER = Recogniser(Engines.build([FilterList("ads", RULES, ListKind.ADS)]), AdReader(load_networks()))
OPTOUTS = OptOuts.load()
VISIT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}
PING = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
WHY = "https://adssettings.google.com/whythisad?source=display"
TOKENS = {"shoes": "C2YoqJ4BtaYScMJqA2roP_7iNqQnPz", "bikes": "CKxpJYVwyZIizC4LH9QP2ror4Dce4j"}
FRAME = "https://googleads.g.doubleclick.net/pagead/ads?slot="


def click(name: str) -> str:
    return (
        f"https://googleads.g.doubleclick.net/aclk?sa=L&ai={TOKENS.get(name, name)}&adurl=https://www.{name}.example/"
    )


def creative(name: str, more: str = "") -> bytes:
    """An ad's own document, as Google delivers it in a frame."""
    return f'<!doctype html><html><body><a href="{click(name)}"><img src="x.png"></a>{more}</body></html>'.encode()


def criteo(name: str) -> str:
    """An ad in a page by another network."""
    href = f"https://cat.nl.criteo.com/delivery/ckn.php?cppv=3&cpp={name}{'x' * 20}&maxdest=https://www.{name}.example/"
    return f'<a href="{href}"><img src="https://pix.criteo.net/{name}.png" width=300 height=250></a>'


def ping(name: str, label: str = "user_feedback_menu_option") -> str:
    return f"https://googleads.g.doubleclick.net/pagead/interaction/?ai={TOKENS[name]}&sigh=1&label={label}&label_instance=1"


class Visit:
    """A person in front of the gate."""

    def __init__(self, ledger=None, *, bought: bool = False, viewer: str = "anna", gate: Gate | None = None) -> None:
        self.policy = Policy(Rule("caps", (Cap.parse("9 per day"),)), stop_when_bought=bought)
        self.ledger, self.sink = ledger or MemoryLedger(), ListSink()
        self.journal = Journal(sink=self.sink)
        self.gate = gate or Gate(lambda: RECOGNISER, self.ledger, lambda: self.policy, self.journal, optouts=OPTOUTS)
        self.clock, self.viewer = FrozenClock(), viewer

    async def load(self, url: str, body: bytes, *, kind: str, referrer: str = "", device: str = "laptop") -> Outcome:
        fields = {"Sec-Fetch-Dest": kind, "Sec-Fetch-Mode": "navigate"} | ({"Referer": referrer} if referrer else {})
        exchange = an_exchange(
            url,
            viewer=self.viewer,
            at=self.clock(),
            request=fields,
            response={"Content-Type": "text/html"},
            body=body,
            device=device,
        )
        return await self.gate.admit(exchange)

    async def reads(
        self, *frames: str, page: str = NEWS, body: str = "", more: str = "", device: str = "laptop"
    ) -> int:
        """A page with a Google ad for each name in a frame of its own; how many of its ads were withheld."""
        self.clock.forward(minutes=1)
        outcomes = [await self.load(page, f"<html><body>{body}".encode(), kind="document", device=device)]
        for name in frames:
            made = creative(name, more)
            outcomes.append(await self.load(FRAME + name, made, kind="iframe", referrer=page, device=device))
        return sum(decision.withheld for outcome in outcomes for decision in outcome.decisions)

    async def asks(self, url: str, headers: dict[str, str], referrer: str = "", device: str = "laptop") -> None:
        """What the browser asks for a moment later; it goes on as it came."""
        self.clock.forward(seconds=5)
        fields = headers | ({"Referer": referrer} if referrer else {})
        exchange = an_exchange(url, viewer=self.viewer, at=self.clock(), request=fields, body=None, device=device)
        outcome = await self.gate.admit(exchange)

        assert outcome.response is outcome.request is None

    async def muted(self) -> dict[str, Why]:
        return {mute.name: mute.why for mute in await self.ledger.mutes(self.viewer, self.clock())}

    async def notes(self) -> list[str]:
        await self.journal.drain()
        return [record.note for record in self.sink.records if record.verdict is None]


async def test_stop_seeing_this_ad_holds_everywhere():
    """Of two ads of one network the one whose token the ping carries is muted, on other sites and devices too; not for ben."""
    anna = Visit()
    await anna.reads("shoes", "bikes")
    await anna.asks(ping("shoes"), PING, "https://googleads.g.doubleclick.net/")
    elsewhere = await anna.reads("shoes", "bikes", page=MAIL, device="phone")
    ben = Visit(anna.ledger, viewer="ben", gate=anna.gate)
    [mute] = await anna.ledger.mutes("anna", anna.clock())

    assert (mute.name, mute.why, mute.until - mute.since) == ("shoes.example", Why.CLICKED, timedelta(days=90))
    assert (elsewhere, await ben.reads("shoes", "bikes")) == (1, 0)
    assert await anna.notes() == ["by its own opt-out (Google: stop seeing this ad)"]


async def test_undo_in_the_ad_takes_it_back():
    """The ad's own undo unmutes what its mark muted, and nothing that she muted otherwise."""
    anna = Visit()
    await anna.reads("shoes", "bikes")
    asked = Mute(Level.ADVERTISER, "bikes.example", Why.ASKED, anna.clock(), anna.clock() + timedelta(days=90))
    await anna.ledger.mute("anna", asked, anna.clock())
    for name in ("shoes", "bikes"):
        await anna.asks(ping(name), PING)
        await anna.asks(ping(name, "user_feedback_undo"), PING)

    assert await anna.muted() == {}
    await anna.ledger.mute("anna", replace(asked, until=asked.until + timedelta(days=1)), anna.clock())
    await anna.asks(ping("bikes"), PING)
    await anna.asks(ping("bikes", "user_feedback_undo"), PING)
    assert await anna.muted() == {"bikes.example": Why.ASKED}


async def test_an_address_that_stands_in_one_ad_tells_which():
    """The way to "why this ad" is another for each ad, and stands in its scripts."""
    anna = Visit()
    await anna.reads("bikes")
    await anna.reads("shoes", more=f"<script>show('{WHY}\\u0026reasons=AZhb')</script>")
    await anna.asks(f"{WHY}&reasons=AZhb", VISIT)

    assert await anna.muted() == {"shoes.example": Why.CLICKED}


async def test_the_network_tells_which():
    """Google's page is about Google's ad of that page, Criteo's about Criteo's."""
    for url, name in ((WHY, "shoes.example"), ("https://privacy.eu.criteo.com/adchoices?cppv=3", "boats.example")):
        anna = Visit()
        await anna.reads("bikes", page=MAIL)
        await anna.reads("shoes", body=criteo("boats"))
        await anna.asks(url, VISIT, NEWS)

        assert await anna.muted() == {name: Why.CLICKED}


async def test_where_several_could_be_meant_none_is_muted():
    """Two of Google's on one page, and a page of the trade that is about anybody's: the journal says so."""
    anna = Visit()
    await anna.reads("shoes", "bikes")
    await anna.asks(WHY, VISIT, NEWS)
    await anna.asks("https://youradchoices.com/", VISIT, NEWS)

    assert await anna.muted() == {}
    assert await anna.notes() == [
        f"she has had enough ({name}), and nothing tells which of 2 ads was meant: none is muted"
        for name in ("Google: why this ad", "AdChoices")
    ]


async def test_the_only_ad_of_a_page_is_meant():
    """Two frames of one advertiser are one; from the ad's frame, of which only the origin is told, the same."""
    for referrer in (NEWS, "https://www.news.example/", "https://googleads.g.doubleclick.net/"):
        anna = Visit()
        await anna.reads("shoes", "shoes")
        await anna.asks("https://youradchoices.com/", VISIT, referrer)

        assert await anna.muted() == {"shoes.example": Why.CLICKED}


@pytest.mark.parametrize(
    ("url", "headers", "referrer"),
    [
        (WHY, VISIT, ""),
        (WHY, VISIT, MAIL),
        (WHY, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, NEWS),
        (WHY, PING, NEWS),
        ("https://googleads.g.doubleclick.net/pagead/images/mtad/abg_blue.png", PING, NEWS),
        (ping("bikes"), PING, NEWS),
        (ping("shoes"), VISIT, NEWS),
        (ping("shoes", "video_viewed"), PING, NEWS),
    ],
)
async def test_nothing_is_muted_on_a_guess(url, headers, referrer):
    """Out of nowhere, from another page, by the page itself, for a token of no ad she saw: nothing."""
    anna = Visit()
    await anna.reads("shoes")
    await anna.asks(url, headers, referrer)

    assert await anna.muted() == {}


async def test_another_device_and_another_hour_are_not_meant():
    """What the phone saw is not what the laptop's click is about, nor what was seen more than an hour ago."""
    anna = Visit()
    await anna.reads("shoes", device="phone")
    await anna.asks(ping("shoes"), PING)
    await anna.reads("shoes")
    anna.clock.forward(hours=1)
    await anna.asks(ping("shoes"), PING)

    assert await anna.muted() == {}


@pytest.mark.parametrize("bought", [True, False])
async def test_a_shop_that_she_bought_from_ends_its_chase(bought):
    """Only where the policy says so, and only a shop that was advertised to her."""
    anna = Visit(bought=bought)
    await anna.reads("shoes")
    for shop in ("shoes", "strangers"):
        url = f"https://www.googleadservices.com/pagead/conversion/107/?value=50&url=https%3A%2F%2Fwww.{shop}.example%2Fdone"
        await anna.asks(url, PING)

    assert await anna.muted() == ({"shoes.example": Why.BOUGHT} if bought else {})
    assert await anna.reads("shoes", page=MAIL) == bought


async def test_without_a_ledger_the_request_goes_on():
    """Fail open: a word that cannot be kept costs nobody a page."""
    anna = Visit(StubLedger(gone=True))
    await anna.reads("shoes")
    await anna.asks(ping("shoes"), PING)


@pytest.mark.parametrize(
    "sample", ["adsense-adfetch-2023", "gam-safeframe-2026-crd-hotels", "adsense-responsive-2025-expresschemical"]
)
async def test_real_ads(shared_data, sample):
    """Of Google's own documents, both ways to say it lead to the ad that they stand in, with another beside it."""
    body = (shared_data / "adtech" / "google-display" / f"{sample}.html").read_bytes()
    text = unescape(unescape(body.decode("utf-8", "replace")))
    [ai, *_] = re.findall(r"pagead/interaction/\?ai=([\w-]+)", text)
    why = next(url for url in OPTOUTS.named_in(body) if "whythisad" in url)
    for url, headers in (
        (
            f"https://googleads.g.doubleclick.net/pagead/interaction/?ai={ai}&sigh=1&label=mute_survey_option&label_instance=2",
            PING,
        ),
        (why, VISIT),
    ):
        anna = Visit()
        await anna.reads("shoes")
        await anna.load(FRAME + "real", body, kind="iframe", referrer=NEWS)
        before = {entry.name for entry in await anna.ledger.entries("anna", anna.clock())} - {"shoes.example"}
        await anna.asks(url, headers)

        assert len(before) == 1
        assert set(await anna.muted()) == before
