"""The MAC behind an address, whatever address the device has just taken: asked of the kernel once for each new one."""

import time
from collections.abc import Callable, Mapping, Sequence

from capper.devices.leasefiles import Leased
from capper.devices.neighbours import Neighbour, neighbours

FRESH = 10.0
"""Seconds after which the kernel's table is read again: an address may have gone to another device."""
REMEMBERED = 600.0
"""Seconds for which an address that left the kernel's table is still the device's that had it last, at least."""
_MOST = 4096
"""Addresses of nobody's that are remembered as such; a flood of more costs no further reading."""
_SHARE = 20


class Macs:
    """Which device has an address: by the kernel's neighbour table, else by the DHCP leases.

    Reading the table takes some tens of microseconds, and with a thousand neighbours milliseconds. So that a flood of new
    addresses does not hold up everybody, reading takes a twentieth of the time at most; a device may then be known a moment later.

    1. An address in the table as it was last read is answered from memory.
    2. One that is not has the table read again, once: whoever has just connected from a network of ours is in it.
    3. One that is still not there may have been there before: the kernel sweeps out a quiet device before it is gone.
    4. Else it is beyond a router, or nobody; the leases may know it.

    Everything is in memory, and forgotten when the process ends.
    """

    def __init__(
        self,
        leased: Callable[[], Leased] = Leased,
        read: Callable[[], Sequence[Neighbour]] = neighbours,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leased, self._neighbours, self._clock = leased, read, clock
        self._table: Mapping[bytes, str | None] = {}
        self._before: dict[bytes, str | None] = {}
        self._missed: set[bytes] = set()
        self._read_at = self._swept_at = float("-inf")
        self._took = 0.0
        self.problem = ""
        """Why the kernel's table cannot be read; empty while it can."""

    def mac(self, address: bytes) -> str | None:
        """The MAC of the device with this packed address; None where nothing tells. Never raises."""
        now = self._clock()
        if now - self._read_at >= FRESH:
            self._refresh(now)
        if address not in self._table and self._may_read(address, now):
            if self._read_at < now:
                self._refresh(now)
            if address not in self._table:
                self._missed.add(address)
        found = self._table.get(address) if address in self._table else self._before.get(address)
        return found or self._leased().macs.get(address)

    def _may_read(self, address: bytes, now: float) -> bool:
        if address in self._missed or len(self._missed) >= _MOST:
            return False
        return now - self._read_at >= self._took * _SHARE

    def _refresh(self, now: float) -> None:
        if now - self._read_at >= FRESH:
            self._missed.clear()
        self._read_at = now
        try:
            found = by_address(self._neighbours())
        except OSError as exc:
            self.problem = exc.strerror or str(exc)
        else:
            if now - self._swept_at >= REMEMBERED or len(self._before) >= _MOST:
                self._before, self._swept_at = {}, now
            self._before |= self._table
            self._table, self.problem = found, ""
        self._took = self._clock() - now


def by_address(found: Sequence[Neighbour]) -> dict[bytes, str | None]:
    """MACs by address. Of two for one address that which answers now is right; where both do, or neither, none is."""
    macs: dict[bytes, str | None] = {}
    for current in (True, False):
        mine: dict[bytes, str | None] = {}
        for one in found:
            if one.current is current and mine.setdefault(one.address, one.mac) != one.mac:
                mine[one.address] = None
        macs = mine | macs
    return macs
