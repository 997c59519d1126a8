"""Whose count it is and which ad it is: the two halves of every record."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

HOUSEHOLD = "household"
LEFT_ALONE = "leave"
"""What a policy may say instead of a viewer's name: nothing is opened, counted or changed."""


class Level(StrEnum):
    """How widely a cap looks: one creative, its campaign, its advertiser, or the advertiser's line of business."""

    CREATIVE = "creative"
    CAMPAIGN = "campaign"
    ADVERTISER = "advertiser"
    CATEGORY = "category"

    __hash__ = str.__hash__  # an enum's own is written in Python, and levels are part of what every count is found by


class Basis(StrEnum):
    """The rung of the identity ladder that named an ad, strongest first (docs: identity ladder)."""

    ADOMAIN = "adomain"
    DECLARED = "declared"
    CLICK = "click"
    CRD = "crd"
    SPONSOR = "sponsor"
    BUYER = "buyer"
    CM360 = "cm360"
    CRID = "crid"
    REMEMBERED = "remembered"
    URL = "url"
    LIKENESS = "likeness"
    UNIDENTIFIED = "unidentified"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person, or the household, whose sightings are counted together.

    `name` is the policy's name for her ("anna") or `HOUSEHOLD`; it is never stored in the clear.
    """

    name: str = HOUSEHOLD
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Ad:
    """What is advertised, as far as it is known; every field may be missing, none is ever guessed.

    `advertisers` are registrable domains (`shoes.example`), several when a bid declares several: a sighting counts
    against each. A creative or campaign id is buyer-scoped, so it carries its buyer: `ad.doubleclick.net/26359283`.
    """

    advertisers: tuple[str, ...] = ()
    campaign: str | None = None
    creative: str | None = None
    categories: tuple[str, ...] = ()
    basis: Basis = Basis.UNIDENTIFIED

    @property
    def identified(self) -> bool:
        """Whether any cap could speak about this ad."""
        return bool(self.advertisers or self.campaign or self.creative or self.categories)

    @property
    def label(self) -> str:
        """The name a person would know it by: advertiser, else campaign, else creative, else `unidentified`."""
        return ", ".join(self.advertisers) or self.campaign or self.creative or "unidentified"

    def keys(self, level: Level) -> tuple[str, ...]:
        """What this ad is called at `level`; empty when that is not known."""
        # By far the most asked first.
        if level is Level.ADVERTISER:
            return self.advertisers
        if level is Level.CREATIVE:
            return (self.creative,) if self.creative else ()
        if level is Level.CAMPAIGN:
            return (self.campaign,) if self.campaign else ()
        return self.categories

    @property
    def told(self) -> str:
        """All that it is called, as one text: ads that are told alike are the same."""
        return repr((self.creative, self.campaign, self.advertisers, self.categories))

    def __iter__(self) -> Iterator[tuple[Level, str]]:
        """Every (level, key) pair this ad is known by."""
        return ((level, key) for level in Level for key in self.keys(level))
