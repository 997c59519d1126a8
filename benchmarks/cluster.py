"""A real cluster of three masters on this machine, with the append-only file of deploy/valkey, and what it says of itself."""

import itertools
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

from capper.ledger.link import Link, connect

MASTERS = 3


@dataclass(frozen=True)
class Meter:
    """What all masters together have done and hold; differences say what something took."""

    cpu: float
    """Seconds, the system's on their behalf included."""
    commands: int
    received: int
    sent: int
    memory: int
    file: int
    """Bytes of the append-only file."""

    def __sub__(self, before: Self) -> "Meter":
        return Meter(*(getattr(self, each.name) - getattr(before, each.name) for each in fields(self)))

    def __add__(self, more: Self) -> "Meter":
        return Meter(*(getattr(self, each.name) + getattr(more, each.name) for each in fields(self)))


NOTHING = Meter(0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Cluster:
    """The running masters."""

    ports: tuple[int, ...]
    links: tuple[Link, ...]

    @property
    def address(self) -> str:
        """What capper is given."""
        return f"redis+cluster://127.0.0.1:{self.ports[0]}"

    async def said(self) -> list[dict[str, str]]:
        """INFO of each master."""
        replies = [(await link("INFO")).decode() for link in self.links]
        return [dict(line.partition(":")[::2] for line in reply.splitlines() if ":" in line) for reply in replies]

    async def meter(self) -> Meter:
        """Everything up to now."""
        infos = await self.said()

        def total(*names: str) -> float:
            return sum(float(info[name]) for info in infos for name in names)

        return Meter(
            total("used_cpu_user", "used_cpu_sys"),
            int(total("total_commands_processed")),
            int(total("total_net_input_bytes")),
            int(total("total_net_output_bytes")),
            int(total("used_memory")),
            int(total("aof_current_size")),
        )

    async def close(self) -> None:
        """Hang up."""
        for link in self.links:
            await link.close()


@contextmanager
def started(server: str) -> Iterator[Cluster]:
    """A cluster of `server` (the path of a redis-server or valkey-server), gone at the end."""
    ports = tuple(itertools.islice(_free_ports(), MASTERS))
    with ExitStack() as stack:
        for port in ports:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="capper-scale-"))
            options = ["--port", str(port), "--dir", folder, "--save", "", "--cluster-enabled", "yes"]
            options += ["--appendonly", "yes", "--appendfsync", "everysec", "--maxclients", "15000"]
            options += ["--auto-aof-rewrite-percentage", "0"]  # its growth is measured
            process = stack.enter_context(subprocess.Popen([server, *options], stdout=subprocess.DEVNULL))
            stack.callback(process.kill)
        _wait_for(ports)
        nodes = [f"127.0.0.1:{port}" for port in ports]
        subprocess.run(
            ["redis-cli", "--cluster", "create", *nodes, "--cluster-yes"], check=True, stdout=subprocess.DEVNULL
        )
        for port in ports:
            _wait_until_whole(port)
        # Patient: in a crowded simulation a reply may take its time.
        yield Cluster(ports, tuple(connect(f"redis://{node}", 60) for node in nodes))


def version(server: str) -> str:
    """Its name and version, as it tells them."""
    said = subprocess.run([server, "--version"], check=True, capture_output=True, text=True).stdout.split()
    found = dict(word.partition("=")[::2] for word in said)
    return f"{Path(server).name} {found['v']} ({found['malloc']})"


def _free_ports() -> Iterator[int]:
    """Ports below those that the system hands out, the cluster's own 10,000 higher included."""
    for port in range(21_000, 22_700):
        with suppress(OSError), ExitStack() as stack:
            for each in (port, port + 10_000):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", each))
            yield port


def _wait_until_whole(port: int) -> None:
    """Return once this master answers for the cluster: each finds out by itself that all slots have one."""
    for _ in range(1000):
        asked = ["redis-cli", "-p", str(port), "cluster", "info"]
        if b"cluster_state:ok" in subprocess.run(asked, check=True, capture_output=True).stdout:
            return
        time.sleep(0.01)
    raise TimeoutError(f"the master at port {port} does not find the cluster whole")


def _wait_for(ports: tuple[int, ...]) -> None:
    for port in ports:
        for _ in range(1000):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.01)
