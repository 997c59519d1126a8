"""RT-1, a world whose truth is known: people, sites, ads and campaigns that follow some of the people, by seed.

It stands in for the simulation table of eyeWnder, whose body could not be read; nothing here reproduces that table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capper.study.detection import Verdicts
from capper.study.table import Coded, Exposures

SITES = 1000
TOPICS = 20
PER_SITE, OF_TOPIC, OF_BRANDS = 12, 6, 2
"""The ads of a site's inventory: its own alone, of its topic's, of those that are everywhere."""
TOPIC_ADS = 60
BRANDS = 40
WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class World:
    """The sizes of the table, and how it is varied."""

    people: int = 500
    visits: int = 138
    """On average, each."""
    slots: int = 3
    """A visit."""
    campaigns: int = 500
    targeted: float = 0.3
    """The share of slots that a campaign of hers may take."""
    big: float = 0.0
    """The share of campaigns that are aimed at 30 people."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A week of the world: who met what where, and which ads were aimed at whom."""

    exposures: Exposures
    """Everything was shown; `advertiser` is the ad, of which `campaign` tells the campaign."""
    audience: dict[int, int]
    """By the code of an ad that was aimed at somebody, at how many people."""


@dataclass(frozen=True, slots=True)
class _Scene:
    inventory: NDArray[np.int64]
    by_topics: tuple[NDArray[np.int64], ...]
    popularity: NDArray[np.float64]
    own: tuple[tuple[int, ...], ...]
    first: int
    """The number of the first campaign's ad."""
    sizes: tuple[int, ...]


def simulate(seed: int, cap: int, world: World = World()) -> Truth:
    """A week in which no campaign is shown to one person more than `cap` times."""
    rng = np.random.default_rng(seed)
    scene = _scene(rng, world)
    people, sites, loads, ads = [], [], [], []
    for person in range(world.people):
        visited = _visits(rng, scene, world)
        shown = _slots(rng, scene, visited, scene.own[person], cap, world)
        ads.append(shown)
        people.append(np.full(len(shown), person))
        sites.append(np.repeat(visited, world.slots))
        loads.append(np.repeat(np.arange(len(visited)), world.slots))
    return _told(scene, [np.concatenate(part) for part in (people, sites, loads, ads)])


def _scene(rng: np.random.Generator, world: World) -> _Scene:
    popularity = 1 / np.arange(1, SITES + 1)
    topic = rng.integers(0, TOPICS, SITES)
    topical, brands = SITES * PER_SITE, SITES * PER_SITE + TOPICS * TOPIC_ADS
    inventory = np.stack(
        [
            np.concatenate(
                (
                    np.arange(site * PER_SITE, (site + 1) * PER_SITE),
                    topical + topic[site] * TOPIC_ADS + rng.choice(TOPIC_ADS, OF_TOPIC, replace=False),
                    brands + rng.choice(BRANDS, OF_BRANDS, replace=False),
                )
            )
            for site in range(SITES)
        ]
    )
    first = brands + BRANDS
    own: list[list[int]] = [[] for _ in range(world.people)]
    sizes = []
    for campaign in range(world.campaigns):
        size = 30 if rng.random() < world.big else 1 + int(rng.poisson(4))
        sizes.append(size)
        for person in rng.choice(world.people, min(size, world.people), replace=False):
            own[person].append(first + campaign)
    by_topics = tuple(np.flatnonzero(topic == each) for each in range(TOPICS))
    return _Scene(inventory, by_topics, popularity / popularity.sum(), tuple(map(tuple, own)), first, tuple(sizes))


def _visits(rng: np.random.Generator, scene: _Scene, world: World) -> NDArray[np.int64]:
    """The sites that a person opens in the week, in order: most of them of three topics."""
    topics = rng.choice(TOPICS, 3, replace=False)
    liked = np.concatenate([scene.by_topics[topic] for topic in topics])
    weights = scene.popularity[liked]
    number = int(rng.poisson(world.visits))
    of_liking = rng.choice(liked, number, p=weights / weights.sum()) if len(liked) else np.zeros(number, np.int64)
    of_all = rng.choice(SITES, number, p=scene.popularity)
    liking = (rng.random(number) < 0.7) & bool(len(liked))
    sites: NDArray[np.int64] = np.where(liking, of_liking, of_all)
    return sites


