"""A stream of bytes under a passphrase: what was changed, cut short or opened with another passphrase is refused.

    capper backup 1\\n                  what it is, and the version of this form
    {"kdf": ..., "salt": ...}\\n         how the key comes of the passphrase
    chunks of 65,552 bytes, the last one shorter: ChaCha20-Poly1305 of 65,536 bytes each

A chunk's nonce is its number and whether it is the last, so that none can be left out, repeated or moved, and the file
cannot end early (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizard, as age uses it). Both lines are
authenticated with every chunk. The key belongs to this file alone: its salt is new each time.
"""

import base64
import json
import os
import unicodedata
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Protocol

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from capper.domain.errors import ConfigError

VERSION: Final = 1
MAGIC: Final = b"capper backup "
CHUNK: Final = 65_536
_TAG = 16
_KEY_BYTES = 32
_SALT_BYTES = 16
_LONGEST_LINE = 1024


class Derivation(Protocol):
    """How a key comes of a passphrase, as a file's second line says it."""

    def spelled(self) -> dict[str, Any]: ...
    def key(self, passphrase: bytes, salt: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Argon2:
    """Argon2id; as usual the second choice of RFC 9106, which fits a small router: 64 MiB, a fraction of a second."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4

    def spelled(self) -> dict[str, Any]:
        return {"kdf": "argon2id", "memory_kib": self.memory_kib, "passes": self.passes, "lanes": self.lanes}

    def key(self, passphrase: bytes, salt: bytes) -> bytes:
        return Argon2id(
            salt=salt, length=_KEY_BYTES, iterations=self.passes, lanes=self.lanes, memory_cost=self.memory_kib
        ).derive(passphrase)


@dataclass(frozen=True, slots=True)
class ScryptChoice:
    """scrypt, where OpenSSL is too old for Argon2id: 128 MiB."""

    n: int = 131_072
    r: int = 8
    p: int = 1

    def spelled(self) -> dict[str, Any]:
        return {"kdf": "scrypt", "n": self.n, "r": self.r, "p": self.p}

    def key(self, passphrase: bytes, salt: bytes) -> bytes:
        return Scrypt(salt=salt, length=_KEY_BYTES, n=self.n, r=self.r, p=self.p).derive(passphrase)


_KINDS: Final[dict[str, type[Argon2 | ScryptChoice]]] = {"argon2id": Argon2, "scrypt": ScryptChoice}
_MOST: Final = {"memory_kib": 1 << 20, "passes": 16, "lanes": 16, "n": 1 << 20, "r": 16, "p": 16}
"""What a file may ask of the machine that opens it: one gibibyte, some seconds."""


def usual_derivation() -> Argon2 | ScryptChoice:
    """The strongest that this machine's OpenSSL knows."""
    try:
        Argon2(memory_kib=64, passes=1, lanes=1).key(b"-" * 8, bytes(_SALT_BYTES))
    except UnsupportedAlgorithm:
        return ScryptChoice()
    return Argon2()


class Sealer:
    """Writes a sealed stream; nothing of it can be opened before `finish`."""

    def __init__(self, file: BinaryIO, passphrase: str, derivation: Derivation) -> None:
        salt = os.urandom(_SALT_BYTES)
        about = derivation.spelled() | {"salt": base64.b64encode(salt).decode()}
        self._head = b"%s%d\n%s\n" % (MAGIC, VERSION, json.dumps(about).encode())
        self._cipher = ChaCha20Poly1305(derivation.key(_plain(passphrase), salt))
        self._file = file
        self._waiting = bytearray()
        self._number = 0
        self.written = file.write(self._head)
        """Bytes of the file so far."""

    def write(self, data: bytes) -> None:
        """Add to the stream."""
        self._waiting += data
        # A full chunk waits until more comes: only then is it known not to be the last.
        while len(self._waiting) > CHUNK:
            self._seal(CHUNK, last=False)

    def finish(self) -> None:
        """Write what waits, as the end."""
        self._seal(len(self._waiting), last=True)

    def _seal(self, size: int, *, last: bool) -> None:
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        self.written += self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), piece, self._head))
        self._number += 1


