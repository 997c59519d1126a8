"""Tells an auction, before it is held, whom not to ask: `badv`, `bcat` and `bapp` of an OpenRTB request, `hb_*` keys of Ad Manager's.

    asked = suspects(policy, names of the viewer's ledger)      # each of these is peeked at: which are capped now?
    data = block(body, Blocked.of(ads that were withheld))
    url = without_bids(url, lambda keys: keys.get("hb_adomain") == "shoes.example")

Everything else of the request stays as the page wrote it. Whom to block is the policy's to say, for this viewer, now.
An exchange learns from it whom one browser is not to be shown, as it does from any publisher's own list.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from capper.domain.identity import Ad, Basis
from capper.domain.policy import Policy
from capper.jsontext import Edit, Locator, Path, insert, read, splice

_CODE = re.compile(r"IAB\d{1,2}(?:-\d{1,2})?")
_AUCTION = re.compile(r"^https?://[^/?#]+/(?:[\w./-]*/)?(?:openrtb2?|ortb2?|rtb)(?:[\w.-]*)(?:/|[?#]|$)", re.IGNORECASE)
_MOST_BIDDERS = 60
_APP = "app/"
"""The key of an advertiser that is an app."""
MOST_BLOCKED = 200
"""So that a long life of ads does not make every request long; the gate gives those seen most first."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Who is not to be asked: registrable domains, IAB category codes (`IAB7-39`), bundles of apps."""

    advertisers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.advertisers or self.categories or self.apps)

    @classmethod
    def of(cls, ads: Iterable[Ad]) -> Self:
        """What these ads are called in a request; an advertiser that is known by a name or a number alone has no word there."""
        advertisers, categories, apps = [], [], []
        for ad in ads:
            advertisers += [name for name in ad.advertisers if "." in name and "/" not in name]
            apps += [name.removeprefix(_APP) for name in ad.advertisers if name.startswith(_APP)]
            categories += [code for code in ad.categories if _CODE.fullmatch(code)]
        return cls(*(tuple(dict.fromkeys(names)) for names in (advertisers, categories, apps)))


def suspects(policy: Policy, names: Iterable[str]) -> tuple[Ad, ...]:
    """The ads that may be capped for a viewer before any is seen: each is then asked about (peek), none is claimed.

    `names` are the advertisers her ledger knows, whom she muted first, then the most shown; the policy adds whom its
    rules name.
    """
    named = [domain for rule in policy.rules for domain in rule.advertiser]
    codes = [code for rule in policy.rules for code in rule.category]
    advertisers = [Ad((name,), basis=Basis.REMEMBERED) for name in dict.fromkeys([*named, *names][:MOST_BLOCKED])]
    categories = [Ad(categories=(code,), basis=Basis.REMEMBERED) for code in dict.fromkeys(codes)]
    return (*advertisers, *categories)


def is_auction(url: str) -> bool:
    """Whether bid requests are sent to this address, by its path alone: a publisher's own Prebid Server has any host."""
    return _AUCTION.search(url) is not None


def may_ask(body: bytes) -> bool:
    """Whether a request's body might be an OpenRTB request."""
    return b'"imp"' in body or (b'"openrtb"' in body and b'"item"' in body)


def block(body: bytes, blocked: Blocked) -> bytes:
    """`body` with `blocked` added where it is an OpenRTB request, 2.x or 3.0; the very same object where nothing is to add.

    Raises:
        Unrewritable: it is no JSON.
    """
    if not blocked or not may_ask(body):
        return body
    text = read(body)
    locator = Locator(text)
    edits = [edit for path, request in _requests(text.value) for edit in _block(locator, path, request, blocked)]
    return text.encode(splice(text.source, edits)) if edits else body


