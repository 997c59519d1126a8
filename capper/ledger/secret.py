"""The household's secret: the one file without which nothing in the ledger can be found or read.

A master key and, for each viewer who asked to be forgotten, a random salt that cuts her off from what was kept before.
It stands apart from the ledger's data so that throwing a key away is enough to make the data unreadable.
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from capper.domain.errors import ConfigError

_VERSION = 1
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Keys:
    """What the file says. `salts` are found by a keyed digest of the viewer's name, so that the file holds no name."""

    master: bytes = field(repr=False)
    salts: dict[str, bytes] = field(default_factory=dict, repr=False)

    def digest(self, viewer: str) -> str:
        return _keyed(self.master, b"forgotten", as_bytes(viewer), size=16).hex()

    def root(self, viewer: str) -> bytes:
        return _keyed(self.master, b"viewer", self.salts.get(self.digest(viewer), b"") + b"\0" + as_bytes(viewer))

    def household(self) -> bytes:
        return _keyed(self.master, b"household", b"")

    def forgetting(self, viewer: str) -> Self:
        return replace(self, salts={**self.salts, self.digest(viewer): secrets.token_bytes(16)})

    def written(self) -> bytes:
        salts = {digest: _armour(salt) for digest, salt in sorted(self.salts.items())}
        return json.dumps({"capper_secret": _VERSION, "key": _armour(self.master), "salts": salts}, indent=1).encode()

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Raises ValueError unless `text` is a whole secret of a version known here."""
        found: Any = json.loads(text)
        if not isinstance(found, dict) or "capper_secret" not in found:
            raise ValueError("it is not a secret made by capper")
        if found["capper_secret"] != _VERSION:
            raise ValueError(f"its version is {found['capper_secret']!r}, and this capper knows version {_VERSION}")
        if not isinstance(found.get("key"), str) or not isinstance(found.get("salts"), dict):
            raise ValueError("its key or its salts are missing")  # noqa: TRY004  what is wrong is the file
        master = base64.b64decode(found["key"], validate=True)
        if len(master) != _KEY_BYTES:
            raise ValueError(f"its key has {len(master)} bytes instead of {_KEY_BYTES}")
        salts = {str(digest): base64.b64decode(salt, validate=True) for digest, salt in found["salts"].items()}
        return cls(master, salts)


class Secret:
    """The secret as this process knows it; other processes may change the file, `refresh` notices.

    Without a path it lives and dies with the process, as a replay's does.
    """

    def __init__(self, path: Path | None = None, keys: _Keys | None = None) -> None:
        self.path = path
        self.problem = ""
        """Why the file could not be read again, while the keys read before are still used."""
        self.changes = 0
        """Goes up whenever keys change, so that what was derived from them is derived anew."""
        self._keys = keys or _Keys(secrets.token_bytes(_KEY_BYTES))
        self._seen = _mark(path)

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the secret at `path`, or make one there (mode 0600, whole or not at all).

        Raises:
            ConfigError: it is readable by others, damaged, or not a secret of capper's; says what to do.
        """
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                with _locked(path):
                    # Another process may have made it while this one waited.
                    if not path.exists():
                        _write(path, _Keys(secrets.token_bytes(_KEY_BYTES)).written())
            return cls(path, _load(path))
        except OSError as exc:
            raise ConfigError(f"use {path} as the ledger's secret: {exc.strerror or exc}") from exc

    def root(self, viewer: str | None) -> bytes:
        """The key that everything about this viewer is derived from: 32 bytes. For None, what is the whole household's."""
        return self._keys.household() if viewer is None else self._keys.root(viewer)

    def forget(self, viewer: str) -> None:
        """Give the viewer a new salt: what was kept of her under the old one can be neither found nor read again."""
        self._change(lambda keys: keys.forgetting(viewer))

    def rotate(self) -> None:
        """Make a new master key: everything kept of everyone becomes unreadable."""
        self._change(lambda _: _Keys(secrets.token_bytes(_KEY_BYTES)))

    def refresh(self) -> bool:
        """Read the file again if another process changed it; returns whether the keys are others now.

        A file that is gone or damaged leaves the keys as they were, and `problem` says so.
        """
        mark = _mark(self.path)
        if self.path is None or mark == self._seen:
            return False
        self._seen = mark
        try:
            keys = _load(self.path)
        except (ConfigError, OSError) as exc:
            self.problem = f"the secret cannot be read again, the one read before is still used: {exc}"
            return False
        self.problem = ""
        return self._adopt(keys)

    def _adopt(self, keys: _Keys) -> bool:
        changed = keys != self._keys
        self._keys = keys
        self.changes += changed
        return changed

    def _change(self, edit: Any) -> None:
        if self.path is None:
            self._adopt(edit(self._keys))
            return
        try:
            with _locked(self.path):
                keys = edit(_load(self.path))
                _write(self.path, keys.written())
                self._seen = _mark(self.path)
        except OSError as exc:
            raise ConfigError(f"change the ledger's secret {self.path}: {exc.strerror or exc}") from exc
        self._adopt(keys)


def as_bytes(text: str) -> bytes:
    """Text as bytes, whatever a hostile page put in it: lone surrogates pass."""
    return text.encode("utf-8", "surrogatepass")


def _keyed(key: bytes, purpose: bytes, data: bytes, *, size: int = 32) -> bytes:
    return hashlib.blake2b(data, key=key, person=purpose, digest_size=size).digest()


def _armour(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _mark(path: Path | None) -> tuple[int, int] | None:
    """What changes when the file is replaced."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns) if found else None


def _load(path: Path) -> _Keys:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise ConfigError(
                f"the ledger's secret {path} can be read by others (mode {mode:04o}): run chmod 600 {path}"
            )
        text = file.read(1 << 20)
    try:
        return _Keys.read(text)
    except (ValueError, TypeError, RecursionError) as exc:
        raise ConfigError(
            f"read the ledger's secret {path}: {exc}; put the right file back, or move this one away to begin anew "
            "(what the ledger holds then becomes unreadable)"
        ) from exc


def _write(path: Path, text: bytes) -> None:
    """Replace `path` by `text` in one step, on the disk before this returns: a forgotten key must not come back."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            if not os.geteuid():
                # Root changes it for its owner, who must be able to read it again.
                before = path.stat() if path.exists() else path.parent.stat()
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    with _directory(path) as folder:
        os.fsync(folder)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the folder's lock, so that of two processes that change the secret neither undoes the other."""
    with _directory(path) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[int]:
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
