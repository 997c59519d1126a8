"""Real answers of auctions and to players three times in a row under caps of 2: the third time the ads that were shown are gone."""

import copy
import json
import re
from xml.parsers import expat

import pytest

from capper.domain.cap import Cap
from capper.domain.exchange import Action
from capper.domain.identity import Level
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.packaged import packaged_config
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.recognise.recogniser import Recogniser
from capper.rewrite.auction import payload
from capper.rewrite.auction.layout import load_layouts
from capper.rewrite.video import vast
from capper.testing import FrozenClock, an_exchange

NEWS = "https://www.news.example/story"
CAPS = ("2 per creative per day", "2 per campaign per day", "2 per advertiser per day")
PIXEL = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
MACRO = re.compile(r"\$\{[^}]*\}|%%[A-Z_:]+%%|\[[A-Z_]+\]")
ASKED_AT = {
    "bidder-ortb": "https://exchange.example/openrtb2/bid",
    "openrtb-spec": "https://exchange.example/openrtb2/bid",
    "native": "https://exchange.example/openrtb2/bid",
    "pbs-auction": "https://prebid.example/openrtb2/auction",
    "amp": "https://prebid.example/openrtb2/amp",
    "vast": "https://player.example/vast",
    "vmap": "https://player.example/vmap",
}
HOSTS = {
    "adnuntius": "https://ads.adnuntius.delivery/i",
    "appnexus": "https://ib.adnxs.com/ut/v3/prebid",
    "adhese": "https://ads-demo.adhese.com/json",
    "adquery": "https://bidder.adquery.io/prebid/bid",
    "beachfront": "https://display.bfmio.com/prebid_display",
    "consumable": "https://e.serverbid.com/api/v2",
    "eplanning": "https://pbjs.e-planning.net/pbjs/1/x",
    "gumgum": "https://g2.gumgum.com/hbid/imp",
    "improvedigital": "https://ad.360yield.com/pb",
    "ix": "https://htlb.casalemedia.com/openrtb/pbjs",
    "kargo": "https://krk2.kargo.com/api/v1/prebid",
    "livewrapped": "https://lwadm.com/ad",
    "outbrain": "https://b1h.zemanta.com/api/bidder/prebidjs/bid/",
    "rubicon": "https://fastlane.rubiconproject.com/a/api/fastlane.json",
    "smartadserver": "https://prg.smartadserver.com/prebid/v1",
    "smilewanted": "https://prebid.smilewanted.com/",
    "stroeercore": "https://hb.adscale.de/dsh",
    "triplelift": "https://tlx.3lift.com/header/auction",
    "ttd": "https://direct.adsrvr.org/bid/bidder/x",
    "unruly": "https://targeting.unrulymedia.com/unruly_prebid",
    "yieldlab": "https://ad.yieldlab.net/yp/1",
}
STARTER = FilterList("starter", (packaged_config() / "lists" / "starter-ads.txt").read_text("utf-8"), ListKind.ADS)
RECOGNISER = Recogniser(Engines.build([STARTER]), AdReader(load_networks()))
LAYOUTS = load_layouts()


