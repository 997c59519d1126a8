"""When the redirect is on: while the proxy answers in time. Off at once when it does not, on again when it does for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

INTERVAL = 0.5
"""Seconds between two looks at the proxy."""
LEASE = 10
"""Seconds the kernel keeps the redirect without hearing from us: if the watchdog itself dies, traffic flows again then."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How slow an answer may be, how many bad ones end the redirect, and how many good ones bring it back."""

    deadline: float = 0.75
    failures: int = 2
    successes: int = 3


class State(Enum):
    """Whether traffic goes through the proxy."""

    ON = auto()
    OFF = auto()


class Watch:
    """What the looks at the proxy so far say.

    A proxy that comes and goes is trusted more slowly each time, up to a minute, so that pages do not flicker with it.
    """

    def __init__(self, patience: Patience = Patience()) -> None:
        self._patience = patience
        self.state = State.OFF
        self._streak = 0
        self._needed = 1

    def observe(self, alive: bool) -> State:  # noqa: FBT001  the observation is the argument
        """The state after one more look."""
        expected = (self.state is State.ON) is alive
        self._streak = 0 if expected else self._streak + 1
        if self.state is State.ON and self._streak >= self._patience.failures:
            self.state, self._streak = State.OFF, 0
            self._needed = min(max(2 * self._needed, self._patience.successes), 60)
        elif self.state is State.OFF and self._streak >= self._needed:
            self.state, self._streak = State.ON, 0
        return self.state

    def forgive(self) -> None:
        """The proxy has been good for long: its next fault counts as its first."""
        self._needed = 1


async def alive(host: str, port: int, deadline: float) -> bool:
    """Whether the transparent listener's event loop turns.

    A connection that nobody redirected has the listener itself for its destination, and the proxy hangs up on it: that is
    the answer. The kernel alone would take the connection, and say nothing.
    """
    try:
        async with asyncio.timeout(deadline):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                return await reader.read(1) == b""
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


async def keep_watch(
    look: Callable[[], Awaitable[bool]],
    change: Callable[[State], Awaitable[None]],
    renew: Callable[[], Awaitable[None]],
    *,
    watch: Watch,
    interval: float = INTERVAL,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Look at the proxy again and again; `change` when the state does, `renew` the lease while it is on.

    Two looks after a bad one follow quickly, so that a dead proxy is found out within a second and a half.
    """
    renewed, since = clock(), clock()
    while True:
        before = watch.state
        good = await look()
        state = watch.observe(good)
        if state is not before:
            await change(state)
            renewed = since = clock()
        elif state is State.ON and clock() - renewed >= LEASE / 3:
            await renew()
            renewed = clock()
        if state is State.ON and clock() - since >= _LONG:
            watch.forgive()
        await pause(interval if good or state is State.OFF else interval / 4)


_LONG = 600.0
