"""The parent of a fleet: forks its processes, starts anew what dies or hangs, and ends them all.

It has one thread and no event loop, so that a process can be forked from it at any time, and what it has loaded before
(`gc.freeze` first) is memory that all of them share for as long as nobody writes to it.
"""

import contextlib
import logging
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NoReturn, Protocol

from capper.fleet.board import Row
from capper.fleet.patience import Patience
from capper.fleet.station import Station

logger = logging.getLogger(__name__)

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, and a terminal that is closed."""
FAULT: Final = 70
"""Exit code of a process that died of a fault of its own."""
_TURN = 0.5
"""Seconds between two looks at the board."""


@dataclass(frozen=True, slots=True)
class Post:
    """A process there is to be: what it is called, and its whole work, which returns an exit code."""

    name: str
    work: Callable[[Station], int]


@dataclass(frozen=True, slots=True)
class Standing:
    """One process as it is now."""

    name: str
    pid: int
    started: datetime
    restarts: int


class Herald(Protocol):
    """Who is told how the fleet is; each returns at once."""

    def ready(self, fleet: Sequence[Standing]) -> None:
        """All are ready, for the first time."""
        ...

    def changed(self, fleet: Sequence[Standing]) -> None:
        """One was started anew."""
        ...

    def well(self) -> None:
        """The parent's loop turns, some times a second; hung processes are being ended."""
        ...

    def stopping(self) -> None:
        """The fleet is about to be ended."""
        ...


@dataclass
class _Member:
    """A post and who holds it."""

    post: Post
    row: Row
    started: datetime
    pid: int = 0
    since: float = 0.0
    due: float = 0.0
    deaths: list[float] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        return bool(self.pid and self.row.beat)

    def standing(self) -> Standing:
        return Standing(self.post.name, self.pid, self.started, self.row.restarts)


