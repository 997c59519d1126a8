"""How auctions answer, read from config/networks/auction.toml: where bids stand, and which member of a bid says what."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from json import dumps
from pathlib import Path as File
from typing import Any

from capper.domain.errors import ConfigError
from capper.packaged import packaged_config
from capper.rewrite.auction.addresses import host_and_path
from capper.rewrite.auction.screen import Words
from capper.rewrite.auction.ways import Where, folded

_FIELDS = (
    "seat",
    "advertiser",
    "declared",
    "sponsor",
    "buyer_id",
    "creative",
    "campaign",
    "category",
    "price",
    "currency",
    "slot",
    "format",
    "click",
    "markup",
    "urls",
    "kept",
    "deal",
)
_WORDS = ("name", "hosts", "bids", "needs", "factor", "emptied", "absent", "in_turn", "without")
_SWITCHES = ("open", "won", "together", "of_hosts", "distinct", "loose")


@dataclass(frozen=True, slots=True)
class Layout:
    """One format of answers. `fields` gives, for what a bid may say, the ways to it, the surest first."""

    name: str
    bids: tuple[tuple[str, ...], ...]
    needs: tuple[tuple[Where, ...], ...]
    fields: Mapping[str, tuple[Where, ...]]
    hosts: tuple[tuple[str, str], ...] = ()
    factor: float = 1.0
    emptied: Mapping[str, str] = field(default_factory=dict)
    """Members, with their JSON, that the holder of an emptied array gets."""
    vanishes: bool = False
    """The holder of an emptied array goes with it."""
    absent: str = ""
    """The JSON in place of a bid that is no element of an array; "" where the member simply goes."""
    in_turn: frozenset[str] | None = None
    """Bids answer the slots in their turn: in place of one that goes stand `absent` and these of its members."""
    open: bool = False
    """Says enough of itself to be known wherever it comes from."""
    won: bool = False
    """The answer is no auction: it is the ad that won one."""
    together: bool = False
    """The bids of one array share their markup: with one of them all go."""
    of_hosts: bool = False
    """Nobody but its hosts answers in it."""
    distinct: bool = False
    """No other format looks like it, so that it is known at hosts of other exchanges too."""
    loose: bool = False
    """Names are compared without case and separators, and looked for inside a bid and around it."""
    without: frozenset[str] = frozenset()
    """Folded names of what says nothing of a bid, where `loose`."""
    starts: Mapping[str, tuple[tuple[str, int, Where], ...]] = field(default_factory=dict)
    """By the name a way from a bid begins with ("" for one from its holder): what it leads to, its rank there, the way."""
    words: Words = Words()  # noqa: RUF009  immutable
    leads: re.Pattern[str] | None = None
    """The folded names of addresses that lead back to a bid, where `loose`."""

    def speaks_for(self, host: str, path: str) -> bool:
        """Whether an answer from there is in this format, if it has bids at all."""
        for name, start in self.hosts:
            if host.endswith(name) and path.startswith(start) and (host == name or host[-len(name) - 1] == "."):
                return True
        return False


def load_layouts(folder: File | None = None) -> tuple[Layout, ...]:
    """The formats of `folder`/auction.toml, by default the one that travels with capper.

    Raises:
        ConfigError: names the file and what is wrong in it.
    """
    file = (folder or packaged_config() / "networks") / "auction.toml"
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"read how auctions answer in {file}: {exc}") from exc
    rows = tables.get("auctions")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{file}: auctions: expected tables of the form [[auctions]]")
    named = {row.get("name"): row for row in rows if "like" not in row}
    found = [_layout(file, number, _likened(file, number, row, named)) for number, row in enumerate(rows, 1)]
    often = Counter(row for layout in found for row in layout.words.all_of)
    return tuple(replace(layout, words=layout.words.ordered(often)) for layout in found)


def known_to_auction(layouts: Sequence[Layout], url: str) -> bool:
    """Whether what answers there is known to hold auctions: then a script or text may be an answer too (`cb({...})`)."""
    host, path = host_and_path(url)
    return any(layout.speaks_for(host, path) for layout in layouts)


def _likened(file: File, number: int, row: dict[str, Any], named: Mapping[Any, dict[str, Any]]) -> dict[str, Any]:
    """The row with what it takes from the one it is `like`; only its hosts' answers are read by it."""
    if "like" not in row:
        return row
    model = named.get(row["like"])
    if model is None:
        raise ConfigError(f"{file}: auctions[{number}].like: expected the name of another")
    return {**model, **{key: value for key, value in row.items() if key != "like"}, "open": False, "of_hosts": True}


