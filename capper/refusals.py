"""What was refused, as the log tells it: what was tried and never who tried, and no more of a kind than a person can read."""

import logging
import time
from collections.abc import Callable
from typing import Final

MOST: Final = 10
"""Lines of one kind within `WITHIN`; whoever can be refused can be refused a thousand times a second."""
WITHIN: Final = 60.0


class Refusals:
    """Tells refusals to `logger`; of each kind the first few of a minute, and then how many more there were."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._logger, self._clock = logger, clock
        self._minutes: dict[str, tuple[float, int]] = {}

    def tell(self, kind: str, what: str) -> None:
        """That `what` was refused. `kind` is one of few, in words; nothing of either may come from outside unquoted."""
        now = self._clock()
        since, told = self._minutes.get(kind, (now, 0))
        if now - since >= WITHIN:
            if told > MOST:
                self._logger.warning("refused: %d more of a kind (%s) were not told", told - MOST, kind)
            since, told = now, 0
        self._minutes[kind] = since, told + 1
        if told < MOST:
            self._logger.warning("refused: %s", what)
        elif told == MOST:
            self._logger.warning("refused: more of a kind (%s); the rest of this minute's is only counted", kind)


def quoted(text: str) -> str:
    """What came from outside, fit for a log: short, and nothing that a terminal obeys."""
    return ascii(text[:80])
