"""A study's exposures and visits on disk: one SQLite file, of which each text stands once and each row is numbers.

Whoever holds the file sees when somebody met how many of whose ads, in the study's own names, and nothing of what she read. What is
erased is overwritten.
"""

import sqlite3
import threading
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import batched, chain
from operator import attrgetter
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from capper.domain.decision import Verdict
from capper.domain.errors import ConfigError
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.domain.window import from_ms, to_ms
from capper.study.exposure import Arm, Exposure, Kind, Visit
from capper.study.table import Coded, Exposures, Visits

_TEXTS = ("person", "load", "site", "format", "network", "basis", "creative", "campaign", "advertiser", "cap", "name")
_told = attrgetter(*_TEXTS)
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
PRAGMA user_version = 1;
CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
INSERT OR IGNORE INTO texts VALUES (0, '');
CREATE TABLE IF NOT EXISTS exposures (
    time INTEGER NOT NULL, {", ".join(f"{name} INTEGER NOT NULL REFERENCES texts" for name in _TEXTS)},
    shown INTEGER NOT NULL, before INTEGER NOT NULL, control INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS visits (
    time INTEGER NOT NULL, person INTEGER NOT NULL REFERENCES texts, site INTEGER NOT NULL REFERENCES texts,
    kind INTEGER NOT NULL REFERENCES texts
);
"""
_COLUMNS = ("time", *_TEXTS, "shown", "before", "control")
_VISIT_COLUMNS = ("time", "person", "site", "kind")
_CHUNK = 50_000
_BUSY = 10.0
"""Seconds to wait for another process of ours that writes."""

Numbers = NDArray[np.int64]


Table = Literal["exposures", "visits"]


class Filled(NamedTuple):
    """In how many rows a column says something, and how many different things."""

    rows: int
    different: int


class Store:
    """The file, open; every method blocks, and any thread may call it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._path, self._lock = connection, path, threading.Lock()
        self._ids: dict[str, int] = {}
        self._version: int | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open it, or make it, for its owner only.

        Raises:
            ConfigError: it cannot be opened, or is of another version.
        """
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            connection = sqlite3.connect(path, timeout=_BUSY, check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as exc:
            raise ConfigError(f"open the study's exposures {path}: {exc}") from exc
        try:
            _begin(connection)
        except (ValueError, sqlite3.Error) as exc:
            connection.close()
            raise ConfigError(f"open the study's exposures {path}: {exc}") from exc
        return cls(connection, path)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def add(
        self,
        exposures: Sequence[Exposure],
        visits: Sequence[Visit] = (),
        people: Callable[[], Container[str]] | None = None,
    ) -> None:
        """Write rows, all or none.

        Args:
            people: of whom alone they are to be written; asked once nobody else can write or erase.

        Raises:
            ConfigError: the disk does not take them.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                if people:
                    among = people()
                    exposures = [row for row in exposures if row.person in among]
                    visits = [row for row in visits if row.person in among]
                told = [_told(row) for row in exposures]
                texts = set(chain.from_iterable(told))
                texts.update(text for visit in visits for text in (visit.person, visit.site, visit.kind))
                ids = self._numbered(texts)
                self._connection.executemany(
                    f"INSERT INTO exposures VALUES ({', '.join('?' * len(_COLUMNS))})",
                    [
                        (
                            to_ms(row.time),
                            *map(ids.__getitem__, its),
                            row.verdict is Verdict.SHOW,
                            row.before,
                            row.arm is Arm.CONTROL,
                        )
                        for row, its in zip(exposures, told, strict=True)
                    ],
                )
                self._connection.executemany(
                    "INSERT INTO visits VALUES (?, ?, ?, ?)",
                    [(to_ms(each.time), ids[each.person], ids[each.site], ids[each.kind]) for each in visits],
                )
                self._connection.execute("COMMIT")
            except BaseException as exc:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                self._ids.clear()
                if isinstance(exc, sqlite3.Error):
                    raise ConfigError(f"write {len(exposures)} exposures to {self._path}: {exc}") from exc
                raise

    def exposures(self) -> Exposures:
        """All exposures by column."""
        with self._lock:
            columns = self._read("exposures", _COLUMNS)
            texts = self._texts()
        parts = {name: _coded(columns[name], texts) for name in _TEXTS[:-2]}
        return Exposures(
            time=columns["time"],
            **parts,
            shown=columns["shown"].astype(np.bool_),
            before=columns["before"].astype(np.int32),
            control=columns["control"].astype(np.bool_),
        )

    def visits(self) -> Visits:
        """All visits by column."""
        with self._lock:
            columns = self._read("visits", _VISIT_COLUMNS)
            texts = self._texts()
        return Visits(columns["time"], *(_coded(columns[name], texts) for name in ("person", "site", "kind")))

    def names(self) -> dict[str, str]:
        """The domains of advertisers, by what the study calls them; of those that may be kept by name."""
        with self._lock:
            return dict(
                self._connection.execute(
                    "SELECT DISTINCT keyed.text, plain.text FROM exposures"
                    " JOIN texts AS keyed ON keyed.id = advertiser JOIN texts AS plain ON plain.id = name WHERE name <> 0"
                ).fetchall()
            )

    def rows(self) -> Iterator[Exposure]:
        """All exposures one by one, in the order of time; for exports."""
        with self._lock:
            texts = self._texts()
            cursor = self._connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM exposures ORDER BY time, rowid")
        while found := self._fetched(cursor):
            for time, *ids, shown, before, control in found:
                told = dict(zip(_TEXTS, (texts[each] for each in ids), strict=True))
                form, basis = Format(told.pop("format")), Basis(told.pop("basis"))
                yield Exposure(
                    time=from_ms(time),
                    format=form,
                    basis=basis,
                    **told,
                    verdict=Verdict.SHOW if shown else Verdict.WITHHOLD,
                    before=before,
                    arm=Arm.CONTROL if control else Arm.CAPPED,
                )

    def visit_rows(self) -> Iterator[Visit]:
        """All visits one by one, in the order of time."""
        with self._lock:
            texts = self._texts()
            cursor = self._connection.execute("SELECT time, person, site, kind FROM visits ORDER BY time, rowid")
        while found := self._fetched(cursor):
            for time, person, site, kind in found:
                at = from_ms(time)
                yield Visit(at, texts[person], texts[site], Kind(texts[kind]))

    def counts(self) -> dict[str, int]:
        """How many exposures there are of each person."""
        with self._lock:
            found = self._connection.execute(
                "SELECT text, count(*) FROM exposures JOIN texts ON texts.id = person GROUP BY person"
            )
            return dict(found.fetchall())

    def filled(self, table: Table) -> dict[str, Filled]:
        """What stands in each column."""
        names = _COLUMNS if table == "exposures" else _VISIT_COLUMNS
        texts = ("person", "site", "kind", *_TEXTS)
        known = {name: f"nullif({name}, 0)" if name in texts else name for name in names}
        sums = ", ".join(f"count({value}), count(DISTINCT {value})" for value in known.values())
        with self._lock:
            [found] = self._connection.execute(f"SELECT {sums} FROM {table}").fetchall()
        return {name: Filled(*counts) for name, counts in zip(names, batched(found, 2), strict=True)}

    def oldest(self, table: Table) -> datetime | None:
        """The time of its first row."""
        with self._lock:
            [(time,)] = self._connection.execute(f"SELECT min(time) FROM {table}").fetchall()
        return None if time is None else from_ms(time)

    def erase(self, person: str) -> int:
        """Overwrite all that is kept of a person; returns how many exposures that were.

        Raises:
            ConfigError: it could not be done.
        """
        with self._lock:
            try:
                [known] = self._connection.execute("SELECT id FROM texts WHERE text = ?", (person,)).fetchone() or [0]
                if not known:
                    return 0
                erased = self._connection.execute("DELETE FROM exposures WHERE person = ?", (known,)).rowcount
                self._connection.execute("DELETE FROM visits WHERE person = ?", (known,))
                columns = " UNION ".join(
                    [f"SELECT {name} FROM exposures" for name in _TEXTS]
                    + [f"SELECT {name} FROM visits" for name in ("person", "site", "kind")]
                )
                self._connection.execute(f"DELETE FROM texts WHERE id <> 0 AND id NOT IN ({columns})")
                self._ids.clear()
                # What was deleted may still stand in the log of changes, and in pages that are free.
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as exc:
                raise ConfigError(f"erase a participant from {self._path}: {exc}") from exc
        return int(erased)

    def _numbered(self, texts: Iterable[str]) -> dict[str, int]:
        """The numbers of texts; new ones are written."""
        # Another process may have erased texts, whose numbers then become those of others.
        [version] = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version, self._ids = version, {}
        if new := [text for text in texts if text not in self._ids]:
            self._connection.executemany(
                "INSERT OR IGNORE INTO texts (text) VALUES (?)", [(str(text),) for text in new]
            )
            for some in batched(new, 500):
                marks = ", ".join("?" * len(some))
                found = self._connection.execute(f"SELECT text, id FROM texts WHERE text IN ({marks})", some)
                self._ids |= dict(found.fetchall())
        ids = self._ids
        if len(self._ids) > _CHUNK:
            # Page loads are new each time.
            self._ids = {}
        return ids

    def _texts(self) -> dict[int, str]:
        return dict(self._connection.execute("SELECT id, text FROM texts").fetchall())

    def _read(self, table: str, names: Sequence[str]) -> dict[str, Numbers]:
        """Columns in the order of time; sorting numbers here is faster than having the file sorted."""
        cursor = self._connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY rowid")
        rows = np.fromiter(cursor, np.dtype([(name, np.int64) for name in names]))
        order = np.argsort(rows["time"], kind="stable")
        return {name: rows[name][order] for name in names}

    def _fetched(self, cursor: sqlite3.Cursor) -> list[tuple[int, ...]]:
        with self._lock:
            return cursor.fetchmany(_CHUNK)


def _begin(connection: sqlite3.Connection) -> None:
    """Raises ValueError for the file of a newer capper."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > 1:
        raise ValueError(f"a newer capper wrote it (version {version}); this one knows version 1")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    if not version:
        connection.executescript(_SCHEMA)


def _coded(ids: Numbers, texts: dict[int, str]) -> Coded:
    """A column of the file's numbers as one of its own, which has no name that is not in it."""
    known = np.zeros(int(ids.max(initial=0)) + 1, np.bool_)
    known[ids] = known[0] = True
    codes = np.cumsum(known, dtype=np.int32) - 1
    return Coded(codes[ids], tuple(texts[each] for each in np.flatnonzero(known).tolist()))
