"""How auctions answer, read from config/networks/auction.toml: where bids stand, and which member of a bid says what."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json import dumps
from pathlib import Path as File
from typing import Any, Final, NamedTuple

from capper.domain.errors import ConfigError
from capper.jsontext import Path
from capper.packaged import packaged_config

EACH: Final = "[]"
MEMBERS: Final = "{}"
ANYWHERE: Final = "**"

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
    "deal",
)


class Where(NamedTuple):
    """One way to a value: from the bid (`climb` 0), from what holds its array (1), from the answer (-1); `names` downwards."""

    climb: int
    names: tuple[str, ...]


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
    open: bool = False
    """Says enough of itself to be known wherever it comes from."""
    won: bool = False
    """The answer is no auction: it is the ad that won one."""
    together: bool = False
    """The bids of one array share their markup: with one of them all go."""
    of_hosts: bool = False
    """Nobody but its hosts answers in it."""

    def speaks_for(self, host: str, path: str) -> bool:
        """Whether an answer from there is in this format, if it has bids at all."""
        return any((host == name or host.endswith(f".{name}")) and path.startswith(start) for name, start in self.hosts)


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
    return tuple(_layout(file, number, _likened(file, number, row, named)) for number, row in enumerate(rows, 1))


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
    known = {
        *_FIELDS,
        "name",
        "hosts",
        "bids",
        "needs",
        "factor",
        "emptied",
        "absent",
        "open",
        "won",
        "together",
        "of_hosts",
    }
    for unknown in row.keys() - known:
        raise ConfigError(f"{where}.{unknown}: expected one of {', '.join(sorted(known))}")
    emptied = row.get("emptied", {})
    if not isinstance(row.get("name"), str) or not isinstance(emptied, dict | str):
        raise ConfigError(f"{where}: expected a name, and emptied as a table or 'gone'")
    return Layout(
        row["name"],
        bids=tuple(_steps(text) for text in _texts(f"{where}.bids", row.get("bids"))),
        needs=tuple(
            tuple(_where(way) for way in text.split("|")) for text in _texts(f"{where}.needs", row.get("needs"))
        ),
        fields={
            name: tuple(_where(text) for text in _texts(f"{where}.{name}", row[name]))
            for name in _FIELDS
            if name in row
        },
        hosts=tuple(_host(text) for text in _texts(f"{where}.hosts", row.get("hosts", []))),
        factor=_number(f"{where}.factor", row.get("factor", 1.0)),
        emptied={name: dumps(value) for name, value in emptied.items()} if isinstance(emptied, dict) else {},
        vanishes=emptied == "gone",
        absent=str(row.get("absent", "")),
        open=row.get("open", False) is True,
        won=row.get("won", False) is True,
        together=row.get("together", False) is True,
        of_hosts=row.get("of_hosts", False) is True,
    )


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


def _where(text: str) -> Where:
    text = text.strip()
    climb = -1 if text.startswith("/") else text.count("^")
    return Where(climb, tuple(name for name in text.lstrip("/^").split(".") if name))


def _host(text: str) -> tuple[str, str]:
    host, _, path = text.removeprefix("*.").partition("/")
    return host, f"/{path}"


def found(answer: Any, pattern: tuple[str, ...], most: int) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """The paths that fit `pattern`, each with the objects on the way: the answer first, the value itself last."""
    if pattern == (ANYWHERE,):
        yield from _everywhere(answer, most)
        return
    stack: list[tuple[Path, tuple[Any, ...], int]] = [((), (answer,), 0)]
    while stack:
        path, way, at = stack.pop()
        if at == len(pattern):
            yield path, way
            continue
        step, value = pattern[at], way[-1]
        if step == EACH and isinstance(value, list):
            stack += [((*path, number), (*way, item), at + 1) for number, item in reversed([*enumerate(value[:most])])]
        elif step == MEMBERS and isinstance(value, dict):
            items = [*value.items()][:most]
            stack += [((*path, key), (*way, item), at + 1) for key, item in reversed(items)]
        elif isinstance(value, dict) and step in value:
            stack.append(((*path, step), (*way, value[step]), at + 1))


_DEEPEST = 10
_MOST_OBJECTS = 20_000


def _everywhere(answer: Any, most: int) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """Every object of the answer, outer ones first."""
    stack: list[tuple[Path, tuple[Any, ...]]] = [((), (answer,))]
    seen = 0
    while stack and seen < _MOST_OBJECTS:
        path, way = stack.pop()
        value = way[-1]
        seen += 1
        if isinstance(value, dict):
            yield path, way
        if len(path) >= _DEEPEST:
            continue
        items = value.items() if isinstance(value, dict) else enumerate(value[:most])
        inner = [((*path, key), (*way, item)) for key, item in items if isinstance(item, dict | list)]
        stack += reversed(inner)


def values(way: tuple[Any, ...], ways: tuple[Where, ...]) -> list[Any]:
    """What a bid says at each of `ways` that is there, lists taken apart; `way` is what `found` gave."""
    made: list[Any] = []
    for climb, names in ways:
        at: Any = way[-1] if climb == 0 else _holder(way, climb)
        for number, name in enumerate(names):
            if type(at) is dict:
                at = at.get(name)
            elif type(at) is list:
                for item in at[:50]:
                    made += values((item,), (Where(0, names[number:]),))
                at = None
            else:
                at = None
            if at is None:
                break
        if type(at) is list:
            made += at[:100]
        elif at is not None:
            made.append(at)
    return made


def _holder(way: tuple[Any, ...], climb: int) -> Any:
    if climb < 0:
        return way[0]
    holders = [value for value in way[:-1] if isinstance(value, dict)]
    return holders[-climb] if climb <= len(holders) else None
