"""How long something takes in this process: the least of many runs, which is what it takes when nothing comes between."""

import time
import timeit
from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.counting import Work


def least(work: Callable[[], object], rounds: int = 60) -> float:
    """The least CPU time of `work`, in milliseconds, each round timed on its own."""
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return min(times) * 1000


def least_and_median(times: Sequence[float]) -> tuple[float, float]:
    """The two that a table of bodies tells."""
    return min(times), median(times)


def least_of_many(work: Callable[[], object], times: int = 500, rounds: int = 7) -> float:
    """The least wall time of `work`, in microseconds, for what is too short to be timed once."""
    return min(timeit.repeat(work, number=times, repeat=rounds)) / times * 1e6


async def least_in_turns(*works: Work, rounds: int = 20) -> list[float]:
    """The least CPU seconds of this thread that each of `works` took, in turns."""
    least = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            start = time.thread_time_ns()
            await work()
            least[place] = min(least[place], (time.thread_time_ns() - start) / 1e9)
    return least
