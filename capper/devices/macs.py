"""The MAC behind an address, whatever address the device has just taken: asked of the kernel once for each new one."""

import time
from collections.abc import Callable, Sequence

from capper.devices.leasefiles import Leased
from capper.devices.neighbours import Neighbour, neighbours

FRESH = 10.0
"""Seconds after which the kernel's table is read again: an address may have gone to another device."""
_MOST = 4096
"""Addresses of nobody's that are remembered as such; a flood of more costs no further reading."""
_SHARE = 20


class Macs:
    """Which device has an address: by the kernel's neighbour table, else by the DHCP leases.

    A reading takes some tens of microseconds, and with a thousand neighbours milliseconds. So that a flood of new addresses
    does not hold up everybody, reading takes a twentieth of the time at most; a device may then be known a moment later.

    1. An address in the table as it was last read is answered from memory.
    2. One that is not has the table read again, once: whoever has just connected from a network of ours is in it.
    3. One that is still not there is beyond a router, or nobody; the leases may know it.

    Everything is in memory, and forgotten when the process ends.
    """

    def __init__(
        self,
        leased: Callable[[], Leased] = Leased,
        read: Callable[[], Sequence[Neighbour]] = neighbours,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._leased, self._neighbours, self._clock = leased, read, clock
        self._table: dict[bytes, str] = {}
        self._missed: set[bytes] = set()
        self._read_at = float("-inf")
        self._took = 0.0
        self.problem = ""
        """Why the kernel's table cannot be read; empty while it can."""

    def mac(self, address: bytes) -> str | None:
        """The MAC of the device with this packed address; None where nothing tells. Never raises."""
        now = self._clock()
        if now - self._read_at >= FRESH:
            self._refresh(now)
        found = self._table.get(address)
        if found is None and address not in self._missed and len(self._missed) < _MOST:
            if now - self._read_at < self._took * _SHARE:
                return self._leased().macs.get(address)
            if self._read_at < now:
                self._refresh(now)
            found = self._table.get(address)
            if found is None:
                self._missed.add(address)
        return found or self._leased().macs.get(address)

    def _refresh(self, now: float) -> None:
        if now - self._read_at >= FRESH:
            self._missed.clear()
        self._read_at = now
        try:
            self._table, self.problem = by_address(self._neighbours()), ""
        except OSError as exc:
            self.problem = exc.strerror or str(exc)
        self._took = self._clock() - now


def by_address(found: Sequence[Neighbour]) -> dict[bytes, str]:
    """MACs by address. Of two for one address that which answers now is right; where both do, or neither, none is."""
    macs: dict[bytes, str] = {}
    for current in (True, False):
        mine: dict[bytes, str] = {}
        for one in found:
            if one.current is current and mine.setdefault(one.address, one.mac) != one.mac:
                mine[one.address] = ""
        macs = mine | macs
    return {address: mac for address, mac in macs.items() if mac}
