"""When a process that died is started anew, and when that is given up."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """How much is put up with; all times are seconds.

    `deaths` within `within` end the whole fleet: what dies so often will go on dying, and a service manager should know.
    `hung` is how long a process may not say that its event loop turns, `start` how long it may take to be ready, `stop` how
    long it may take to end.
    """

    deaths: int = 5
    within: float = 60.0
    hung: float = 20.0
    start: float = 120.0
    stop: float = 20.0

    def pause(self, deaths: Sequence[float]) -> float | None:
        """How long to wait after the last of these deaths, which are times in order: not at all after a lone one; None: for ever."""
        lately = self.lately(deaths)
        if lately >= self.deaths:
            return None
        return 0.0 if lately == 1 else 0.25 * 2**lately

    def lately(self, deaths: Sequence[float]) -> int:
        """How many of them were within the time that counts, as of the last."""
        return sum(deaths[-1] - each < self.within for each in deaths)
