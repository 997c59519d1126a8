"""The ledger on a Redis or Valkey server: one Lua call per exchange, names and records that only the secret opens.

`rights.py` lists the commands used, for a server whose owner grants no more than needed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from capper.domain.daily import Addition, Follower
from capper.domain.decision import Answer, Claim
from capper.domain.errors import LedgerUnavailable
from capper.domain.identity import Level
from capper.domain.mute import Mute, Name
from capper.domain.window import from_ms, to_ms
from capper.ledger.asking import Asking
from capper.ledger.base import STRANGERS, Entry, Health, latest, ranked
from capper.ledger.entries import Script
from capper.ledger.keys import Keyring, ViewerKeys
from capper.ledger.link import Link
from capper.ledger.redis_versions import RedisVersions
from capper.ledger.secret import Secret
from capper.ledger.wire import (
    answer,
    ask,
    clamp,
    muting,
    once,
    stored_counter,
    stored_mute,
    stored_tally,
    tallies,
)

_REFRESH = 1.0
"""Seconds between two looks at whether another process changed the secret."""
_BEGUN = 0.5
"""Seconds in which what was begun with the keys of before is done."""
_BATCH = 500
_NOTE = Script("note")
_TALLY = Script("tally")
_ONCE = Script("once")
_OLDEST = {"redis": (7, 0), "valkey": (8, 0)}


class RedisLedger:
    """A ledger on the server that `link` leads to. `health` tells the server's version and whether it may lose counts."""

    def __init__(self, link: Link, secret: Secret) -> None:
        self.link = link
        """For commands beside the protocol: INFO, a benchmark's bare INCR."""
        self._keyring = Keyring(secret)
        self.versions = RedisVersions(link, lambda: self._keys(None))
        """Of the household's policy."""
        self._refreshed = time.monotonic()
        self._looking: asyncio.Task[bool] | None = None
        self._asking = Asking(link)

    async def claim(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """Check and count; see `Ledger.claim`."""
        return await self._run(viewer, claims, now, gap, count=True)

    async def peek(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """What `claim` would answer; nothing is written."""
        return await self._run(viewer, claims, now, gap, count=False)

    async def entries(self, viewer: str, now: datetime) -> list[Entry]:
        """The viewer's advertisers; see `Ledger.entries`."""
        keys, at = await self._keys(viewer), to_ms(now)
        found: dict[bytes, Entry] = {}
        async for key, value in self._values(keys.pattern("A")):
            expires, sealed, times = stored_counter(value)
            name = keys.open_name(sealed, key, partial(keys.counter, Level.ADVERTISER))
            if expires > at and name is not None:
                found[key] = Entry(Level.ADVERTISER, name, tuple(map(from_ms, times)))
        return ranked(found.values())

    async def mute(self, viewer: str, mute: Mute, now: datetime) -> None:
        """Mute a name; see `Ledger.mute`."""
        keys = await self._keys(viewer)
        key = keys.mute((mute.level, mute.name))
        value, until = muting(mute, keys.seal_name(mute.name, key))
        life = until - clamp(to_ms(now))
        if life > 0:
            await self.link("SET", key, value, "PX", str(life))

    async def unmute(self, viewer: str, name: Name, now: datetime) -> None:
        """Take back a mute; see `Ledger.unmute`."""
        del now
        await self.link("UNLINK", (await self._keys(viewer)).mute(name))

    async def once(self, viewer: str, name: Name, now: datetime) -> None:
        """Let a name be shown once; see `Ledger.once`."""
        keys = await self._keys(viewer)
        key = keys.mute(name)
        await _ONCE(self.link, [key], once(name, now), keys.seal_name(name[1], key))

    async def mutes(self, viewer: str, now: datetime) -> list[Mute]:
        """The viewer's mutes; see `Ledger.mutes`."""
        keys, at = await self._keys(viewer), to_ms(now)
        found: dict[bytes, Mute] = {}
        async for key, value in self._values(keys.pattern("m")):
            mute = stored_mute(keys, key, value)
            if mute is not None and to_ms(mute.until) > at:
                found[key] = mute
        return latest(found.values())

    async def note(self, viewer: str, records: Sequence[bytes], now: datetime, life: timedelta) -> None:
        """Keep journal records of the viewer's, as ciphertext, in one call."""
        keys, at = await self._keys(viewer), clamp(to_ms(now))
        life_ms = max(life // timedelta(milliseconds=1), 1)
        names = [keys.note(at) for _ in records]
        ends = clamp(at + life_ms).to_bytes(6)
        sealed = [ends + keys.seal_note(record, name) for name, record in zip(names, records, strict=True)]
        if names:
            await _NOTE(self.link, names, str(life_ms).encode(), *sealed)

    async def notes(self, viewer: str, now: datetime) -> list[bytes]:
        """The viewer's journal records, oldest first."""
        keys, at = await self._keys(viewer), to_ms(now)
        found: dict[bytes, bytes] = {}
        async for key, value in self._values(keys.pattern("j")):
            record = keys.open_note(value[6:], key)
            if int.from_bytes(value[:6]) > at and record is not None:
                found[key] = record
        return [found[key] for key in sorted(found)]

    async def tally(self, viewer: str, additions: Sequence[Addition], today: int) -> None:
        """Add to the viewer's days; see `Ledger.tally`."""
        names, args = tallies(await self._keys(viewer), additions, today)
        if names:
            await _TALLY(self.link, names, *args)

    async def followers(self, viewer: str, today: int) -> list[Follower]:
        """The viewer's days; see `Ledger.followers`."""
        keys = await self._keys(viewer)
        found: dict[bytes, Follower] = {}
        async for key, value in self._values(keys.pattern("d")):
            row = stored_tally(keys, key, value, today)
            if row is not None and row.days:
                found[key] = row
        return list(found.values())

    async def forget(self, viewer: str) -> int:
        """Throw the viewer's keys away, then delete what they opened; takes a second or two where other processes may know the secret.

        Raises:
            LedgerUnavailable: nothing could be deleted; it is unreadable all the same, and expires.
        """
        old = (await self._keys(viewer)).pattern()
        await asyncio.to_thread(self._keyring.secret.forget, viewer)
        if self._keyring.secret.path:
            await _until_noticed()
        gone = 0
        async for keys in self.link.scan(old):
            gone += await self.link("UNLINK", *keys)
        return gone

    async def health(self) -> Health:
        """The server, its version, and whether it may lose counts; never raises."""
        try:
            info, strangers = _read_info(await self.link("INFO")), await self.versions.strangers()
        except LedgerUnavailable as exc:
            return Health(ok=False, server=self.link.place, detail=str(exc))
        name = "valkey" if "valkey_version" in info else "redis"
        version = info.get(f"{name}_version", "")
        problems = [self._keyring.secret.problem]
        if tuple(map(int, version.split(".")[:2] if version else (0, 0))) < _OLDEST[name]:
            problems.append(f"{name} {version} is too old: 7.0 of Redis or 8.0 of Valkey is needed")
        policy = info.get("maxmemory_policy", "noeviction")
        if info.get("maxmemory", "0") != "0" and policy != "noeviction":
            problems.append(f"maxmemory-policy {policy} may evict counts before they expire: set noeviction")
        problems = list(filter(None, problems))
        detail = "; ".join([*problems, STRANGERS] if strangers else problems)
        return Health(ok=not problems, server=f"{name} {version} at {self.link.place}", detail=detail)

    async def close(self) -> None:
        """Hang up."""
        await self._asking.close()
        await self.link.close()

    async def _run(
        self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta, *, count: bool
    ) -> list[Answer]:
        if not claims:
            return []
        asked = ask(await self._keys(viewer), claims, now, gap, count=count)
        return list(map(answer, await self._asking(asked)))

    async def _values(self, pattern: bytes) -> AsyncIterator[tuple[bytes, bytes]]:
        async for keys in self.link.scan(pattern):
            for first in range(0, len(keys), _BATCH):
                batch = keys[first : first + _BATCH]
                for key, value in zip(batch, await self.link("MGET", *batch), strict=True):
                    if value is not None:
                        yield key, value

    async def _keys(self, viewer: str | None) -> ViewerKeys:
        """The viewer's keys, or the household's; once a second, whether another process has changed the secret is looked up first."""
        now = time.monotonic()
        if now - self._refreshed > _REFRESH and self._keyring.secret.path:
            self._refreshed = now
            self._looking = asyncio.create_task(asyncio.to_thread(self._keyring.secret.refresh))
        if self._looking is not None and not self._looking.done():
            # Who comes meanwhile waits for it, too, or would go by keys that may be gone.
            await asyncio.shield(self._looking)
        return self._keyring.of(viewer)


async def _until_noticed() -> None:
    """Every process that counts here has seen by now that the secret changed: what it counted until then can be deleted."""
    await asyncio.sleep(_REFRESH + _BEGUN)


def _read_info(reply: Any) -> dict[str, str]:
    """INFO's reply by name; a cluster's client has read it already."""
    if isinstance(reply, dict):
        return {str(name): str(value) for name, value in reply.items()}
    lines = (line.partition(":") for line in reply.decode().splitlines() if ":" in line)
    return {name: value for name, _, value in lines}
