"""The versions of the household's policy that the ledger keeps, so that every capper on it goes by the same one.

The policy is text to the ledger. It names people, devices and advertisers, so it is stored as ciphertext, like every name.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

KEPT: Final = 15
"""How many versions are kept, the newest."""
LIFE: Final = timedelta(days=400)
"""How long a version is kept: as long as the longest retention a policy may have. The one in force is renewed while it is in use."""

ATTENDANCE: Final = timedelta(days=1)
"""How long it is good for that a household has said that it goes by this ledger."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the policy: who put it in force, when, and why. Without `text` each host's own file is the policy."""

    number: int
    at: datetime
    who: str
    note: str
    text: str | None


class Versions(Protocol):
    """The versions of one household. Every method may raise `LedgerUnavailable`."""

    shared: bool
    """Whether other processes see them."""

    async def newest(self) -> int:
        """The number of the version in force; 0 where there is none."""
        ...

    async def all(self) -> list[Version]:
        """Those that are kept and can be read, the oldest first."""
        ...

    async def add(self, version: Version, after: int) -> bool:
        """Keep a version as the newest, and tell whoever hears; False if the newest is not number `after`: somebody was first."""
        ...

    async def remove(self, numbers: Collection[int]) -> None:
        """Throw versions away for good; the newest is not to be among them."""
        ...

    async def renew(self) -> None:
        """Keep the newest for another `LIFE`."""
        ...

    async def attend(self, now: datetime, *, present: bool = True) -> None:
        """Say that this household goes by this ledger, for a day, or that it does no more."""
        ...

    async def strangers(self) -> int:
        """How many other households have said so: with secrets of their own, none sees another's versions or counts."""
        ...

    def heard(self, every: float) -> AsyncGenerator[bool]:
        """True at the beginning and whenever a version was added; False after each `every` seconds of silence."""
        ...


class MemoryVersions:
    """Versions that live and die with this process."""

    shared = False

    def __init__(self) -> None:
        self._versions: list[Version] = []
        self._bell = asyncio.Event()

    async def newest(self) -> int:
        """The number of the version in force; 0 where there is none."""
        return self._versions[-1].number if self._versions else 0

    async def all(self) -> list[Version]:
        """Those that are kept."""
        return list(self._versions)

    async def add(self, version: Version, after: int) -> bool:
        """Keep a version as the newest."""
        if await self.newest() != after:
            return False
        self._versions = [*self._versions, version][-KEPT:]
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
        return True

    async def remove(self, numbers: Collection[int]) -> None:
        """Throw versions away."""
        self._versions = [one for one in self._versions if one.number not in numbers]

    async def renew(self) -> None:
        """They last as long as the process."""

    async def attend(self, now: datetime, *, present: bool = True) -> None:
        """Nobody else is here to be told."""

    async def strangers(self) -> int:
        """None."""
        return 0

    async def heard(self, every: float) -> AsyncGenerator[bool]:
        """True at the beginning and whenever a version was added; False after silence."""
        bell = self._bell
        yield True
        while True:
            try:
                async with asyncio.timeout(every):
                    await bell.wait()
            except TimeoutError:
                yield False
            else:
                bell = self._bell
                yield True
