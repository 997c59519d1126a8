"""Single operations of capper, to be counted or timed in this process: a request, a claim, a body, each as often as one likes."""

import itertools
import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import auctions, pages
from benchmarks.asked import NOON, STARTER, policy
from benchmarks.counting import Work
from benchmarks.gates import NEWS, gate, picture, recogniser
from benchmarks.growth import with_rules
from capper.domain.decision import Decision, Verdict, prepare_all
from capper.domain.exchange import Exchange
from capper.domain.policy import Policy
from capper.gate import Gate
from capper.ledger.base import Ledger
from capper.ledger.keys import ViewerKeys
from capper.ledger.memory import MemoryLedger
from capper.ledger.wire import ask
from capper.study.exposure import Arm
from capper.study.notebook import Notebook
from capper.study.register import StudyKeys
from capper.study.store import Store
from capper.testing import StubLedger, a_sighting, an_exchange

_EXCHANGE = "https://ib.adnxs.com/openrtb2/bid"
_MORE_THAN_REMEMBERED = 2_000
"""So many addresses are more than anything remembers of what passes."""


class Operations:
    """The operations that limits.toml names; the method of its name makes each ready, once for all that follow."""

    def __init__(self) -> None:
        self._known = recogniser()
        self._numbers = itertools.count()

    # One request

    async def passing_script(self) -> Work:
        """A script that is no ad: it streams."""
        request = {"Sec-Fetch-Dest": "script", "Referer": NEWS}
        response = {"Content-Type": "text/javascript", "Content-Length": "30000"}
        return self._passing(
            an_exchange(f"https://cdn.example/app{number}.js", request=request, response=response)
            for number in range(_MORE_THAN_REMEMBERED)
        )

    async def passing_image(self) -> Work:
        """The same of a picture that is no ad."""
        return self._passing(
            picture(f"https://cdn.example/photo{number}.png", NOON) for number in range(_MORE_THAN_REMEMBERED)
        )

    async def ad_picture(self) -> Work:
        """The picture of an ad that is shown."""
        return self._pictures(self._gate(MemoryLedger()))

    async def decision(self) -> Work:
        """What a claim asks, of one ad under five caps."""
        held = policy(*STARTER)

        async def work() -> None:
            prepare_all(held, [a_sighting()], NOON)

        return work

    async def claim_packed(self) -> Work:
        """That claim as it goes over the wire, for an ad that was met before."""
        keys, held = ViewerKeys(bytes(32)), policy(*STARTER)
        claims = [claim for _, claim in prepare_all(held, [a_sighting()], NOON)]

        async def work() -> None:
            ask(keys, claims, NOON, held.gap, count=True)

        return work

    async def exposures(self) -> Work:
        """A hundred exposures of a study: noted down beside the traffic, made into rows, written."""
        folder = TemporaryDirectory()
        notes = Notebook(StudyKeys(bytes(32)), Store.open(Path(folder.name) / "exposures.sqlite"))
        met = [a_sighting(page=str(number // 4)) for number in range(100)]
        decisions = [Decision(Verdict.SHOW, each.viewer, each.ad, "caps") for each in met]

        async def work(_: object = folder) -> None:
            notes.met(NOON, "anna", Arm.CAPPED, met, decisions)
            notes.write(notes.taken())

        return work

    # One body

    async def page_without_ads(self) -> Work:
        """A page of 210 kB."""
        return self._page(0)

    async def page_with_ads(self) -> Work:
        """The same with ten ads, all of which are withheld."""
        return self._page(10)

    async def auction(self) -> Work:
        """An auction's answer of 100 kB and 30 bids."""
        return self._auction(auctions.BIDS)

    # The same when there is more of something

    async def ads_known(self, count: int) -> Work:
        """The picture of an ad, when so many were met before."""
        met = await self.ad_picture()
        for _ in range(count):
            await met()
        return met

    async def rules(self, count: int) -> Work:
        """The picture of an ad, under so many rules with caps."""
        return self._pictures(self._gate(StubLedger(), with_rules(count)))

    async def ads_on_a_page(self, count: int) -> Work:
        """A page of 210 kB with so many ads."""
        return self._page(count)

    async def kilobytes_of_a_page(self, count: int) -> Work:
        """A page without ads."""
        return self._page(0, count * 1000)

    async def bids(self, count: int) -> Work:
        """An auction's answer of so many bids."""
        return self._auction(count)

    def _gate(self, ledger: Ledger, held: Policy | None = None) -> Gate:
        return gate(self._known, ledger, held or policy(*STARTER))

    def _passing(self, exchanges: Iterable[Exchange]) -> Work:
        judging, turns = self._gate(StubLedger()), itertools.cycle([*exchanges])

        async def work() -> None:
            exchange = next(turns)
            assert not judging.foresees(exchange)
            assert not judging.wants(exchange)

        return work

    def _pictures(self, judging: Gate) -> Work:
        async def work() -> None:
            number = next(self._numbers)
            url = f"https://tpc.googlesyndication.com/simgad/{number}?adurl=https%3A%2F%2Fbrand{number}.example%2F"
            outcome = await judging.admit(picture(url, NOON + timedelta(milliseconds=number)))
            assert outcome.decisions

        return work

    def _page(self, ads: int, size: int = 210_000) -> Work:
        judging = self._gate(MemoryLedger(), policy("never"))
        shown = [pages.banner(number, f"brand{number}.example", str(number)) for number in range(ads)]
        body = pages.page(size, shown)

        async def work() -> None:
            at = NOON + timedelta(hours=next(self._numbers))
            response = {"Content-Type": "text/html; charset=utf-8"}
            outcome = await judging.admit(
                an_exchange(NEWS, at=at, request={"Sec-Fetch-Dest": "document"}, response=response, body=body)
            )
            assert len(outcome.decisions) == ads

        return work

    def _auction(self, bids: int) -> Work:
        judging = self._gate(MemoryLedger())
        answer = auctions.openrtb(adomain=["shoes.example"])
        whole = answer["seatbid"]
        answer["seatbid"] = [whole[number % len(whole)] for number in range(bids)]
        body = json.dumps(answer).encode()

        async def work() -> None:
            at = NOON + timedelta(hours=next(self._numbers))
            request_ = {"Sec-Fetch-Dest": "empty", "Referer": NEWS}
            exchange = an_exchange(
                _EXCHANGE, at=at, request=request_, response={"Content-Type": "application/json"}, body=body
            )
            await judging.admit(exchange)

        return work
