"""A world in which one shop's ads follow whoever looked at its product, by known chances, and which remembers whom it showed what.

What it says of itself is the truth that measurements are held against: capper sees the same traffic and is told nothing of it.
"""

import math
import random
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from itertools import count

from capper.demo.sites import (
    AD_SERVER,
    COFFEE,
    SHOES,
    TRAVEL,
    Advertiser,
    Asked,
    Placement,
    Reply,
    answer,
    frame,
    html,
    missing,
)

SHOP = f"www.{SHOES.domain}"
PRODUCT = f"https://{SHOP}/product/7"
BOUGHT = f"https://{SHOP}/thank-you"
OPT_OUT = f"https://{AD_SERVER}/optout"
PUBLISHERS = tuple(
    f"{name}.example" for name in ("news", "weather", "recipes", "chess", "gardens", "trains", "birds", "poems")
)
HOSTS = (*PUBLISHERS, AD_SERVER, *(f"www.{each.domain}" for each in (SHOES, TRAVEL, COFFEE)))
SLOTS = {"top": (728, 90), "side": (300, 250)}
"""The places for ads on every page of a publisher's."""
_OTHERS = (TRAVEL, COFFEE)
_PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@dataclass(frozen=True, slots=True)
class Habit:
    """How the shop's ads follow somebody: a slot is theirs with `share`, which halves every `half_life` since she last looked."""

    share: float = 0.8
    half_life: timedelta = timedelta(days=2)
    notices: timedelta = timedelta(hours=12)
    """How long after a purchase it still goes on."""

    def chance(self, since: timedelta) -> float:
        """Of a slot, so long after she looked."""
        return self.share * math.exp2(-(since / self.half_life))


@dataclass(frozen=True, slots=True)
class Delivered:
    """An ad that the world's ad server delivered; `agent` is the browser as it calls itself."""

    at: datetime
    agent: str
    load: int
    slot: str
    site: str
    advertiser: Advertiser
    chance: float
    """With which it was to be the shop's."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A page of the shop's that was opened, as its pixel told the ad server: the product, or the thanks after buying."""

    at: datetime
    agent: str
    bought: bool


@dataclass(slots=True)
class _Profile:
    """What the ad server knows of a browser, by what that calls itself: cookies of others are blocked by many."""

    number: int
    looked: datetime | None = None
    bought: datetime | None = None
    left: bool = False


@dataclass
class Retargeter:
    """The world's answers: the same seed, asked the same in the same order, answers the same."""

    clock: Callable[[], datetime]
    habit: Habit = field(default_factory=Habit)
    seed: int = 1
    delivered: list[Delivered] = field(default_factory=list)
    looked: list[Looked] = field(default_factory=list)
    _profiles: dict[str, _Profile] = field(default_factory=dict)
    _loads: "count[int]" = field(default_factory=count)

    def __call__(self, asked: Asked) -> Reply:
        """The reply of whichever host of this world was asked."""
        if asked.host in PUBLISHERS:
            return _page(asked.host, next(self._loads)) if asked.path == "/" else missing()
        if asked.host == SHOP:
            return _shop(bought=asked.path.endswith("thank-you"))
        if asked.host != AD_SERVER:
            return answer(asked)
        agent = asked.headers.get("user-agent", "")
        return self._ad_server(asked, self._profiles.setdefault(agent, _Profile(len(self._profiles))))

    def _ad_server(self, asked: Asked, profile: _Profile) -> Reply:
        if asked.path == "/frame":
            return self._frame(asked, profile)
        if asked.path == "/pixel":
            self._look(asked, profile)
            return Reply(200, (("content-type", "image/gif"), ("cache-control", "no-store")), _PIXEL)
        if asked.path == "/optout":
            profile.left = True
            return html("<!doctype html><title>Opted out</title><p>The shop's ads no longer follow you.</p>\n")
        return answer(asked)

    def _look(self, asked: Asked, profile: _Profile) -> None:
        bought, now = "bought" in asked.query, self.clock()
        self.looked.append(Looked(now, asked.headers.get("user-agent", ""), bought))
        if bought:
            profile.bought = now
        else:
            profile.looked, profile.bought = now, None

    def _frame(self, asked: Asked, profile: _Profile) -> Reply:
        query, now = asked.query, self.clock()
        load, slot, site = int(query["load"]), query["slot"], query["site"]
        chance = self._chance(profile, now)
        # Drawn for this slot alone: in which order a browser asks for the slots of a page makes no difference.
        drawn = random.Random(f"{self.seed} {profile.number} {load} {slot}")  # noqa: S311  nothing is secret here
        advertiser = SHOES if drawn.random() < chance else drawn.choice(_OTHERS)
        agent = asked.headers.get("user-agent", "")
        self.delivered.append(Delivered(now, agent, load, slot, site, advertiser, chance))
        width, height = SLOTS[slot]
        return frame(Placement(advertiser, True, width, height), site)  # noqa: FBT003  a framed one

    def _chance(self, profile: _Profile, now: datetime) -> float:
        bought = profile.bought is not None and now - profile.bought >= self.habit.notices
        if profile.looked is None or profile.left or bought:
            return 0.0
        return self.habit.chance(now - profile.looked)


def _page(site: str, load: int) -> Reply:
    slots = "".join(
        f'<iframe src="{escape(f"https://{AD_SERVER}/frame?slot={slot}&site={site}&load={load}")}"'
        f' width="{width}" height="{height}" title="Advertisement"></iframe>\n'
        for slot, (width, height) in SLOTS.items()
    )
    return html(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{site}</title>'
        f'<link rel="icon" href="data:,"></head><body><h1>{site}</h1>\n{slots}<p>And what one came for.</p></body></html>\n'
    )


def _shop(*, bought: bool) -> Reply:
    told = "bought" if bought else "seen"
    return html(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{SHOES.domain}</title>'
        f'<link rel="icon" href="data:,"></head><body><h1>{escape(SHOES.look.slogan)}</h1>'
        f'<img src="https://{AD_SERVER}/pixel?{told}=shoes" width="1" height="1" alt=""></body></html>\n'
    )
