"""What takes long to build, kept in a file from one start to the next; trusted only where it is surely ours and of just these sources."""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from capper.recognise.listfiles import write_atomically

logger = logging.getLogger(__name__)

_MOST = 500_000_000


@dataclass(frozen=True, slots=True)
class Made[T]:
    """How something is built, written and read; `name` in the plural, for the log."""

    name: str
    version: str
    """Of what builds it."""
    build: Callable[[], T]
    write: Callable[[T], bytes]
    read: Callable[[bytes], T]
    """Raises ValueError where the bytes cannot be used."""


def kept[T](path: Path, key: str, made: Made[T], now: datetime) -> T:
    """What is kept at `path` if it was made of just what `key` stands for, else built and written there, by one process at a time."""
    if (found := _found(path, key, made)) is not None:
        return found
    with _alone(path.parent):
        # Another process may have built it while this one waited.
        found = _found(path, key, made)
        return _built(path, key, made, now) if found is None else found


def _found[T](path: Path, key: str, made: Made[T]) -> T | None:
    try:
        return made.read(_read(path, key))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, RecursionError) as exc:
        logger.info("%s are built anew: %s", made.name, exc)
    return None


def _built[T](path: Path, key: str, made: Made[T], now: datetime) -> T:
    built = made.build()
    try:
        data = made.write(built)
        head = {"key": key, "sha256": hashlib.sha256(data).hexdigest(), "made": now.isoformat(), "by": made.version}
        write_atomically(path, json.dumps(head).encode() + b"\n" + data)
    except OSError as exc:
        logger.warning("%s are not kept for the next start: %s", made.name, exc)
    return built


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for other processes that build there; where no lock is to be had, all of them build."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _read(path: Path, key: str) -> bytes:
    """What is kept there.

    Raises:
        ValueError: it is of other sources, damaged, or not surely ours.
        OSError: the file cannot be read.
    """
    # Not following links and asking the open file itself leave no moment in which another could take its place.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MOST:
            raise ValueError(f"{path} is not a file of ours")
        if about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ValueError(f"{path} belongs to another, or others may write it")
        head = json.loads(file.readline(4096))
        if not isinstance(head, dict) or head.get("key") != key:
            raise ValueError("what they are made of has changed")
        data = file.read()
    if hashlib.sha256(data).hexdigest() != head.get("sha256"):
        raise ValueError(f"{path} is damaged")
    return data