def _layout(file: File, number: int, row: dict[str, Any]) -> Layout:
    where = f"{file}: auctions[{number}]"
    known = {*_FIELDS, *_WORDS, *_SWITCHES}
    for unknown in row.keys() - known:
        raise ConfigError(f"{where}.{unknown}: expected one of {', '.join(sorted(known))}")
    emptied = row.get("emptied", {})
    if not isinstance(row.get("name"), str) or not isinstance(emptied, dict | str):
        raise ConfigError(f"{where}: expected a name, and emptied as a table or 'gone'")
    if "in_turn" in row and not str(row.get("absent", "")).startswith("{"):
        raise ConfigError(f"{where}.in_turn: expected an object as absent, too: it stands where a bid stood")
    loose = row.get("loose") is True
    fields = {
        name: tuple(_where(text, loose=loose) for text in _texts(f"{where}.{name}", row[name]))
        for name in _FIELDS
        if name in row
    }
    bids = tuple(_steps(text) for text in _texts(f"{where}.bids", row.get("bids")))
    needs = tuple(
        tuple(_where(way, loose=loose) for way in text.split("|"))
        for text in _texts(f"{where}.needs", row.get("needs"))
    )
    return Layout(
        row["name"],
        bids=bids,
        needs=needs,
        words=Words.of(bids, needs, loose=loose),
        fields=fields,
        starts=_starts(fields),
        hosts=tuple(_host(text) for text in _texts(f"{where}.hosts", row.get("hosts", []))),
        factor=_number(f"{where}.factor", row.get("factor", 1.0)),
        emptied={name: dumps(value) for name, value in emptied.items()} if isinstance(emptied, dict) else {},
        vanishes=emptied == "gone",
        absent=str(row.get("absent", "")),
        in_turn=frozenset(_texts(f"{where}.in_turn", row["in_turn"])) if "in_turn" in row else None,
        without=frozenset(folded(text) for text in _texts(f"{where}.without", row.get("without", []))),
        leads=_any_of(_texts(f"{where}.urls", row.get("urls", []))) if loose else None,
        **{name: row.get(name, False) is True for name in _SWITCHES},
    )


def _starts(fields: Mapping[str, tuple[Where, ...]]) -> dict[str, tuple[tuple[str, int, Where], ...]]:
    """The ways by the name they begin with: a bid has few names, and a format knows many."""
    made: dict[str, list[tuple[str, int, Where]]] = {}
    for name, ways in fields.items():
        for rank, way in enumerate(ways):
            plain = way.climb == 0 and way.names and way.names != ("#",)
            made.setdefault(way.names[0] if plain else "", []).append((name, rank, way))
    return {name: tuple(rows) for name, rows in made.items()}


def _any_of(texts: Iterator[str]) -> re.Pattern[str]:
    """What matches any of the names, in which `*` stands for whatever."""
    return re.compile("|".join(".*".join(map(re.escape, map(folded, text.split("*")))) for text in texts))


def _texts(where: str, value: object) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{where}: expected a list of texts")
    yield from value


def _number(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{where}: expected a number")
    return float(value)


def _steps(text: str) -> tuple[str, ...]:
    """`tags[].ads[]` as `tags`, EACH, `ads`, EACH."""
    return tuple(re.findall(r"\*\*|\[\]|\{\}|[^.\[\]{}]+", text))


@cache
def _where(text: str, *, loose: bool) -> Where:
    """A way as it is written; most formats name the same ones."""
    text = text.strip()
    if loose:
        return Where(0, (".".join(map(folded, text.split("."))),))
    climb = -1 if text.startswith("/") else text.count("^")
    return Where(climb, tuple(name for name in text.lstrip("/^").split(".") if name))


def _host(text: str) -> tuple[str, str]:
    host, _, path = text.removeprefix("*.").partition("/")
    return host, f"/{path}"
