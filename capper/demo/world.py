"""The demo's hosts as servers on loopback, in HTTP and HTTPS, with a certificate authority of their own."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from capper.demo.sites import HOSTS, Asked, Reply, answer
from capper.proxy.authority import Authority
from capper.proxy.testing import Origin, Seen, resolving, server_tls

_REASONS = {200: "OK", 302: "Found", 304: "Not Modified", 404: "Not Found"}


@dataclass(frozen=True, slots=True)
class Served:
    """One request that reached an origin, and its reply."""

    asked: Asked
    reply: Reply


@dataclass(frozen=True, slots=True)
class World:
    """A running world.

    `authority` is the certificate file a proxy must trust for it; `resolve` says where each host and port really is.
    """

    authority: Path
    resolve: Mapping[tuple[str, int], tuple[str, int]]
    served: list[Served] = field(default_factory=list)

    def asked(self, host: str, path: str = "") -> list[Served]:
        """The requests that reached `host`, those whose path begins with `path`."""
        return [one for one in self.served if one.asked.host == host and one.asked.path.startswith(path)]


@asynccontextmanager
async def running_world(
    folder: Path, answers: Callable[[Asked], Reply] = answer, hosts: Sequence[str] = HOSTS
) -> AsyncIterator[World]:
    """Start the servers of `hosts` on free ports, which say what `answers` says; `folder` takes their certificates."""
    authority = Authority.create(datetime.now(UTC), "The internet of capper's demo")
    certificate = folder / "demo-internet.pem"
    certificate.write_bytes(authority.pem())
    served: list[Served] = []

    def respond(seen: Seen) -> bytes:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in seen.fields}
        asked = Asked(seen.method, seen.host.lower(), seen.target, headers)
        reply = answers(asked)
        served.append(Served(asked, reply))
        return _spell(reply, body=seen.method != "HEAD")

    async with Origin(respond) as plain, Origin(respond, server_tls(authority, folder)) as secure:
        places = resolving(dict.fromkeys(hosts, plain.port), secure=dict.fromkeys(hosts, secure.port))
        yield World(certificate, places, served)


def _spell(reply: Reply, *, body: bool) -> bytes:
    """The reply as HTTP/1.1."""
    lines = [
        f"HTTP/1.1 {reply.status} {_REASONS[reply.status]}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    if reply.status != 304:
        lines.append(f"content-length: {len(reply.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (reply.body if body else b"")
