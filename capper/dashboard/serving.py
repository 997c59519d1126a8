"""Where the owner's pages are: on an address of their own, beside the proxy, or nowhere."""

import socket
from dataclasses import dataclass
from typing import Self

from starlette.types import ASGIApp

from capper.dashboard.house import House
from capper.dashboard.keys import METRICS, OWNER, token
from capper.domain.errors import ConfigError
from capper.settings import Address


@dataclass(frozen=True, slots=True)
class OwnerPages:
    """The owner's pages of a running capper; nothing where the settings want none."""

    house: House
    app: ASGIApp | None = None
    listener: socket.socket | None = None

    @classmethod
    def open(cls, house: House) -> Self:
        """Listen where the settings say.

        Raises:
            ConfigError: the address is taken, not ours, or a token cannot be read or made.
        """
        at, state = house.settings.dashboard, house.settings.state
        if at is None:
            return cls(house)
        # What most people have no use for is not imported.
        from capper.dashboard.owner import create_owner_app  # noqa: PLC0415

        owner = None if at.loopback else token(state, OWNER)
        return cls(house, create_owner_app(house, token(state, METRICS), owner), _listening(at))

    async def serve(self) -> None:
        """Serve until cancelled."""
        if self.app is None or self.listener is None:
            return
        from capper.dashboard.server import serve  # noqa: PLC0415  as above

        try:
            await serve(self.app, self.listener)
        finally:
            self.listener.close()

    @property
    def url(self) -> str | None:
        """Where the pages are, if there are any."""
        if self.listener is None:
            return None
        host, port = self.listener.getsockname()[:2]
        return f"http://{Address(host, port)}/"

    def rows(self) -> list[tuple[str, str]]:
        """The same, as `capper run` tells it."""
        if self.url is None:
            return []
        state = self.house.settings.state
        word = (
            ""
            if self.house.settings.dashboard and self.house.settings.dashboard.loopback
            else f"; the token is in {state / OWNER}, and goes over plain HTTP: rather tunnel to loopback (docs/dashboard.md)"
        )
        return [
            ("dashboard", f"{self.url} for you as its owner{word}"),
            ("metrics", f"{self.url}metrics; the bearer token is in {state / METRICS}"),
        ]


def _listening(at: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((at.host, at.port))
        made.listen(64)
    except OSError as exc:
        made.close()
        raise ConfigError(f"dashboard = {at}: {exc.strerror}; choose another address") from exc
    return made
