"""Subscriptions to filter lists: which there are, their last good copies, and bringing them up to date.

    STATE/lists/subscriptions.json      what is subscribed, and how the last update went
    STATE/lists/NAME.txt                the last good copy of each

Everything is written beside its place and renamed into it, so a reader finds the old or the new, never a half.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urljoin

from capper.domain.errors import ConfigError
from capper.packaged import packaged_config
from capper.recognise.download import MEGABYTE, MOST, Download, Fetcher
from capper.recognise.exclusions import exclusions
from capper.recognise.filterlist import USUAL, FilterList, ListKind, count_rules, header, includes
from capper.recognise.listfiles import decode, name_from, normal_source, read_bytes, read_text, write_atomically
from capper.recognise.subscription import NAME, Outcome, Report, Status, Subscription

logger = logging.getLogger(__name__)

STARTERS = (("starter-ads", ListKind.ADS), ("starter-trackers", ListKind.TRACKERS))
"""The lists that travel with capper, so that a first run without a network works."""

_VERSION = 1
"""The form of subscriptions.json."""
_MOST_INCLUDES = 20
_SUSPICIOUS = 200
"""A list of this many rules or more is not believed when it comes back with less than half of them."""

type Fetch = Callable[[str, str], Download]


class ListStore:
    """The subscriptions of one state folder. Methods that change anything hold a lock file meanwhile."""

    def __init__(self, state_dir: Path, fetch: Fetch | None = None) -> None:
        self.folder = state_dir / "lists"
        self._file = self.folder / "subscriptions.json"
        self._fetch: Fetch = fetch or Fetcher()

    def add(self, source: str, kind: ListKind, now: datetime, name: str | None = None) -> Report:
        """Subscribe, and fetch the list at once.

        Args:
            source: `https://...`, `file:///...` or a path.

        Raises:
            ConfigError: it is subscribed already, or cannot be had, or is no filter list: nothing has changed then.
        """
        source = normal_source(source)
        with self._changing() as subscriptions:
            for known in subscriptions:
                if known.source == source:
                    raise ConfigError(f"{source} is subscribed already, as {known.name!r}")
            chosen = _free_name(name or name_from(source), {known.name for known in subscriptions}, exact=bool(name))
            changed, text = self._renew(Subscription(chosen, source, kind), now, force=True)
            self._keep(changed, text)
            self._write([*subscriptions, changed])
        return Report(chosen, Outcome.ADDED, changed.rules, 0, changed.title)

    def remove(self, name: str) -> Subscription:
        """End the subscription called `name` (or whose source it is) and delete its copy.

        Raises:
            ConfigError: there is none.
        """
        with self._changing() as subscriptions:
            gone = next((known for known in subscriptions if name in (known.name, known.source)), None)
            if gone is None:
                names = ", ".join(known.name for known in subscriptions) or "none"
                raise ConfigError(f"no list is called {name!r}; subscribed: {names}")
            self._write([known for known in subscriptions if known is not gone])
            (self.folder / f"{gone.name}.txt").unlink(missing_ok=True)
        return gone

    def update(self, now: datetime, *, force: bool = False, names: Sequence[str] = ()) -> list[Report]:
        """Renew every list that is due, or with `force` all of them; one that fails keeps its last good copy.

        Raises:
            ConfigError: one of `names` is not subscribed.
        """
        reports = []
        with self._changing() as subscriptions:
            if unknown := set(names) - {known.name for known in subscriptions}:
                raise ConfigError(f"no list is called {min(unknown)!r}")
            for at, known in enumerate(subscriptions):
                if names and known.name not in names:
                    continue
                subscriptions[at], report = self._update_one(known, now, force=force)
                reports.append(report)
                logger.info(
                    "filter list %s: %s, %d rules (%d before)", known.name, report.outcome, report.rules, report.before
                )
                self._write(subscriptions)
        return reports

    def show(self, now: datetime) -> list[Status]:
        """Every list in use: those that travel with capper, then the subscriptions."""
        packaged = [
            Status(
                Subscription(item.name, "packaged", item.kind, header(item.text).title, rules=count_rules(item.text)),
                due=False,
                packaged=True,
            )
            for item in starter_lists()
        ]
        return packaged + [Status(known, known.due(now)) for known in self.subscriptions()]

    def subscriptions(self) -> list[Subscription]:
        """What is subscribed.

        Raises:
            ConfigError: the file that says so cannot be read.
        """
        try:
            rows = json.loads(self._file.read_text("utf-8"))
            if isinstance(rows, dict) and rows.get("version", _VERSION) != _VERSION:
                raise ConfigError(f"read {self._file}: a newer capper wrote it; this one reads version {_VERSION}")
            return [Subscription.from_json(row) for row in rows["subscriptions"]]
        except FileNotFoundError:
            return []
        except (OSError, KeyError, TypeError, ValueError, RecursionError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
            raise ConfigError(f"read {self._file}: {reason}") from exc

    def lists(self) -> list[FilterList]:
        """The last good copies of filter lists; one that cannot be read is left out, and the log says so."""
        return self._copies({ListKind.ADS, ListKind.TRACKERS})

    def closed(self) -> list[FilterList]:
        """The last good copies of lists of hosts that stay closed, in the same way."""
        return self._copies({ListKind.CLOSED})

    def _copies(self, kinds: Collection[ListKind]) -> list[FilterList]:
        found = []
        for known in (each for each in self.subscriptions() if each.kind in kinds):
            try:
                text = read_text(self.folder / f"{known.name}.txt", known.kind)
                found.append(FilterList(known.name, text, known.kind))
            except (OSError, ConfigError) as exc:
                logger.warning("filter list %s is left out: %s", known.name, exc)
        return found

    def _update_one(self, known: Subscription, now: datetime, *, force: bool) -> tuple[Subscription, Report]:
        copy = self.folder / f"{known.name}.txt"
        missing = not copy.is_file()
        if not (force or missing or known.due(now)):
            return known, Report(known.name, Outcome.FRESH, known.rules, known.rules)
        try:
            # A copy that somebody has edited must not be kept because its source is as it was.
            stale = missing or _sha256(copy.read_bytes()) != known.sha256
            changed, text = self._renew(replace(known, etag="") if stale else known, now, force=force)
            self._keep(changed, text)
        except (ConfigError, OSError) as exc:
            kept = f"{exc}; the last good copy of {known.rules} rules stays in use" if not missing else str(exc)
            return replace(known, failure=str(exc)), Report(
                known.name, Outcome.FAILED, 0 if missing else known.rules, known.rules, kept
            )
        outcome = Outcome.UNCHANGED if text is None or changed.sha256 == known.sha256 else Outcome.UPDATED
        return changed, Report(known.name, outcome, changed.rules, known.rules)

    def _renew(self, known: Subscription, now: datetime, *, force: bool) -> tuple[Subscription, str | None]:
        """The subscription after a successful fetch, and the list's text unless the server says it is unchanged."""
        download = self._get(known.source, known.etag)
        if download.body is None:
            return replace(known, fetched_at=now, failure=""), None
        text = self._whole(known.source, decode(known.source, download.body, known.kind), known.kind)
        rules = _size(text, known.kind)
        if not force and known.rules >= _SUSPICIOUS and rules * 2 < known.rules:
            raise ConfigError(f"{known.source} shrank from {known.rules} to {rules} rules (force the update to accept)")
        head = header(text)
        changed = replace(
            known,
            title=head.title,
            # An include may change while the list that names it does not.
            etag="" if any(includes(text)) else download.etag,
            fetched_at=now,
            expires=head.expires or USUAL,
            rules=rules,
            sha256=_sha256(text.encode()),
            failure="",
        )
        return changed, text

    def _get(self, source: str, etag: str) -> Download:
        if source.startswith("https://"):
            return self._fetch(source, etag)
        return Download(read_bytes(Path(source)))

    def _whole(self, source: str, text: str, kind: ListKind) -> str:
        """The list with what it includes from beside it appended, one level deep; what leads elsewhere is refused."""
        parts = [text]
        size = len(text)
        base = source if source.startswith("https://") else Path(source).parent.as_uri() + "/"
        for count, path in enumerate(includes(text)):
            place = urljoin(base, path)
            if count >= _MOST_INCLUDES or not place.startswith(base.rpartition("/")[0] + "/") or ".." in unquote(path):
                raise ConfigError(f"{source} includes {path!r}, which is not beside it, or more than {_MOST_INCLUDES}")
            part = self._get(normal_source(place), "").body or b""
            size += len(part)
            if size > MOST:
                raise ConfigError(f"{source} and what it includes are larger than {MOST / MEGABYTE:g} MB")
            parts.append(decode(place, part, kind))
        return "\n".join(parts)

    def _keep(self, known: Subscription, text: str | None) -> None:
        if text is not None:
            write_atomically(self.folder / f"{known.name}.txt", text.encode())

    def _write(self, subscriptions: Sequence[Subscription]) -> None:
        rows = {"version": _VERSION, "subscriptions": [known.as_json() for known in subscriptions]}
        write_atomically(self._file, (json.dumps(rows, indent=2) + "\n").encode())

    @contextlib.contextmanager
    def _changing(self) -> Iterator[list[Subscription]]:
        """The subscriptions, while no other process changes them.

        Raises:
            ConfigError: the state folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (self.folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield self.subscriptions()
        except OSError as exc:
            raise ConfigError(f"write {self.folder}: {exc.strerror or exc}") from exc


def starter_lists() -> list[FilterList]:
    """The lists that travel with capper."""
    folder = packaged_config() / "lists"
    return [FilterList(name, (folder / f"{name}.txt").read_text("utf-8"), kind) for name, kind in STARTERS]


def _size(text: str, kind: ListKind) -> int:
    """How many rules or hosts of the list hold here."""
    return sum(1 for _ in exclusions(text)) if kind is ListKind.CLOSED else count_rules(text)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _free_name(name: str, taken: set[str], *, exact: bool) -> str:
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name for a list; use letters, digits, '.', '_' and '-'")
    taken = taken | {starter for starter, _ in STARTERS}
    if name in taken and exact:
        raise ConfigError(f"there is a list called {name!r} already")
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free
