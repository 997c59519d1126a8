"""Where in a body a word of credit may stand: one scan of its bytes for all packs, so that other bodies cost next to nothing."""

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from html.entities import codepoint2name
from importlib.metadata import version
from pathlib import Path
from threading import Lock

import hyperscan

from capper.recognise.kept import Made, kept

_VERSION = f"hyperscan {version('hyperscan')}"
SHORTEST = 5
"""Bytes: shorter words stand on every page."""
_REACH = 120
"""Bytes: no stem is longer, however its letters are written."""
MOST = 100_000
"""Places that are noted of one body: with more it is made to be slow, or a dictionary."""
_UNSEEN = (
    *(b"\xc2\xad", b"&shy;", b"&#173;", b"&#xad;", b"\\u00ad"),
    *(b"\xe2\x80\x8b", b"&#8203;", b"&#x200b;", b"\\u200b"),
)
"""How what may stand inside a word and is not seen is written: soft hyphens, blanks of no width."""
_HIDDEN = re.compile(b"|".join(map(re.escape, _UNSEEN)), re.IGNORECASE)
_BLANK = rb"(?: |\xc2\xa0|\xe2\x80\xaf|\xa0|&nbsp;|&#160;|&#xa0;|&#8239;|&#x202f;|\\u00a0|\\u202f)"
_NUMBER = rb"[0-9](?:(?:[.,']|" + _BLANK + rb"|\xe2\x80\x99)?[0-9]){0,7}"
_BEFORE = (
    rb"(?:\xe2\x82\xac|&euro;|&#8364;|\\u20ac|\xc2\xa3|&pound;|&#163;|\\u00a3|\$|\xe2\x82\xb9|&#8377;|\\u20b9|"
    rb"\b(?:eur|gbp|usd|inr|sek|nok|dkk|pln|chf|brl|mxn|kes|ksh|kr|rs|sfr|fr)\.?)"
)
_AFTER = (
    rb"(?:\xe2\x82\xac|&euro;|&#8364;|\\u20ac|\xc2\xa3|&pound;|\x80|"
    rb"(?:eur|usd|gbp|inr|sek|nok|dkk|pln|chf|brl|mxn|kr|z\xc5\x82|z\\u0142|z&#322;|zl|pounds?|dollar|d\xc3\xb3lar|rupee|reais|peso|fran[ck])|[,.:]-)"
)
_SUMS = (
    _BEFORE + _BLANK + rb"?" + _NUMBER + rb"[05]0(?:[^0-9]|$)",
    _NUMBER + rb"[05]0(?:[.,](?:00|-))?" + _BLANK + rb"?" + _AFTER,
    rb"[0-9]" + _BLANK + rb"?(?:k|tys|tsd|tus|mil|mila|duizend|tausend|thousand|mille|lakh|lac|grand)\b",
)
"""Sums of money as limits are, round ones: where no word of credit stands they are all there is to go by."""


type Make = Callable[[Sequence[bytes]], hyperscan.Database]
"""What makes the database by which words are found, the sums and what is not seen after them."""


def compiled(words: Sequence[bytes]) -> hyperscan.Database:
    """Such a database, made anew: thousands of words take a second."""
    # Escaped at once, with a line end between each two: that is several times as fast as one by one.
    escaped = re.escape(b"\n".join(words)).split(b"\\\n")
    patterns = [*escaped, *_SUMS, *map(re.escape, _UNSEEN)]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=patterns,
        ids=range(len(patterns)),
        elements=len(patterns),
        flags=hyperscan.HS_FLAG_CASELESS,
    )
    return database


def spelled(stems: Iterable[tuple[str, int]]) -> dict[bytes, int]:
    """Every way in which a body may have these stems, with the bits of the languages they are of."""
    written: dict[bytes, int] = {}
    for stem, languages in stems:
        for spelling in _spellings(stem.casefold()):
            if SHORTEST <= len(spelling) <= _REACH:
                written[spelling] = written.get(spelling, 0) | languages
    return written


