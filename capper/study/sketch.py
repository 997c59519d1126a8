"""How many people met an ad, told by households to nobody: count-min sketches that are blinded so that only their sum opens.

1. Each household counts its people's ads in a sketch of its own (Cormode and Muthukrishnan 2005); an ad's cells are found with a key
   that the households share and whoever adds up has not.
2. To each cell it adds what it shares with every other household, one adding what the other takes away (Kursawe, Danezis, Kohlweiss
   2011; X25519, HKDF, ChaCha20): one sketch alone is noise, the sum of all is the sum of what was counted.
3. If somebody drops out, those who are left tell what they shared with the missing, and the sum of the rest opens.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

CELL_BYTES = 4

Cells = NDArray[np.uint32]
"""Counts modulo 2^32, `depth` rows of `width`."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a sketch."""

    width: int
    depth: int

    @classmethod
    def of(cls, ads: int, epsilon: float = 0.001, delta: float = 0.001) -> Self:
        """The size at which a count is above the truth by more than `epsilon` times all counts with a chance of `delta`, for all ads together."""
        return cls(math.ceil(math.e / epsilon), math.ceil(math.log(ads / delta)))

    @property
    def size(self) -> int:
        """Bytes."""
        return self.width * self.depth * CELL_BYTES

    def empty(self) -> Cells:
        """No counts."""
        return np.zeros((self.depth, self.width), np.uint32)


def places(shape: Shape, key: bytes, ad: str) -> NDArray[np.int64]:
    """The column of an ad in each row."""
    digest = blake2b(ad.encode("utf-8", "surrogatepass"), key=key, digest_size=16).digest()
    # Two numbers make as many places as there are rows (Kirsch and Mitzenmacher 2006); an odd step visits them all.
    start, step = struct.unpack("<QQ", digest)
    return np.array([(start + row * (step | 1)) % 2**64 % shape.width for row in range(shape.depth)], np.int64)


def counted(shape: Shape, key: bytes, ads: Iterable[str]) -> Cells:
    """A sketch of one household: each ad as often as it is named, once for each person who met it."""
    cells, rows = shape.empty(), np.arange(shape.depth)
    for ad in ads:
        cells[rows, places(shape, key, ad)] += 1
    return cells


def estimate(cells: Cells, shape: Shape, key: bytes, ad: str) -> int:
    """How often an ad was counted, or more, never less."""
    return int(cells[np.arange(shape.depth), places(shape, key, ad)].min())


def summed(sketches: Iterable[Cells], shape: Shape) -> Cells:
    """The sum of sketches, modulo 2^32.

    Raises:
        ValueError: one has another shape.
    """
    total = shape.empty()
    for cells in sketches:
        if cells.shape != total.shape:
            raise ValueError(
                f"a sketch has {cells.shape[0]} rows of {cells.shape[1]}, not {shape.depth} of {shape.width}"
            )
        total += cells
    return total


class Blinding:
    """One household's part in hiding its sketch: a key pair of one study, whose public half the others are told."""

    def __init__(self, private: bytes | None = None) -> None:
        """`private`: 32 bytes that `kept` gave; a new pair without."""
        self._key = X25519PrivateKey.from_private_bytes(private) if private else X25519PrivateKey.generate()

    @property
    def public(self) -> bytes:
        """What the others are told: 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def kept(self) -> bytes:
        """The private half, to be kept by this household alone."""
        return self._key.private_bytes_raw()

    def blind(self, cells: Cells, everybody: Sequence[bytes], round_id: str) -> Cells:
        """The sketch as it may be sent: together with those of all the others in `everybody` it opens, alone it is noise.

        Args:
            everybody: the public halves of all who take part, this one's among them.
            round_id: of what is added up; the same sum must never be blinded for two different sketches.

        Raises:
            ValueError: this one is not among them, one is there twice, or there are fewer than three: of two, each would know the other's.
        """
        if len(set(everybody)) != len(everybody) or self.public not in everybody:
            raise ValueError("blind a sketch: the public keys must be those of everybody who takes part, each once")
        if len(everybody) < 3:
            raise ValueError("blind a sketch: at least three must take part; of two, each could tell the other's")
        return cells + self._shares(cells.shape, everybody, round_id)

    def made_up_for(self, missing: Sequence[bytes], shape: Shape, round_id: str) -> Cells:
        """What this household shared with those who sent nothing: to be taken from the sum, so that the rest of it opens."""
        return self._shares((shape.depth, shape.width), missing, round_id)

    def _shares(self, size: tuple[int, ...], others: Sequence[bytes], round_id: str) -> Cells:
        total = np.zeros(size, np.uint32)
        for other in others:
            if other != self.public:
                share = self._share(other, round_id, total.size).reshape(size)
                total = total + share if self.public < other else total - share
        return total

    def _share(self, other: bytes, round_id: str, cells: int) -> Cells:
        """Noise that this household and the other alone can make."""
        secret = self._key.exchange(X25519PublicKey.from_public_bytes(other))
        info = b"capper sketch\0" + round_id.encode()
        key = HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(secret)
        stream = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor().update(bytes(cells * CELL_BYTES))
        return np.frombuffer(stream, "<u4").astype(np.uint32)


def opened(
    sent: Mapping[bytes, Cells], everybody: Sequence[bytes], shape: Shape, made_up: Mapping[bytes, Cells] | None = None
) -> Cells:
    """The sum of what was counted by those who sent a sketch, by public half.

    Args:
        made_up: where some sent none, what each of those who did shared with the missing.

    Raises:
        ValueError: somebody is missing and not made up for by all the others, or is none of `everybody`.
    """
    if strangers := set(sent) - set(everybody):
        raise ValueError(f"add up sketches: {len(strangers)} of them are of nobody who takes part")
    total = summed(sent.values(), shape)
    if len(sent) == len(everybody):
        return total
    if made_up is None or set(made_up) != set(sent):
        left = len(everybody) - len(sent)
        raise ValueError(
            f"add up sketches: {left} of {len(everybody)} are missing, and not all others have made up for them"
        )
    return total - summed(made_up.values(), shape)
