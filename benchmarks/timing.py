"""How long something takes in this process: the least of many runs, which is what it takes when nothing comes between."""

import time
import timeit
from collections.abc import Callable


def least(work: Callable[[], object], rounds: int = 60) -> float:
    """The least CPU time of `work`, in milliseconds, each round timed on its own."""
    times = []
    for _ in range(rounds):
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return min(times) * 1000


def least_of_many(work: Callable[[], object], times: int = 500, rounds: int = 7) -> float:
    """The least wall time of `work`, in microseconds, for what is too short to be timed once."""
    return min(timeit.repeat(work, number=times, repeat=rounds)) / times * 1e6
