"""`capper run` as a process of its own, in front of a small web in this one: sites, an ad server and a shop on loopback."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from capper.proxy.testing import LOOPBACK, Origin, Seen, reply

COMMAND = (sys.executable, "-c", "import sys; sys.argv[0] = 'capper'; from capper.cli import main; main()")
NEWS, ADS = "http://news.test", "http://ads.test"
BANNER = f"{ADS}/shoes.png"
AD = f'<a href="{ADS}/click?adurl=https%3A%2F%2Fwww.shoes.example%2Fsale"><img src="{BANNER}" width=300 height=250></a>'
PAGE = f"<!DOCTYPE html><html lang=en><body><h1>News</h1><div>{AD}</div><p>caf\xe9</p></body></html>".encode()
DOCUMENT = {"Sec-Fetch-Dest": "document", "Accept-Language": "en"}

Answer = bytes | Callable[[Seen], bytes | AsyncGenerator[bytes]]


@dataclass
class Web:
    """Every host there is: what it answers by host and path (`news.test/story`), and what it was asked."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    def respond(self, asked: Seen) -> bytes | AsyncGenerator[bytes]:
        where = asked.host + asked.target.partition("?")[0]
        self.seen.append(where)
        found = self.answers.get(where, reply(b"<p>nothing here", 404))
        return found(asked) if callable(found) else found


@contextmanager
def running_web() -> Iterator[Web]:
    """The web, on a thread of its own."""
    web, ready, over = Web(), threading.Event(), asyncio.Event()
    web.answers["news.test/"] = reply(PAGE, kind="text/html; charset=utf-8")
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with Origin(web.respond) as origin:
            web.port = origin.port
            ready.set()
            await over.wait()

    def run() -> None:
        # A runner ends what is still being answered; a loop that is merely closed leaves it to the collector.
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(20)
        yield web
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()


class Capper:
    """A `capper run` and the files it writes."""

    def __init__(self, folder: Path, web: Web, *, policy: str, environ: dict[str, str]) -> None:
        self.folder, self.web = folder, web
        self.state, self.policy = folder / "state", folder / "policy.toml"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.hosts: tuple[str, ...] = ("news.test", "ads.test")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAPPER_", "XDG_"))}
        self.environ = kept | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")} | environ
        folder.mkdir(exist_ok=True)
        self.policy.write_text(policy)
        (folder / "ads.txt").write_text("! Title: the ads of this test\n||ads.test^\n")

    def options(self) -> list[str]:
        resolve = [part for host in self.hosts for part in ("--resolve", f"{host}:80={LOOPBACK}:{self.web.port}")]
        return [*resolve, "--listen", f"{LOOPBACK}:0", "--policy", str(self.policy), "--state", str(self.state)]

    def start(self, *options: str) -> "Capper":
        """Start it and wait until it is ready."""
        self.launch(*options)
        ready: list[str] = []
        for _ in waiting(60, "capper run is not ready"):
            assert self.process.poll() is None, self.errors()
            ready = [line for line in self.said().splitlines() if line.startswith("ready: ")]
            if ready:
                break
        self.port = int(ready[0].rsplit(":", 1)[1])
        return self

    def launch(self, *options: str) -> subprocess.Popen[bytes]:
        """Start it."""
        environ = (
            self.environ | {"CAPPER_LISTS": str(self.folder / "ads.txt"), "CAPPER_DEADLINE_MS": "5000"} | self.environ
        )
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            self.process = subprocess.Popen(
                [*COMMAND, "run", *self.options(), *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environ,
            )
        return self.process

    def said(self) -> str:
        return (self.folder / "out").read_text()

    def errors(self) -> str:
        return (self.folder / "err").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)

    def client(self, **more) -> httpx.Client:
        return httpx.Client(proxy=f"http://{LOOPBACK}:{self.port}", trust_env=False, timeout=60, **more)

    def visit(self, url: str = f"{NEWS}/") -> bool:
        """Load a page of news as a browser would; whether the ad in it was shown."""
        with self.client() as client:
            answer = client.get(url, headers=DOCUMENT)
        assert (answer.status_code, b"News" in answer.content) == (200, True), answer.content[:200]
        return BANNER.encode() in answer.content

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another `capper`, beside the one that runs."""
        return subprocess.run(
            [*COMMAND, *words], capture_output=True, text=True, env=self.environ, timeout=60, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def counted(self, person: str = "household") -> int:
        """How often the ledger says that the shoes were shown, asked by another process."""
        told = self.run(
            "ledger", "show", "--person", person, "--state", str(self.state), "--json", "--policy", str(self.policy)
        )
        assert told.returncode in {0, 1}, told.stderr
        return sum(len(row["times"]) for row in json.loads(told.stdout) if row["advertiser"] == "shoes.example")

    def ledger_pid(self) -> int:
        """The process of the embedded ledger's server."""
        wanted = str(self.state / "ledger" / "server.conf").encode()
        for found in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = found.read_bytes().split(b"\0")
            except OSError:
                continue
            if b"valkey-server" in words[0] and (wanted in words or str(self.state).encode() in b" ".join(words)):
                return int(found.parent.name)
        raise AssertionError("no server runs")

    def resident(self) -> float:
        """Megabytes of memory it holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def well(self) -> bool:
        """Whether it still runs and serves."""
        with self.client() as client:
            return self.process.poll() is None and client.get(f"{NEWS}/", headers=DOCUMENT).status_code == 200


def waiting(seconds: float, what: str) -> Iterator[None]:
    """Look again and again, `seconds` long, at what another process does."""
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        yield
        time.sleep(0.05)
    raise AssertionError(what)


CAPS = 'caps = ["1000 per advertiser per day"]\n'


@pytest.fixture
def web() -> Iterator[Web]:
    with running_web() as found:
        yield found


@pytest.fixture
def household(tmp_path, web):
    """Make a `Capper` of a policy; ended with the test."""
    with ExitStack() as stack:

        def make(policy: str = CAPS, name: str = "h", **environ: str) -> Capper:
            made = Capper(tmp_path / name, web, policy=policy, environ=environ)
            stack.callback(lambda: made.process and (made.process.kill(), made.process.wait()))
            return made

        yield make


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A proxy and its web that stay up for a whole file: for tests that leave it as it was."""
    with running_web() as web:
        made = Capper(tmp_path_factory.mktemp("e2e") / "h", web, policy=CAPS, environ={})
        try:
            yield made.start("--ledger", "memory")
            assert made.well()
            assert made.stop() == 0
            # What was refused is told; nothing else is to be said.
            assert [] == [line for line in made.errors().splitlines() if not line.startswith("capper: refused: ")]
        finally:
            made.process.kill()
            made.process.wait()


@pytest.fixture
def talk():
    """Send raw bytes to a port, and read until the other side closes."""

    def talk(port: int, sent: bytes) -> bytes:
        with socket.create_connection((LOOPBACK, port), timeout=30) as connection:
            connection.sendall(sent)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    return talk


@pytest.fixture
def head():
    """Send raw bytes to a port, and read until a header's end."""

    def head(port: int, sent: bytes) -> bytes:
        with socket.create_connection((LOOPBACK, port), timeout=30) as connection:
            connection.sendall(sent)
            got = b""
            while b"\r\n\r\n" not in got and (piece := connection.recv(65536)):
                got += piece
            return got

    return head


@pytest.fixture
def wait_for():
    """Wait until something is so, as another process makes it."""

    def wait_for(so: Callable[[], object], seconds: float = 20) -> None:
        for _ in waiting(seconds, "it did not come to that"):
            if so():
                return

    return wait_for
