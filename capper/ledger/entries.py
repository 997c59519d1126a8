"""Every entry of a ledger as it is stored, out of one server and into another: what a backup is made of.

Nothing is decrypted on the way: whoever holds the entries without the household's secret holds digests and ciphertext.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import batched
from typing import Any, Final, NamedTuple

from capper.ledger.link import Link, ScriptForgotten, bulk

LAYOUT: Final = 2
"""The form of keys and values (keys.py, lua/claim.lua); goes up when a capper of before could not read them any more."""

PATTERN: Final = b"cap{*"
"""Finds every entry of any viewer."""
PATIENCE: Final = 60.0
"""Seconds a server may say nothing while entries are copied: a slow disk takes its time to write a million of them."""
_KEYS = 200
"""Keys to a call: few enough that the server answers others in between, and that the largest counters fit in memory."""
_CALLS = 4
"""Calls under way at a time."""


class Stored(NamedTuple):
    """One entry as the server keeps it; `expires` is in milliseconds since the epoch."""

    key: bytes
    value: bytes
    expires: int


async def stored(link: Link) -> AsyncIterator[list[Stored]]:
    """Every entry there is, in portions; one may come twice, and one that is made meanwhile may be missed.

    Raises:
        LedgerUnavailable: the server does not answer, or grants too little.
    """
    take = Script("take")
    async for keys in link.scan(PATTERN):
        for calls in batched(_calls(link, keys), _CALLS):
            for asked, reply in zip(calls, await asyncio.gather(*(take(link, keys) for keys in calls)), strict=True):
                values, ends = reply[::2], reply[1::2]
                yield [Stored(*one) for one in zip(asked, values, ends, strict=True) if one[1] is not None]


async def put(link: Link, entries: Sequence[Stored], *, replace: bool) -> int:
    """Store entries until they were to expire; returns how many.

    Args:
        replace: whether an entry that is there already gives way; else it stays as it is.

    Raises:
        LedgerUnavailable: the server does not answer, is full, or grants too little.
    """
    script, by_key = Script("put"), {entry.key: entry for entry in entries}
    done = 0
    for calls in batched(_calls(link, list(by_key)), _CALLS):
        done += sum(
            await asyncio.gather(
                *(
                    script(
                        link,
                        keys,
                        b"0" if replace else b"1",
                        *(part for key in keys for part in (by_key[key].value, b"%d" % by_key[key].expires)),
                    )
                    for keys in calls
                )
            )
        )
    return done


@dataclass(frozen=True, slots=True)
class Script:
    """One of lua/, run by its digest; a server that does not know it yet is taught."""

    name: str

    async def __call__(self, link: Link, keys: Sequence[bytes], *args: bytes) -> Any:
        """Run it."""
        return await self.run(link, list(map(bulk, keys)), list(map(bulk, args)))

    async def run(self, link: Link, keys: Sequence[bytes], args: Sequence[bytes]) -> Any:
        """Run it with keys and arguments that are in RESP already."""
        by_digest, by_text = _read(self.name)
        number = len(keys) + len(args) + 3
        words = b"".join([_number(len(keys)), *keys, *args])
        try:
            return await link.send(b"*%d\r\n%b%b" % (number, by_digest, words), keys[0])
        except ScriptForgotten:
            return await link.send(b"*%d\r\n%b%b" % (number, by_text, words), keys[0])


@cache
def _number(keys: int) -> bytes:
    """In RESP how many keys there are."""
    return bulk(b"%d" % keys)


@cache
def _read(script: str) -> tuple[bytes, bytes]:
    """How a call of a script begins in RESP: by its digest, and by its text."""
    text = files("capper.ledger").joinpath("lua", f"{script}.lua").read_bytes()
    digest = hashlib.sha1(text, usedforsecurity=False).hexdigest().encode()
    return bulk(b"EVALSHA") + bulk(digest), bulk(b"EVAL") + bulk(text)


def _calls(link: Link, keys: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    """The keys of one call each: where there are several nodes, those of one viewer, which are on one of them."""
    groups: dict[bytes, list[bytes]] = {}
    for key in keys:
        groups.setdefault(key.partition(b"}")[0] if link.sharded else b"", []).append(key)
    for group in groups.values():
        yield from batched(group, _KEYS)
