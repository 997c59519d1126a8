"""A folder that `capper measure export` wrote, read back: the study as far as its manifest tells of it, and its rows."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.study.exposure import Exposure, Visit
from capper.study.formats.cells import Told, exposure_of, visit_of
from capper.study.formats.folder import SCHEMA, Format
from capper.study.formats.openwpm import read_openwpm
from capper.study.formats.text import read_csv, read_har, read_jsonl
from capper.study.register import Of, Study, Treatment

_CONSENT = 'Imported from an export of the study "{name}", whose people agreed to the text with the SHA-256 {digest}.'


class Exported:
    """The folder, whose files are those that its manifest names."""

    def __init__(self, folder: Path) -> None:
        """Raises ConfigError where it is none, or a file was changed."""
        self._folder = folder
        try:
            told = json.loads((folder / "manifest.json").read_bytes())
            if told["schema"] != SCHEMA:
                raise ValueError(f"its schema is {told['schema']!r}, and this capper knows {SCHEMA}")  # noqa: TRY301
            self._format, self._files = Format(told["format"]), {str(name) for name in told["files"]}
            self.study = _study(told)
            changed = [
                name for name in self._files if _sha256(folder / Path(name).name) != told["files"][name]["sha256"]
            ]
        except OSError as exc:
            raise ConfigError(
                f"read {exc.filename}: {exc.strerror}; `capper measure export` writes such a folder"
            ) from exc
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise ConfigError(f"{folder / 'manifest.json'}: cannot be used as an export's: {exc}") from exc
        if changed:
            raise ConfigError(
                f"{folder}: {', '.join(changed)} is not as it was written; its manifest has another SHA-256"
            )

    def exposures(self) -> Iterator[Exposure]:
        """Raises ConfigError where a row tells none."""
        return self._rows("exposures", exposure_of)

    def visits(self) -> Iterator[Visit]:
        """The same of visits; a HAR has none."""
        return self._rows("visits", visit_of)

    def _rows[Row](self, table: str, row_of: Callable[[Told], Row]) -> Iterator[Row]:
        for name, told in self._told(table):
            read = 0
            try:
                for each in told:
                    row = row_of(each)
                    read += 1
                    yield row
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as exc:
                raise ConfigError(f"{self._folder / name}: row {read + 1} cannot be read: {exc}") from exc

    def _told(self, table: str) -> Iterator[tuple[str, Iterator[Told]]]:
        """The files that have rows of a table, with what they say."""
        read: Callable[[Path], Iterator[Told]]
        if self._format is Format.OPENWPM:
            names, read = ["crawl-data.sqlite"], partial(read_openwpm, table=table)
        elif self._format is Format.PARQUET:
            from capper.study.formats.parquet import read_parquet  # noqa: PLC0415  pyarrow is an extra

            names, read = sorted(name for name in self._files if name.startswith(f"{table}-")), read_parquet
        else:
            names = [f"{table}.{self._format}"]
            read = {Format.CSV: read_csv, Format.JSONL: read_jsonl, Format.HAR: read_har}[self._format]
        for name in names:
            if name in self._files:
                yield name, read(self._folder / Path(name).name)


def _study(told: Mapping[str, Any]) -> Study:
    first, last = (datetime.fromisoformat(told["window"][end]) for end in ("from", "until"))
    treatments = (Treatment(**{**each, "at": datetime.fromisoformat(each["at"])}) for each in told["treatments"])
    return Study(
        str(told["study"]),
        first,
        last,
        _CONSENT.format(name=told["study"], digest=told["consent"]["sha256"]),
        int(told["seed"]),
        names=bool(told["consent"]["names"]),
        control=float(told["control"]["share"]),
        of=Of(told["control"]["of"]),
        treatments=tuple(treatments),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
