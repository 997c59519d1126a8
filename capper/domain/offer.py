"""What one bid of an auction says about itself, before anyone has judged it."""

from dataclasses import dataclass

from capper.domain.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Offer:
    """The words of a bid as they stand in it: domains may be none, ids may be anything.

    `buyer` is within whom its ids are unique: the bidder, and at an exchange the seat that bought.
    """

    buyer: str = ""
    advertisers: tuple[str, ...] = ()
    """What the bid names as its advertiser (`adomain`)."""
    declared: tuple[str, ...] = ()
    """What others say on its behalf (`ext.prebid.meta.advertiserDomains`)."""
    sponsors: tuple[str, ...] = ()
    """Names, not domains: who is behind it, who pays (DSA, VAST's Advertiser, native's `sponsored`)."""
    advertiser_id: str | None = None
    campaign: str | None = None
    creative: str | None = None
    categories: tuple[str, ...] = ()
    evidence: Evidence = Evidence()  # noqa: RUF009  immutable
    """What its markup gives away."""
