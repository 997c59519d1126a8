"""The grammar of caps: `3 per advertiser per day`, `at most every 30 minutes per creative`, `never`.

    cap      = "never" | count per | "at most every" length [per-level]
    per      = per-level per-window | per-window [per-level]
    per-level  = "per" ("creative" | "campaign" | "advertiser" | "category")      left out: advertiser
    per-window = "per" ("page" | "pod" | "session" | "calendar" ("day" | "week" | "month") | length) | "for life"
    length   = ["N"] ("second" | "minute" | "hour" | "day" | "week")["s"]         a day is 24 hours

`Cap.parse(str(cap)) == cap` for every cap.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Self

from capper.domain.identity import Level
from capper.domain.window import Calendar, CalendarUnit, Life, Rolling, Scope, Session, Spacing, Window, Within

MOST = 1000
"""The largest count a cap may have: the ledger keeps that many timestamps, and no person needs more."""

LONGEST = timedelta(weeks=1000)
"""The longest length that can be written; no ledger keeps anything that long."""

UNITS = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
}
_NUMBERS = {"once": 1, "twice": 2}
_WORDS = ["never", "per", "at", "most", "every", "for", "life", "page", "pod", "session", "calendar", "month"]
_WORDS += [*Level, *UNITS, *(f"{unit}s" for unit in UNITS)]


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` sightings of one ad, as `level` sees it, in `window`.

    A count of 0 means never. `never` itself has no level: it withholds whatever its rule matches, named or not.
    """

    count: int
    level: Level | None = None
    window: Window = Life()  # noqa: RUF009  frozen and without state

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one cap.

        Raises:
            ValueError: says what was expected, and what was perhaps meant.
        """
        return cls(*_Reader(text).cap())

    def __str__(self) -> str:
        return _spelled(self)


@lru_cache(1024)
def _spelled(cap: Cap) -> str:
    """A cap as the grammar writes it; remembered, for every decision says which cap spoke."""
    if cap.level is None:
        return "never"
    if isinstance(cap.window, Spacing):
        return f"at most every {spell_length(cap.window.length)} per {cap.level}"
    return f"{cap.count} per {cap.level} {spell_window(cap.window)}"


def spell_window(window: Window) -> str:
    """The window as the grammar writes it: `per day`, `per calendar week`, `for life`."""
    match window:
        case Rolling(length) | Spacing(length):
            return f"per {spell_length(length)}"
        case Calendar(unit):
            return f"per calendar {unit}"
        case Session():
            return "per session"
        case Within(scope):
            return f"per {scope}"
        case Life():
            return "for life"


def spell_length(length: timedelta) -> str:
    """A length in the largest unit that divides it, days rather than weeks: `28 days`, `week`, `90 minutes`."""
    if length == UNITS["week"]:
        return "week"
    for unit, size in list(UNITS.items())[1:]:
        if length % size == timedelta(0):
            count = length // size
            return unit if count == 1 else f"{count} {unit}s"
    raise ValueError(f"{length} is not a whole number of seconds")


def parse_length(text: str) -> timedelta:
    """Read `30 minutes`, `day`, `2 weeks`.

    Raises:
        ValueError: says what was expected.
    """
    reader = _Reader(text)
    length = reader.length()
    reader.end()
    return length


class _Reader:
    """Reads the grammar above word by word; every refusal names the word it stopped at."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = re.findall(r"\S+", text.casefold())
        self.at = 0

    def cap(self) -> tuple[int, Level | None, Window]:
        if self.take("never"):
            self.end()
            return 0, None, Life()
        if self.take("at"):
            self.need("most")
            self.need("every")
            window: Window = Spacing(self.length())
            level = self.level() if self.take("per") else Level.ADVERTISER
            self.end()
            return 1, level, window
        count = self.count()
        found: dict[str, Level | Window] = {}
        while self.at < len(self.words):
            if self.take("for"):
                self.need("life")
                self.put(found, "window", Life())
                continue
            self.need("per")
            if self.word() in list(Level):
                self.put(found, "level", self.level())
            else:
                self.put(found, "window", self.window())
        if "window" not in found:
            raise self.error("a window, like 'per day', 'per page' or 'for life'")
        window = found["window"]  # type: ignore[assignment]
        level = found.get("level", Level.ADVERTISER)  # type: ignore[assignment]
        return count, level, window

    def count(self) -> int:
        word = self.word()
        if word in _NUMBERS:
            self.at += 1
            return _NUMBERS[word]
        return self.number("a count, 'at most every' or 'never'", least=0, most=MOST)

    def number(self, expected: str, least: int, most: int) -> int:
        word = self.word()
        if not (word.isascii() and word.isdigit()):
            raise self.error(expected)
        # Python refuses to read numbers of thousands of digits with an error of its own.
        number = int(word) if len(word) <= 12 else most + 1
        if not least <= number <= most:
            raise self.error(f"a number from {least} to {most}")
        self.at += 1
        return number

    def level(self) -> Level:
        word = self.word()
        if word not in list(Level):
            raise self.error(f"one of {', '.join(Level)}")
        self.at += 1
        return Level(word)

    def window(self) -> Window:
        if self.take("session"):
            return Session()
        if self.take("calendar"):
            word = self.word()
            if word not in list(CalendarUnit):
                raise self.error("'calendar day', 'calendar week' or 'calendar month'")
            self.at += 1
            return Calendar(CalendarUnit(word))
        if self.word() in list(Scope):
            self.at += 1
            return Within(Scope(self.words[self.at - 1]))
        if self.word().removesuffix("s") == "month":
            raise self.error("'28 days' or 'calendar month' (months differ in length)")
        return Rolling(self.length())

    def length(self) -> timedelta:
        start = self.at
        count = self.number("a length", 1, LONGEST // UNITS["second"]) if self.word()[:1].isdigit() else 1
        word = self.word()
        unit = word.removesuffix("s")
        if unit not in UNITS:
            raise self.error(f"a level ({', '.join(Level)}) or a length ({', '.join(f'{unit}s' for unit in UNITS)})")
        if count * UNITS[unit] > LONGEST:
            self.at = start
            raise self.error(f"a length of at most {LONGEST // UNITS['week']} weeks")
        self.at += 1
        return count * UNITS[unit]

    def put(self, found: dict[str, Level | Window], part: str, value: Level | Window) -> None:
        if part in found:
            self.at -= 1
            raise self.error(f"one {part} only")
        found[part] = value

    def word(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, word: str) -> bool:
        if self.word() != word:
            return False
        self.at += 1
        return True

    def need(self, word: str) -> None:
        if not self.take(word):
            raise self.error(f"{word!r}")

    def end(self) -> None:
        if self.word():
            raise self.error("nothing more")

    def error(self, expected: str) -> ValueError:
        word = self.word()
        if not word:
            return ValueError(f"{self.text!r} ends where {expected} was expected")
        near = difflib.get_close_matches(word, _WORDS, n=1, cutoff=0.65)
        hint = f"; did you mean {str(near[0])!r}?" if near and near[0] != word else ""
        return ValueError(f"{self.text!r}: expected {expected}, found {word!r}{hint}")
