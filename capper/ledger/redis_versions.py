"""The versions of the policy on a Redis or Valkey server: a key for each, and one that says which is the newest.

That one is the channel on which a further version is announced as well.
"""

import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from capper.domain.window import EPOCH, from_ms, to_ms
from capper.ledger.entries import Script
from capper.ledger.keys import HOUSEHOLDS, ViewerKeys
from capper.ledger.link import Link
from capper.ledger.versions import ATTENDANCE, KEPT, LIFE, Version

_LIFE_MS: Final = LIFE // timedelta(milliseconds=1)


class RedisVersions:
    """The versions of one household on the server that `link` leads to; see `Versions`."""

    shared = True

    def __init__(self, link: Link, keys: Callable[[], Awaitable[ViewerKeys]]) -> None:
        """`keys` gives the household's keys, under the secret as it is now."""
        self._link, self._keys = link, keys
        self._add = Script("version")
        self._attend = Script("household")

    async def newest(self) -> int:
        """The number of the version in force; 0 where there is none."""
        [found] = await self._link("MGET", (await self._keys()).newest_version)
        return int(found or 0)

    async def all(self) -> list[Version]:
        """Those that are kept and can be read."""
        keys, newest = await self._keys(), await self.newest()
        if not newest:
            return []
        numbers = range(max(newest - KEPT + 1, 1), newest + 1)
        names = [keys.version(number) for number in numbers]
        found = zip(numbers, names, await self._link("MGET", *names), strict=True)
        opened = ((number, keys.open_note(sealed, name)) for number, name, sealed in found if sealed)
        return [_read(number, record) for number, record in opened if record is not None]

    async def add(self, version: Version, after: int) -> bool:
        """Keep a version as the newest."""
        keys = await self._keys()
        name = keys.version(version.number)
        names = (keys.newest_version, name, keys.version(max(version.number - KEPT, 0)))
        sealed = keys.seal_note(_written(version), name)
        return bool(await self._add(self._link, names, b"%d" % after, b"%d" % version.number, sealed, b"%d" % _LIFE_MS))

    async def remove(self, numbers: Collection[int]) -> None:
        """Throw versions away."""
        if numbers:
            keys = await self._keys()
            await self._link("UNLINK", *map(keys.version, numbers))

    async def renew(self) -> None:
        """Keep the newest for another `LIFE`."""
        keys = await self._keys()
        for name in (keys.newest_version, keys.version(await self.newest())):
            await self._link("PEXPIRE", name, str(_LIFE_MS))

    async def attend(self, now: datetime, *, present: bool = True) -> None:
        """Say that this household goes by this server, or that it does no more."""
        args = (b"%d" % to_ms(now), b"%d" % (ATTENDANCE // timedelta(milliseconds=1)), b"%d" % present)
        await self._attend(self._link, [HOUSEHOLDS], (await self._keys()).tag.encode(), *args)

    async def strangers(self) -> int:
        """How many other households have said so."""
        [found] = await self._link("MGET", HOUSEHOLDS)
        tags = {line.split()[0] for line in (found or b"").splitlines() if line.strip()}
        return len(tags - {(await self._keys()).tag.encode()})

    async def heard(self, every: float) -> AsyncGenerator[bool]:
        """True at the beginning and whenever a version was announced; False after silence. Ends when the secret has changed."""
        channel = (await self._keys()).newest_version
        async with contextlib.aclosing(self._link.listen(channel, every)) as heard:
            async for announced in heard:
                yield announced
                if (await self._keys()).newest_version != channel:
                    return


def _written(version: Version) -> bytes:
    return json.dumps(asdict(version) | {"at": to_ms(version.at)}).encode()


def _read(number: int, record: bytes) -> Version:
    """A version as it was sealed; one of another capper's that this one cannot read has a text that is no policy."""
    try:
        said = json.loads(record)
        return Version(number, from_ms(said["at"]), str(said["who"]), str(said["note"]), said["text"])
    except (ValueError, TypeError, KeyError):
        return Version(number, EPOCH, "", "written by another capper, in a way that this one cannot read", "")
