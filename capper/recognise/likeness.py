"""The same picture in another file: hashes of what it looks like, and the memory of what has been seen.

numpy costs 15 MB and a quarter of a second to load, so this module is imported where the first picture is to be compared.
The thresholds are measured on 500 real ads (measurement.md 2.2): no two different ones within them, no re-rendering missed.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import imagehash
import numpy as np

from capper.recognise.picture import LANCZOS, open_for_hash

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 16
"""Hashes of 16 x 16 bits."""
PHASH_NEAR = 40
DHASH_NEAR = 31
DHASH_PART = 5
"""And not more than one in so many of the bits that tell the two pictures from blanks: a line of text on white has few."""
TEXTS_AGREE = 0.2
"""Jaccard similarity of the words below which two texts are two ads, however alike their pictures: a template's are."""

_GRID = 64
_FLAT = 6.0
_SMALLEST = 24
_WORDS = 64


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two hashes of one picture, 256 bits each: one survives changes of brightness, the other what is laid over it."""

    phash: int
    dhash: int


def fingerprint(data: bytes) -> Likeness | None:
    """What the picture looks like; None for what is no picture, tiny, blank or nearly so: those all look alike."""
    image = open_for_hash(data)
    if image is None or min(image.size) < _SMALLEST:
        return None
    grid = np.asarray(image.resize((_GRID, _GRID), LANCZOS), dtype=np.float64)
    if float(grid.std()) < _FLAT:
        return None
    return Likeness(_as_int(_phash(grid)), _as_int(imagehash.dhash(image, SIZE).hash))


def same(a: Likeness, b: Likeness) -> bool:
    """Whether two pictures are one, by the measured thresholds."""
    if (a.phash ^ b.phash).bit_count() <= PHASH_NEAR:
        return True
    apart = (a.dhash ^ b.dhash).bit_count()
    return apart <= DHASH_NEAR and DHASH_PART * apart <= _detail(a) + _detail(b)


class LikenessIndex:
    """The last `limit` pictures seen, and what each was called."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"remember {limit} pictures: at least 1 is needed")
        self.limit = limit
        self._keys: list[str] = []
        self._words: list[frozenset[str]] = []
        self._hashes: NDArray[np.uint64] = np.zeros((8, 0), dtype=np.uint64)
        self._details: NDArray[np.uint16] = np.zeros(0, dtype=np.uint16)
        self._next = 0

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, likeness: Likeness, key: str, text: str = "") -> None:
        """Remember a picture under `key`, with the text beside it; at the limit the oldest is forgotten."""
        at = self._next
        if at == len(self._keys):
            self._room(at)
            self._keys.append(key)
            self._words.append(_words(text))
        else:
            self._keys[at], self._words[at] = key, _words(text)
        self._hashes[:, at] = _as_row(likeness)
        self._details[at] = _detail(likeness)
        self._next = (at + 1) % self.limit

    def nearest(self, likeness: Likeness, text: str = "") -> str | None:
        """The key of the picture most like this one, if any is within the thresholds and its text does not contradict."""
        known = len(self._keys)
        if not known:
            return None
        apart = np.bitwise_count(self._hashes[:, :known] ^ _as_row(likeness)[:, None])
        by_phash, by_dhash = apart[:4].sum(axis=0, dtype=np.uint16), apart[4:].sum(axis=0, dtype=np.uint16)
        enough = DHASH_PART * by_dhash <= self._details[:known] + np.uint16(_detail(likeness))
        near = np.flatnonzero((by_phash <= PHASH_NEAR) | ((by_dhash <= DHASH_NEAR) & enough))
        words = _words(text)
        for at in near[np.argsort(by_phash[near] + by_dhash[near], kind="stable")]:
            if _agree(words, self._words[int(at)]):
                return self._keys[int(at)]
        return None

    def _room(self, at: int) -> None:
        """Room for one more, twice as much as before."""
        if at == self._hashes.shape[1]:
            wider = np.zeros((8, min(self.limit, max(256, 2 * at))), dtype=np.uint64)
            wider[:, :at] = self._hashes
            self._hashes = wider
            self._details = np.pad(self._details, (0, wider.shape[1] - at))


def _phash(grid: "NDArray[np.float64]") -> "NDArray[np.bool_]":
    """imagehash's phash: the signs of the lowest frequencies about their median.

    Without scipy, which imagehash loads for its cosine transform: that alone is 35 MB and half a second in which no
    request is answered. The result is the same (tests compare).
    """
    low = (_cosines() @ grid @ _cosines().T)[:SIZE, :SIZE]
    return np.asarray(low > np.median(low))


@cache
def _cosines() -> "NDArray[np.float64]":
    """The lowest rows of the DCT-II matrix, unnormalised."""
    k, n = np.arange(SIZE)[:, None], np.arange(_GRID)[None, :]
    return np.asarray(2 * np.cos(np.pi * k * (2 * n + 1) / (2 * _GRID)))


def _as_int(bits: "NDArray[np.bool_]") -> int:
    return int.from_bytes(np.packbits(bits.ravel()).tobytes())


def _as_row(likeness: Likeness) -> "NDArray[np.uint64]":
    return np.frombuffer(likeness.phash.to_bytes(32) + likeness.dhash.to_bytes(32), dtype=np.uint64)


def _detail(likeness: Likeness) -> int:
    """How many bits of the dhash tell the picture from a blank one."""
    bits = likeness.dhash.bit_count()
    return min(bits, SIZE * SIZE - bits)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split()[:_WORDS])


def _agree(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two texts may be one ad's; an unknown text contradicts nothing."""
    return not a or not b or len(a & b) >= TEXTS_AGREE * len(a | b)
