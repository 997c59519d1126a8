"""TOML with line numbers: what the owner's files say, and on which line each key and each item of a list stands."""

import itertools
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError

LARGEST = 256 * 1024
"""No file written by a person is longer, and a longer one would hold up the proxy that reloads it."""

Where = tuple[str | int, ...]
"""The way to a value: keys of tables, and places in lists counted from 0."""


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """Something to say about one place in a file."""

    line: int
    key: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key}: {self.text}"


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML file that has been read: its `name` for messages, its `data` and the `lines` they stand on."""

    name: str
    data: Mapping[str, Any]
    lines: Mapping[Where, int]

    def line(self, where: Where) -> int:
        """The line of the value at `where`, or of the nearest table around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def note(self, where: Where, text: str) -> Note:
        """A note about the value at `where`."""
        return Note(self.line(where), spell(where), text)


def spell(where: Where) -> str:
    """The way to a value as a person writes it, places counted from 1: `rules[2].caps[1]`."""
    text = ""
    for step in where:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def read_text(path: Path, name: str | None = None) -> str:
    """The text of a file that a person wrote.

    Raises:
        ConfigError: the file is missing, no plain file, too large, or not UTF-8.
    """
    name = name or str(path)
    try:
        # A pipe or a device could be opened and never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{name} is {'a directory' if path.is_dir() else 'not a plain file'}; a file is needed")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError as exc:
        raise ConfigError(f"{name} does not exist") from exc
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise ConfigError(f"read {name}: {reason}") from exc
    if len(content) > LARGEST:
        raise ConfigError(f"{name} is larger than {LARGEST // 1024} KiB; it is hardly the file you meant")
    return decode(content, name)


def decode(content: bytes, name: str) -> str:
    """The bytes of a file as text; a UTF-8 byte order mark, as some editors write it, is left out."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError(f"{name} is UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{name} line {line}: not UTF-8 (byte 0x{content[exc.start]:02x}); save it as UTF-8") from exc


def parse(text: str, name: str) -> Document:
    """Read TOML.

    Raises:
        ConfigError: not TOML; says on which line.
    """
    text = text.replace("\r\n", "\n")
    try:
        data = tomllib.loads(text)
        return Document(name, data, locate(text))
    except RecursionError as exc:
        raise ConfigError(f"{name}: nested too deep") from exc
    except ValueError as exc:
        raise ConfigError(_spell(exc, text, name)) from exc


def _spell(exc: ValueError, text: str, name: str) -> str:
    message = str(exc)
    if found := re.search(r" \(at line (\d+), column (\d+)\)$", message):
        line, column = int(found[1]), int(found[2])
        return f"{name} line {line}, column {column}: not TOML: {message[: found.start()]}"
    if message.endswith(" (at end of document)"):
        last = text.rstrip().count("\n") + 1
        return f"{name} line {last}: not TOML: the file ends before a value, a bracket or a quote does"
    return f"{name}: not TOML: {message}"


def locate(text: str) -> dict[Where, int]:
    """The line of every key, table and list item of `text`, which must be valid TOML with \\n line ends."""
    return _Locator(text).document()


def blocks(text: str) -> list[str]:
    """`text`, which must be as above, cut before each line with a `[header]`; the first block may be empty."""
    locator = _Locator(text)
    locator.document()
    cuts = [0, *(text.rfind("\n", 0, at) + 1 for at in locator.headers), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(cuts)]


_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}"),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class _Locator:
    """Walks over valid TOML and notes lines; what a value says is tomllib's business.

    1. a header, `[a.b]` or `[[a.b]]`, sets the table that follows; `[a.b]` under `[[a]]` means the newest `a`.
    2. a line `key = value` is noted under that table, with every table that a dotted key opens on its way.
    3. a list or an inline table is walked into.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.counted = 0
        self.line = 1
        self.lines: dict[Where, int] = {}
        self.sizes: dict[Where, int] = {}
        self.headers: list[int] = []

    def document(self) -> dict[Where, int]:
        table: Where = ()
        while True:
            self.skip(_BLANK)
            if self.at >= len(self.text):
                return self.lines
            if self.text[self.at] == "[":
                self.headers.append(self.at)
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Where:
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        keys = self.keys()
        self.skip(_SPACE)
        self.at += 2 if many else 1
        where: Where = ()
        for key in keys[:-1]:
            where = self.newest(self.note((*where, key)))
        where = self.note((*where, keys[-1]))
        if not many:
            return self.newest(where)
        place = self.sizes.get(where, 0)
        self.sizes[where] = place + 1
        return self.note((*where, place))

    def newest(self, where: Where) -> Where:
        return (*where, self.sizes[where] - 1) if where in self.sizes else where

    def pair(self, table: Where) -> None:
        for key in self.keys():
            table = self.note((*table, key))
        self.skip(_SPACE)
        self.at += 1
        self.value(table)

    def keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self.skip(_SPACE)
            keys.append(self.key())
            self.skip(_SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def key(self) -> str:
        start = self.at
        if self.text[start] in "\"'":
            self.string()
            # The only escapes that matter here are tomllib's, so it reads the key.
            return next(iter(tomllib.loads(f"{self.text[start : self.at]} = 0")))
        self.skip(_BARE_KEY)
        return self.text[start : self.at]

    def value(self, where: Where) -> None:
        self.skip(_SPACE)
        match self.text[self.at]:
            case "[":
                self.items(where)
            case "{":
                self.inline(where)
            case '"' | "'":
                self.string()
            case _:
                self.skip(_SCALAR)

    def items(self, where: Where) -> None:
        self.at += 1
        place = 0
        while True:
            self.skip(_BLANK)
            if self.text[self.at] == "]":
                break
            self.note((*where, place))
            self.value((*where, place))
            self.skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
            place += 1
        self.at += 1

    def inline(self, where: Where) -> None:
        self.at += 1
        while True:
            self.skip(_BLANK)
            if self.text[self.at] == "}":
                break
            self.pair(where)
            self.skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def string(self) -> None:
        for pattern in _STRINGS:
            if pattern.match(self.text, self.at):
                return self.skip(pattern)
        return None

    def skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def note(self, where: Where) -> Where:
        if where not in self.lines:
            self.line += self.text.count("\n", self.counted, self.at)
            self.counted = self.at
            self.lines[where] = self.line
        return where
