"""`capper run --workers N`: a parent that listens and watches, workers that proxy, and the house.

The parent loads what all of them go by, opens every socket, starts the embedded ledger, and forks. The house serves the owner's
pages and fetches filter lists. A worker is what `capper run` is alone, less these.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import typer

from capper import __version__
from capper.assembly import Assembly, ClosedSource, Knowledge, assemble, utc_now
from capper.backup.swap import hold
from capper.cli import explained
from capper.cli.logs import FILES, LISTS, begin
from capper.cli.proxying import Proxying, proxy_options
from capper.cli.ready import policy_in_words, tell
from capper.cli.supervised import Supervisor
from capper.cli.works import Closing, check_ledger, complete_restore, refresh, warn_of_end
from capper.dashboard.house import House, house_of
from capper.dashboard.serving import OwnerPages
from capper.fleet import Board, Fleet, Post, Standing, Station
from capper.gateway.ours import HOST
from capper.later import import_now
from capper.ledger.embedded import EmbeddedServer
from capper.proxy.authority import load_authority
from capper.proxy.lean import SOON, begin_start, settle
from capper.proxy.shares import Shares
from capper.settings import Address, Settings
from capper.settings.running import Running, Worker, tell_running, tell_stopped
from capper.settings.version import ready_state

logger = logging.getLogger("capper")


def run_workers(settings: Settings, resolve: list[str]) -> int:
    """Run until told to stop; returns the exit code.

    Raises:
        ConfigError: an option or file cannot be used, or a mode cannot be shared.
        ListenError: the address is in use, or not ours.
        LedgerUnavailable: the embedded ledger does not start.
    """
    begin(settings.log, *_voice(0))
    begin_start()
    options = proxy_options(settings, resolve)
    complete_restore(settings.state)
    ready_state(settings.state)
    shares, pages = Shares.open(options, settings.workers), OwnerPages.open(settings)
    hold(settings.state)
    with _embedded_server(settings):
        service = _Service.begin(settings, shares, pages)
        settle()
        try:
            return Fleet(service.posts(), service.board.rows, service).run()
        finally:
            tell_stopped(settings.state, os.getpid())


@contextlib.contextmanager
def _embedded_server(settings: Settings) -> Iterator[None]:
    """The embedded ledger's server as the parent's child, so that no worker takes it along when it dies.

    The workers inherit the parent's end of its pipe: should the parent be killed, it outlives the last of them.
    """
    scheme, _, folder = settings.ledger.partition(":")
    if scheme != "embedded":
        yield
        return
    server = EmbeddedServer(Path(folder) if folder else settings.ledger_folder)
    server.ensure()
    try:
        yield
    finally:
        server.stop()


@dataclass
class _Service:
    """Everything that was made before the processes are, and the herald of their fleet."""

    settings: Settings
    shares: Shares
    pages: OwnerPages
    knowledge: Knowledge
    policy: str
    started: datetime
    certificate_ends: datetime
    board: Board
    told: Supervisor = field(default_factory=lambda: Supervisor.of(os.environ))
    _last_word: float = 0.0

    @classmethod
    def begin(cls, settings: Settings, shares: Shares, pages: OwnerPages) -> "_Service":
        """Load what all go by, and see whether a ledger answers."""
        authority = load_authority(settings.state, utc_now())
        import_now(*SOON)
        knowledge = Knowledge.load(settings, utc_now())
        # A loop of its own, which is gone with its threads before anybody is forked.
        policy = asyncio.run(_policy(settings, knowledge))
        board = Board(settings.workers)
        return cls(settings, shares, pages, knowledge, policy, utc_now(), authority.expires(), board)

    def posts(self) -> list[Post]:
        """The house's, then the workers', in the order of the board."""
        work = [
            Post(f"worker {n}", partial(self._process, self._worker, n)) for n in range(1, self.settings.workers + 1)
        ]
        return [Post("the house", partial(self._process, self._house, 0)), *work]

    # What the fleet tells

    def ready(self, fleet: Sequence[Standing]) -> None:
        """Tell a person, `capper status` and the service manager."""
        hosts = len(self.knowledge.recogniser.current().engines.hosts)
        listening = self.shares.listening()
        # Who waits for the word that it is ready may look at once.
        self.changed(fleet)
        tell(self.settings, listening, hosts, self.policy, [*self._rows(), *self.pages.rows()])
        where = ", ".join(str(Address(*each)) for each in listening.addresses)
        self.told.say("READY=1", f"STATUS=listening at {where}, {self.settings.workers} workers")

    def changed(self, fleet: Sequence[Standing]) -> None:
        """Write down who there is."""
        listens = tuple(str(Address(*each)) for each in self.shares.listening().addresses)
        workers = tuple(Worker(each.pid, each.started, each.restarts) for each in fleet[1:])
        running = Running(os.getpid(), __version__, self.started, listens, self.pages.url, workers)
        tell_running(self.settings.state, running)

    def well(self) -> None:
        """Say so, three times in each interval of a service manager that watches."""
        interval, now = self.told.interval, time.monotonic()
        if interval is not None and now - self._last_word >= interval / 3:
            self._last_word = now
            self.told.say("WATCHDOG=1")

    def stopping(self) -> None:
        """Take no more connections."""
        self.told.say("STOPPING=1")
        self.shares.close()

    def _rows(self) -> Iterable[tuple[str, str]]:
        yield "workers", f"{self.settings.workers}; each device's connections go to one of them"

    # What the processes do

    def _process(self, work: Callable[[Station, int], Coroutine[Any, Any, None]], number: int, station: Station) -> int:
        """One process, from its fork to its exit code; 0 is the house's number."""
        begin(self.settings.log, *_voice(number))
        self.shares.close(kept=number - 1)
        if number and self.pages.listener:
            self.pages.listener.close()
        try:
            with explained():
                asyncio.run(work(station, number))
        except typer.Exit as ended:
            return ended.exit_code
        return 0

    async def _worker(self, station: Station, number: int) -> None:
        assembly = await self._assembly(station)
        async with contextlib.aclosing(Closing(assembly)):
            options, house = self.shares.of(number - 1), self._house_of(assembly)
            proxying = await Proxying.begin(self.settings, options, assembly, house)
            master = proxying.master
            await master.start()
            try:
                station.heed(master.shutdown)
                works = (*proxying.works(renews=False), station.beat(lambda: master.clients))
                await _beside(works, master.serve())
            finally:
                await master.stop()

    async def _house(self, station: Station, _: int) -> None:
        assembly, stop = await self._assembly(station), asyncio.Event()
        async with contextlib.aclosing(Closing(assembly)):
            station.heed(stop.set)
            closed = await asyncio.to_thread(ClosedSource, self.settings)
            works = (
                refresh(assembly.recogniser, closed, renews=True),
                assembly.keep_watch(),
                warn_of_end(self.certificate_ends),
                self.pages.serve(self._house_of(assembly)),
                station.beat(),
            )
            await _beside(works, stop.wait())

    async def _assembly(self, station: Station) -> Assembly:
        return await assemble(self.settings, knowledge=self.knowledge, totals=station.row.totals, host=HOST)

    def _house_of(self, assembly: Assembly) -> House:
        house = house_of(assembly, self.settings, utc_now)
        return replace(house, started=self.started, certificate_ends=self.certificate_ends, board=self.board)


def _voice(number: int) -> tuple[str, Collection[str]]:
    """As whom a process writes its log, and what it leaves to others: lists are the house's, files that change the first worker's."""
    match number:
        case 0:
            return "", FILES
        case 1:
            return "worker 1", LISTS
        case _:
            return f"worker {number}", (*LISTS, *FILES)


async def _policy(settings: Settings, knowledge: Knowledge) -> str:
    """The policy in force, in words, once the ledger was looked at and all is loaded that workers are to share."""
    assembly = await assemble(settings, knowledge=knowledge)
    async with contextlib.aclosing(Closing(assembly)):
        await check_ledger(assembly, settings)
        await assembly.warm(utc_now())
        return policy_in_words(settings, assembly)


async def _beside(works: Iterable[Coroutine[Any, Any, None]], served: Awaitable[object]) -> None:
    """Let `works` go on for as long as it is served."""
    tasks = [asyncio.create_task(work) for work in works]
    settle()
    await served
    for task in tasks:
        task.cancel()
