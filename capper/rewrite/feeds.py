"""Finds the posts of a JSON feed that its site marks as paid for, and takes those out that were withheld: no other byte changes.

    found = find(data, url, feeds, page=page)
    ads = [read_offer(reader, post.offer) for post in found.posts]
    data = apply(found, withheld)          # numbers of posts; none: the very same object

How each site marks them is data: config/feeds/*.toml. Every feed is off until the household's settings name it: what is taken
out of a feed has no runner-up, and these formats change without notice.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path as File
from typing import Any, NamedTuple

from capper.domain.errors import ConfigError
from capper.domain.evidence import Evidence
from capper.domain.offer import Offer
from capper.jsontext import Edit, Locator, Path, Step, Text, cut, loads, read, splice
from capper.packaged import packaged_config
from capper.rewrite.auction.addresses import host_and_path

MOST_POSTS = 200
_DEEPEST = 40
_MOST_VALUES = 100_000
_MOST_INSIDE = 2_000
_LONGEST_TEXT = 200_000
"""JSON inside a text is read up to this length."""
_MOST_FOUND = 20
_MOST_IN_ARRAY = 5_000

_FIELDS = ("advertiser", "advertiser_id", "sponsor", "click", "creative", "campaign", "text")
_NO = frozenset(["", "0", "false", "no", "none", "null", "undefined", "organic"])
_WAY = re.compile(r"\s*([\w.$*-]+)\s*(?:(\^=|\$=|=)\s*(\S.*?))?\s*")


class Way(NamedTuple):
    """Names downwards from a post; the first may stand anywhere inside it. A text that holds JSON is gone into."""

    names: tuple[str, ...]
    anywhere: bool = False


class Sign(NamedTuple):
    """What tells that a post is paid for: something stands at `way`, and it is, begins or ends as `value` says."""

    way: Way
    operator: str = ""
    value: str = ""

    def holds(self, post: Any) -> bool:
        """Whether the post shows it."""
        return any(self._fits(value) for value in _at(self.way.names, [post]))

    def _fits(self, value: Any) -> bool:
        if not self.operator:
            return value.strip().lower() not in _NO if isinstance(value, str) else bool(value)
        text = str(value) if isinstance(value, str | bool) else ""
        match self.operator:
            case "^=":
                return text.startswith(self.value)
            case "$=":
                # `FeedAd`, never `Thread`.
                return text.endswith(self.value)
            case _:
                return text.lower() == self.value.lower()


@dataclass(frozen=True)
class Feed:
    """How one site's feeds look; `name` is what the settings call it.

    `hints` are bytes of which an answer with paid posts has one. `arrays` are the names of the arrays that posts stand in; empty
    means any. With `peers` a post counts only where others beside it are not marked: a list of which every element is marked is a
    list of small ads.
    """

    name: str
    hosts: tuple[tuple[str, str], ...]
    hints: tuple[bytes, ...]
    signs: tuple[Sign, ...]
    arrays: frozenset[str] = frozenset()
    peers: bool = False
    fields: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)

    def speaks_for(self, host: str, path: str) -> bool:
        """Whether an answer from there may be one of its feeds."""
        return any(
            (not name or host == name or host.endswith(f".{name}")) and path.startswith(start)
            for name, start in self.hosts
        )

    def marks(self, post: dict[str, Any]) -> bool:
        """Whether an element of an array is a paid post."""
        return any(sign.holds(post) for name in post.keys() & self._by_name for sign in self._by_name[name])

    @cached_property
    def _by_name(self) -> dict[str, list[Sign]]:
        found: dict[str, list[Sign]] = {}
        for sign in self.signs:
            found.setdefault(sign.way.names[0], []).append(sign)
        return found

    def buyer(self, host: str) -> str:
        """Within whom ids of its posts are unique: the site, or where anyone may answer, who does."""
        return host.removeprefix("www.") if any(not name for name, _ in self.hosts) else self.name


@dataclass(frozen=True, slots=True)
class Post:
    """One post that somebody has paid for."""

    number: int
    path: Path
    feed: str
    offer: Offer


@dataclass(frozen=True, slots=True)
class Found:
    """The paid posts of an answer in its order, none within another."""

    data: bytes
    posts: tuple[Post, ...] = ()
    text: Text | None = None


def speaks(feeds: Sequence[Feed], url: str) -> bool:
    """Whether an answer from `url` may be a feed of one of `feeds`; cheap."""
    return bool(feeds) and any(feed.speaks_for(*host_and_path(url)) for feed in feeds)


def find(data: bytes, url: str, feeds: Sequence[Feed], *, page: str = "") -> Found:
    """The paid posts in the answer from `url`; `page` is the page that asked, whose site is never the advertiser.

    Raises:
        Unrewritable: a feed with paid posts in it is no JSON.
    """
    host, path = host_and_path(url)
    likely = [feed for feed in feeds if feed.speaks_for(host, path) and any(hint in data for hint in feed.hints)]
    if not likely:
        return Found(data)
    text = read(data)
    rows = list(islice(_posts(text.value, likely), MOST_POSTS))
    posts = tuple(
        Post(number, where, feed.name, _offer(feed, post, feed.buyer(host), page or url))
        for number, (where, post, feed) in enumerate(rows)
    )
    return Found(data, posts, text if posts else None)


def apply(found: Found, withheld: Collection[int]) -> bytes:
    """The answer without the posts numbered `withheld`. None withheld: the very same object."""
    text = found.text
    if not withheld or text is None:
        return found.data
    gone: dict[Path, set[int]] = {}
    for number in withheld:
        where = found.posts[number].path
        gone.setdefault(where[:-1], set()).add(int(where[-1]))
    locator = Locator(text)
    edits: list[Edit] = []
    for holder, numbers in gone.items():
        edits += cut(locator.children(locator.at(holder)), numbers)
    return text.encode(splice(text.source, edits))


def _posts(answer: Any, feeds: Sequence[Feed]) -> Iterator[tuple[Path, Any, Feed]]:
    """The elements of arrays that a feed marks, outer ones first; what stands inside one is not looked at."""
    stack: list[tuple[Path, str, Any]] = [((), "", answer)]
    seen = 0
    while stack and seen < _MOST_VALUES:
        path, name, value = stack.pop()
        seen += 1
        inner: list[tuple[Path, str, Any]] = []
        if isinstance(value, dict):
            inner = [((*path, key), key, item) for key, item in value.items() if isinstance(item, dict | list)]
        elif isinstance(value, list):
            marked = _marked(name, value, feeds)
            yield from (((*path, number), value[number], feed) for number, feed in marked.items())
            items: Iterable[tuple[Step, Any]] = (
                (number, item) for number, item in enumerate(value) if number not in marked
            )
            inner = [((*path, number), name, item) for number, item in items if isinstance(item, dict | list)]
        if len(path) < _DEEPEST:
            stack += reversed(inner)


def _marked(name: str, array: list[Any], feeds: Sequence[Feed]) -> dict[int, Feed]:
    """The elements of an array that are paid for."""
    marked: dict[int, Feed] = {}
    posts = [(number, item) for number, item in enumerate(array[:_MOST_IN_ARRAY]) if isinstance(item, dict)]
    for feed in feeds:
        if feed.arrays and name not in feed.arrays:
            continue
        found = {number: feed for number, post in posts if feed.marks(post)}
        if found and not (feed.peers and 2 * len(found) > len(posts)):
            marked = {**found, **marked}
    return dict(sorted(marked.items()))


def _offer(feed: Feed, post: Any, buyer: str, page: str) -> Offer:
    inside = _holders(post, {way.names[0] for ways in feed.fields.values() for way in ways if way.anywhere})

    def texts(name: str) -> tuple[str, ...]:
        ways = feed.fields.get(name, ())
        found = (
            value.strip()
            for way in ways
            for value in _at(way.names, inside.get(way.names[0], []) if way.anywhere else [post])
            if isinstance(value, str)
        )
        return tuple(islice(dict.fromkeys(text for text in found if text), _MOST_FOUND))

    clicks = tuple(url for url in texts("click") if url[:8].lower().startswith(("https://", "http://")))
    evidence = Evidence(clicks=clicks, text=" ".join(texts("text"))[:600], page=page)
    return Offer(
        buyer,
        advertisers=texts("advertiser"),
        sponsors=texts("sponsor"),
        advertiser_id=next(iter(texts("advertiser_id")), None),
        campaign=next(iter(texts("campaign")), None),
        creative=next(iter(texts("creative")), None),
        evidence=evidence,
    )


def _at(names: Sequence[str], holders: list[Any]) -> list[Any]:
    """What stands at the end of a way that begins in `holders`, lists taken apart."""
    for name in names:
        after: list[Any] = []
        for holder in holders[:_MOST_FOUND]:
            each = loads(holder) if isinstance(holder, str) and len(holder) <= _LONGEST_TEXT else holder
            if isinstance(each, dict) and each.get(name) is not None:
                value = each[name]
                after += value[:_MOST_FOUND] if isinstance(value, list) and value else [value]
        holders = after
    return holders


def _holders(post: Any, names: Collection[str]) -> dict[str, list[Any]]:
    """For each of `names` the objects inside a post that have a member so called, outer ones first."""
    found: dict[str, list[Any]] = {}
    layer: list[Any] = [post]
    seen = 0
    while layer and seen < _MOST_INSIDE:
        after: list[Any] = []
        for each in layer:
            seen += 1
            if isinstance(each, dict):
                for name in each.keys() & names:
                    found.setdefault(name, []).append(each)
                after += (item for item in each.values() if isinstance(item, dict | list))
            elif isinstance(each, list):
                after += (item for item in each[:_MOST_FOUND] if isinstance(item, dict | list))
        layer = after
    return found


# Reading config/feeds


def load_feeds(names: Collection[str] | None = None, folder: File | None = None) -> tuple[Feed, ...]:
    """The feeds of `folder`, by default those that travel with capper; with `names` those of them that are called so.

    Raises:
        ConfigError: names the file and what is wrong in it.
    """
    folder = folder or packaged_config() / "feeds"
    files = sorted(file for file in folder.glob("*.toml") if names is None or file.stem in names)
    missing = sorted(set(names or ()) - {file.stem for file in files})
    if missing:
        raise ConfigError(f"feeds: no {missing[0]}.toml in {folder}")
    return tuple(_feed(file) for file in files)


def _feed(file: File) -> Feed:
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"read the feed in {file}: {exc}") from exc
    known = ("about", "hosts", "hints", "signs", "arrays", "peers", *_FIELDS)
    for unknown in table.keys() - set(known):
        raise ConfigError(f"{file}: {unknown}: expected one of {', '.join(known)}")
    if not isinstance(table.get("about"), str) or not isinstance(table.get("peers", False), bool):
        raise ConfigError(f"{file}: expected about as a text, and peers as true or false")
    return Feed(
        file.stem,
        hosts=tuple(_host(text) for text in _texts(file, "hosts", table.get("hosts"))),
        hints=tuple(text.encode() for text in _texts(file, "hints", table.get("hints"))),
        signs=tuple(_sign(file, text) for text in _texts(file, "signs", table.get("signs"))),
        arrays=frozenset(_texts(file, "arrays", table.get("arrays", []))),
        peers=table.get("peers", False),
        fields={
            name: tuple(_way(text) for text in _texts(file, name, table[name])) for name in _FIELDS if name in table
        },
    )


def _texts(file: File, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ConfigError(f"{file}: {key}: expected a list of texts")
    return tuple(value)


def _host(text: str) -> tuple[str, str]:
    host, _, path = text.partition("/")
    return "" if host == "*" else host, f"/{path}"


def _way(text: str) -> Way:
    names = tuple(name for name in text.split(".") if name)
    return Way(names[1:], anywhere=True) if names[:1] == ("**",) else Way(names)


def _sign(file: File, text: str) -> Sign:
    match = _WAY.fullmatch(text)
    if match is None or not _way(match[1]).names or _way(match[1]).anywhere:
        raise ConfigError(f"{file}: signs: expected a way from the post, with = ^= or $= and a text, not {text!r}")
    return Sign(_way(match[1]), match[2] or "", match[3] or "")
