"""The engines of all lists in use, from a serialized file when nothing has changed since it was made."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.recognise.engine import ENGINE_VERSION, Engines
from capper.recognise.filterlist import FilterList
from capper.recognise.kept import Made, kept
from capper.recognise.lists import ListStore, starter_lists

logger = logging.getLogger(__name__)


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
    # The same lists in the same versions, by the same engine.
    key = hashlib.sha256("\n".join([ENGINE_VERSION, *(item.digest for item in lists)]).encode()).hexdigest()
    made = Made("filter engines", ENGINE_VERSION, lambda: Engines.build(lists), Engines.serialize, Engines.deserialize)
    return kept(cache, key, made, now)
