"""Addresses that lead back to something, also those with macros that a page or player fills in before it asks.

An address is kept as keyed digests of its parts. One without macros is found whole; one with macros by its path and those
of its parameters that hold none:

    https://x.example/imp?ad=7&price=${AUCTION_PRICE}     is found by     https://x.example/imp?ad=7&price=0.42&t=1
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from capper.trail.recent import Recent

_MACRO = re.compile(
    r"""\$ (?: \{ | %7B ) [^}%&/]{1,60} (?: \} | %7D )     # ${AUCTION_PRICE}
      | (?: \{\{ | %7B%7B ) [^}%&/]{1,60} (?: \}\} | %7D%7D )
      | (?: \{ | %7B ) \w{1,40} (?: \} | %7D )
      | (?: \[ | %5B ) [A-Z][A-Z0-9_:]{1,60} (?: \] | %5D )  # [CACHEBUSTING]
      | %% [A-Z][A-Z0-9_:]{1,60} %%
      | \#\# [A-Z][A-Z0-9_]{1,60} \#\#
      | @@ [A-Z][A-Z0-9_]{1,60} @@
      | __ [A-Z][A-Z0-9_]{1,60} __""",
    re.VERBOSE | re.IGNORECASE,
)
_MARKS = (("{", ("{",)), ("[", ("[",)), ("%", ("%7", "%5", "%%")), ("#", ("##",)), ("@", ("@@",)), ("_", ("__",)))
"""One of these stands in every macro, and most addresses have none; single letters are found fastest."""
_HOST = re.compile("[^/?#;]*//[^/?#;]*")
_BETWEEN = re.compile("[&;]")
_STEP = re.compile("[/;]")
_MOST_STEPS = 30
_MOST_PAIRS = 100
_MOST_SHAPES = 60
"""Addresses of one host and path that differ in their parameters alone; of more the latest are kept."""
_LEAST = 3
"""Letters that an address must have beside its macros to be told from others of its host."""


class _Shape[Value](NamedTuple):
    """An address with macros: the digests that must be there, and what it leads back to."""

    parts: frozenset[bytes]
    value: Value
    put: datetime


@dataclass(frozen=True)
class Addresses[Value]:
    """From an address to what it leads back to; of several that fit, the one that says most, then the latest.

    `digest` is keyed; `who` (a viewer's device) keeps each person's addresses apart.
    """

    digest: Callable[..., bytes]
    exact: Recent[bytes, Value]
    shapes: Recent[bytes, tuple[_Shape[Value], ...]]
    lengths: Recent[bytes, frozenset[int]]
    """By host: of how many steps the paths are that `shapes` has."""
    life: timedelta

    @classmethod
    def made(cls, digest: Callable[..., bytes], most: int, life: timedelta) -> "Addresses[Value]":
        """For at most `most` addresses of each kind, each for `life`."""
        return cls(digest, Recent(most, life), Recent(most, life), Recent(most, life), life)

    def put(self, who: str, url: str, value: Value, now: datetime) -> None:
        """Remember that `url` leads to `value`."""
        self.exact.put(self.digest(who, url), value, now)
        if not _has_macro(url):
            return
        known, fixed = _shape(url)
        if not known or sum(map(len, ("/".join(known[1:]), *fixed))) < _LEAST:
            return
        host = self.digest(who, "host", _host(url))
        self.lengths.put(host, (self.lengths.get(host, now) or frozenset()) | {len(known)}, now)
        key = self.digest(who, "shape", "/".join(known))
        shape = _Shape(frozenset(self.digest(who, part) for part in fixed), value, now)
        others = [each for each in self.shapes.get(key, now) or () if each.parts != shape.parts]
        self.shapes.put(key, (*others, shape)[-_MOST_SHAPES:], now)

    def get(self, who: str, url: str, now: datetime) -> Value | None:
        """What `url` leads to."""
        found = self.exact.get(self.digest(who, url), now)
        return found if found is not None or not len(self.lengths) else self._filled(who, url, now)

    def _filled(self, who: str, url: str, now: datetime) -> Value | None:
        lengths = self.lengths.get(self.digest(who, "host", _host(url)), now)
        if lengths is None:
            return None
        steps, pairs = _parts(url)
        there: frozenset[bytes] | None = None
        for length in sorted(lengths, reverse=True):
            shapes = self.shapes.get(self.digest(who, "shape", "/".join(steps[:length])), now)
            if not shapes:
                continue
            there = there or frozenset(self.digest(who, part) for part in (*steps, *pairs))
            fitting = [each for each in shapes if each.parts <= there and now - each.put < self.life]
            if fitting:
                # What says less would fit any of them.
                return max(fitting, key=lambda each: (len(each.parts), each.put)).value
        return None


def _has_macro(text: str) -> bool:
    for letter, marks in _MARKS:
        if letter in text and any(mark in text for mark in marks):
            return _MACRO.search(text) is not None
    return False


def _host(url: str) -> str:
    """An address up to its path."""
    found = _HOST.match(url)
    return found[0] if found else ""


def _parts(url: str) -> tuple[list[str], list[str]]:
    """The steps of the path, scheme and host with the first, and the parameters."""
    base, _, query = url.partition("#")[0].partition("?")
    scheme, _, rest = base.partition("//")
    host, *steps = _STEP.split(rest, _MOST_STEPS)
    return [f"{scheme}//{host}", *steps], _BETWEEN.split(query)[:_MOST_PAIRS] if query else []


def _shape(url: str) -> tuple[list[str], list[str]]:
    """The steps of the path as far as they are known beforehand, and all other parts that are."""
    steps, pairs = _parts(url)
    known = next((n for n, step in enumerate(steps) if _has_macro(step)), len(steps))
    return steps[:known], [part for part in (*steps[known:], *pairs) if part and not _has_macro(part)]
