"""HAR files as text with the spans of their entries, so that what is not changed is written back byte for byte.

Only the skeleton (`log`, `entries`) is read here; an entry is parsed when it is asked for. A file of 200 MB therefore
needs about its own size in memory, and no number, escape, order or indentation of an unchanged entry can be lost.
"""

import codecs
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from json.decoder import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from capper.domain.errors import ConfigError
from capper.measure.openwpm import MAGIC, crawl_as_har

LARGEST = 2 * 1024**3
"""The largest file, decompressed, that is read; a compressed one that unfolds to more is taken for a bomb."""
CHUNK = 1024 * 1024

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = JSONDecoder()
_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Span:
    """Where an entry stands in the text, and its `startedDateTime` as it is written there."""

    start: int
    end: int
    started: object


@dataclass(frozen=True, slots=True)
class Har:
    """A HAR file: its bytes (seen as latin-1 text, one character a byte) and where its entries are."""

    name: str
    text: str
    spans: tuple[Span, ...]

    def __len__(self) -> int:
        return len(self.spans)

    def entry(self, index: int, *, exact: bool = False) -> dict[str, Any]:
        """The entry, parsed: a new value each time. `exact` is slower and keeps integers beyond 64 bits as they are.

        Raises:
            ConfigError: the entry is not valid JSON after all.
        """
        span = self.spans[index]
        raw = self.text[span.start : span.end].encode("latin-1")
        try:
            found = None if exact else orjson.loads(raw)
        except orjson.JSONDecodeError:
            # Half a surrogate pair, a number beyond a float: JSON all the same.
            found = None
        try:
            return found if isinstance(found, dict) else json.loads(raw)
        except (ValueError, RecursionError) as exc:
            raise ConfigError(f"{self.name}: entry {index} is not valid JSON ({exc})") from exc

    def pieces(self, changes: Mapping[int, bytes]) -> Iterator[bytes]:
        """The file in pieces, with the entries in `changes` in the place of theirs; without changes, its very bytes."""
        at = 0
        for index in sorted(changes):
            span = self.spans[index]
            yield from self._slices(at, span.start)
            yield changes[index]
            at = span.end
        yield from self._slices(at, len(self.text))

    def _slices(self, start: int, end: int) -> Iterator[bytes]:
        for at in range(start, end, CHUNK):
            yield self.text[at : min(at + CHUNK, end)].encode("latin-1")


def dump(entry: Mapping[str, Any]) -> bytes:
    """An entry as JSON; what is not Unicode is escaped."""
    try:
        return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(entry, separators=(",", ":")).encode()


def load(path: Path, largest: int = LARGEST) -> Har:
    """Read a HAR: plain, gzip (`.har.gz`) or zlib (`.zhar`), or the SQLite file of an OpenWPM crawl, told apart by their first bytes.

    Raises:
        ConfigError: one sentence that names the file and what is wrong with it.
    """
    if path.is_dir():
        raise ConfigError(f"{path} is a directory, not a HAR file")
    try:
        data = path.read_bytes() if path.is_file() and path.stat().st_size <= largest else _read(path, largest)
    except FileNotFoundError as exc:
        raise ConfigError(f"{path}: no such file") from exc
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from exc
    if data.startswith(MAGIC):
        data = crawl_as_har(path, largest)
    return parse(data, str(path), largest)


def _read(path: Path, largest: int) -> bytes:
    """A pipe has no size, and a file too large is not read to its end to say so."""
    with path.open("rb") as file:
        return file.read(largest + 1)


def parse(data: bytes, name: str, largest: int = LARGEST) -> Har:
    """Read the bytes of a HAR; `name` is what errors call it.

    Raises:
        ConfigError: one sentence that names the file and what is wrong with it.
    """
    try:
        text = _text(_unpacked(data, largest))
        return Har(name, text, tuple(_entries(text)))
    except _DamageError as exc:
        raise ConfigError(f"{name} {exc}") from exc


def save(har: Har, changes: Mapping[int, bytes], name: str, file: BinaryIO) -> None:
    """Write the file with `changes` to `file`, compressed as `name` says (`.gz`, `.zhar`)."""
    if name.endswith(".zhar"):
        packer = zlib.compressobj()
        file.writelines(packer.compress(piece) for piece in har.pieces(changes))
        file.write(packer.flush())
    elif name.endswith(".gz"):
        # No time stamp: the same input and policy give the same file.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as packed:
            for piece in har.pieces(changes):
                packed.write(piece)
    else:
        for piece in har.pieces(changes):
            file.write(piece)


class _DamageError(Exception):
    """What is wrong with the file, to follow its name in a sentence."""


