"""Whether a request costs more when more is known: ads that were met, pictures that were looked at, rules of the policy.

The gate in this process, with a real ledger beside it for the ads; the few and the many in turns. Wall time of single
requests, of which the median is taken: what interrupts one is not in it.
"""

import asyncio
import io
import itertools
import random
import time
from collections.abc import Collection, Iterator
from datetime import timedelta

from PIL import Image

from benchmarks.asked import NOON, STARTER, policy, served
from benchmarks.figures import Figure, quantile
from benchmarks.gates import gate, picture, recogniser
from benchmarks.run import Run
from capper.domain.cap import Cap
from capper.domain.identity import Ad
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.recognise.gallery import MOST, Gallery
from capper.recognise.recogniser import Recogniser
from capper.testing import StubLedger

FEW_ADS, FEW_RULES = 10, 10
MANY_RULES = 10_000
MANY_ADS = {"growth-ads-1000": 1000, "growth-ads-100000": 100_000}
_WINDOWS = ("day", "week", "hour", "12 hours", "2 days", "session")
_SIZE = (300, 250)
_BETWEEN = timedelta(milliseconds=5)
"""Two ads come so long after one another: what is remembered for minutes is still known at the end."""


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """Ads, pictures, then rules."""
    known = recogniser(run.lists)
    sizes = {key: size for key, size in MANY_ADS.items() if key in keys}
    if sizes:
        few, *many = asyncio.run(_by_ads(run, known, [FEW_ADS, *sizes.values()]))
        for key, times in zip(sizes, many, strict=True):
            yield Figure.ratio(key, times, few)
    if "growth-pictures" in keys:
        yield Figure.ratio("growth-pictures", *_by_pictures(run))
    if "growth-rules" in keys:
        many_rules, few_rules = asyncio.run(_by_rules(run, known))
        yield Figure.ratio("growth-rules", many_rules, few_rules)


async def _by_ads(run: Run, known: Recogniser, sizes: list[int]) -> list[list[float]]:
    """For each size, the microseconds of a request when so many ads are known, round by round."""
    async with served(run.folder / "ledger") as ledger:
        numbers = itertools.count()
        crowds = [_Crowd(gate(known, ledger, policy(*STARTER)), numbers) for _ in sizes]
        for crowd, size in zip(crowds, sizes, strict=True):
            for _ in range(size):
                await crowd.meet()
        count = run.scaled(400, 50)
        rounds = [[await crowd.median(count) for crowd in crowds] for _ in range(run.rounds)]
    return [list(times) for times in zip(*rounds, strict=True)]


class _Crowd:
    """One person's browsing, in which each picture is another advertiser's ad."""

    def __init__(self, judging: Gate, numbers: Iterator[int]) -> None:
        """`numbers` are those of the ads, which crowds share: what is known of an address would help the one that asks later."""
        self._gate, self._numbers, self._at = judging, numbers, NOON

    async def meet(self) -> float:
        """A new ad comes; microseconds until it was decided on."""
        number, self._at = next(self._numbers), self._at + _BETWEEN
        url = f"https://tpc.googlesyndication.com/simgad/{number}?adurl=https%3A%2F%2Fbrand{number}.example%2F"
        exchange = picture(url, self._at)
        start = time.perf_counter()
        await self._gate.admit(exchange)
        return (time.perf_counter() - start) * 1e6

    async def median(self, count: int) -> float:
        """The median of so many."""
        return quantile(sorted([await self.meet() for _ in range(count)]), 0.5)


async def _by_rules(run: Run, known: Recogniser) -> tuple[list[float], list[float]]:
    """The same under many rules and under few, when the ledger answers at once."""
    numbers = itertools.count()
    many, few = (_Crowd(gate(known, StubLedger(), with_rules(count)), numbers) for count in (MANY_RULES, FEW_RULES))
    count = run.scaled(400, 50)
    for crowd in (many, few):
        await crowd.meet()
    rounds = [(await many.median(count), await few.median(count)) for _ in range(run.rounds)]
    return [round_[0] for round_ in rounds], [round_[1] for round_ in rounds]


def with_rules(count: int) -> Policy:
    """The starter caps, and before them so many rules for other advertisers, each with two caps of its own."""
    rules = tuple(
        Rule(
            f"rule {number}",
            (
                Cap.parse(f"{number % 20 + 1} per advertiser per {_WINDOWS[number % len(_WINDOWS)]}"),
                Cap.parse(f"{number % 7 + 1} per creative per day"),
            ),
            advertiser=(f"ruled{number}.example",),
        )
        for number in range(count)
    )
    return Policy(policy(*STARTER).default, rules)


def _by_pictures(run: Run) -> tuple[list[float], list[float]]:
    """Microseconds to tell whose a new picture is, with a full gallery and with a nearly empty one, round by round."""
    pictures = _pictures()
    full, bare = Gallery(), Gallery(FEW_ADS)
    for _ in range(run.scaled(MOST, 500)):
        full.identify(next(pictures), _SIZE, Ad())
    count = run.scaled(200, 20)
    rounds = []
    for _ in range(run.rounds):
        new = [next(pictures) for _ in range(count)]
        rounds.append([_median(gallery, new) for gallery in (full, bare)])
    return [each[0] for each in rounds], [each[1] for each in rounds]


def _median(gallery: Gallery, pictures: list[bytes]) -> float:
    times = []
    for data in pictures:
        start = time.thread_time_ns()
        gallery.identify(data, _SIZE, Ad())
        times.append((time.thread_time_ns() - start) / 1000)
    return quantile(sorted(times), 0.5)


def _pictures() -> Iterator[bytes]:
    """Pictures of an ad's size, no two alike."""
    chance = random.Random(3)
    while True:
        coarse = Image.frombytes("RGB", (12, 10), chance.randbytes(360))
        out = io.BytesIO()
        coarse.resize(_SIZE).save(out, "PNG", compress_level=1)
        yield out.getvalue()
