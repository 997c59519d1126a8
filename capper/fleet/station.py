"""Where a process of a fleet stands: its row of the board, and its lines to the parent."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from capper.fleet.board import Row

BEAT = 1.0
"""Seconds between two words that the event loop turns."""


@dataclass(frozen=True, slots=True)
class Station:
    """What a process of the fleet is given by its parent.

    `lifeline` comes to its end when the parent is gone, however suddenly; what is written to `bell` wakes the parent.
    """

    row: Row
    lifeline: int
    bell: int

    def heed(self, stop: Callable[[], None]) -> None:
        """Call `stop` in the running event loop when the parent says so, or is gone."""
        loop = asyncio.get_running_loop()

        def orphaned() -> None:
            loop.remove_reader(self.lifeline)
            stop()

        loop.add_signal_handler(signal.SIGTERM, stop)
        loop.add_reader(self.lifeline, orphaned)

    async def beat(self, connections: Callable[[], int] = lambda: 0) -> None:
        """Be ready, and say again and again that the event loop turns and how many clients there are, until cancelled."""
        ready = False
        while True:
            self.row.connections, self.row.beat = connections(), time.monotonic_ns()
            if not ready:
                os.write(self.bell, b"!")
                ready = True
            await asyncio.sleep(BEAT)