def _unpacked(data: bytes, largest: int) -> bytes:
    if data[:2] != b"\x1f\x8b" and not (data[:1] == b"\x78" and data[1:2] in b"\x01\x5e\x9c\xda"):
        if len(data) > largest:
            raise _DamageError(f"is larger than {largest // 1024**2} MB")
        return data
    pieces: list[bytes] = []
    size = 0
    while data:
        unpacker = zlib.decompressobj(wbits=47)
        try:
            piece = unpacker.decompress(data, largest - size + 1)
        except zlib.error as exc:
            raise _DamageError(f"is damaged: its compressed data cannot be unpacked ({exc})") from exc
        size += len(piece)
        pieces.append(piece)
        if size > largest:
            raise _DamageError(f"unpacks to more than {largest // 1024**2} MB")
        if not unpacker.eof:
            raise _DamageError("is cut off: its compressed data ends too early")
        # gzip files may be concatenated, and padded with zeros.
        data = unpacker.unused_data.lstrip(b"\0")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _text(data: bytes) -> str:
    """The bytes as latin-1: JSON's structure is ASCII, so one character a byte is enough, and saves memory."""
    data = data.removeprefix(_UTF8_BOM)
    if not data.strip(b" \t\r\n\0"):
        raise _DamageError("is empty" if not data else "holds nothing but white space")
    encoding = json.detect_encoding(data[:4])
    if encoding not in {"utf-8", "utf-8-sig"}:
        try:
            data = data.decode(encoding).encode("utf-8", "surrogatepass")
        except UnicodeError:
            raise _DamageError("is not JSON, but binary data") from None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for at in range(0, len(data), CHUNK):
        try:
            decoder.decode(data[at : at + CHUNK], final=at + CHUNK >= len(data))
        except UnicodeDecodeError as exc:
            if b"\0" in data[:CHUNK]:
                raise _DamageError("is not JSON, but binary data") from None
            bad = at + exc.start
            raise _DamageError(f"is not UTF-8 text: near byte {bad}, line {data.count(10, 0, bad) + 1}") from None
    return data.decode("latin-1")


def _entries(text: str) -> list[Span]:
    """Walk down to `log.entries` and mark where each entry stands; of a name given twice, the last counts, as in JSON."""
    spans: list[Span] | None = None

    def log(at: int) -> int:
        nonlocal spans
        if text[at : at + 1] != "{":
            raise _DamageError("is JSON but not a HAR: its `log` is not an object")
        spans = None
        return _object(text, at, {"entries": entries})

    def entries(at: int) -> int:
        nonlocal spans
        if text[at : at + 1] != "[":
            raise _DamageError("is JSON but not a HAR: `log.entries` is not a list")
        spans = []
        return _array(text, at, spans)

    start = _skip(text, 0)
    try:
        if text[start : start + 1] != "{":
            _value(text, start)
            raise _DamageError("is JSON but not a HAR: a HAR is an object with a `log`")
        _end(text, _object(text, start, {"log": log}))
    except JSONDecodeError as exc:
        raise _DamageError(_described(exc, text, spans)) from exc
    except RecursionError as exc:
        raise _DamageError("is nested too deeply to be a HAR" + _where(spans)) from exc
    except ValueError as exc:
        # The interpreter's limit on the digits of an integer.
        raise _DamageError("holds a number with thousands of digits" + _where(spans)) from exc
    if spans is None:
        raise _DamageError("is JSON but not a HAR: it has no `log.entries`")
    return spans


def _described(exc: JSONDecodeError, text: str, spans: list[Span] | None) -> str:
    if exc.msg.startswith("Unterminated string") or exc.pos >= len(text.rstrip(" \t\r\n\0")):
        return f"is cut off: it ends in the middle of {'an entry' if spans is not None else 'the file'}" + _where(spans)
    return f"is not valid JSON: line {exc.lineno}, column {exc.colno}: {exc.msg}" + _where(spans)


def _where(spans: list[Span] | None) -> str:
    return "" if spans is None else f" (after {len(spans)} whole entries)"


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _end(text: str, at: int) -> None:
    at = _skip(text, at)
    if at < len(text):
        raise JSONDecodeError("something follows its end", text, at)


def _value(text: str, at: int) -> tuple[Any, int]:
    return _DECODER.raw_decode(text, at)


def _object(text: str, at: int, inside: Mapping[str, Callable[[int], int]]) -> int:
    """Pass over the object at `at`; the values of the names `inside` are given to their function, which returns their end."""
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        return at + 1
    while True:
        if text[at : at + 1] != '"':
            raise JSONDecodeError("Expecting a name in double quotes", text, at)
        name, at = _value(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise JSONDecodeError("Expecting ':'", text, at)
        at = _skip(text, at + 1)
        at = inside[name](at) if name in inside else _value(text, at)[1]
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return at + 1
        at = _comma(text, at, "}")


def _array(text: str, at: int, spans: list[Span]) -> int:
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        value, end = _value(text, at)
        if not isinstance(value, dict):
            raise _DamageError(f"is JSON but not a HAR: entry {len(spans)} is not an object")
        spans.append(Span(at, end, value.get("startedDateTime")))
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return at + 1
        at = _comma(text, at, "]")


def _comma(text: str, at: int, end: str) -> int:
    if text[at : at + 1] != ",":
        raise JSONDecodeError(f"Expecting ',' or '{end}'", text, at)
    return _skip(text, at + 1)
