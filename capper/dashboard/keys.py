"""What the owner and a monitoring system show instead of a name: two words in files of their own, and what is made of them."""

import hashlib
import hmac
import os
import secrets
from collections import deque
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
        self._failed: deque[datetime] = deque(maxlen=_MOST_TRIES)

    def begin(self, given: str, now: datetime) -> str | None:
        """The cookie of a new session; None where the word is wrong, or too many were."""
        if len(self._failed) == _MOST_TRIES and now - self._failed[0] < _TRIES_WITHIN:
            return None
        if not same(given, self._word):
            self._failed.append(now)
            return None
        ends = int((now + SESSION).timestamp())
        return f"{ends}.{self._mac(ends)}"

    def holds(self, cookie: str, now: datetime) -> bool:
        """Whether this is the cookie of a session that has not ended."""
        ends, _, mac = cookie.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) <= 12):
            return False
        return hmac.compare_digest(as_bytes(mac), self._mac(int(ends)).encode()) and now.timestamp() < int(ends)

    def _mac(self, ends: int) -> str:
        return hashlib.blake2b(str(ends).encode(), key=self._key, digest_size=24).hexdigest()
