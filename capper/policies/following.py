"""Following the policy that was put in force for every capper on the ledger, by whichever of them."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from capper.domain.errors import CapperError
from capper.ledger.versions import ATTENDANCE, LIFE, Version, Versions
from capper.settings import PolicySource

POLL = 60.0
"""Seconds between two looks at the ledger while nothing is announced: an announcement may get lost."""
AGAIN = 1.0
"""Seconds between two looks while nothing can be heard."""
RENEW = LIFE / 100
ATTEND = ATTENDANCE / 24

log = logging.getLogger(__name__)


class Following:
    """Keeps the policy in force at what the ledger's newest version says.

    1. `look` takes the newest version, or of those this capper cannot use the newest that it can.
    2. `keep` looks whenever one is announced, each `POLL` seconds all the same, and each second while nothing can be heard.
    3. A ledger that has lost its versions (a new secret, an empty server) gets the one in force back.
    """

    def __init__(self, versions: Versions, source: PolicySource, clock: Callable[[], datetime]) -> None:
        self.source = source
        self._versions, self._clock = versions, clock
        self._looked_at = 0
        self._taken: Version | None = None
        self._renewed: datetime | None = None
        self._attended: datetime | None = None

    async def look(self) -> bool:
        """Take the newest version if it is another than at the last look; returns whether it was.

        Raises:
            LedgerUnavailable: the ledger does not answer; what is in force stays.
        """
        newest = await self._versions.newest()
        if newest == self._looked_at:
            return False
        if not newest and self._taken:
            await self._versions.add(self._taken, 0)
            return False
        for version in reversed(await self._versions.all()):
            if version == self._taken or self.source.adopt(version.number, version.text):
                self._taken = version
                break
        self._looked_at = newest
        return True

    async def keep(self) -> None:
        """Follow for ever."""
        said = ""
        while True:
            try:
                await self._hear()
            except CapperError as exc:  # an embedded ledger whose folder or server is gone for now is a ConfigError
                if str(exc) != said:
                    said = str(exc)
                    log.info("another policy is looked for each second, none can be heard of: %s", exc)
            await asyncio.sleep(AGAIN)
            with contextlib.suppress(CapperError):
                await self.look()

    async def _hear(self) -> None:
        async with contextlib.aclosing(self._versions.heard(POLL)) as heard:
            async for announced in heard:
                if await self.look() and not announced:
                    return  # it was not heard of: listen anew
                await self._renew()

    async def _renew(self) -> None:
        now = self._clock()
        if _due(self._renewed, now, RENEW):
            await self._versions.renew()
            self._renewed = now
        if _due(self._attended, now, ATTEND):
            await self._versions.attend(now)
            self._attended = now


def _due(last: datetime | None, now: datetime, every: timedelta) -> bool:
    return last is None or not timedelta(0) <= now - last < every
