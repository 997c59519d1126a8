"""Who is to read which pages, how often, and how the proxy gets there; kept beside the visits, so that they can be gone on with."""

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from capper.domain.errors import ConfigError
from capper.proxy import addresses

LOOPBACK = "127.0.0.1"
TRIED = ".tried.har.gz"
"""How the name of a recording ends in which ads were refused: no visit of a reader's."""
_VISITS = "visits"
_PORTS = {"http": 80, "https": 443}
_PATIENCE = 2
"""Seconds, for a server of this machine to answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who reads what: each of `people` pays `visits` visits, a virtual day apart, to every page, and follows `depth` links from each."""

    pages: tuple[str, ...]
    folder: Path
    begin: datetime
    people: int = 1
    visits: int = 3
    depth: int = 1
    seed: int = 0

    @property
    def loads(self) -> int:
        """How many pages are loaded at most."""
        return self.people * self.visits * self.per_visit

    @property
    def per_visit(self) -> int:
        """How many of them in each visit."""
        return len(self.pages) * (1 + self.depth)

    @property
    def visited(self) -> Path:
        """The folder that holds the visits, and the plan."""
        return self.folder / _VISITS

    @property
    def _file(self) -> Path:
        return self.visited / "plan.json"

    def begun(self) -> bool:
        """Whether visits were paid to this folder before."""
        return any(self.visited.glob("reader-*/*.json"))

    def keep(self) -> None:
        """Write it down, before the first visit."""
        self.visited.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._terms() | {"begin": self.begin.isoformat()}, indent=1))

    def resumed(self) -> Self:
        """The same as it was begun: with the days that its visits have already.

        Raises:
            ConfigError: what was begun was another plan; says what differs.
        """
        try:
            found = json.loads(self._file.read_text("utf-8"))
            begin = datetime.fromisoformat(found.pop("begin"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ConfigError(f"{self._file} cannot be read: begin anew with another --out ({exc})") from exc
        other = [f"{name} {found.get(name)}" for name, mine in self._terms().items() if found.get(name) != mine]
        if other:
            raise ConfigError(
                f"--resume goes on with what was begun, and that was with {', '.join(other)}: name the same, or another --out"
            )
        return type(self)(self.pages, self.folder, begin, self.people, self.visits, self.depth, self.seed)

    def _terms(self) -> dict[str, object]:
        terms = asdict(self) | {"pages": list(self.pages)}
        return {name: value for name, value in terms.items() if name not in ("folder", "begin")}


def recordings_of(path: Path) -> list[Path]:
    """A recording itself, or all that an audit made in its folder, reader by reader and day by day.

    Raises:
        ConfigError: the folder holds no visits.
    """
    if not path.is_dir():
        return [path]
    found = [file for file in sorted((path / _VISITS).glob("reader-*/*.har.gz")) if not file.name.endswith(TRIED)]
    if not found:
        raise ConfigError(f"{path} holds no visits of `capper audit`: name its recordings themselves")
    return found


@dataclass(frozen=True, slots=True)
class Net:
    """How the proxy gets to the pages: names that are elsewhere than they say, and whom it trusts besides."""

    resolve: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    upstream_ca: Path | None = None


def way_to(pages: Iterable[str]) -> Net:
    """The internet, and of this machine, where the proxy leads nobody, the ports that these pages name: a site under development.

    Raises:
        ConfigError: nothing answers at such a port, or a page names this machine by its address.
    """
    resolve: dict[tuple[str, int], tuple[str, int]] = {}
    for url in pages:
        host, port = _place(url)
        at = addresses.literal(host)
        if at and addresses.reach(at, addresses.is_own)[0] is addresses.Reach.FORBIDDEN:
            raise ConfigError(f"{url}: call this machine localhost, as in http://localhost:8000/")
        if addresses.is_local_name(host) and (host, port) not in resolve:
            resolve[host, port] = (_here(url, port), port)
    return Net(resolve)


def _place(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as exc:
        raise ConfigError(f"{url} is no address of a page: {exc}") from exc
    if not host:
        raise ConfigError(f"{url} is no address of a page: it names no host")
    return host.rstrip("."), port


def _here(url: str, port: int) -> str:
    """Of this machine's two addresses the one where somebody answers: servers under development listen at either."""
    for address in (LOOPBACK, "::1"):
        try:
            socket.create_connection((address, port), _PATIENCE).close()
        except OSError:
            continue
        return address
    raise ConfigError(f"{url}: nothing answers at port {port} of this machine")
