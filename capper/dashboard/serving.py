"""Where pages are served: each person's through the proxy, the owner's on an address of their own beside it, or nowhere."""

import asyncio
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from starlette.types import ASGIApp, Receive, Scope, Send

from capper.dashboard.house import House
from capper.dashboard.keys import METRICS, OWNER, token
from capper.domain.errors import ConfigError
from capper.later import Late
from capper.settings import Address, Settings


class PersonPages:
    """Each person's own pages as an application; what they are made with is imported when somebody first asks for one."""

    def __init__(self, house: House) -> None:
        self._app = Late(partial(_person_app, house))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = await self._app()
        await app(scope, receive, send)


def _person_app(house: House) -> ASGIApp:
    from capper.dashboard.person import create_app  # noqa: PLC0415  imports jinja2 and starlette: a tenth of a second

    return create_app(house)


@dataclass(frozen=True, slots=True)
class OwnerPages:
    """The address of the owner's pages, and the words that open them; nothing where the settings want none."""

    settings: Settings
    listener: socket.socket | None = None
    metrics: str = field(default="", repr=False)
    owner: str | None = field(default=None, repr=False)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Listen where the settings say.

        Raises:
            ConfigError: the address is taken, not ours, or a token cannot be read or made.
        """
        at, state = settings.dashboard, settings.state
        if at is None:
            return cls(settings)
        return cls(settings, _listening(at), token(state, METRICS), None if at.loopback else token(state, OWNER))

    async def serve(self, house: House) -> None:
        """Serve them until cancelled."""
        if self.listener is None:
            return
        # What most people have no use for is not imported.
        from capper.dashboard.server import serve  # noqa: PLC0415

        try:
            await serve(await asyncio.to_thread(self._app, house), self.listener)
        finally:
            self.listener.close()

    def _app(self, house: House) -> ASGIApp:
        from capper.dashboard.owner import create_owner_app  # noqa: PLC0415  as `_person_app`

        return create_owner_app(house, self.metrics, self.owner)

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
        at, state = self.settings.dashboard, self.settings.state
        word = (
            ""
            if at and at.loopback
            else f"; the token is in {state / OWNER}, and goes over plain HTTP: rather tunnel to loopback (docs/dashboard.md)"
        )
        return [
            ("dashboard", f"{self.url} for you as its owner{word}"),
            ("metrics", f"{self.url}metrics; the bearer token is in {state / METRICS}"),
        ]


def _listening(at: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
    # Named as TCP, so that asyncio turns Nagle's algorithm off.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((at.host, at.port))
        made.listen(64)
    except OSError as exc:
        made.close()
        raise ConfigError(f"dashboard = {at}: {exc.strerror}; choose another address") from exc
    return made
