"""Real servers for the ledger's tests, started once per test run, and the ledgers on them."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from capper.domain.decision import Decision, conclude, prepare
from capper.domain.policy import Policy
from capper.domain.sighting import Sighting
from capper.ledger.base import Ledger
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.link import connect
from capper.ledger.memory import MemoryLedger
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret

LEDGERS = ("memory", "embedded", "redis")


@pytest.fixture(scope="session", autouse=True)
def noticed_at_once() -> Iterator[None]:
    """Forgetting does not wait for other processes, for there are none."""

    async def at_once() -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("capper.ledger.redis._until_noticed", at_once)
        yield


@dataclass(frozen=True)
class Server:
    """A running redis-server: where it answers, and where its files are."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]


def required(command: str) -> str:
    """The command's path; a machine without it fails the test, unless it says that skipping is all right."""
    found = shutil.which(command)
    if found:
        return found
    reason = f"{command} is not installed; `make test` installs it"
    if os.environ.get("CAPPER_ALLOW_SKIP"):
        pytest.skip(reason)
    pytest.fail(reason)


def answering(address: str | tuple[str, int], process: subprocess.Popen[bytes]) -> None:
    """Return once something listens at `address`."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket(family) as asked:
            try:
                asked.connect(address)
                asked.sendall(b"PING\r\n")
                if asked.recv(1):
                    return
            except OSError:
                time.sleep(0.01)
    pytest.fail(f"the server at {address} did not start")


@contextmanager
def serving(folder: Path, *options: str, listens: str | tuple[str, int] | None = None) -> Iterator[Server]:
    """A redis-server in `folder`, on a unix socket there."""
    sock = str(folder / "s")
    command = [required("redis-server"), "--port", "0", "--unixsocket", sock, "--dir", str(folder), "--save", ""]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([*command, *options], stdout=out, stderr=out)
    try:
        answering(listens or sock, process)
        yield Server(f"unix://{sock}", folder, process)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def start_redis(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., object]:
    """Start another redis-server with these options; a context manager."""

    def start(*options: str, listens: tuple[str, int] | None = None):
        return serving(tmp_path_factory.mktemp("r"), *options, listens=listens)

    return start


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real redis-server with an append-only file."""
    with serving(tmp_path_factory.mktemp("r"), "--appendonly", "yes", "--enable-debug-command", "yes") as server:
        yield server


@pytest.fixture(scope="session")
def embedded_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an embedded server that runs for the whole session."""
    from capper.ledger.embedded import EmbeddedServer

    server = EmbeddedServer(tmp_path_factory.mktemp("e"))
    server.ensure()
    yield server.folder
    server.stop()


@pytest.fixture
def secret() -> Secret:
    """A secret of this test's own, which keeps its records apart from every other test's."""
    return Secret()


@pytest.fixture
async def redis_ledger(redis_server: Server, secret: Secret) -> AsyncIterator[RedisLedger]:
    """A ledger on the redis-server."""
    ledger = RedisLedger(connect(redis_server.url), secret)
    yield ledger
    await ledger.close()


@pytest.fixture(params=LEDGERS)
async def ledger(request: pytest.FixtureRequest, secret: Secret) -> AsyncIterator[Ledger]:
    """Each kind of ledger in turn."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    if request.param == "embedded":
        ledger: Ledger = EmbeddedLedger(request.getfixturevalue("embedded_folder"), secret)
    else:
        ledger = RedisLedger(connect(request.getfixturevalue("redis_server").url), secret)
    yield ledger
    await ledger.close()


@pytest.fixture
def see(ledger: Ledger) -> Callable[[Policy, Sighting, datetime], Awaitable[Decision]]:
    """Claim one sighting under a policy, as the gate does, and say what became of it."""

    async def see(policy: Policy, sighting: Sighting, now: datetime) -> Decision:
        rule, claim = prepare(policy, sighting, now)
        [answer] = await ledger.claim(sighting.viewer.name, [claim], now, policy.session_gap)
        return conclude(policy, sighting, rule, claim, answer, now)

    return see
