"""A study's rows as a folder: the files of one format, `manifest.json`, and a data card. The same study gives the same bytes."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.domain.window import to_ms
from capper.study.exposure import EXPOSURES, VISITS, Exposure, Visit
from capper.study.formats.card import data_card
from capper.study.formats.cells import by_day
from capper.study.formats.openwpm import write_openwpm
from capper.study.formats.text import write_csv, write_har, write_jsonl
from capper.study.metrics import coverage
from capper.study.register import Study
from capper.study.store import Store

SCHEMA = 1
"""Of the columns; it goes up when one changes its meaning."""


class Format(StrEnum):
    """What an export is written as."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    OPENWPM = "openwpm"
    HAR = "har"


@dataclass(frozen=True, slots=True)
class Window:
    """From when, until when (not included)."""

    first: datetime
    last: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.first <= at < self.last


def export(
    study: Study, store: Store, form: Format, window: Window, out: Path, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """Make the folder `out`, for its owner only, and return what its manifest says; it appears whole or not at all.

    Rows of whoever takes no part are left out, and counted. `provenance` is what the manifest says of this capper, its policy, lists and rules.

    Raises:
        ConfigError: it is there already, or cannot be written, or a package is missing.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is there already: name a folder that is not")
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        draft.mkdir(mode=0o700, parents=True)
        chosen = _Chosen(study, window)
        counts = _write(form, study, draft, chosen.of(store.rows()), chosen.of(store.visit_rows()))
        for path in draft.iterdir():
            path.chmod(0o600)
        told = _manifest(study, store, form, window, draft, provenance, counts | {"left_out": chosen.left_out})
        _put(draft / "manifest.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        _put(draft / "DATACARD.md", data_card(study, told))
        draft.rename(out)
    except OSError as exc:
        raise ConfigError(f"write {out}: {exc.strerror or exc}") from exc
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return told


class _Chosen:
    """Rows of the window, of those who take part."""

    def __init__(self, study: Study, window: Window) -> None:
        self._people, self._window = study.participants, window
        self.left_out = 0

    def of[Row: (Exposure, Visit)](self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            if row.time not in self._window:
                continue
            if row.person in self._people:
                yield row
            else:
                self.left_out += 1


def _write(
    form: Format, study: Study, folder: Path, exposures: Iterator[Exposure], visits: Iterator[Visit]
) -> dict[str, int]:
    if form is Format.OPENWPM:
        met, opened = write_openwpm(folder / "crawl-data.sqlite", study.name, exposures, visits)
    elif form is Format.HAR:
        met, opened = write_har(folder / "exposures.har", exposures), 0
    elif form is Format.PARQUET:
        from capper.study.formats.parquet import write_parquet  # noqa: PLC0415  pyarrow is an extra

        met = sum(
            write_parquet(folder / f"exposures-{day}.parquet", rows, EXPOSURES) for day, rows in by_day(exposures)
        )
        opened = sum(write_parquet(folder / f"visits-{day}.parquet", rows, VISITS) for day, rows in by_day(visits))
    else:
        write = write_csv if form is Format.CSV else write_jsonl
        met = write(folder / f"exposures.{form}", exposures, EXPOSURES)
        opened = write(folder / f"visits.{form}", visits, VISITS)
    return {"exposures": met, "visits": opened}


def _manifest(
    study: Study,
    store: Store,
    form: Format,
    window: Window,
    folder: Path,
    provenance: Mapping[str, Any],
    rows: Mapping[str, int],
) -> dict[str, Any]:
    exposures = store.exposures()
    within = (exposures.time >= to_ms(window.first)) & (exposures.time < to_ms(window.last))
    told = coverage(exposures.only(within))
    return {
        "schema": SCHEMA,
        "format": form.value,
        "study": study.name,
        "window": {"from": window.first.isoformat(), "until": window.last.isoformat()},
        "recorded": study.recorded,
        "clock": {"zone": "UTC", "unit": "ms"},
        "seed": study.seed,
        "control": {"share": study.control, "of": study.of.value},
        "treatments": [asdict(each) | {"at": each.at.isoformat()} for each in study.treatments],
        "consent": {"sha256": study.text, "names": study.names, "participants": len(study.participants)},
        **provenance,
        "coverage": {"keyed": told.keyed, "sited": told.sited, "basis": told.basis},
        "rows": dict(rows),
        "columns": {
            name: [{"name": each.name, "type": each.type, "meaning": each.meaning} for each in columns]
            for name, columns in (("exposures", EXPOSURES), ("visits", VISITS))
        },
        "files": {path.name: _digest(path) for path in sorted(folder.iterdir())},
    }


def _digest(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _put(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
