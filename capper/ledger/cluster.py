"""The way to a cluster: one connection to each node, and each command to the node that its keys are on.

Which node has which keys is asked when the first command needs it, and again when a node says that keys have moved or hangs up.
"""

import asyncio
import contextlib
from binascii import crc_hqx
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, NamedTuple

from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    ResponseError,
    TryAgainError,
)

from capper.domain.errors import LedgerUnavailable
from capper.ledger.link import Line, ScriptForgotten, pack

_SLOTS = 16_384
_TRIES = 3
_PAUSES = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256)
"""Seconds between tries of a command some of whose keys have moved already: a slot's last key follows within milliseconds."""
_MOST_KEYS = 1_000_000
"""Of a slot; a month of a person's are some thousands."""
_PLAIN = frozenset({"INFO", "PING"})
"""Commands that are about no key: any node answers them."""

Address = tuple[str, int]
MakeLine = Callable[[Address], Line]


class _Owners(NamedTuple):
    """Which node has which slots: `nodes[i]` those from `starts[i]` to `ends[i]`."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    nodes: tuple[Address, ...]

    def of(self, slot: int) -> Address | None:
        at = bisect_right(self.starts, slot) - 1
        return self.nodes[at] if at >= 0 and slot <= self.ends[at] else None


class ClusterLink:
    """A cluster, as one link. `seed` is the node that the address names; the others are learnt from it."""

    sharded = True

    def __init__(self, seed: Address, make: MakeLine, place: str) -> None:
        self.place = place
        self._seed, self._make = seed, make
        self._lines: dict[Address, Line] = {}
        self._owners: _Owners | None = None
        self._looking: asyncio.Task[_Owners] | None = None
        self._sure: Address | None = None
        self._doubtful: Address | None = None
        self._known: tuple[Address, ...] = ()

    def __call__(self, *command: str | bytes) -> Coroutine[Any, Any, Any]:
        """Run one command."""
        return self.send(pack(command), _key_of(command))

    async def send(self, packed: bytes, key: bytes | None) -> Any:
        """Run one command on the node its keys are on; where some of them are on their way, once the others have followed."""
        for pause in _PAUSES:
            try:
                return await self._run(packed, key)
            except LedgerUnavailable as exc:
                if not isinstance(exc.__cause__, TryAgainError):
                    raise
            await asyncio.sleep(pause)
        return await self._run(packed, key)

    async def scan(self, pattern: bytes) -> AsyncIterator[list[bytes]]:
        """Every key of every node that fits `pattern`: of the one slot where they are, if it names a hash tag."""
        slot = _slot_of_all(pattern)
        for node in sorted(set((await self._map()).nodes)):
            found = self._line(node).scan(pattern) if slot is None else self._scan_slot(self._line(node), slot, pattern)
            async for keys in found:
                yield keys

    async def _scan_slot(self, line: Line, slot: int, pattern: bytes) -> AsyncIterator[list[bytes]]:
        """A node's keys of one slot; by SCAN, which on Redis before 7.4 goes through all it has, where asking for a slot is not granted.

        A node that the slot is leaving, or coming to, has some of them; others have none.
        """
        try:
            keys = await line("CLUSTER", "GETKEYSINSLOT", str(slot), str(_MOST_KEYS))
        except LedgerUnavailable as exc:
            if not isinstance(exc.__cause__, NoPermissionError):
                raise
            async for portion in line.scan(pattern):
                yield portion
        else:
            if found := [key for key in keys if key.startswith(pattern.removesuffix(b"*"))]:
                yield found

    async def listen(self, channel: bytes, every: float) -> AsyncGenerator[bool]:
        """What comes on a channel; every node passes on what is published on any other."""
        node = self._node_for(channel, await self._map())
        async with contextlib.aclosing(self._line(node).listen(channel, every)) as heard:
            async for each in heard:
                yield each

    async def close(self) -> None:
        """Hang up on every node."""
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for line in self._lines.values():
            await line.close()
        self._lines.clear()

    async def _run(self, packed: bytes, key: bytes | None) -> Any:
        """Run one command on the node that the map names, else on the one that a better map names."""
        for left in reversed(range(_TRIES)):
            owners = await self._map()
            node = self._node_for(key, owners)
            try:
                return await self._ask(node, packed)
            except ScriptForgotten:
                raise
            except LedgerUnavailable as exc:
                if not left or not _may_be_elsewhere(exc.__cause__):
                    raise
                self._doubt(owners, node, exc.__cause__)
        raise AssertionError("the last try returns or raises")

    async def _ask(self, node: Address, packed: bytes) -> Any:
        """Run one command on this node, or where it says that this slot's keys are on their way to."""
        try:
            return await self._line(node).send(packed)
        except LedgerUnavailable as exc:
            why = exc.__cause__
            if isinstance(why, MovedError) or not isinstance(why, AskError):
                raise
            return await self._line(_named(why, node)).after(pack(("ASKING",)), packed)

    def _doubt(self, owners: _Owners, node: Address, why: BaseException | None) -> None:
        """Have the map asked for anew, unless that was done since this node was taken from it."""
        if isinstance(why, MovedError):
            self._sure = _named(why, node)
        else:
            self._doubtful = node
        if self._owners is owners:
            self._owners = None

    def _node_for(self, key: bytes | None, owners: _Owners) -> Address:
        if key is None:
            return owners.nodes[0]
        slot = slot_of(key)
        node = owners.of(slot)
        if node is None:
            self._owners = None
            raise LedgerUnavailable(f"ask the ledger at {self.place}: no node of the cluster has slot {slot}")
        return node

    def _line(self, node: Address) -> Line:
        if node not in self._lines:
            self._lines[node] = self._make(node)
        return self._lines[node]

    async def _map(self) -> _Owners:
        """The owners as known, else asked for, once for all who wait."""
        if self._owners:
            return self._owners
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> _Owners:
        """Ask any node that answers who has which slots."""
        why: LedgerUnavailable | None = None
        known = dict.fromkeys((*filter(None, (self._sure,)), *self._known, self._seed))
        # The new owner of a slot knows of it before others hear; one that hung up may be gone, and take its time to say nothing.
        for node in sorted(known, key=lambda node: (node != self._sure, node == self._doubtful)):
            try:
                self._owners = owners = _read(await self._line(node)("CLUSTER", "SLOTS"), node)
            except LedgerUnavailable as exc:
                why = exc
            else:
                self._known, self._sure = owners.nodes, None
                await self._drop_strangers()
                return owners
        assert why is not None, "there is always the seed to ask"
        raise why

    async def _drop_strangers(self) -> None:
        gone = [node for node in self._lines if node not in self._known and node != self._seed]
        for node in gone:
            await self._lines.pop(node).close()


