"""Pictures of ads that were met, and whose they were: the last rung of the identity ladder.

In memory only. The same picture in another file, at another address, is the same creative; where nothing else names its
advertiser, the advertiser of the picture it is like does.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from capper.domain.identity import Ad, Basis

if TYPE_CHECKING:
    from capper.recognise.likeness import LikenessIndex

MOST = 20_000


class Known(NamedTuple):
    """What is known of a picture: its size in pixels and the ad that it shows."""

    size: tuple[int, int]
    ad: Ad


class _File(NamedTuple):
    size: tuple[int, int]
    key: str
    """What its picture is called; "" for one that cannot be told from others."""


class Gallery:
    """At most `most` pictures; the oldest goes first. Safe to use from several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._index: LikenessIndex | None = None
        self._ads: OrderedDict[str, Ad] = OrderedDict()
        self._files: OrderedDict[bytes, _File] = OrderedDict()

    def identify(self, data: bytes, size: tuple[int, int], ad: Ad) -> Known:
        """The ad that a picture of `size` shows, given what its address and markup say; takes a millisecond or two.

        A picture like that of another, *named* advertiser is not taken for it: templates look alike.
        """
        digest = _digest(data)
        with self._lock:
            file = self._files.get(digest)
            if file is None:
                # Of a picture that cannot be told from others too: looking at it again would find no more.
                file = _File(size, self._find(data) or "")
            self._keep(self._files, digest, file)
            return Known(file.size, self._told(file.key, ad))

    def recall(self, data: bytes, ad: Callable[[], Ad]) -> Known | None:
        """As `identify`, at once, for a file met before; None where somebody has to look, or is just looking."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            file = self._files.get(_digest(data))
            return None if file is None else Known(file.size, self._told(file.key, ad()))
        finally:
            self._lock.release()

    def _told(self, key: str, ad: Ad) -> Ad:
        """What the picture called `key` adds to `ad`."""
        if not key:
            return ad
        found = self._ads.get(key)
        merged = _merged(found, ad) if found else ad
        if merged is None:
            return ad
        if not merged.identified:
            # Nothing but the picture itself tells it from others.
            name = blake2b(key.encode(), digest_size=8).hexdigest()
            merged = replace(merged, creative=f"picture/{name}", basis=Basis.LIKENESS)
        self._keep(self._ads, key, replace(merged, basis=found.basis if found and not ad.advertisers else ad.basis))
        return merged

    def _find(self, data: bytes) -> str | None:
        """The key of the picture it is like, or a new one; None for a picture that cannot be told from others."""
        # Loaded with the first picture: it costs 15 MB that a proxy which meets none can do without.
        from capper.recognise.likeness import LikenessIndex, fingerprint  # noqa: PLC0415

        likeness = fingerprint(data)
        if likeness is None:
            return None
        if self._index is None:
            self._index = LikenessIndex(self._most)
        key = self._index.nearest(likeness)
        if key is None:
            key = f"{likeness.phash:064x}{likeness.dhash:064x}"
            self._index.add(likeness, key)
        return key

    def _keep[Key, Value](self, kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
        kept[key] = value
        kept.move_to_end(key)
        if len(kept) > self._most:
            kept.popitem(last=False)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def _merged(known: Ad, ad: Ad) -> Ad | None:
    """`ad` with what is known of the picture it is like; None where both name an advertiser and it is not the same."""
    if ad.advertisers and known.advertisers:
        if not set(ad.advertisers) & set(known.advertisers):
            return None
        return replace(ad, creative=known.creative or ad.creative)
    if ad.advertisers:
        return replace(ad, creative=known.creative or ad.creative)
    if known.advertisers:
        return replace(known, basis=Basis.LIKENESS)
    return replace(ad, creative=known.creative or ad.creative, campaign=ad.campaign or known.campaign)
