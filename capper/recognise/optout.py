"""How somebody says to an ad that she has had enough, or to a shop that she bought, told from a request alone."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from html import unescape
from itertools import islice
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from capper.domain.errors import ConfigError
from capper.domain.exchange import Request
from capper.packaged import packaged_config
from capper.recognise.domains import host_of, parted, registrable
from capper.recognise.hosts import HostSet
from capper.recognise.kind import is_own_visit, is_prefetch
from capper.remembered import remembered

_LONGEST = 8192
_MOST_FIELDS = 200
_LONGEST_DOCUMENT = 1_000_000
_MOST_NAMED = 20
_MOST_TRIED = 200
_BEGINNING = 120
_ESCAPED = re.compile(r"\\+(?:x|u00)([0-9a-f]{2})", re.IGNORECASE)
_PAGES = frozenset(["document"])
_FRAMES = frozenset(["document", "iframe", "frame"])


class By(StrEnum):
    """What makes such a request a person's."""

    VISIT = "visit"
    """A navigation that she began: the browser says so."""
    PING = "ping"
    """Its own words; a page loads no such address by itself."""


class What(StrEnum):
    """What a request says."""

    MUTE = "mute"
    UNDO = "undo"
    BOUGHT = "bought"


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to say it: where, with which parameters, how it is known for hers, and about whose ads."""

    name: str
    what: What
    by: By
    path: re.Pattern[str]
    hosts: HostSet
    parameters: tuple[tuple[str, re.Pattern[str]], ...] = ()
    networks: frozenset[str] = frozenset()
    page: tuple[str, ...] = ()
    framed: bool = False

    def fits(self, request: Request, path: str) -> bool:
        """Whether the request says it, and is a person's."""
        if not (self.path.match(path) and _hers(request, self.by, _FRAMES if self.framed else _PAGES)):
            return False
        fields = _fields(request.url) if self.parameters else {}
        return all(pattern.fullmatch(fields.get(name, "")) for name, pattern in self.parameters)

    def shop(self, request: Request) -> str | None:
        """The registrable domain of the shop that says so; None where it is not told."""
        fields = _fields(request.url)
        pages = [*(fields.get(name, "") for name in self.page), request.headers.get("referer")]
        if self.by is By.VISIT:
            pages = [request.url]
        return next((domain for page in pages if (domain := registrable(host_of(page)))), None)


class OptOuts:
    """All shapes that are known, by host."""

    def __init__(self, shapes: Iterable[Shape]) -> None:
        self._shapes = tuple(shapes)
        self._hosts = HostSet(host for shape in self._shapes for host in shape.hosts)
        self._anywhere = tuple(shape for shape in self._shapes if not len(shape.hosts))

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Those that travel with capper.

        Raises:
            ConfigError: the file cannot be used.
        """
        path = path or packaged_config() / "optouts.toml"
        try:
            table = tomllib.loads(path.read_text("utf-8"))
            return cls((*_read(table.get("optouts", [])), *_read(table.get("bought", []), What.BOUGHT)))
        except (OSError, KeyError, TypeError, ValueError, AttributeError, re.error) as exc:
            raise ConfigError(f"{path}: cannot be used as shapes of opt-outs: {exc}") from exc

    @property
    def pings(self) -> "OptOuts":
        """Those alone that are sent when somebody says so, and for nothing else: not the pages on which she may say it."""
        return OptOuts(shape for shape in self._shapes if shape.by is By.PING)

    def named_in(self, data: bytes) -> tuple[str, ...]:
        """The addresses of opt-outs that an ad's document holds, in whatever markup, script or JSON they stand in it."""
        found = islice(self._named.finditer(data[:_LONGEST_DOCUMENT]), _MOST_TRIED)
        # Most are clicks and pictures: their beginning tells.
        some = (match for match in found if self._leads(_unescaped(match[0] + match[1][:_BEGINNING])))
        return tuple(islice(dict.fromkeys(_unescaped(match[0] + match[1]) for match in some), _MOST_NAMED))

    def _leads(self, url: str) -> bool:
        """Whether an opt-out may begin there; what she says is added when she says it."""
        host, path = parted(url.partition("?")[0])
        return any(shape.path.match(path) for shape in self._of(host))

    @cached_property
    def _named(self) -> re.Pattern[bytes]:
        hosts = b"|".join(re.escape(host).encode() for host in self._hosts) or rb"(?!)"
        # What follows is looked at and left there: another address may stand in it, behind a quote that is escaped.
        return re.compile(rb"https?:(?:\\?/){2}(?:[\w-]{1,63}\.){0,4}(?:%s)(?=([/?\\][^\s\"'<>]{0,4000}))" % hosts)

    def match(self, request: Request, *, bought: bool) -> Shape | None:
        """What the request says, if anything; `bought`: whether purchases are looked for as well. Cheap for all others."""
        host, path = parted(request.url)
        shapes = self._of(host)
        if not shapes and not bought:
            return None
        shapes = (*shapes, *self._anywhere) if bought else shapes
        if len(request.url) > _LONGEST or is_prefetch(request):
            return None
        path = path.partition("?")[0]
        return next(
            (each for each in shapes if (bought or each.what is not What.BOUGHT) and each.fits(request, path)), None
        )

    @cached_property
    def _of(self) -> Callable[[str], tuple[Shape, ...]]:
        """The shapes of a host; remembered, for hosts repeat."""
        return remembered(4_096)(lambda host: tuple(shape for shape in self._shapes if shape.hosts.covers(host)))


def _unescaped(found: bytes) -> str:
    """An address as it is asked for: of markup's and scripts' escapes none is left, and what ended its string is cut."""
    text = unescape(found.decode("latin-1")).replace("\\/", "/")
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return re.split(r"[\s\"'<>\\]", unescape(text), maxsplit=1)[0]


def _hers(request: Request, by: By, kinds: Collection[str]) -> bool:
    if by is By.PING:
        return request.headers.get("sec-fetch-mode") != "navigate" and request.method in {"GET", "POST"}
    # A frame that its page loads in the seconds after a click says so too, so frames are heeded only where ads load them for
    # nothing else.
    return is_own_visit(request, kinds)


def _fields(url: str) -> dict[str, str]:
    try:
        query = urlsplit(url).query
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace"))
    except ValueError:
        return {}


def _read(rows: list[dict[str, Any]], what: What | None = None) -> Iterator[Shape]:
    for row in rows:
        bought = what is What.BOUGHT
        yield Shape(
            row["name"],
            what or What(row.get("deed", What.MUTE)),
            By(row.get("by", By.PING if bought else By.VISIT)),
            re.compile(row.get("path", "")),
            HostSet(row.get("hosts", ())),
            tuple((name, re.compile(pattern)) for name, pattern in row.get("parameters", {}).items()),
            frozenset(row.get("networks", ())),
            tuple(row.get("page", ())),
            bool(row.get("framed", False)),
        )