def _requests(value: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Where a request's blocklists belong, and the object they belong in."""
    for path, each in (
        [((), value), *(((n,), v) for n, v in enumerate(value[:20]))] if isinstance(value, list) else [((), value)]
    ):
        if not isinstance(each, dict):
            continue
        if isinstance(each.get("imp"), list) and each["imp"] and all(isinstance(imp, dict) for imp in each["imp"]):
            yield path, each
        openrtb = each.get("openrtb")
        request = openrtb.get("request") if isinstance(openrtb, dict) else None
        context = request.get("context") if isinstance(request, dict) else None
        limits = context.get("restrictions") if isinstance(context, dict) else None
        if isinstance(limits, dict):
            yield (*path, "openrtb", "request", "context", "restrictions"), limits


def _block(locator: Locator, path: Path, request: Mapping[str, Any], blocked: Blocked) -> Iterator[Edit]:
    """The edits that add to one request's lists what they do not name yet."""
    # Codes of ours are of IAB's first taxonomy; where the request speaks of another they would mean something else.
    categories = blocked.categories if str(request.get("cattax", "1")) == "1" else ()
    at, new = locator.at(path), []
    for name, words in (("bcat", categories), ("badv", blocked.advertisers), ("bapp", blocked.apps)):
        there = request.get(name)
        known = {str(word).lower() for word in there} if isinstance(there, list) else set()
        items = [dumps(word) for word in dict.fromkeys(words[:MOST_BLOCKED]) if not _named(word.lower(), known)]
        if not items:
            continue
        place = locator.child(at, name)
        if place is None:
            new.append(f'"{name}":[{",".join(items)}]')
        elif isinstance(there, list):
            yield insert(locator.source, place.value, locator.children(place.value), items)
        elif there is None:
            yield Edit(place.value, place.end, f"[{','.join(items)}]")
    if new:
        yield insert(locator.source, at, locator.children(at), new)


def _named(word: str, known: Collection[str]) -> bool:
    return word in known or f"www.{word}" in known


# Google Ad Manager: what header bidding found, as key-values of each slot

_LONGEST_KEY = 20
"""Letters that Ad Manager leaves of a key."""
_KEYS = ("hb_pb", "hb_bidder", "hb_size", "hb_adid", "hb_deal", "hb_format", "hb_source", "hb_adomain",
         "hb_crid", "hb_uuid", "hb_cache_id", "hb_cache_host", "hb_cache_path", "hb_env")  # fmt: skip
_SCP = re.compile(r"([?&])(prev_scp|scp)=([^&#]*)")


def names_bids(url: str) -> bool:
    """Whether an ad request to Ad Manager names bids that header bidding found. Cheap."""
    return "/gampad/" in url and "scp=" in url and "hb_" in url


def bids(url: str) -> Iterator[Mapping[str, str]]:
    """The keys of each bid that an ad request to Ad Manager names (`prev_scp`, `scp`), as `without_bids` asks about them."""
    match = _SCP.search(url)
    for part in _parts(match[3]) if match else ():
        yield from _groups(parse_qsl(unquote(part), keep_blank_values=True))[1].values()


def without_bids(url: str, capped: Callable[[Mapping[str, str]], bool]) -> str:
    """`url` without the bids of header bidding that are `capped`: Ad Manager then picks another line, and somebody is paid.

    `capped` is asked about each slot's keys, plain (`hb_bidder`, `hb_adomain`), first those of the winner, then those of each
    bidder that has keys of its own.
    """
    match = _SCP.search(url)
    if match is None or "hb_" not in match[3]:
        return url
    bar = "%7C" if "%7C" in match[3] else "%7c" if "%7c" in match[3] else "|"
    made = bar.join(_without(part, capped) for part in _parts(match[3]))
    return url if made == match[3] else f"{url[: match.start(3)]}{made}{url[match.end(3) :]}"


def _parts(value: str) -> list[str]:
    return re.split(r"\||%7[Cc]", value)


def _without(part: str, capped: Callable[[Mapping[str, str]], bool]) -> str:
    """The slot's key-values, still encoded, without those of capped bids."""
    bidders, groups = _groups(parse_qsl(unquote(part), keep_blank_values=True))
    gone = {bidder for bidder, keys in groups.items() if capped(keys)}
    if not gone:
        return part
    winner = groups.get("", {}).get("hb_bidder", "")
    gone |= {""} if winner in gone else set()
    gone |= {winner} if "" in gone and winner in groups else set()
    kept = [pair for pair in _encoded(part) if not _belongs(unquote(unquote(pair)).partition("=")[0], bidders, gone)]
    return ("&" if "&" in part else "%26").join(kept)


def _groups(pairs: list[tuple[str, str]]) -> tuple[list[str], dict[str, dict[str, str]]]:
    """The bidders of a slot, and the keys of each; those of the winner stand under ""."""
    bidders = [*dict.fromkeys(value for key, value in pairs if key.startswith("hb_bidder"))][:_MOST_BIDDERS]
    groups: dict[str, dict[str, str]] = {}
    for key, value in pairs:
        if key.startswith("hb_"):
            bidder = next((name for name in bidders if _is_of(key, name)), "")
            groups.setdefault(bidder, {})[_plain(key, bidder)] = value
    return bidders, groups


def _plain(key: str, bidder: str) -> str:
    """The key without its bidder, of which Ad Manager's limit of 20 letters may have left a part only."""
    if not bidder:
        return key
    return next(
        (
            name
            for name in _KEYS
            if key == f"{name}_{bidder}" or (len(key) == _LONGEST_KEY and key == f"{name}_{bidder}"[:_LONGEST_KEY])
        ),
        key,
    )


def _encoded(part: str) -> list[str]:
    return part.split("&") if "&" in part else re.split(r"%26", part)


def _is_of(key: str, bidder: str) -> bool:
    """Whether a key is one of `bidder`'s own."""
    return _plain(key, bidder) != key


def _belongs(key: str, bidders: Collection[str], gone: Collection[str]) -> bool:
    if not key.startswith("hb_"):
        return False
    return next((name for name in bidders if _is_of(key, name)), "") in gone
