"""Mutes: ads that a person wants to see no more, whoever delivers them and wherever."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from capper.domain.identity import Ad, Level

ONCE = timedelta(minutes=10)
"""How long "show it once" holds, if nothing of it is shown before."""

Name = tuple[Level, str]
"""What a mute names: an advertiser, else a creative."""


class Why(StrEnum):
    """What made a mute."""

    ASKED = "asked"
    """She said so to capper."""
    CLICKED = "clicked"
    """She said so to the ad: its "i", "stop seeing this ad"."""
    BOUGHT = "bought"
    """She bought there."""


@dataclass(frozen=True, slots=True)
class Mute:
    """An advertiser, else a creative, that one person is not to be shown before `until`."""

    level: Level
    name: str
    why: Why
    since: datetime
    until: datetime


def names_of(ad: Ad) -> tuple[Name, ...]:
    """What a mute could call this ad: its advertisers, then its creative."""
    # Asked of every ad that is about to be shown, and most have one advertiser.
    advertisers = dict.fromkeys(ad.advertisers) if len(ad.advertisers) > 1 else ad.advertisers
    names = [(Level.ADVERTISER, name) for name in advertisers]
    return (*names, (Level.CREATIVE, ad.creative)) if ad.creative else tuple(names)


def chosen(ad: Ad) -> tuple[Name, ...]:
    """What a mute of this ad names: whoever advertises, else this one creative; nothing where neither is known."""
    names = names_of(ad)
    return tuple(name for name in names if name[0] is Level.ADVERTISER) or names