class Scanner:
    """Finds stems in bytes, whatever their case and however their letters beyond ASCII are written."""

    def __init__(self, written: Mapping[bytes, int], make: Make = compiled) -> None:
        """`written` as `spelled` gives it; `make` compiles it."""
        every = 0
        for languages in written.values():
            every |= languages
        # One object for all that are alike: of thousands of spellings there are a few hundred kinds.
        kinds: dict[tuple[int, int], tuple[int, int]] = {}
        self._of = [kinds.setdefault(kind, kind) for kind in zip(map(len, written), written.values(), strict=True)]
        # Of a sum the end is known.
        self._of += [(1, every)] * len(_SUMS)
        self._database = make(tuple(written)) if written else None
        self._turn = Lock()
        """A database has room for one scan at a time."""

    def find(self, data: bytes) -> list[int]:
        """Where stems begin, in order; none for a body that need not be read."""
        return sorted(self.places(data))

    def places(self, data: bytes) -> dict[int, int]:
        """Where stems begin, and the bits of the languages they are of; of a body with very many, the first `MOST`."""
        places, hidden = self._scan(data)
        if hidden:
            plain, back = _seen(data)
            for place, languages in self._scan(plain)[0].items():
                at = back(place)
                places[at] = places.get(at, 0) | languages
        return places

    def _scan(self, data: bytes) -> tuple[dict[int, int], bool]:
        """Where stems begin, and whether anything is not seen."""
        places: dict[int, int] = {}
        hidden = False
        if self._database is None or not data:
            return places, hidden
        of = self._of

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            nonlocal hidden
            if number >= len(of):
                hidden = True
                return None
            size, languages = of[number]
            places[end - size] = places.get(end - size, 0) | languages
            return len(places) > MOST or None

        with self._turn, suppress(hyperscan.ScanTerminated):
            self._database.scan(data, match_event_handler=note)
        return places, hidden


def compiled_once(path: Path, now: datetime) -> Make:
    """What makes a database and keeps it at `path` for the next start; for processors of other kinds it is made anew."""

    def make(words: Sequence[bytes]) -> hyperscan.Database:
        key = hashlib.sha256(b"\n".join([_VERSION.encode(), *_SUMS, *_UNSEEN, *words])).hexdigest()
        made = Made("words of credit", _VERSION, lambda: compiled(words), hyperscan.dumpb, _loaded)
        return kept(path, key, made, now)

    return make


def _loaded(data: bytes) -> hyperscan.Database:
    try:
        database = hyperscan.loadb(data, mode=hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except hyperscan.error as exc:
        raise ValueError(f"they cannot be used here: {exc}") from exc
    return database


def _seen(data: bytes) -> tuple[bytes, Callable[[int], int]]:
    """`data` without what is not seen, and where in it a place of the copy is."""
    parts: list[bytes] = []
    starts, shifts, kept, at = [0], [0], 0, 0
    for match in _HIDDEN.finditer(data):
        parts.append(data[at : match.start()])
        kept += match.start() - at
        at = match.end()
        starts.append(kept)
        shifts.append(at - kept)
    parts.append(data[at:])
    return b"".join(parts), lambda place: place + shifts[bisect_right(starts, place) - 1]


def _spellings(stem: str) -> Iterator[bytes]:
    """A stem's bytes in every way a page writes letters beyond ASCII; each way throughout, ASCII in lower case."""
    if stem.isascii():
        yield stem.encode()
        return
    # In the same order at each start, or what was compiled would not be known again.
    for cased in dict.fromkeys((stem, _raised(stem), _raised(stem[0]) + stem[1:])):
        yield cased.encode("utf-8")
        for encoding in ("cp1252", "cp1250"):
            with suppress(UnicodeEncodeError):
                yield cased.encode(encoding)
        for write in (_named, _decimal, _hexadecimal, _escaped, _bare):
            written = (letter if letter.isascii() else write(letter) for letter in cased)
            yield "".join(written).encode("ascii", "ignore").lower()


def _raised(text: str) -> str:
    """`text` with its letters beyond ASCII in upper case: case among ASCII is the scan's own business."""
    return "".join(letter if letter.isascii() or len(letter.upper()) > 1 else letter.upper() for letter in text)


def _named(letter: str) -> str:
    name = codepoint2name.get(ord(letter))
    return f"&{name};" if name else f"&#{ord(letter)};"


def _decimal(letter: str) -> str:
    return f"&#{ord(letter)};"


def _hexadecimal(letter: str) -> str:
    return f"&#x{ord(letter):x};"


def _escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}"


def _bare(letter: str) -> str:
    """Without its accent, as messages often are."""
    plain = unicodedata.normalize("NFKD", letter)[0]
    return {"ø": "o", "æ": "ae", "ł": "l", "ß": "ss"}.get(letter.lower(), plain)
