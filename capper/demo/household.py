"""A running household in the demo's world: the real proxy with its gate and ledger, and a door for each device."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from capper.assembly import Assembly, assemble, utc_now
from capper.dashboard.house import house_of
from capper.dashboard.person import create_app
from capper.demo.sites import AD_LIST
from capper.demo.world import World, running_world
from capper.domain.errors import CapperError, LedgerUnavailable
from capper.gateway.ours import HOST
from capper.journal import Level
from capper.proxy.authority import authority_file
from capper.proxy.master import CapperMaster, ProxyOptions
from capper.proxy.opening import open_all
from capper.proxy.testing import LOOPBACK
from capper.settings import Address, Open, Settings

PATIENCE_MS = 10_000
"""How long the ledger may take: a busy machine should not spoil the demonstration."""


class TurnedClock:
    """A clock that stands still until it is turned on; called for the time."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, length: timedelta) -> None:
        """Move on by `length`."""
        self.now += length


@dataclass(frozen=True, slots=True)
class Household:
    """A proxy that is running, where each device of the household enters, and the certificate they trust."""

    world: World
    assembly: Assembly
    certificate: Path
    doors: Mapping[str, int]

    def door(self, device: str) -> str:
        """The proxy as `device` is told it."""
        return f"http://{LOOPBACK}:{self.doors[device]}"


@asynccontextmanager
async def running_household(
    folder: Path,
    policy: str,
    devices: Mapping[str, str],
    *,
    ledger: str = "embedded",
    clock: Callable[[], datetime] = utc_now,
    world: Callable[[Path], AbstractAsyncContextManager[World]] = running_world,
    journal_level: Level = Level.OWN,
) -> AsyncIterator[Household]:
    """Start the world and a proxy in front of it.

    Args:
        folder: takes the policy, the ledger and the certificates.
        policy: the text of the policy file.
        devices: each device by name, and the loopback address it is to come from, as the policy's people have it.
        world: starts the world that lies behind the proxy.
    """
    files = folder / "policy.toml", folder / "demo-ads.txt"
    for file, text in zip(files, (policy, AD_LIST), strict=True):
        file.write_text(text)
    settings = Settings(
        listen=Address(LOOPBACK, 0),
        policy=files[0],
        lists=(files[1],),
        ledger=ledger,
        deadline_ms=PATIENCE_MS,
        state=folder / "state",
        journal_level=journal_level,
        open=Open.ALL,
    )
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    async with AsyncExitStack() as stack:
        behind = await stack.enter_async_context(world(folder))
        assembly = await assemble(settings, now=clock, host=HOST)
        stack.push_async_callback(assembly.close)
        # Starts it: the first page need not wait for that, and a page that waits too long goes uncounted.
        health = await assembly.ledger.health()
        if not health.ok:
            raise LedgerUnavailable(f"start the demo's ledger: {health.detail}")
        choices = ProxyOptions(
            state,
            LOOPBACK,
            0,
            opened=open_all,
            resolve=behind.resolve,
            upstream_ca=behind.authority,
            deadline=2 * PATIENCE_MS / 1000,
            app=create_app(house_of(assembly, settings, clock)),
        )
        master = CapperMaster(choices, assembly.gate, assembly.policy, clock)
        await master.start()
        stack.push_async_callback(master.stop)
        port = master.addresses[0][1]
        doors = {device: await stack.enter_async_context(_door(address, port)) for device, address in devices.items()}
        yield Household(behind, assembly, authority_file(state), doors)


@asynccontextmanager
async def _door(address: str, proxy: int) -> AsyncIterator[int]:
    """A port on loopback that leads to the proxy as if from `address`, so that one machine can be several devices."""
    writers: set[asyncio.StreamWriter] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward_reader, onward = await asyncio.open_connection(LOOPBACK, proxy, local_addr=(address, 0))
        except OSError:
            writer.close()
            return
        writers.update((writer, onward))
        try:
            await asyncio.gather(pump(reader, onward), pump(onward_reader, writer))
        finally:
            writers.difference_update((writer, onward))

    try:
        probe = await asyncio.open_connection(LOOPBACK, proxy, local_addr=(address, 0))
    except OSError as exc:
        raise CapperError(
            f"the demo lends each device an address of its own, and {address} is none here: {exc}"
        ) from exc
    probe[1].close()
    async with await asyncio.start_server(enter, LOOPBACK, 0) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            # A server waits for its connections to end, and a browser keeps them open.
            for writer in tuple(writers):
                writer.transport.abort()
