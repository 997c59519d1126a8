"""What each of several proxies under one address has of it: the same places on TCP, and listeners that only one can have."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from mitmproxy.proxy import mode_specs

from capper.domain.errors import ConfigError
from capper.proxy.listening import Listening, Place, device_file, listening_fault
from capper.proxy.master import ProxyOptions
from capper.proxy.shield import check_listener
from capper.proxy.steering import listen

_OF_ONE_PROCESS: Final = ("local",)
"""It redirects every process of this machine but itself: with two, each would catch what the other sends."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How the listeners of `options` are divided: `sockets` has, for each process, those of each mode it shares."""

    options: ProxyOptions
    sockets: tuple[Mapping[str, list[socket.socket]], ...]

    @classmethod
    def open(cls, options: ProxyOptions, processes: int) -> Self:
        """Listen.

        Raises:
            ConfigError: a mode cannot be shared, or used.
            ListenError: an address is in use or not ours.
        """
        check_listener(options.host, options.modes, lan=bool(options.lan), auth=options.auth is not None)
        shared: list[dict[str, list[socket.socket]]] = [{} for _ in range(processes)]
        shares = cls(options, tuple(shared))
        try:
            for text in options.modes:
                mode = _parse(text)
                if mode.transport_protocol == "tcp":
                    for own, sockets in zip(shared, _listen(options, mode, processes), strict=True):
                        own[text] = sockets
        except BaseException:
            shares.close()
            raise
        return shares

    def of(self, process: int) -> ProxyOptions:
        """The options of one process. Of listeners that cannot be shared (each person's WireGuard) they have each their own."""
        own = [text for text in self.options.modes if text not in self.sockets[process]]
        modes = [text for text in self.options.modes if text in self.sockets[process]]
        modes += own[process :: len(self.sockets)]
        return replace(self.options, modes=tuple(modes), inherited=self.sockets[process])

    def listening(self) -> Listening:
        """Where they listen, all together."""
        ways: list[tuple[str, Place]] = []
        files = []
        for text in self.options.modes:
            mode = _parse(text)
            if opened := self.sockets[0].get(text):
                ways += ((mode.type_name, each.getsockname()[:2]) for each in opened)
            elif isinstance(mode, mode_specs.WireGuardMode):
                ways.append((mode.type_name, _place(self.options, mode)))
                files.append(device_file(self.options.state, mode.data))
        return Listening(tuple(ways), tuple(files))

    def close(self, kept: int | None = None) -> None:
        """Close the sockets of all processes but `kept`, in this process."""
        for number, sockets in enumerate(self.sockets):
            if number != kept:
                for opened in sockets.values():
                    for each in opened:
                        each.close()


def _parse(text: str) -> mode_specs.ProxyMode:
    mode = mode_specs.ProxyMode.parse(text)
    if mode.type_name in _OF_ONE_PROCESS:
        raise ConfigError(
            f"mode {text} cannot have several workers: it catches what other processes send; have one worker"
        )
    return mode


def _place(options: ProxyOptions, mode: mode_specs.ProxyMode) -> Place:
    return mode.listen_host(options.host), mode.listen_port(options.port) or 0


def _listen(options: ProxyOptions, mode: mode_specs.ProxyMode, processes: int) -> list[list[socket.socket]]:
    place = _place(options, mode)
    try:
        return listen(*place, processes)
    except OSError as exc:
        raise listening_fault(exc, place, options.modes) from exc
