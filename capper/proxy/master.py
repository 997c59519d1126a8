"""capper's own mitmproxy master: the proxy server and what capper adds to it, and none of the forty other addons.

It answers about twice as many requests a second as `mitmdump` does (docs/benchmarks.md).
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import certifi
from mitmproxy import exceptions, master, options
from mitmproxy.addons import core, disable_h2c, dns_resolver, next_layer, proxyserver
from mitmproxy.proxy import mode_specs
from mitmproxy.proxy.mode_servers import AsyncioServerInstance, WireGuardServerInstance
from mitmproxy.utils import asyncio_utils
from starlette.types import ASGIApp

from capper.domain.errors import ConfigError
from capper.domain.policy import Policy
from capper.proxy.addon import DEADLINE, FrequencyCap, Judge
from capper.proxy.addresses import local_address
from capper.proxy.auth import Credentials, Doorkeeper
from capper.proxy.authority import Authority, Certificates, load_authority
from capper.proxy.desk import Desk, Pac
from capper.proxy.dispatch import Dispatch, call_directly
from capper.proxy.early import send_the_rest
from capper.proxy.flight import Flight
from capper.proxy.lean import give_back
from capper.proxy.listening import Listening, Place, device_file, listening_fault
from capper.proxy.mends import mend
from capper.proxy.opening import Opened, Opening
from capper.proxy.people import People, Sources
from capper.proxy.porch import Pages, Porch
from capper.proxy.records import join_records
from capper.proxy.shield import Boundary, Resolve, Shield, check_listener
from capper.proxy.shortcuts import take_shortcuts
from capper.proxy.steering import BACKLOG
from capper.proxy.trust import Trust
from capper.proxy.trustfile import Keeping, TrustFile, names_of
from capper.proxy.viewer import Network
from capper.proxy.vouching import vouch
from capper.recognise.listfiles import write_atomically

GRACE = 5.0
"""Seconds that exchanges under way get to finish when the proxy stops."""


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """How the proxy listens, whom it serves and what it opens."""

    state: Path
    host: str = "127.0.0.1"
    port: int = 8080
    modes: tuple[str, ...] = ("regular",)
    opened: Opened = field(default=lambda _: False)
    lan: tuple[Network, ...] = ()
    auth: Credentials | None = None
    resolve: Resolve = field(default_factory=dict)
    upstream_ca: Path | None = None
    pac: Pac | None = None
    deadline: float = DEADLINE
    sources: Sources = field(default_factory=Sources)
    app: ASGIApp | None = None
    """The dashboard of each person, on our own host."""
    inherited: Mapping[str, Sequence[socket.socket]] = field(default_factory=dict)
    """Sockets that listen already, by the mode they are for; what is not among these is opened here."""
    proof: bool = False
    """Whether a device other than this machine must prove that it trusts us before anything is opened for it."""


class CapperMaster(master.Master):
    """A running proxy: `start`, then `serve` until `shutdown`, then `stop`.

    1. `start` opens the listeners; from then on `addresses` says where they are.
    2. `stop` closes them, waits `GRACE` seconds for exchanges under way, and closes every connection.
    """

    def __init__(
        self,
        choices: ProxyOptions,
        gate: Judge,
        policy: Callable[[], Policy],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        check_listener(choices.host, choices.modes, lan=bool(choices.lan), auth=choices.auth is not None)
        authority = load_authority(choices.state, datetime.now(UTC))
        self.certificate_ends = authority.expires()
        mend()
        vouch()
        take_shortcuts()
        join_records()
        call_directly()
        send_the_rest()
        super().__init__(options.Options())
        self.addons = Dispatch(self)
        # Nobody listens to mitmproxy's old log events; without this each log line becomes a task.
        self._legacy_log_events.uninstall()
        self.choices = choices
        self._tasks = contextlib.ExitStack()
        self._flight = Flight()
        self._server = proxyserver.Proxyserver()  # type: ignore[no-untyped-call]
        doorkeeper = Doorkeeper(choices.auth)
        people = People(policy, doorkeeper.user, choices.sources)
        cap = FrequencyCap(gate, people, clock, choices.deadline)
        self.opening = self._opening(authority, people, clock)
        boundary = Boundary(choices.lan, choices.resolve)
        pages = Pages(choices.app, lambda client: people.viewer(people.caller(client))) if choices.app else None
        self.addons.add(  # type: ignore[no-untyped-call]
            self._flight,
            Desk(boundary, lambda: {port for _, port in self.addresses}, choices.pac),
            Shield(boundary),
            doorkeeper,
            Porch(authority, self.opening.prove, self.opening.trusts, pages=pages),
            self.opening,
            core.Core(),
            disable_h2c.DisableH2C(),
            cap,
            self._server,
            next_layer.NextLayer(),
            Certificates(authority),
            *([dns_resolver.DnsResolver()] if any(m.startswith("wireguard") for m in choices.modes) else []),
        )
        self._configure(gate.max_body)

    def _opening(self, authority: Authority, people: People, clock: Callable[[], datetime]) -> Opening:
        return Opening(
            self.choices.opened,
            lambda client: people.caller(client).machine(),
            Trust(clock),
            names_of(authority),
            Keeping(TrustFile(self.choices.state, authority.fingerprint()), clock),
            proof=self.choices.proof,
            ends=authority.expires(),
            clock=clock,
            leaves_alone=people.leaves_alone,
        )

    def _configure(self, max_body: int) -> None:
        choices = self.choices
        try:
            self.options.update(  # type: ignore[no-untyped-call]
                confdir=str(choices.state),
                listen_host=choices.host,
                listen_port=choices.port,
                mode=list(choices.modes),
                stream_large_bodies=str(max_body),
                # Tunnelled as they are: reading the frames would cost time and keep every message in memory.
                websocket=False,
                upstream_cert=False,
                proxyauth="capper" if choices.auth else None,
                ssl_verify_upstream_trusted_ca=str(_trusted(choices)) if choices.upstream_ca else None,
            )
        except exceptions.OptionsError as exc:
            raise ConfigError(f"start the proxy: {exc}") from exc

    @property
    def addresses(self) -> list[Place]:
        """Where the proxy listens, as (host, port)."""
        return [(address[0], address[1]) for address in self._server.listen_addrs()]

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._server.connections)

    def listening(self) -> Listening:
        """Where the proxy listens, and as what."""
        ways = tuple(
            (server.mode.type_name, (address[0], address[1]))
            for server in self._server.servers
            for address in server.listen_addrs
        )
        people = (server for server in self._server.servers if isinstance(server, WireGuardServerInstance))
        return Listening(ways, tuple(device_file(self.choices.state, server.mode.data) for server in people))

    def _write_device_files(self) -> None:
        """For each WireGuard listener what the person's device imports, for its owner only."""
        for server in self._server.servers:
            if isinstance(server, WireGuardServerInstance) and (text := server.client_conf()):
                _, file = device_file(self.choices.state, server.mode.data)
                file.parent.mkdir(mode=0o700, exist_ok=True)
                file.touch(mode=0o600)
                file.write_text(text.replace("Endpoint = 0.0.0.0:", f"Endpoint = {local_address()}:"))

    async def start(self) -> None:
        """Open the listeners.

        Raises:
            ListenError: an address is in use or not ours.
            ConfigError: a mode cannot be served on this system.
        """
        self._tasks.enter_context(asyncio_utils.install_exception_handler(self._asyncio_exception_handler))
        self._tasks.enter_context(asyncio_utils.set_eager_task_factory())
        with _muted("mitmproxy.addons.proxyserver", "mitmproxy.proxy.mode_servers"):
            await self._adopt()
            fine = await self._server.setup_servers()
        if not fine:
            fault = next((s.last_exception for s in self._server.servers if s.last_exception), None)
            await self.stop()
            choices = self.choices
            raise listening_fault(fault, (choices.host, choices.port), choices.modes)
        self._write_device_files()
        await self.running()

    async def _adopt(self) -> None:
        """Serve at the sockets that were opened for us; mitmproxy itself can only open its own."""
        for text, sockets in self.choices.inherited.items():
            mode = mode_specs.ProxyMode.parse(text)
            server: AsyncioServerInstance[mode_specs.ProxyMode] = AsyncioServerInstance.make(mode, self._server)
            server._servers = [  # noqa: SLF001  as its own `listen` would
                await asyncio.start_server(server.handle_stream, sock=each, backlog=BACKLOG) for each in sockets
            ]
            self._server.servers._instances[mode] = server  # noqa: SLF001  as its own `update` would

    async def serve(self) -> None:
        """Serve until `shutdown` is called."""
        await self.should_exit.wait()

    async def rest(self) -> None:
        """Give memory back to the system whenever traffic pauses, until cancelled."""
        while True:
            await self._flight.pause()
            give_back()

    async def stop(self) -> None:
        """Stop listening, let exchanges under way finish, then close every connection."""
        with _muted("mitmproxy.addons.proxyserver"):
            await self._server.servers.update([])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self._flight.landed.wait()
        await self._close_connections()
        await self.done()
        self._tasks.close()

    async def _close_connections(self) -> None:
        handlers = list(self._server.connections.values())
        writers = [io.writer for handler in handlers for io in handler.transports.values()]
        for handler in handlers:
            if (transport := handler.transports.get(handler.client)) and transport.handler:
                transport.handler.cancel("the proxy stops")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                while self._server.connections:  # noqa: ASYNC110  mitmproxy tells nobody when a handler has ended
                    await asyncio.sleep(0.01)
        for writer in writers:
            # Closed is not gone: what a peer does not read would keep the socket.
            if isinstance(writer, asyncio.StreamWriter):
                writer.transport.abort()


def _trusted(choices: ProxyOptions) -> Path:
    """The usual authorities and the owner's extra one in one file: the option would replace the usual ones."""
    extra = choices.upstream_ca
    assert extra is not None
    try:
        pem = extra.read_text()
        # An empty text would mean the system's own authorities.
        ssl.create_default_context(cadata=pem or "-")
        bundle = choices.state / "upstream-ca.pem"
        # Another worker may be reading it.
        write_atomically(bundle, f"{Path(certifi.where()).read_text()}\n{pem}".encode())
    except (OSError, ValueError) as exc:
        unread = isinstance(exc, OSError) and not isinstance(exc, ssl.SSLError) and exc.strerror
        reason = unread or "no certificate in PEM form"
        raise ConfigError(f"--upstream-ca: read {extra}: {reason}") from exc
    return bundle


@contextlib.contextmanager
def _muted(*names: str) -> Iterator[None]:
    """What mitmproxy would log here is said better by an exception, or holds a WireGuard key."""
    targets = [logging.getLogger(name) for name in names]
    was = [target.disabled for target in targets]
    for target in targets:
        target.disabled = True
    try:
        yield
    finally:
        for target, before in zip(targets, was, strict=True):
            target.disabled = before