def _slots(
    rng: np.random.Generator,
    scene: _Scene,
    visited: NDArray[np.int64],
    own: Sequence[int],
    cap: int,
    world: World,
) -> NDArray[np.int64]:
    """The ad in each slot: of a campaign of hers that is below its cap, or of the site's inventory."""
    number = len(visited) * world.slots
    picked = rng.integers(0, scene.inventory.shape[1], number)
    shown: NDArray[np.int64] = scene.inventory[np.repeat(visited, world.slots), picked]
    left = {ad: cap for ad in own if cap}
    wanted, chances = np.flatnonzero(rng.random(number) < world.targeted), rng.random(number)
    for slot in wanted:
        if not left:
            break
        ad = [*left][int(chances[slot] * len(left))]
        shown[slot] = ad
        left[ad] -= 1
        if not left[ad]:
            del left[ad]
    return shown


def _told(scene: _Scene, parts: Sequence[NDArray[np.int64]]) -> Truth:
    """The week in the order of time: each person's visits are spread evenly over it."""
    people, _, loads, _ = parts
    visits = np.ones(int(people.max(initial=0)) + 1)
    np.maximum.at(visits, people, loads + 1)
    times = ((loads + 0.5) / visits[people] * WEEK_MS).astype(np.int64)
    order = np.argsort(times, kind="stable")
    people, sites, loads, ads = (part[order] for part in parts)
    number = len(people)
    known, code = np.unique(ads, return_inverse=True)
    load_names, load = np.unique(people * 100_000 + loads, return_inverse=True)
    nothing = Coded(np.zeros(number, np.int32), ("",))
    rows = Exposures(
        time=times[order],
        person=_numbered(people, "person", len(visits)),
        load=_numbered(load, "load", len(load_names)),
        site=_numbered(sites, "site", SITES),
        format=nothing,
        network=nothing,
        basis=nothing,
        creative=nothing,
        campaign=_numbered(np.maximum(ads - scene.first, -1), "campaign", len(scene.sizes)),
        advertiser=Coded((code + 1).astype(np.int32), ("", *(f"ad{ad}" for ad in known))),
        shown=np.ones(number, np.bool_),
        before=np.zeros(number, np.int32),
        control=np.zeros(number, np.bool_),
    )
    aimed = np.flatnonzero(known >= scene.first)
    return Truth(rows, {int(place) + 1: scene.sizes[known[place] - scene.first] for place in aimed})


def _numbered(numbers: NDArray[np.int64], name: str, count: int) -> Coded:
    """Numbers from 0 as names; -1 is what is not known."""
    return Coded((numbers + 1).astype(np.int32), ("", *(f"{name}{each}" for each in range(count))))


@dataclass(frozen=True, slots=True)
class Score:
    """How well verdicts tell the truth; shares from 0 to 1, of pairs of a person and an ad that she met."""

    missed: float
    """FN: of the pairs with an ad that was aimed at her."""
    wrong: float
    """FP: of the other pairs."""
    precision: float
    """Of those called targeted, the share that were."""
    pairs: int
    aimed: int


def score(found: Verdicts, truth: Truth) -> Score:
    """Verdicts by advertiser against the truth; people without a verdict count as not told."""
    aimed = np.isin(found.ad, [*truth.audience])
    hits = int(np.count_nonzero(found.targeted & aimed))
    flagged, targets = int(np.count_nonzero(found.targeted)), int(np.count_nonzero(aimed))
    return Score(
        missed=1 - hits / targets if targets else 0.0,
        wrong=(flagged - hits) / max(len(found) - targets, 1),
        precision=hits / flagged if flagged else 1.0,
        pairs=len(found),
        aimed=targets,
    )
