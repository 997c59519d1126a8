"""What a service manager is told (systemd's sd_notify): ready, stopping, and again and again that the proxy still answers."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Self

_NOTHING = b"?\r\n\r\n"
"""No request at all: a proxy refuses it, and a listener of another kind hangs up. Either way somebody is there."""


@dataclass(frozen=True, slots=True)
class Supervisor:
    """The service manager, as its variables say it; where there is none, nothing is said and nothing is watched.

    `interval` is how many seconds may pass without a word before it ends us; None where it does not watch.
    """

    address: str | None = None
    interval: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str], pid: int | None = None) -> Self:
        """The one that started this process, if one did."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        ours = environ.get("WATCHDOG_PID", str(pid or os.getpid())) == str(pid or os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "")
        watched = ours and microseconds.isascii() and microseconds.isdigit() and int(microseconds) > 0
        return cls(address, int(microseconds) / 1e6 if watched else None)

    def say(self, *lines: str) -> None:
        """Send `READY=1`, `STATUS=...` and the like; a manager that is not there any more is nobody's loss."""
        if self.address is None:
            return
        # An address that begins with @ is in Linux's own name space, which has no files.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(0)
                sender.sendto("\n".join(lines).encode(), address)
        except OSError:
            return

    async def keep_watch(
        self, alive: Callable[[float], Awaitable[bool]], pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Say that all is well three times in each interval, as long as it is; `alive` is given its deadline in seconds."""
        if self.interval is None:
            return
        while True:
            if await alive(self.interval / 3):
                self.say("WATCHDOG=1")
            await pause(self.interval / 3)


async def answers(address: tuple[str, int] | None, deadline: float) -> bool:
    """Whether the proxy's listener takes connections and does something with them; one without a listener is not asked."""
    if address is None:
        return True
    host, port = address
    try:
        async with asyncio.timeout(deadline):
            reader, writer = await asyncio.open_connection(_NEAR.get(host, host), port)
            try:
                writer.write(_NOTHING)
                await reader.read(1)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return True


_NEAR = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  compared, not listened on
"""How this machine itself reaches a listener on every address."""
