"""Made-up homes and the ads their people meet, hour by hour: what benchmarks/scale.py lets loose on a real cluster.

Where a figure comes from stands beside it; what is assumed says so. The same seed gives the same homes and the same days.
"""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from benchmarks.asked import STARTER, policy
from capper.domain.identity import Ad, Basis, Viewer
from capper.domain.sighting import Format, Sighting

SIZES = {1: 33.6, 2: 31.9, 3: 15.6, 4: 13.1, 5: 5.8}
"""Households by persons, in per cent (Eurostat, EU-28, 2017; five stands for five or more)."""
PERSONS = sum(size * share for size, share in SIZES.items()) / sum(SIZES.values())
ADS = 4975 / 30
"""Ads that a person meets in a day (Adalytics 2020: 4,975 in one month, display alone)."""
DISTINCT = 414
"""Different ones among a week's: what simulations after eyeWnder (CoNEXT 2019) take as the most of a person and week."""
AT_ONCE = 139 / 103
"""Ads in an exchange that has any (Liu et al., HotNets 2013: 139,000 ads on 103,000 pages)."""
SITES, ADVERTISERS = 1000, 5000
"""Sites as in eyeWnder's simulation; the number of advertisers is assumed. Both are met by Zipf's law."""
HOURS = (1.5, .8, .5, .4, .4, .8, 2, 3.5, 4.5, 4.8, 5, 5, 5.2, 5, 4.8, 4.8, 5, 5.5, 6, 7, 8, 8, 6.5, 5)  # fmt: skip
"""Per cent of a day's ads in each of its hours: assumed, with the evening peak that networks of homes have."""
PEAK = HOURS.index(max(HOURS))
RECENT = 100
"""Ads that go on following a person (assumed); nearly all of them are met again within a week."""
REPEATED = 1 - (DISTINCT - RECENT) / (7 * ADS)
"""How likely an ad is one of these, so that a week has `DISTINCT`."""

POLICY = policy(*STARTER)
"""The starter policy's caps."""


def _zipf(count: int) -> list[float]:
    return list(itertools.accumulate(1 / rank for rank in range(1, count + 1)))


_BY_SITE, _BY_ADVERTISER = _zipf(SITES), _zipf(ADVERTISERS)


@dataclass(frozen=True, slots=True)
class Meeting:
    """The ads of one exchange."""

    at: datetime
    sightings: tuple[Sighting, ...]


@dataclass
class Person:
    """Somebody who meets ads, the same ones again and again."""

    name: str
    rng: random.Random
    recent: list[Ad] = field(default_factory=list)
    met: int = 0

    def hour(self, begins: datetime) -> Iterator[Meeting]:
        """What she meets in the hour that begins then."""
        per_second = ADS * HOURS[begins.hour] / 100 / AT_ONCE / 3600
        at = self.rng.expovariate(per_second)
        while at < 3600:
            yield self._meeting(begins + timedelta(seconds=at))
            at += self.rng.expovariate(per_second)

    def _meeting(self, at: datetime) -> Meeting:
        count = 1
        while self.rng.random() < 1 - 1 / AT_ONCE:
            count += 1
        self.met += 1
        site = f"site{self.rng.choices(range(SITES), cum_weights=_BY_SITE)[0]}.example"
        page, viewer = f"page {self.met}", Viewer(self.name)
        return Meeting(
            at,
            tuple(
                Sighting(viewer, self._ad(), f"{self.met}/{place}", Format.BANNER, page, None, site, "exchange")
                for place in range(count)
            ),
        )

    def _ad(self) -> Ad:
        if self.recent and self.rng.random() < REPEATED:
            return self.rng.choice(self.recent)
        [rank] = self.rng.choices(range(ADVERTISERS), cum_weights=_BY_ADVERTISER)
        creative = f"ads.example/{rank}/{self.rng.randrange(10**6):06}.html"
        ad = Ad((f"advertiser{rank}.example",), None, creative, basis=Basis.CLICK)
        self.recent.append(ad)
        del self.recent[:-RECENT]
        return ad


def homes(count: int, seed: int) -> Iterator[list[Person]]:
    """So many homes, each with its people."""
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        [size] = rng.choices(list(SIZES), weights=list(SIZES.values()))
        yield [Person(f"person {place}", random.Random(f"{seed}/{number}/{place}")) for place in range(size)]
