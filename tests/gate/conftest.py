"""A person whose browser goes through the gate, and pictures for it to load."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from capper.domain.cap import Cap
from capper.domain.exchange import Action
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.testing import FrozenClock, an_exchange

RULES = "||ads.example^\n||adserver.example^\n||doubleclick.net^\n||googlesyndication.com^"
CLICK = "https://adclick.g.doubleclick.net/pcs/click?xai=1&adurl=https%3A%2F%2Fwww.{name}.example%2Fsale"


class Person:
    """Anna, with counts of what she was shown and what was withheld from her."""

    def __init__(self, *caps: str) -> None:
        lists = [FilterList("ads", RULES, ListKind.ADS)]
        recogniser = Recogniser(Engines.build(lists), AdReader(load_networks()))
        self.policy = Policy(Rule("caps", tuple(map(Cap.parse, caps))))
        self.gate = Gate(lambda: recogniser, MemoryLedger(), lambda: self.policy, Journal(0))
        self.clock = FrozenClock()
        self.shown = self.withheld = 0

    async def ask(
        self, url, kind, body, media_type, *, referrer="", device="", status=200, request=None, page=None, **more
    ):
        """One exchange as a proxy leads it through the gate."""
        fields = {"Sec-Fetch-Dest": kind} if kind else {}
        fields |= {"Referer": referrer} if referrer else {}
        exchange = an_exchange(
            url,
            at=self.clock(),
            request=fields | (request or {}),
            response={"Content-Type": media_type, **more},
            body=body,
            status=status,
            device=device,
        )
        exchange = replace(exchange, page=page)
        asked = replace(exchange, response=None)
        outcome = await self.gate.admit(asked) if self.gate.foresees(asked) else None
        if outcome is None or outcome.action is not Action.ANSWER:
            outcome = await self.gate.admit(exchange)
        self.take(outcome)
        return outcome

    def take(self, outcome) -> None:
        for decision in outcome.decisions:
            if not decision.repeated:
                self.withheld += decision.withheld
                self.shown += not decision.withheld

    @property
    def counts(self) -> tuple[int, int]:
        """How many sightings were shown and withheld."""
        return self.shown, self.withheld

    def wait(self, **length) -> None:
        self.clock.forward(**length)

    async def page(self, url, *ads, **more):
        """Load a page a minute after the last."""
        self.clock.forward(minutes=1)
        html = f"<!DOCTYPE html><html><body><h1>News</h1>{''.join(ads)}</body></html>"
        return await self.ask(url, "document", html.encode(), "text/html; charset=utf-8", **more)

    async def frame(self, url, body, referrer, **more):
        return await self.ask(url, "iframe", body.encode(), "text/html; charset=utf-8", referrer=referrer, **more)

    async def picture(self, url, referrer="", body=None, **more):
        return await self.ask(url, "image", body or picture(), "image/png", referrer=referrer, **more)

    async def redirect(self, url, to, referrer="", kind="image", **more):
        return await self.ask(url, kind, b"", "text/html", referrer=referrer, status=302, Location=to, **more)


def banner(name="shoes", picture="https://ads.example/shoes.png", attributes=""):
    """A banner's element: a link that is counted on its way, around a picture."""
    click = CLICK.format(name=name).replace("&", "&amp;")
    return f'<div><a href="{click}"><img src="{picture}" width="300" height="250" {attributes}></a></div>'


def picture(seed: int = 1, size=(300, 250), form="PNG", **options) -> bytes:
    """A picture unlike that of any other seed."""
    side = 8
    values = [(((x * 37 + y * 61 + seed * 101) * (seed * 2 + 3)) ** 2) % 251 for y in range(side) for x in range(side)]
    image = Image.new("L", (side, side))
    image.putdata(values)
    out = io.BytesIO()
    image.resize(size, Image.Resampling.BICUBIC).convert("RGB").save(out, form, **options)
    return out.getvalue()


@pytest.fixture
def person():
    """The class of a person with a browser."""
    return Person


@pytest.fixture
def a_banner():
    """Makes a banner's element."""
    return banner


@pytest.fixture
def a_picture():
    """Makes a picture."""
    return picture


@pytest.fixture
def minute():
    return timedelta(minutes=1)
