"""Ten exchanges as Prebid.js knows them, with one rule: the highest offer wins that the request does not block."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from capper.demo.pictures import Look, banner
from capper.proxy.testing import Seen, reply

from .video import Film, silence, still, vast

NEWS = "news.example"
ADS = "cdn.adserver.example"
"""Keeps banners and films."""
CACHE = "cache.adserver.example"
"""Prebid Cache, where a page puts films that players are to fetch."""
WIDTH, HEIGHT = 300, 250

Json = Any


@dataclass(frozen=True, slots=True)
class Offer:
    """What an advertiser would pay for a thousand sightings."""

    advertiser: str
    price: float


@dataclass(frozen=True, slots=True)
class Bid:
    """An offer that was made: `number` tells it from all others, `host` is the exchange's."""

    number: int
    offer: Offer
    host: str

    @property
    def creative(self) -> str:
        """The creative's id; an advertiser here has one."""
        return f"cr-{self.offer.advertiser.replace('.', '-')}"

    @property
    def query(self) -> str:
        """What addresses say of this bid."""
        return f"bid={self.number}&of={self.offer.advertiser}&by={self.host}"

    def url(self, what: str) -> str:
        """Where the exchange is told what became of the bid."""
        return f"https://{self.host}/told/{what}?{self.query}"

    @property
    def film(self) -> bytes:
        """The answer to a player, the film being its only ad."""
        return vast([Film(self.offer.advertiser, files=ADS)], self.host)

    @property
    def native(self) -> Json:
        """The parts a page makes a card of."""
        return {
            "ver": "1.2",
            "assets": [
                {"id": 1, "title": {"text": "Walk on clouds"}},
                {"id": 2, "img": {"url": f"https://{ADS}/banner/{self.offer.advertiser}.png", "w": WIDTH, "h": HEIGHT}},
                {"id": 3, "data": {"type": 1, "value": self.offer.advertiser}},
            ],
            "link": {"url": f"https://{self.host}/click?{self.query}&to=https%3A%2F%2Fwww.{self.offer.advertiser}%2F"},
            "eventtrackers": [{"event": 1, "method": 1, "url": self.url("seen")}],
        }

    @property
    def frame(self) -> str:
        """Where the creative is a document."""
        return f"https://{ADS}/frame?{self.query}"

    @property
    def picture(self) -> str:
        """The banner and its link."""
        advertiser = self.offer.advertiser
        click = f"https://{self.host}/click?{self.query}&to=https%3A%2F%2Fwww.{advertiser}%2Fsale"
        return (
            f'<a href="{click}" target="_blank"><img src="https://{ADS}/banner/{advertiser}.png" width="{WIDTH}"'
            f' height="{HEIGHT}" alt="{advertiser}"></a>'
        )

    @property
    def markup(self) -> str:
        """The banner, its link and a pixel."""
        return f'{self.picture}<img src="{self.url("seen")}" width="1" height="1">'