class Opener:
    """Reads a sealed stream from its beginning; what it returns is as it was written, or it raises.

    Raises:
        ConfigError: `file` is no backup, is one of a newer capper, or the passphrase is another.
    """

    def __init__(self, file: BinaryIO, passphrase: str, name: str) -> None:
        self._file, self._name = file, name
        self._head, derivation, salt = _read_head(file, name)
        try:
            self._cipher = ChaCha20Poly1305(derivation.key(_plain(passphrase), salt))
        except (UnsupportedAlgorithm, ValueError, MemoryError) as exc:
            raise ConfigError(f"open {name}: its key cannot be derived on this machine: {exc}") from exc
        self._body = file.tell()
        self.rewind()

    def rewind(self) -> None:
        """Begin again, without deriving the key anew."""
        self._file.seek(self._body)
        self._ahead = self._file.read(CHUNK + _TAG)
        self._number, self._ended = 0, False
        self._open, self._at = b"", 0
        self._next()

    def read(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises:
            ConfigError: the stream ends before, or is not as it was written.
        """
        if self._at + size <= len(self._open):
            self._at += size
            return self._open[self._at - size : self._at]
        parts = [self._open[self._at :]]
        missing = size - len(parts[0])
        while missing:
            if self._ended:
                raise ConfigError(f"open {self._name}: it ends in the middle of a record; it is not as capper wrote it")
            self._next()
            piece = self._open[:missing]
            self._at = len(piece)
            parts.append(piece)
            missing -= len(piece)
        return b"".join(parts)

    @property
    def ended(self) -> bool:
        """Whether everything has been read."""
        return self._ended and self._at == len(self._open)

    def _next(self) -> None:
        """Open the next chunk; the one after it, read ahead, tells whether this is the last."""
        sealed, self._ahead = self._ahead, self._file.read(CHUNK + _TAG)
        last = not self._ahead
        try:
            self._open = self._cipher.decrypt(_nonce(self._number, last=last), sealed, self._head)
        except (InvalidTag, ValueError) as exc:
            raise ConfigError(self._refusal(sealed, last=last)) from exc
        self._number, self._at, self._ended = self._number + 1, 0, last

    def _refusal(self, sealed: bytes, *, last: bool) -> str:
        if last and self._is_inner(sealed):
            return f"open {self._name}: it ends too early: it was not copied or written to its end"
        if not self._number:
            return f"open {self._name}: the passphrase is wrong, or the file is damaged at its beginning"
        if last:
            return f"open {self._name}: it is damaged or cut off near its end; take another copy of it"
        return f"open {self._name}: it is damaged after {self._number * CHUNK:,} bytes; take another copy of it"

    def _is_inner(self, sealed: bytes) -> bool:
        """Whether what stands at the end is whole, and was followed by more."""
        try:
            self._cipher.decrypt(_nonce(self._number, last=False), sealed, self._head)
        except (InvalidTag, ValueError):
            return False
        return True


def _read_head(file: BinaryIO, name: str) -> tuple[bytes, Derivation, bytes]:
    first = file.readline(_LONGEST_LINE)
    version = first.removeprefix(MAGIC).strip()
    if not first.startswith(MAGIC) or not version.isdigit():
        raise ConfigError(f"open {name}: it is not a backup that capper made")
    if int(version) != VERSION:
        raise ConfigError(
            f"open {name}: it is a backup of version {int(version)}, and this capper reads version {VERSION};"
            " use the capper that made it, or a newer one"
        )
    second = file.readline(_LONGEST_LINE)
    try:
        derivation, salt = _derivation(json.loads(second))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise ConfigError(f"open {name}: its second line does not say how its key is made; it is damaged") from exc
    return first + second, derivation, salt


def _derivation(about: dict[str, Any]) -> tuple[Derivation, bytes]:
    """Raises ValueError and the like unless `about` is what `spelled` made, and asks for no more than `_MOST`."""
    salt = base64.b64decode(about.pop("salt"), validate=True)
    kind = _KINDS[about.pop("kdf")]
    if any(type(value) is not int or not 0 < value <= _MOST[key] for key, value in about.items()):
        raise ValueError("it asks for too much")
    if len(salt) != _SALT_BYTES:
        raise ValueError("its salt has another length")
    return kind(**about), salt


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + (b"\1" if last else b"\0")


def _plain(passphrase: str) -> bytes:
    """The passphrase in one form, however a keyboard composed its letters."""
    return unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogateescape")
