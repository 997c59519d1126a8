"""What the owner and a monitoring system show instead of a name: two words in files of their own, and what is made of them."""

import hashlib
import hmac
import ipaddress
import os
import secrets
from collections import OrderedDict, deque
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from capper.domain.errors import ConfigError
from capper.ledger.secret import as_bytes
from capper.settings.toml import read_text

OWNER: Final = "dashboard.token"
METRICS: Final = "metrics.token"
SESSION: Final = timedelta(hours=12)
_MOST_TRIES: Final = 5
_TRIES_WITHIN: Final = timedelta(minutes=1)
_MOST_PLACES: Final = 1000
_NEIGHBOURS: Final = 64
"""Bits of an IPv6 address that a network has in common; the rest its devices choose as they like."""


def token(state: Path, name: str) -> str:
    """The word in the state folder's file `name`; made at first, for its owner only.

    Raises:
        ConfigError: it cannot be read or made, or it is too short to be one.
    """
    path = state / name
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        word = read_text(path).strip()
        if len(word) < 16:
            raise ConfigError(f"{path} is too short to be a token; delete it, and another is made") from None
        return word
    except OSError as exc:
        raise ConfigError(f"make {path}: {exc.strerror}") from exc
    word = secrets.token_urlsafe(24)
    with os.fdopen(handle, "w") as file:
        file.write(f"{word}\n")
    return word


def same(given: str, word: str) -> bool:
    """Whether somebody knows the word; takes as long whatever is given."""
    return hmac.compare_digest(hashlib.sha256(as_bytes(given)).digest(), hashlib.sha256(as_bytes(word)).digest())


class Sessions:
    """Who has signed in, by a cookie that only who knows the word can make; nothing is remembered here."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._key = hashlib.blake2b(as_bytes(word), person=b"session", digest_size=32).digest()
        self._failed: OrderedDict[str, deque[datetime]] = OrderedDict()

    def begin(self, given: str, place: str, now: datetime) -> str | None:
        """The cookie of a new session; None where the word is wrong, or too many were that came from `place`."""
        if self.waits(place, now):
            return None
        if not same(given, self._word):
            self._failed.setdefault(place, deque(maxlen=_MOST_TRIES)).append(now)
            self._failed.move_to_end(place)
            while len(self._failed) > _MOST_PLACES:
                self._failed.popitem(last=False)
            return None
        ends = int((now + SESSION).timestamp())
        return f"{ends}.{self._mac(ends)}"

    def waits(self, place: str, now: datetime) -> bool:
        """Whether nobody at `place` may try now; who sits elsewhere is not kept waiting for it."""
        failed = self._failed.get(place)
        return failed is not None and len(failed) == _MOST_TRIES and now - failed[0] < _TRIES_WITHIN

    def holds(self, cookie: str, now: datetime) -> bool:
        """Whether this is the cookie of a session that has not ended."""
        ends, _, mac = cookie.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) <= 12):
            return False
        return hmac.compare_digest(as_bytes(mac), self._mac(int(ends)).encode()) and now.timestamp() < int(ends)

    def _mac(self, ends: int) -> str:
        return hashlib.blake2b(str(ends).encode(), key=self._key, digest_size=24).hexdigest()


def place_of(address: str) -> str:
    """Where somebody comes from, for counting tries: an address, of IPv6 the network."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4 or parsed.ipv4_mapped:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, _NEIGHBOURS), strict=False))
