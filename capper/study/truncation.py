"""Bounds what one person adds to a figure: the rows of hers that count, drawn by the study's seed and from nothing but her own."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def bounded(whose: NDArray[np.int64], names: Sequence[str], most: int, seed: int) -> NDArray[np.int64]:
    """The places of the rows that count, at most `most` of each person's, in their order.

    Whoever else takes part changes nothing in it: otherwise one person more would change the rows of all, and no bound would hold.

    Args:
        whose: each row's person as a place in `names`.
    """
    order = np.argsort(whose, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(whose[order])) + 1) if len(order) else []
    kept = [_drawn(part, names[int(whose[part[0]])], most, seed) for part in parts]
    return np.sort(np.concatenate(kept)) if kept else order


def _drawn(rows: NDArray[np.int64], person: str, most: int, seed: int) -> NDArray[np.int64]:
    if len(rows) <= most:
        return rows
    digest = hashlib.blake2b(person.encode("utf-8", "surrogatepass"), key=str(seed).encode()[:64], digest_size=16)
    drawn = np.random.default_rng(int.from_bytes(digest.digest(), "big")).choice(len(rows), most, replace=False)
    return rows[drawn]