def slot_of(key: bytes) -> int:
    """The slot of a key: that of its hash tag if it has one."""
    _, opened, rest = key.partition(b"{")
    tag, closed, _ = rest.partition(b"}")
    return crc_hqx(tag if opened and closed and tag else key, 0) % _SLOTS


def _slot_of_all(pattern: bytes) -> int | None:
    """The slot of all keys that begin like `pattern`, up to its final star; None where they may be in several."""
    begin = pattern.removesuffix(b"*")
    return slot_of(begin) if b"}" in begin and not set(begin) & set(b"*?[\\") else None


def _key_of(command: tuple[str | bytes, ...]) -> bytes | None:
    """The first key of a command as this package writes it; all of its keys are in one slot. Scripts go by `send`."""
    key = command[1] if len(command) > 1 and command[0] not in _PLAIN else None
    return key.encode() if isinstance(key, str) else key


def _named(why: AskError, by: Address) -> Address:
    """The node that ASK or MOVED names; one without a host is on that of the node that says so."""
    return why.host or by[0], why.port


def _may_be_elsewhere(why: BaseException | None) -> bool:
    """Whether another node may answer: the keys have moved, or this node is gone or not ready. Any other word is final."""
    return not isinstance(why, ResponseError) or isinstance(why, MovedError | ClusterDownError)


def _read(rows: Any, asked: Address) -> _Owners:
    """CLUSTER SLOTS's reply; a node without a name is the one that was asked."""
    found = sorted((int(row[0]), int(row[1]), (row[2][0] or b"", int(row[2][1]))) for row in rows)
    nodes = tuple((host.decode() or asked[0], port) for _, _, (host, port) in found)
    if not nodes:
        raise LedgerUnavailable(f"ask the cluster's node {asked[0]}:{asked[1]}: it has no slots yet")
    return _Owners(tuple(first for first, _, _ in found), tuple(last for _, last, _ in found), nodes)
