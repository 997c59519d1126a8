"""The proxies that are compared, each started as its users start it, with the origin that they all ask."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import certificates
from benchmarks.lists import NamedList
from benchmarks.processes import ended, free_port, wait_for

HOST = "localhost"
_BIN = Path(sys.executable).parent
_PRIVOXY = """\
confdir /etc/privoxy
logdir {folder}
actionsfile match-all.action
actionsfile default.action
filterfile default.filter
listen-address 127.0.0.1:{port}
buffer-limit 4096
keep-alive-timeout 300
tolerate-pipelining 1
socket-timeout 300
"""
"""As the distribution's own, less what its owner may have changed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What is asked through the proxies: its ports, and the authority that vouches for it."""

    plain: int
    secure: int
    authority: Path

    def address(self, scheme: str) -> str:
        """`host:port` for `http` or `https`."""
        return f"{HOST}:{self.plain if scheme == 'http' else self.secure}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that listens, and how many seconds it took until it did."""

    name: str
    port: int
    process: "subprocess.Popen[bytes]"
    started: float
    authority: Path | None = None
    """The certificate it signs with, for the client to trust."""

    @property
    def pid(self) -> int:
        """Of the process that was started; its children count as its own."""
        return self.process.pid


@contextmanager
def origin(folder: Path) -> Iterator[Origin]:
    """An origin in a process of its own."""
    authority, certificate = certificates.make(folder, HOST)
    command = [sys.executable, "-m", "benchmarks.origin", str(certificate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        plain, secure = map(int, process.stdout.readline().split())
        yield Origin(plain, secure, authority)
        process.communicate()


@contextmanager
def mitmdump(folder: Path, asked: Origin) -> Iterator[Proxy]:
    """Plain mitmdump, with no addon of anybody's."""
    port, confdir = free_port(), folder / "mitm"
    command = [str(_BIN / "mitmdump"), "-q", "--listen-host", "127.0.0.1", "--listen-port", str(port)]
    command += ["--set", f"confdir={confdir}", "--set", f"ssl_verify_upstream_trusted_ca={asked.authority}"]
    with _listening("mitmdump", command, port, folder, confdir / "mitmproxy-ca-cert.pem") as proxy:
        yield proxy


@contextmanager
def capper(folder: Path, asked: Origin, *more: str) -> Iterator[Proxy]:
    """`capper run` doing all its work: everything opened, an embedded ledger, the starter policy. `more` options at the end."""
    port, state = free_port(), folder / "capper"
    command = [str(_BIN / "capper"), "run", "--listen", f"127.0.0.1:{port}", "--open", "all", "--state", str(state)]
    command += ["--ledger", "embedded", "--upstream-ca", str(asked.authority)]
    for each in (asked.plain, asked.secure):
        command += ["--resolve", f"{HOST}:{each}=127.0.0.1:{each}"]
    with _listening("capper", [*command, *more], port, folder, state / "ca" / "capper-ca.pem") as proxy:
        yield proxy


@contextmanager
def privoxy(folder: Path) -> Iterator[Proxy]:
    """Privoxy with the actions and filters that its package sets for all sites."""
    port, config = free_port(), folder / "privoxy.config"
    config.write_text(_PRIVOXY.format(folder=folder, port=port))
    with _listening("Privoxy", [program("privoxy"), "--no-daemon", str(config)], port, folder) as proxy:
        yield proxy


def program(name: str) -> str:
    """Where an installed program is.

    Raises:
        SystemExit: it is not installed; says how to.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise SystemExit(f"{name} is not installed: `make bench-peers` installs it from the distribution")
    return found


def subscribe(folder: Path, lists: Sequence[NamedList]) -> None:
    """Have the capper of this folder use `lists` too."""
    for each in lists:
        path = folder / f"{each.name}.txt"
        path.write_text(each.text, "utf-8")
        command = [str(_BIN / "capper"), "lists", "add", str(path), "--kind", each.kind]
        subprocess.run([*command, "--state", str(folder / "capper")], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def both(folder: Path, asked: Origin, lists: Sequence[NamedList]) -> Iterator[tuple[Proxy, Proxy]]:
    """Capper with its engines built, and mitmdump."""
    subscribe(folder, lists)
    with capper(folder, asked):
        pass
    with ExitStack() as stack:
        yield stack.enter_context(capper(folder, asked)), stack.enter_context(mitmdump(folder, asked))


def trusted(folder: Path, proxies: Sequence[Proxy]) -> Path:
    """A file with the certificates that the proxies sign with."""
    bundle = folder / "trusted.pem"
    bundle.write_text("".join(proxy.authority.read_text() for proxy in proxies if proxy.authority))
    return bundle


_COMPILING = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""What is installed was compiled then; a checkout is at its first start."""


@contextmanager
def _listening(
    name: str, command: Sequence[str], port: int, folder: Path, authority: Path | None = None
) -> Iterator[Proxy]:
    with (folder / f"{name}.log").open("ab") as log:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=_COMPILING)
        try:
            wait_for(port, process)
            yield Proxy(name, port, process, time.perf_counter() - start, authority)
        finally:
            ended(process)
