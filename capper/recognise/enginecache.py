"""The engines of all lists in use, from a serialized file when nothing has changed since it was made."""

import hashlib
import json
import logging
import os
import stat
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.recognise.engine import ENGINE_VERSION, Engines
from capper.recognise.filterlist import FilterList
from capper.recognise.listfiles import write_atomically
from capper.recognise.lists import ListStore, starter_lists

logger = logging.getLogger(__name__)

_MOST = 500_000_000


def lists_in_use(state_dir: Path) -> list[FilterList]:
    """The lists that travel with capper, and the subscriptions in `state_dir` where those can be read."""
    lists = starter_lists()
    try:
        lists += ListStore(state_dir).lists()
    except ConfigError as exc:
        logger.warning("the subscribed filter lists are left out: %s", exc)
    return lists


def load_engines(state_dir: Path, now: datetime) -> Engines:
    """The engines of the lists that travel with capper and of the subscriptions in `state_dir`, warm.

    Whatever is wrong in `state_dir`, the packaged lists work: what cannot be used is left out, and the log says so.
    """
    engines = cached_engines(state_dir / "lists" / "engines.bin", lists_in_use(state_dir), now)
    engines.warm()
    return engines


def cached_engines(cache: Path, lists: Sequence[FilterList], now: datetime) -> Engines:
    """The engines of `lists`, read from `cache` if it was made of just these, else built and written there."""
    key = _key(lists)
    try:
        return Engines.deserialize(_read(cache, key))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, RecursionError) as exc:
        logger.info("filter engines are built anew: %s", exc)
    engines = Engines.build(lists)
    try:
        cache.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(cache, key, engines.serialize(), now)
    except OSError as exc:
        logger.warning("filter engines are not kept for the next start: %s", exc)
    return engines


def _key(lists: Sequence[FilterList]) -> str:
    """What the engines are made of: the same lists in the same versions, by the same engine."""
    return hashlib.sha256("\n".join([ENGINE_VERSION, *(item.digest for item in lists)]).encode()).hexdigest()


def _write(cache: Path, key: str, data: bytes, now: datetime) -> None:
    head = {"key": key, "sha256": hashlib.sha256(data).hexdigest(), "made": now.isoformat(), "by": ENGINE_VERSION}
    write_atomically(cache, json.dumps(head).encode() + b"\n" + data)


def _read(cache: Path, key: str) -> bytes:
    """The serialized engines.

    Raises:
        ValueError: they are of other lists, damaged, or not surely ours.
        OSError: the file cannot be read.
    """
    # Not following links and asking the open file itself leave no moment in which another could take its place.
    with os.fdopen(os.open(cache, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MOST:
            raise ValueError(f"{cache} is not a file of ours")
        if about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ValueError(f"{cache} belongs to another, or others may write it")
        head = json.loads(file.readline(4096))
        if not isinstance(head, dict) or head.get("key") != key:
            raise ValueError("the lists have changed")
        data = file.read()
    if hashlib.sha256(data).hexdigest() != head.get("sha256"):
        raise ValueError(f"{cache} is damaged")
    return data