@dataclass
class Exchange:
    """All exchanges of one page, and the server that keeps the banners.

    `offers` are those of each exchange for each slot. `asked` lists the requests for bids, each with the exchange's name;
    `told` what became of bids, as (what, advertiser).
    """

    offers: Mapping[tuple[str, str], Sequence[Offer]]
    heeds: bool = True
    """Whether requests' blocklists are heeded."""
    framed: bool = False
    """Whether creatives are documents of their own where the format can say so."""
    asked: list[tuple[str, Json]] = field(default_factory=list)
    playable: bool = True
    """Whether films are where they are said to be."""
    told: list[tuple[str, str]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """What the page put into Prebid Cache."""
    made: int = 0

    def respond(self, seen: Seen) -> bytes:
        """The answer of whichever host is asked."""
        url = urlsplit(seen.target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if seen.host == ADS or url.path.startswith("/told/"):
            return self._ad_server(url.path, query)
        fields = [
            ("Access-Control-Allow-Origin", seen.field("origin") or "*"),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Allow-Headers", seen.field("access-control-request-headers") or "content-type"),
        ]
        if seen.method == "OPTIONS":
            return reply(fields=fields)
        if seen.host == CACHE:
            return self._cache(seen, query, fields)
        adapter = next((each for each in (*ADAPTERS, PREBID_SERVER) if each.is_asked(seen.host, url.path)), None)
        if adapter is None:
            return reply(b"no such exchange", 404, fields)
        request = _read(seen.body) if seen.body else query
        self.asked.append((adapter.name, request))
        answer = adapter.answer(self, adapter.name, request)
        return reply(json.dumps(answer).encode(), 200, fields, "application/json")

    def best(self, exchange: str, place: str, blocked: Sequence[str] = ()) -> Bid | None:
        """The best bid of an exchange for the slot whose GPID is `place`."""
        offers = self.offers.get((exchange, place.rpartition("/")[2]), ())
        left = [offer for offer in offers if not (self.heeds and offer.advertiser in blocked)]
        if not left:
            return None
        self.made += 1
        host = next((adapter.host for adapter in ADAPTERS if adapter.name == exchange), PREBID_SERVER.host)
        return Bid(self.made, max(left, key=lambda offer: offer.price), host)

    def _ad_server(self, path: str, query: dict[str, str]) -> bytes:
        what, _, name = path.strip("/").partition("/")
        match what:
            case "banner":
                return reply(_banner(name.removesuffix(".png")), 200, [("Cache-Control", "max-age=3600")], "image/png")
            case "still":
                return reply(still(name.removesuffix(".png")), kind="image/png")
            case "film":
                if not self.playable:
                    return reply(b"gone", 404)
                return reply(silence(), 200, [("Access-Control-Allow-Origin", "*")], "audio/wav")
            case "frame":
                bid = Bid(int(query["bid"]), Offer(query["of"], 0), query["by"])
                return reply(f"<!DOCTYPE html><title>ad</title><body style='margin:0'>{bid.markup}</body>".encode())
        self.told.append((name, query["of"]))
        return reply(PIXEL, 200, [("Cache-Control", "no-store")], "image/gif")

    def _cache(self, seen: Seen, query: dict[str, str], fields: list[tuple[str, str]]) -> bytes:
        """Prebid Cache: keeps what it is sent, and gives it to whoever has the number."""
        if seen.method == "GET":
            return reply(self.kept[int(query["uuid"])].encode(), 200, fields, "application/xml")
        puts = _read(seen.body)["puts"]
        numbers = range(len(self.kept), len(self.kept) + len(puts))
        self.kept += [put["value"] for put in puts]
        answer = {"responses": [{"uuid": str(number)} for number in numbers]}
        return reply(json.dumps(answer).encode(), 200, fields, "application/json")


def _banner(name: str) -> bytes:
    look = Look("sun", "#0b3d5c" if "one" in name else "#5b3a29", "#ffd166", name.removesuffix(".example"), "Visit")
    return banner(look, WIDTH, HEIGHT)


def _read(body: bytes) -> Json:
    # Some adapters send gzip and say so by a parameter, if at all.
    return json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)


PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c000000000100010000020144003b")


def openrtb(exchange: Exchange, name: str, request: Json) -> Json:
    """OpenRTB 2.x, with what each exchange adds to it."""
    bids = []
    for imp in request["imp"]:
        bid = exchange.best(name, imp["ext"]["gpid"], request.get("badv", ()))
        if bid is not None:
            price = bid.offer.price * (100 if name == "ix" else 1)
            bids.append(
                _rtb(bid, imp["id"]) | {"price": price, "ext": _EXTRAS.get(name, {})} | _creative(bid, name, imp)
            )
    return {"id": request["id"], "cur": "USD", "seatbid": [{"seat": "42", "bid": bids}] if bids else []}


def _creative(bid: Bid, name: str, imp: Json) -> Json:
    """What is not a banner, as the impression asks for it."""
    kind = next((kind for kind in ("video", "native") if kind in imp), "banner")
    if kind == "banner":
        return {}
    # An adapter takes the nurl of a film for where its VAST is.
    made = (
        {"adm": bid.film.decode(), "mtype": 2, "nurl": None}
        if kind == "video"
        else {"adm": json.dumps(bid.native), "mtype": 4}
    )
    kinds = {"video": 1, "native": 3}
    return made | ({"ext": {"appnexus": {"bid_ad_type": kinds[kind]}}} if name == "msft" else {})


def _rtb(bid: Bid, imp: str) -> Json:
    return {
        "id": f"b{bid.number}",
        "impid": imp,
        "price": bid.offer.price,
        "adomain": [bid.offer.advertiser],
        "crid": bid.creative,
        "adm": bid.markup,
        "w": WIDTH,
        "h": HEIGHT,
        "mtype": 1,
        "nurl": f"{bid.url('won')}&price=${{AUCTION_PRICE}}",
        "burl": bid.url("billed"),
    }


_EXTRAS: dict[str, Json] = {
    "criteo": {"mediatype": "banner", "cur": "USD"},
    "msft": {"appnexus": {"bid_ad_type": 0, "brand_id": 1}},
}


def fastlane(exchange: Exchange, name: str, request: Json) -> Json:
    """Rubicon's: one answer for all slots, each ad in its slot's turn, the creative a script."""
    ads: list[Json] = []
    for place in request["p_gpid"].split(";"):
        bid = exchange.best(name, place)
        if bid is None:
            ads.append({"status": "no-inventory-available", "error_code": "10", "reason": "no-ads"})
            continue
        ads.append(
            {
                "status": "ok",
                "impression_id": f"imp-{bid.number}",
                "size_id": "15",
                "ad_id": str(7000 + bid.number),
                "creative_id": bid.creative,
                "adomain": [bid.offer.advertiser],
                "advertiser": 815,
                "network": 11,
                "creative_type": "banner",
                "type": "script",
                "targeting": [{"key": "rpfl_14062", "values": ["15_tier0500"]}],
                "script": f"(function(){{document.write({json.dumps(bid.markup)})}})()",
                "cpm": bid.offer.price,
            }
        )
    return {"status": "ok", "account_id": 14062, "site_id": 70608, "zone_id": 498816, "size_id": 15, "ads": ads}


def universal_tag(exchange: Exchange, name: str, request: Json) -> Json:
    """AppNexus' /ut/v3: a tag for each slot, its ad inside."""
    tags = []
    for tag in request["tags"]:
        bid = exchange.best(name, tag["gpid"])
        answer = {"uuid": tag["uuid"], "tag_id": tag["id"], "auction_id": f"{4 * 10**18 + exchange.made}"}
        if bid is None:
            tags.append(answer | {"nobid": True})
            continue
        ad = {
            "content_source": "rtb",
            "ad_type": "banner",
            "buyer_member_id": 958,
            "creative_id": 29681110 + sum(bid.offer.advertiser.encode()),
            "media_type_id": 1,
            "media_subtype_id": 1,
            "cpm": bid.offer.price,
            "adomain": bid.offer.advertiser,
            "publisher_currency_code": "$",
            "notify_url": bid.url("notified"),
            "rtb": {
                "banner": {"content": bid.picture, "width": WIDTH, "height": HEIGHT},
                "trackers": [{"impression_urls": [bid.url("seen")], "video_events": {}}],
            },
        }
        tags.append(answer | {"nobid": False, "ad_profile_id": 1182765, "ads": [ad]})
    return {"version": "3.0.0", "tags": tags}


def header_auction(exchange: Exchange, name: str, request: Json) -> Json:
    """TripleLift's: bids that name their slot by its turn in the request."""
    bids = []
    for imp in request["imp"]:
        bid = exchange.best(name, imp["ext"]["gpid"])
        if bid is not None:
            bids.append(
                {
                    "imp_id": imp["id"],
                    "cpm": bid.offer.price,
                    "width": WIDTH,
                    "height": HEIGHT,
                    "ad": bid.markup,
                    "crid": f"5989_33264_{bid.creative}",
                    "tl_source": "hdx",
                    "advertiser_name": bid.offer.advertiser.split(".")[0].title(),
                    "adomain": [bid.offer.advertiser],
                }
            )
    return {"bids": bids}


def prebid_v1(exchange: Exchange, name: str, request: Json) -> Json:
    """Smart AdServer's: one slot, one answer, the creative as markup or a document of its own."""
    bid = exchange.best(name, request["gpid"])
    if bid is None:
        return {"isNoAd": True}
    return {
        "requestId": request["bidId"],
        "cpm": bid.offer.price,
        "width": WIDTH,
        "height": HEIGHT,
        "creativeId": bid.creative,
        "currency": "USD",
        "isNetCpm": True,
        "ttl": 300,
        "adomain": [bid.offer.advertiser],
        "isNoAd": False,
        "dspPixels": [],
    } | ({"adUrl": bid.frame} if exchange.framed else {"ad": bid.markup})


def prebid_server(exchange: Exchange, _: str, request: Json) -> Json:
    """Prebid Server's: the bids of its bidders, and keys for the ad server, plain ones at each slot's winner."""
    seats: dict[str, list[Json]] = {}
    for imp in request["imp"]:
        asked = imp["ext"]["prebid"]["bidder"]
        bids = {name: exchange.best(name, imp["ext"]["gpid"], request.get("badv", ())) for name in asked}
        made = {name: bid for name, bid in bids.items() if bid is not None}
        winner = max(made, key=lambda name: made[name].offer.price, default="")
        for name, bid in made.items():
            keys = {"hb_bidder": name, "hb_pb": f"{bid.offer.price:.2f}", "hb_size": f"{WIDTH}x{HEIGHT}"}
            targeting = {f"{key}_{name}"[:20]: value for key, value in keys.items()}
            targeting |= keys if name == winner else {}
            meta = {"advertiserDomains": [bid.offer.advertiser], "adaptercode": name}
            prebid = {"type": "banner", "targeting": targeting, "meta": meta}
            seats.setdefault(name, []).append(
                _rtb(bid, imp["id"]) | {"ext": {"prebid": prebid, "origbidcpm": bid.offer.price}}
            )
    times = {"responsetimemillis": dict.fromkeys(seats, 12), "tmaxrequest": request.get("tmax", 1000)}
    seatbid = [{"seat": name, "group": 0, "bid": bids} for name, bids in seats.items()]
    return {"id": request["id"], "cur": "USD", "seatbid": seatbid, "ext": times}


@dataclass(frozen=True, slots=True)
class Adapter:
    """An exchange under the name its adapter has in Prebid.js, where it is asked, and what a slot needs to ask it."""

    name: str
    host: str
    path: str
    params: Json
    answer: Callable[[Exchange, str, Json], Json] = openrtb

    def is_asked(self, host: str, path: str) -> bool:
        """Whether a request is to this exchange."""
        return (host, path.startswith(self.path)) == (self.host, True)


ADAPTERS = (
    Adapter("openx", "rtb.openx.net", "/openrtbb/prebidjs", {"unit": "539439964", "delDomain": "news-d.openx.net"}),
    Adapter(
        "rubicon",
        "fastlane.rubiconproject.com",
        "/a/api/fastlane.json",
        {"accountId": 14062, "siteId": 70608, "zoneId": 498816},
        fastlane,
    ),
    Adapter("pubmatic", "hbopenbid.pubmatic.com", "/translator", {"publisherId": "5890"}),
    Adapter("appnexus", "ib.adnxs.com", "/ut/v3/prebid", {"placementId": 13144370}, universal_tag),
    Adapter("ix", "htlb.casalemedia.com", "/openrtb/pbjs", {"siteId": "715964"}),
    Adapter("triplelift", "tlx.3lift.com", "/header/auction", {"inventoryCode": "news_main"}, header_auction),
    Adapter("criteo", "grid-bidder.criteo.com", "/openrtb_2_5/pbjs/auction/request", {"networkId": 7100}),
    Adapter(
        "smartadserver",
        "prg.smartadserver.com",
        "/prebid/v1",
        {"domain": "https://prg.smartadserver.com", "siteId": 207435, "pageId": 896536, "formatId": 62913},
        prebid_v1,
    ),
    Adapter("msft", "ib.adnxs.com", "/openrtb2/prebidjs", {"placement_id": 13144371}),
    Adapter("sovrn", "ap.lijit.com", "/rtb/bid", {"tagid": "315045"}),
)
PREBID_SERVER = Adapter("prebidServer", "prebid.news.example", "/openrtb2/auction", {}, prebid_server)
HOSTS = (NEWS, ADS, CACHE, PREBID_SERVER.host, *dict.fromkeys(adapter.host for adapter in ADAPTERS))


BANNER = {"banner": {"sizes": [[WIDTH, HEIGHT]]}}
VIDEO = {
    "video": {
        "context": "instream",
        "playerSize": [640, 360],
        "mimes": ["audio/wav", "video/mp4"],
        "protocols": [2, 3, 5, 6, 7, 8],
        "minduration": 1,
        "maxduration": 30,
    }
}
NATIVE = {
    "native": {
        "adTemplate": '<a href="##hb_native_linkurl##"><img src="##hb_native_asset_id_2##" alt="##hb_native_asset_id_3##">'
        "<b>##hb_native_asset_id_1##</b></a>",
        "ortb": {
            "assets": [
                {"id": 1, "required": 1, "title": {"len": 80}},
                {"id": 2, "required": 1, "img": {"type": 3, "w": WIDTH, "h": HEIGHT}},
                {"id": 3, "required": 1, "data": {"type": 1}},
            ]
        },
    }
}


def units(bidders: Mapping[str, Mapping[str, Json]], kinds: Json = BANNER) -> list[Json]:
    """Prebid's ad units: each slot, and who is asked about it with which parameters."""
    return [
        {
            "code": slot,
            "mediaTypes": kinds,
            "ortb2Imp": {"ext": {"gpid": f"/19968336/news/{slot}"}},
            "bids": [{"bidder": name, "params": params} for name, params in asked.items()],
        }
        for slot, asked in bidders.items()
    ]


def publisher_page(plan: Json) -> bytes:
    """A news page with a slot for each unit of Prebid's plan; what is not sold shows the publisher's own notice."""
    slots = "".join(_slots(plan))
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>The Harbour News</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
body {{ margin: 0; font: 17px/1.5 Georgia, serif; color: #1c1c1c; background: #fbfaf7; }}
header {{ padding: 18px 20px; background: #9b2226; color: #fff; font-size: 26px; }}
main {{ padding: 20px; max-width: 1240px; margin: auto; }}
.slots {{ display: flex; flex-wrap: wrap; gap: 16px; }}
.slot {{ width: {WIDTH}px; height: {HEIGHT}px; background: #ece7dc; overflow: hidden; }}
video {{ width: {WIDTH}px; }}
.slot p {{ font-size: 15px; margin: 100px 20px; text-align: center; color: #555; }}
iframe {{ border: 0; display: block; }}
</style></head><body><header>The Harbour News</header><main>
<h1>Ferry to the islands sails again</h1>
<p>After eleven weeks in dry dock the ferry left the quay this morning, four minutes early and with a brass band on deck.</p>
<div class="slots">{slots}</div><video muted playsinline></video></main>
<script type="application/json" id="plan">{json.dumps(plan)}</script><script type="module" src="/auction.js"></script></body></html>
""".encode()


def _slots(plan: Json) -> Iterator[str]:
    for unit in plan["units"]:
        yield f'<div class="slot" id="{unit["code"]}"><p>This place is free: write to us.</p></div>'