class Household:
    """A page is opened, an answer comes, what it offers is shown: again and again, some time apart."""

    def __init__(self, url: str, data: bytes) -> None:
        policy = Policy(Rule("caps", tuple(map(Cap.parse, CAPS))))
        self.gate = Gate(lambda: RECOGNISER, MemoryLedger(), lambda: policy, Journal(0), layouts=LAYOUTS)
        self.clock = FrozenClock()
        self.url, self.data = url, data
        self.counts: dict[tuple[Level, str], int] = {}

    async def ask(self, url: str, kind: str, body: bytes, media_type: str):
        request = {"Sec-Fetch-Dest": kind} | ({} if kind == "document" else {"Referer": NEWS})
        outcome = await self.gate.admit(
            an_exchange(url, at=self.clock(), request=request, response={"Content-Type": media_type}, body=body)
        )
        for decision in outcome.decisions:
            if not decision.withheld and not decision.repeated:
                for key in decision.ad:
                    self.counts[key] = self.counts.get(key, 0) + 1
        return outcome

    async def round(self) -> bytes:
        """One page load; what is delivered in place of the answer."""
        self.clock.forward(minutes=20)
        await self.ask(NEWS, "document", b"<p>news", "text/html")
        media_type = "application/json" if self.data.lstrip()[:1] in b"[{" else "application/xml"
        outcome = await self.ask(self.url, "empty", self.data, media_type)
        data = self.data if outcome.action is Action.PASS else outcome.response.body
        if media_type == "application/json":
            for bid in payload.find(data, self.url, LAYOUTS, page=NEWS, exchange=True).bids:
                for url in bid.urls[:1]:
                    await self.ask(MACRO.sub("1.5", url), "image", PIXEL, "image/gif")
        return data

    def shown_often(self, ad) -> bool:
        """Whether a cap of 2 is reached by what was shown."""
        return any(self.counts.get(key, 0) >= 2 for key in ad if key[0] is not Level.CATEGORY)


def samples(shared_data, *folders):
    for folder in folders:
        for path in sorted((shared_data / "adtech" / folder).iterdir()):
            known = next((url for name, url in HOSTS.items() if path.name.startswith(name)), None)
            yield path, ASKED_AT.get(folder) or known or "https://exchange.example/bid"


def bids(data: bytes, url: str):
    found = payload.find(data, url, LAYOUTS, page=NEWS, exchange=True)
    return [(read_offer(RECOGNISER.reader, bid.offer), plain(data, bid.path)) for bid in found.bids]


def plain(data: bytes, path) -> object:
    """What stands there, without what a runner-up is given."""
    value = json.loads(data)
    for step in path:
        value = value[step]
    value = copy.deepcopy(value)
    if isinstance(value, dict) and isinstance(value.get("ext"), dict) and isinstance(value["ext"].get("prebid"), dict):
        value["ext"]["prebid"].pop("targeting", None)
    return value


@pytest.mark.parametrize(
    "folder", ["bidder-ortb", "bidder-proprietary", "pbs-auction", "amp", "native", "openrtb-spec"]
)
async def test_auctions(shared_data, folder):
    """Whoever was shown twice is gone the third time, and every other bid stands there as it was, in valid JSON."""
    withheld = 0
    for path, url in samples(shared_data, folder):
        home = Household(url, path.read_bytes())
        for _ in range(2):
            await home.round()
        offered = bids(home.data, url)
        capped = [ad for ad, _ in offered if home.shown_often(ad)]

        left = bids(await home.round(), url)

        assert [] == [ad for ad, _ in left if ad in capped], path.name
        gone = [ad for ad, value in offered if value not in [each for _, each in left]]
        assert [] == [ad for ad in gone if not home.shown_often(ad)], path.name
        assert [] == [value for _, value in left if value not in [each for _, each in offered]], path.name
        withheld += len(gone)
    # Answers to AMP pages name cached bids by ids alone, and nothing of these was seen before.
    assert (withheld > 0) == (folder != "amp")


async def test_players(shared_data):
    """The third time an ad is gone from its pod or buffet; the others stand there byte for byte, and it parses as before."""
    for path, url in samples(shared_data, "vast", "vmap"):
        home = Household(url, path.read_bytes())
        for _ in range(2):
            await home.round()
        offered = vast.find(home.data, url, NEWS).ads
        reached = {
            home.data[slice(*ad.span)]
            for ad in offered
            if not ad.wrapper and home.shown_often(read_offer(RECOGNISER.reader, ad.offer))
        }

        left = await home.round()

        kept = [home.data[slice(*ad.span)] for ad in offered if home.data[slice(*ad.span)] not in reached]
        assert kept == [left[slice(*ad.span)] for ad in vast.find(left, url, NEWS).ads], path.name
        if _parses(home.data):
            assert _parses(left), path.name


def _parses(data: bytes) -> bool:
    try:
        expat.ParserCreate().Parse(data.strip(), 1)
    except expat.ExpatError:
        return False
    return True
