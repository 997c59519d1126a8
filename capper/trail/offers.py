"""What auctions offered, kept as it came until something of it is asked for: most bids never are shown."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from capper.trail.delivery import Delivery
from capper.trail.recent import Recent

_MOST_SHEAVES = 60
"""Answers kept for one device; a page with twenty slots asks some dozen exchanges."""
_MOST_BYTES = 4 * 1024 * 1024
"""Of all of them together, for one device."""
_MOST_HOSTS = 2_000


@dataclass(frozen=True, slots=True)
class Sheaf:
    """The offers of one answer: its bytes as they came, and for each offer where to read the addresses that lead back to it.

    `data` is only searched for hosts, so it may be encoded in any way that leaves a host as it is.
    """

    data: bytes
    offers: tuple[tuple[Delivery, Callable[[], tuple[str, ...]]], ...]


@dataclass
class _Kept:
    """One device's: sheaves with their number and the time they came, and up to which of them no one names a host."""

    sheaves: list[tuple[int, datetime, Sheaf]] = field(default_factory=list)
    absent: dict[str, int] = field(default_factory=dict)
    last: int = 0


class Offers:
    """The sheaves of the last minutes, each device's apart, the oldest forgotten first."""

    def __init__(self, most: int, life: timedelta) -> None:
        self._life = life
        self._kept: Recent[str, _Kept] = Recent(most, life)

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, who: str, sheaf: Sheaf, now: datetime) -> None:
        """Keep `sheaf` for `who`."""
        kept = self._kept.get(who, now) or _Kept()
        left = [each for each in kept.sheaves if now - each[1] < self._life][1 - _MOST_SHEAVES :]
        size = len(sheaf.data)
        while left and size + sum(len(each[2].data) for each in left) > _MOST_BYTES:
            left.pop(0)
        last = kept.last + 1
        self._kept.put(who, _Kept([*left, (last, now, sheaf)], kept.absent, last), now)

    def opened(self, who: str, url: str, now: datetime) -> Iterator[tuple[Delivery, tuple[str, ...]]]:
        """The offers of the sheaves that name the host of `url`, with their addresses; each sheaf is opened once."""
        kept = self._kept.get(who, now)
        if kept is None or not kept.sheaves:
            return
        host = _host(url)
        if not host:
            return
        # Of what was searched for this host before only what came since is.
        seen = kept.absent.get(host, 0)
        if seen == kept.last:
            return
        named = host.encode("utf-8", "surrogatepass")
        found = [each for each in kept.sheaves if each[0] > seen and named in each[2].data]
        if len(kept.absent) >= _MOST_HOSTS:
            kept.absent.clear()
        kept.absent[host] = kept.last
        if not found:
            return
        opened = {number for number, _, _ in found}
        kept.sheaves = [each for each in kept.sheaves if each[0] not in opened]
        for _, at, sheaf in found:
            if now - at < self._life:
                yield from ((delivery, urls()) for delivery, urls in sheaf.offers)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
