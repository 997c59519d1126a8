"""One look-up for each connection: the addresses that were checked are the addresses that are connected to.

Checking a name and letting asyncio look it up again would leave a gap for DNS rebinding. A running loop's look-up is
therefore taken from a context variable where the task that connects has set one.
"""

import asyncio
import socket
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""A row of `socket.getaddrinfo`."""

_checked: ContextVar[tuple[str, Sequence[AddressInfo]] | None] = ContextVar("checked", default=None)


async def look_up(host: str, port: int) -> list[AddressInfo]:
    """Every address of a name, in the system's order.

    Raises:
        OSError: the name does not resolve.
    """
    loop = asyncio.get_running_loop()
    try:
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # type: ignore[return-value]
    except UnicodeError as exc:
        raise OSError(f"{host!r} is no host name") from exc


def settle(host: str, addresses: Sequence[AddressInfo]) -> None:
    """From now on, in this task, `host` is at `addresses` and nowhere else."""
    _checked.set((host, addresses))


def install(loop: asyncio.AbstractEventLoop) -> None:
    """Let connections of this loop go where `settle` said."""
    if getattr(loop.getaddrinfo, "settled", False):
        return
    ask = loop.getaddrinfo

    async def getaddrinfo(host: Any, port: Any, **options: int) -> Any:
        known = _checked.get()
        if known is not None and known[0] == host:
            return list(known[1])
        return await ask(host, port, **options)

    getaddrinfo.settled = True  # type: ignore[attr-defined]
    loop.getaddrinfo = getaddrinfo  # type: ignore[method-assign]
