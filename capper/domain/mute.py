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
    return tuple(
        (level, name) for level in (Level.ADVERTISER, Level.CREATIVE) for name in dict.fromkeys(ad.keys(level))
    )


def chosen(ad: Ad) -> tuple[Name, ...]:
    """What a mute of this ad names: whoever advertises, else this one creative; nothing where neither is known."""
    names = names_of(ad)
    return tuple(name for name in names if name[0] is Level.ADVERTISER) or names
