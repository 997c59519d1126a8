"""Reads the values of one TOML file by type, and collects everything that is wrong with it, to be told at once."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from capper.domain.cap import parse_length, spell_length
from capper.domain.errors import ConfigError
from capper.settings.toml import Document, Note, Where


@dataclass(frozen=True, slots=True)
class Reader:
    """One document being read. `errors` make it unusable; `notes` say what was understood differently from what is written."""

    document: Document
    errors: list[Note] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def top(self) -> "Table":
        """The document's own keys."""
        return Table(self, (), self.document.data)

    def wrong(self, where: Where, text: str) -> None:
        """What stands at `where` cannot be used."""
        self.errors.append(self.document.note(where, text))

    def finish(self) -> None:
        """Raise everything that was wrong as one ConfigError, a line each, in the file's order."""
        if self.errors:
            raise ConfigError("\n".join(f"{self.document.name} {note}" for note in sorted(self.errors)))


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a document; every key that is asked for is known, and `close` refuses the others."""

    reader: Reader
    where: Where
    data: Mapping[str, Any]
    known: list[str] = field(default_factory=list)

    def take[T](self, key: str, read: Callable[[object], T], default: T) -> T:
        """The value of `key` as `read` understands it; `default` where the key is missing, or wrong and reported."""
        self.known.append(key)
        if key not in self.data:
            return default
        value = self._read((*self.where, key), read, self.data[key])
        return default if value is None else value

    def take_list[T](self, key: str, read: Callable[[object], T], expected: str) -> tuple[T, ...] | None:
        """The items of a list, each understood by `read`; a lone value is a list of one. None where the key is missing."""
        self.known.append(key)
        if key not in self.data:
            return None
        where, value = (*self.where, key), self.data[key]
        if isinstance(value, Mapping):
            self.reader.wrong(where, f"expected {expected} or a list of them, found {spell_value(value)}")
            return ()
        if not isinstance(value, list):
            items = [self._read(where, read, value)]
        else:
            items = [self._read((*where, place), read, item) for place, item in enumerate(value)]
        return tuple(item for item in items if item is not None)

    def tables(self, key: str) -> Iterator[tuple[str, "Table"]]:
        """The tables below `key`, by name: `[people.anna]`."""
        self.known.append(key)
        below = self.data.get(key, {})
        if not isinstance(below, Mapping):
            self.reader.wrong((*self.where, key), f"expected tables like [{key}.NAME], found {spell_value(below)}")
            return
        for name, data in below.items():
            where = (*self.where, key, name)
            if isinstance(data, Mapping):
                yield name, Table(self.reader, where, data)
            else:
                self.reader.wrong(where, f"expected a table like [{key}.NAME], found {spell_value(data)}")

    def listed_tables(self, key: str) -> Iterator["Table"]:
        """The tables of a list, in order: `[[rules]]`."""
        self.known.append(key)
        below = self.data.get(key, [])
        if not isinstance(below, list):
            self.reader.wrong((*self.where, key), f"expected [[{key}]] with two brackets, found {spell_value(below)}")
            return
        for place, data in enumerate(below):
            where = (*self.where, key, place)
            if isinstance(data, Mapping):
                yield Table(self.reader, where, data)
            else:
                self.reader.wrong(where, f"expected a table under [[{key}]], found {spell_value(data)}")

    def close(self, top: Iterable[str] = ()) -> None:
        """Refuse every key nobody asked for. `top`: keys of the file's first lines, which easily slip into a table below."""
        for key in self.data:
            if key in self.known:
                continue
            if key in top:
                text = f"unknown key here; {key!r} belongs at the top of the file, above the first [table]"
            else:
                text = f"unknown key{near(key, self.known)}"
            self.reader.wrong((*self.where, key), text)

    def _read[T](self, where: Where, read: Callable[[object], T], value: object) -> T | None:
        try:
            return read(value)
        except ValueError as exc:
            self.reader.wrong(where, str(exc))
            return None


def near(word: str, words: Iterable[str]) -> str:
    """`; did you mean "x"?` where one of `words` is like `word`, else nothing."""
    by_case = {known.casefold(): known for known in words}
    found = difflib.get_close_matches(word.casefold(), by_case, n=1, cutoff=0.7)
    return f'; did you mean "{by_case[found[0]]}"?' if found and by_case[found[0]] != word else ""


def spell_value(value: object) -> str:
    """A TOML value as a message names it: `the number 3`, `a list`, `"text"`."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return (
                f"the number {str(value)[:20]}" if isinstance(value, float) or abs(value) < 10**18 else "a huge number"
            )
        case str():
            return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
        case list():
            return "a list"
        case date() | datetime() | time():
            return "a date or time"
        case _:
            return "a table"


def a_text(value: object, expected: str = "text in quotes") -> str:
    """Text, not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected {expected}, found {spell_value(value)}")
    return value.strip()


def an_integer(least: int, most: int) -> Callable[[object], int]:
    """A reader of whole numbers between `least` and `most`; true and false are none."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"expected a whole number from {least} to {most}, found {spell_value(value)}")
        return value

    return read


def a_version(newest: int) -> Callable[[object], int]:
    """A reader of a file's version: one that a newer capper wrote is told apart from a mistake."""

    def read(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value > newest:
            raise ValueError(f"this capper reads version {newest}; version {str(value)[:20]} needs a newer one")
        return an_integer(1, newest)(value)

    return read


def a_choice[E: StrEnum](choices: type[E]) -> Callable[[object], E]:
    """A reader of one of an enumeration's values, in any case."""

    def read(value: object) -> E:
        word = value.strip().casefold() if isinstance(value, str) else ""
        if word not in list(choices):
            expected = ", ".join(f'"{choice}"' for choice in choices)
            raise ValueError(f"expected one of {expected}, found {spell_value(value)}{near(word, choices)}")
        return choices(word)

    return read


def a_length(least: timedelta, most: timedelta, example: str) -> Callable[[object], timedelta]:
    """A reader of lengths of time like `30 minutes`."""

    def read(value: object) -> timedelta:
        length = parse_length(a_text(value, f'a length of time like "{example}"'))
        if not least <= length <= most:
            span = f"from {_with_count(least)} to {_with_count(most)}"
            raise ValueError(f"expected a length of time {span}, found {spell_value(value)}")
        return length

    return read


def _with_count(length: timedelta) -> str:
    text = spell_length(length)
    return text if text[0].isdigit() else f"1 {text}"
