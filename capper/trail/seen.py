"""The ads a device was shown within the last hour, with what leads back to each: for when she says that one was enough.

In memory only, and as digests: of the addresses in an ad, of the long values in those (tokens), and of the domains it came from.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_plus

from capper.domain.identity import Ad
from capper.remembered import remembered
from capper.trail.recent import Recent

LIFE = timedelta(hours=1)
_MOST_DEVICES = 200
_MOST_ADS = 60
_MOST_LINKS = 40
_MOST_TOKENS = 80
_MOST_FIELDS = 30
_TOKEN = 16
"""Letters that a value has at least which is told from all others by chance."""


class Seen(NamedTuple):
    """One ad that was shown: on which load of which page, and what leads back to it."""

    ad: Ad
    page: str | None
    links: frozenset[bytes]
    tokens: frozenset[bytes]
    networks: frozenset[bytes]
    at: datetime


class Shown:
    """The ads of each device, the latest last."""

    def __init__(self, digest: Callable[..., bytes]) -> None:
        self._digest = digest
        # Each ad comes by the same few.
        self._network = remembered(1_024)(partial(digest, "network"))
        self._kept: Recent[str, dict[Seen, None]] = Recent(_MOST_DEVICES, LIFE)

    def put(
        self, who: str, ad: Ad, page: str | None, links: Iterable[str], networks: Iterable[str], now: datetime
    ) -> None:
        """Remember that the device was shown `ad`."""
        some = tuple(islice(links, _MOST_LINKS))
        seen = Seen(
            ad,
            page,
            frozenset(map(self.link, some)),
            frozenset(islice((token for link in some for token in self.tokens(link)), _MOST_TOKENS)),
            frozenset(map(self.network, networks)),
            now,
        )
        kept = self._kept.get(who, now) or {}
        kept.pop(seen, None)
        kept[seen] = None
        if len(kept) > _MOST_ADS:
            del kept[next(iter(kept))]
        self._kept.put(who, kept, now)

    def of(self, who: str, now: datetime) -> tuple[Seen, ...]:
        """What the device was shown, as long as it is remembered."""
        return tuple(each for each in self._kept.get(who, now) or () if now - each.at < LIFE)

    def link(self, url: str) -> bytes:
        """What an address is known by."""
        return self._digest("link", url.partition("#")[0])

    def tokens(self, url: str) -> Iterator[bytes]:
        """What the long values in an address are known by; those that are addresses themselves are none."""
        fields = url.partition("#")[0].partition("?")[2].split("&")
        if len(fields) > _MOST_FIELDS:
            return
        for field in fields:
            # Decoded it is no longer.
            if (
                len(field) > _TOKEN
                and len(value := unquote_plus(field.partition("=")[2])) >= _TOKEN
                and "://" not in value
            ):
                yield self._digest("token", value)

    def network(self, domain: str) -> bytes:
        """What a domain is known by."""
        return self._network(domain)
