"""Whose ad a bid is: the ladder of identities for auctions (docs: identity ladder)."""

import re
from typing import TYPE_CHECKING

from capper.domain.identity import Ad, Basis
from capper.recognise.domains import advertiser_domains, host_of, registrable
from capper.recognise.sponsor import sponsor_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capper.domain.offer import Offer
    from capper.recognise.ad import AdReader

_LONGEST = 120
_ID = re.compile(r"[^\s\x00-\x1f\ud800-\udfff][^\x00-\x1f\ud800-\udfff]*")
_UNFILLED = re.compile(r"\$?\{[^}]*\}|%%\w+%%|\[[A-Z_]+\]")
_NO_ID = frozenset({"", "0", "-1", "null", "undefined", "none", "nan", "unknown", "n/a"})
_CATEGORY = re.compile(r"IAB(\d{1,2})(?:-\d{1,2})?", re.IGNORECASE)


def read_offer(reader: "AdReader", offer: "Offer") -> Ad:
    """Whose ad the offer is, by the strongest rung that names any.

    A name that is no domain is a key of its own kind: `sponsor/shoe house`; so is an exchange's own number for an
    advertiser, which holds for that buyer alone: `appnexus.958/2529885`. A category speaks for those above it.
    """
    advertisers, basis = _said(reader, offer)
    # Where a bid says whose it is, nobody asks where its clicks lead.
    seen = reader.ids(offer.evidence) if advertisers else reader.read(offer.evidence)
    if not advertisers:
        advertisers, basis = _seen(offer, seen)
    campaign = seen.campaign if seen.campaign and seen.campaign.startswith("ad.doubleclick.net/") else None
    own = _id(offer.buyer, offer.campaign)
    creative = _id(offer.buyer, offer.creative) or seen.creative
    if not advertisers:
        basis = Basis.CM360 if campaign else Basis.CRID if own or creative else Basis.UNIDENTIFIED
        if basis is Basis.CRID and not own and creative == seen.creative:
            basis = seen.basis
    categories = tuple(dict.fromkeys(_categories(offer))) if offer.categories else ()
    return Ad(advertisers, campaign or own or seen.campaign, creative, categories, basis)


def _said(reader: "AdReader", offer: "Offer") -> tuple[tuple[str, ...], Basis]:
    """The advertisers that are declared."""
    for words, basis in ((offer.advertisers, Basis.ADOMAIN), (offer.declared, Basis.DECLARED)):
        domains = advertiser_domains([word for word in words if not _delivers(reader, word)]) if words else ()
        if domains:
            return domains, basis
    return (), Basis.UNIDENTIFIED


def _seen(offer: "Offer", seen: Ad) -> tuple[tuple[str, ...], Basis]:
    """The advertisers by what the markup shows, else by a name or number."""
    if seen.advertisers:
        return seen.advertisers, seen.basis
    name = sponsor_key(offer.sponsors)
    if name:
        return (name,), Basis.SPONSOR
    number = _id(offer.buyer, offer.advertiser_id)
    return ((number,), Basis.BUYER) if number else ((), Basis.UNIDENTIFIED)


def _delivers(reader: "AdReader", word: str) -> bool:
    """Whether a bid declares the machine that delivers it (`securepubads.g.doubleclick.net`).

    A network's own domain may be what is advertised: networks advertise too.
    """
    if word.count(".") < 2:
        return False
    host = host_of(word if "//" in word else f"//{word}").removeprefix("www.")
    place = reader.networks.place(host, "/") if host and host != registrable(host) else None
    return place is not None and place.role.delivers


def _id(buyer: str, value: str | None) -> str | None:
    """An id with the buyer it is unique within."""
    if value is None or len(value) > _LONGEST or value.lower() in _NO_ID or not _ID.fullmatch(value):
        return None
    return None if _UNFILLED.search(value) or not buyer else f"{buyer}/{value}"


def _categories(offer: "Offer") -> "Iterator[str]":
    for text in offer.categories:
        match = _CATEGORY.fullmatch(text.strip())
        if match:
            yield match[0].upper()
            yield f"IAB{match[1]}"