class Fleet:
    """One run of a fleet.

    1. Every post is filled; once all are ready the herald is told.
    2. Who dies, hangs or does not get ready is started anew, later each time (`Patience`).
    3. The first of `ENDINGS`, a fleet that cannot start, or one that keeps dying ends all: each is asked to end, and killed
       when it takes too long, or at a second signal.
    """

    def __init__(
        self, posts: Sequence[Post], rows: Sequence[Row], herald: Herald, patience: Patience | None = None
    ) -> None:
        self._members = [_Member(post, row, datetime.now(UTC)) for post, row in zip(posts, rows, strict=True)]
        self._herald, self._patience = herald, patience or Patience()
        self._asked: list[int] = []
        self._told = False
        self._code = 0
        self._give_up: float | None = None
        """When those that are left are killed; None while nobody was asked to end."""

    def run(self) -> int:
        """Run it to its end; returns the exit code: 0, or that of the process that could not start."""
        with _pipe() as (heard, bell), _pipe() as (lifeline, held), self._signals(bell):
            station = lambda member: Station(member.row, lifeline, bell)  # noqa: E731  bound to these lines
            ears = select.poll()
            ears.register(heard, select.POLLIN)
            while True:
                self._fill(station, close=(heard, held))
                if not any(member.pid for member in self._members) and self._give_up is not None:
                    return self._code
                ears.poll(1000 * self._until_next())
                with contextlib.suppress(BlockingIOError):
                    os.read(heard, 4096)
                self._obey()
                self._bury()
                self._look()

    def _fill(self, station: Callable[[_Member], Station], close: Sequence[int]) -> None:
        """Start whoever is due."""
        if self._give_up is not None:
            return
        for member in self._members:
            if not member.pid and member.due <= time.monotonic():
                member.row.beat = member.row.connections = 0
                member.pid = _fork(member.post.work, station(member), close)
                member.started, member.since = datetime.now(UTC), time.monotonic()
                if self._told:
                    self._herald.changed(self._standings())

    def _until_next(self) -> float:
        now = time.monotonic()
        dues = (member.due - now for member in self._members if not member.pid and self._give_up is None)
        return max(0.0, min(_TURN, *dues, _TURN))

    def _obey(self) -> None:
        """What signals have asked for."""
        while self._asked:
            self._asked.pop()
            if self._give_up is None:
                self._end(0)
            else:
                self._give_up = time.monotonic()

    def _bury(self) -> None:
        """Take note of who has ended."""
        for member in self._members:
            if not member.pid or not (status := _ended(member.pid)):
                continue
            pid, member.pid = member.pid, 0
            if self._give_up is not None:
                continue
            if not self._told and 0 < status[0] < FAULT:
                self._end(status[0])  # it has said what is the matter, and would say it again
                continue
            self._mourn(member, pid, status[0])

    def _mourn(self, member: _Member, pid: int, status: int) -> None:
        member.deaths.append(time.monotonic())
        member.row.restarts = len(member.deaths)
        pause = self._patience.pause(member.deaths)
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with exit code {status}"
        if pause is None:
            logger.error(
                "%s (process %d) ended %s; that was %d times within %g seconds: everything stops",
                member.post.name,
                pid,
                how,
                self._patience.lately(member.deaths),
                self._patience.within,
            )
            self._end(FAULT)
            return
        when = f"in {pause:g} s" if pause else "now"
        logger.warning("%s (process %d) ended %s; it is started anew %s", member.post.name, pid, how, when)
        member.due = time.monotonic() + pause

    def _look(self) -> None:
        """See who is ready, and who hangs."""
        self._herald.well()
        if self._give_up is not None:
            if time.monotonic() >= self._give_up:
                self._signal(signal.SIGKILL)
            return
        if not self._told and all(member.ready for member in self._members):
            self._told = True
            self._herald.ready(self._standings())
        for member in self._members:
            if member.pid and (fault := self._fault(member)):
                logger.error("%s (process %d) %s, and is killed", member.post.name, member.pid, fault)
                os.kill(member.pid, signal.SIGKILL)
                member.since = time.monotonic()
                member.row.beat = 0

    def _fault(self, member: _Member) -> str | None:
        patience = self._patience
        if member.ready:
            silent = time.monotonic() - member.row.beat / 1e9
            return f"has said nothing for {silent:.0f} seconds" if silent > patience.hung else None
        waited = time.monotonic() - member.since
        return f"is not ready after {waited:.0f} seconds" if waited > patience.start else None

    def _end(self, code: int) -> None:
        self._code, self._give_up = code, time.monotonic() + self._patience.stop
        self._herald.stopping()
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for member in self._members:
            if member.pid:
                os.kill(member.pid, number)

    def _standings(self) -> list[Standing]:
        return [member.standing() for member in self._members]

    @contextlib.contextmanager
    def _signals(self, bell: int) -> Iterator[None]:
        """Signals ring the bell; the endings are also kept until the loop comes to them."""

        def asked(number: int, _: object) -> None:
            self._asked.append(number)

        before = {number: signal.signal(number, asked) for number in ENDINGS}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        rung = signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(rung)
            for number, handler in before.items():
                signal.signal(number, handler)


def _fork(work: Callable[[Station], int], station: Station, close: Sequence[int]) -> int:
    """Begin a process; returns its id, in the parent alone."""
    everything = signal.valid_signals()
    sys.stdout.flush()
    sys.stderr.flush()
    # A signal that arrives between is neither the parent's to count nor lost to the child.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, everything)
    pid = os.fork()
    if not pid:
        _be_a_child(work, station, close, before)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _be_a_child(
    work: Callable[[Station], int], station: Station, close: Sequence[int], mask: Iterable[int]
) -> NoReturn:
    """Do the work and leave, past whatever the parent has still to do."""
    code = FAULT
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, *ENDINGS):
            signal.signal(number, signal.SIG_DFL)
        # A terminal's Ctrl-C reaches all; what then happens is the parent's to say.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for each in close:
            os.close(each)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        code = work(station)
    except BaseException:  # noqa: BLE001  nothing may return into the parent's code
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _ended(pid: int) -> tuple[int] | None:
    """The exit code of a child that has ended, negative where a signal ended it."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return (os.waitstatus_to_exitcode(status),) if found else None


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """A pipe's two ends, which nobody waits at."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)
