"""Filter lists as engines that say which rule names a request or hides an element; the only importer of `adblock`."""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from importlib.metadata import version
from typing import NamedTuple, Self

import adblock

from capper.recognise.cosmetic import SelectorRules
from capper.recognise.domains import host_of
from capper.recognise.filterlist import FilterList, ListKind, rules
from capper.recognise.hosts import HostRules, HostSet, ad_hosts
from capper.recognise.kind import UNKNOWN_SOURCE, Kind
from capper.remembered import Shelf, remembered

logger = logging.getLogger(__name__)

ENGINE_VERSION = f"adblock {version('adblock')}, capper 3"
"""Serialized engines are read back by the same version only."""

_MOST_SITES = 256
_MOST_REQUESTS = 256
_LONGEST_KEPT = 4_096
_NAMED = (None, True, False)
"""Whether it is a third party (to be found out); that a rule matched already; that exceptions are asked for even if none did."""
LONGEST_URL = 16_384
"""More of a URL is not looked at: matching time grows with it (100 kB of `&ad=` take 32 ms)."""


class Match(NamedTuple):
    """The rule that names a request, and the exception that takes it back, in the words of their lists."""

    rule: str
    exception: str | None = None
    important: bool = False

    def blocks(self) -> bool:
        """Whether the rule holds in the end."""
        return self.important or self.exception is None


@dataclass(frozen=True, slots=True)
class Cosmetics:
    """What hides elements on one page: as on all pages (`common`), and there alone (`own`).

    `generic` is false where a list asks for the page's own rules only.
    """

    common: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    exceptions: frozenset[str] = frozenset()
    generic: bool = True

    @property
    def selectors(self) -> tuple[str, ...]:
        """All of them."""
        return *self.common, *self.own


class FilterEngine:
    """The rules of some lists, built once and never changed: swap it whole when a list changes.

    What has no host (`data:`, `blob:`, a relative URL) matches nothing. So does a top-level document: a person who goes
    to an advertiser's site is a visitor, not an audience.
    """

    __slots__ = ("_common", "_cosmetics", "_engine", "_generic", "_known", "_selectors", "whole")

    def __init__(
        self, engine: adblock.Engine, generic: adblock.Engine, selectors: SelectorRules, whole: HostRules
    ) -> None:
        self._engine = engine
        self._generic = generic
        self._selectors = selectors
        self.whole = whole
        self._cosmetics: Shelf[tuple[str, bool], Cosmetics] = Shelf(_MOST_SITES)
        self._known = remembered(_MOST_REQUESTS)(self._match)
        self._common = cache(self._of_all_pages)

    @classmethod
    def build(cls, lists: Sequence[FilterList]) -> Self:
        """Build from the lists' texts; a rule that the engine cannot hold is left out."""
        chosen = [rule for filter_list in lists for rule in rules(filter_list.text)]
        # Where generic selectors are not to be used is asked for every page, and few rules say it.
        generic = [rule for rule in chosen if (rule[:2] == "@@" and "hide" in rule) or "badfilter" in rule]
        whole, others = HostRules.taken(chosen)
        engine, freeing = (adblock.Engine(_filter_set(some), optimize=False) for some in (others, generic))
        return cls(engine, freeing, SelectorRules.read(others), whole)

    def serialize(self) -> bytes:
        """As bytes that `deserialize` of the same `ENGINE_VERSION` reads in a fifth of the time."""
        return pack(
            (
                self._engine.serialize(),
                self._generic.serialize(),
                self._selectors.dump(),
                _lines(self.whole.anyone),
                _lines(self.whole.strangers),
            )
        )

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        """Read what `serialize` wrote.

        Raises:
            ValueError: it is damaged, or from another version.
        """
        engine, generic, selectors, anyone, strangers = unpack(data, 5)
        return cls(
            _deserialized(engine),
            _deserialized(generic),
            SelectorRules.load(selectors),
            HostRules(_of_lines(anyone), _of_lines(strangers)),
        )

    def match(self, url: str, source: str, kind: Kind) -> Match | None:
        """The rule that names this request, even if an exception takes it back; None where no rule does.

        Args:
            source: the page that asks; anything but an http(s) URL counts as `UNKNOWN_SOURCE`, because with no source
                the exceptions made for single sites would hold everywhere.
        """
        if kind is Kind.DOCUMENT:
            return None
        # An ad's file is asked about by its head and as a whole, its frame with each of the files in it.
        look = self._known if len(url) + len(source) <= _LONGEST_KEPT else self._match
        return look(url, source, kind)

    def _match(self, url: str, source: str, kind: Kind) -> Match | None:
        source = _address(source)
        if not source.startswith(("https://", "http://")):
            source = UNKNOWN_SOURCE
        url = _address(url)
        named = self.whole.match(url, source)
        if named is None:
            result = _calmly(self._engine.check_network_urls, url, source, kind)
        else:  # by a rule for its whole host: which exception or important rule speaks
            asked = self._engine.check_network_urls_with_hostnames_subset
            result = _calmly(asked, url, host_of(url), host_of(source), kind, *_NAMED)
        if result is None or result.error is not None:
            return None if named is None else Match(named)
        rule = named if result.filter is None else _as_listed(result.filter)
        exception = None if result.exception is None else _as_listed(result.exception)
        return None if rule is None else Match(rule, exception, result.important)

    def cosmetics(self, url: str) -> Cosmetics:
        """The selectors that hide ads on the page `url`; for those by class or id ask `hiding` with what the page has."""
        # All but `generichide` hang on the host alone, and hundreds of selectors are dear to fetch for every page.
        freed = _calmly(self._generic.url_cosmetic_resources, _address(url))
        site = host_of(url), not getattr(freed, "generichide", False)
        known = self._cosmetics.get(site)
        if known is None:
            found = _calmly(self._engine.url_cosmetic_resources, _address(url))
            if found is None:
                return Cosmetics()
            ours = self._selectors.of(site[0], generic=site[1])
            here = dict.fromkeys((*sorted(found.hide_selectors), *ours))
            common = self._common()
            if not here.keys() >= set(common):
                common = tuple(selector for selector in common if selector in here)
            own = tuple(sorted(here.keys() - set(common)))
            known = Cosmetics(common, own, frozenset(found.exceptions), site[1])
            self._cosmetics[site] = known
        return known

    def _of_all_pages(self) -> tuple[str, ...]:
        """The selectors of a page that no rule names."""
        found = _calmly(self._engine.url_cosmetic_resources, UNKNOWN_SOURCE)
        return *sorted(found.hide_selectors if found else ()), *self._selectors.of(host_of(UNKNOWN_SOURCE))

    def hiding(self, classes: Iterable[str], ids: Iterable[str], page: Cosmetics) -> list[str]:
        """The generic `.class` and `#id` selectors that hide elements of these classes and ids on `page`."""
        if not page.generic:
            return []
        known = _all_plain(classes), _all_plain(ids)
        return sorted(_calmly(self._engine.hidden_class_id_selectors, *known, set(page.exceptions)) or [])

    def warm(self) -> None:
        """Let the engine compile now what it would compile at the first request of each kind (40 ms for one of them)."""
        for kind in Kind:
            for source in (UNKNOWN_SOURCE, "https://www.site.example/"):
                self.match("https://www.site.example/", source, kind)
                self.match("http://ads.other.example/ads/banner.js?ad=1&banner=2", source, kind)


class Label(StrEnum):
    """What a request is, as far as lists can tell."""

    AD = "ad"
    TRACKER = "tracker"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a request is, and the rule that says so; with `NONE`, a match is one that an exception takes back."""

    label: Label
    match: Match | None = None

    @property
    def is_ad(self) -> bool:
        """Whether ad lists name it and no exception takes it back."""
        return self.label is Label.AD

    def blocks(self) -> bool:
        """Whether a blocker with all of these lists would block it."""
        return self.label is not Label.NONE


class Engines:
    """Ad lists and tracker lists, each in an engine of its own, because a match does not name its list.

    An exception or `$badfilter` of either holds in both: what is blocked by one of them is what one engine with all
    lists would block. A request that both name is an ad. `hosts` are the ad-delivery hosts.
    """

    __slots__ = ("_trackers", "ads", "hosts")

    def __init__(self, ads: FilterEngine, trackers: Callable[[], FilterEngine], hosts: HostSet) -> None:
        self.ads = ads
        # Traffic asks of ads alone: what only an explanation asks of is read when one is asked for.
        self._trackers = cache(trackers)
        self.hosts = hosts

    @property
    def trackers(self) -> FilterEngine:
        """The tracker lists' engine."""
        return self._trackers()

    @classmethod
    def build(cls, lists: Sequence[FilterList]) -> Self:
        """Build both engines."""
        ads = [item for item in lists if item.kind is ListKind.ADS]
        trackers = [item for item in lists if item.kind is ListKind.TRACKERS]
        return cls(
            FilterEngine.build([*ads, *map(_exceptions, trackers)]),
            partial(FilterEngine.build, [*trackers, *map(_exceptions, ads)]),
            ad_hosts(lists),
        )

    def verdict(self, url: str, source: str, kind: Kind) -> Recognised:
        """Whether the request is an ad, a tracker or neither, by which rule."""
        ad = self.ads.match(url, source, kind)
        if ad is not None and ad.blocks():
            return Recognised(Label.AD, ad)
        tracker = self.trackers.match(url, source, kind)
        if tracker is not None and tracker.blocks():
            return Recognised(Label.TRACKER, tracker)
        return Recognised(Label.NONE, ad or tracker)

    def cosmetics(self, url: str) -> Cosmetics:
        """What hides ads on the page `url`."""
        return self.ads.cosmetics(url)

    def warm(self) -> None:
        """Compile now what would delay the first requests."""
        self.ads.warm()

    def serialize(self) -> bytes:
        """As bytes that `deserialize` of the same `ENGINE_VERSION` reads."""
        named, hosts = self.ads.whole.hosts, frozenset(self.hosts)
        return pack(
            (
                self.ads.serialize(),
                self.trackers.serialize(),
                _lines(hosts - named),
                _lines(named - hosts),
                _lines(self.hosts.without),
            )
        )

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        """Read what `serialize` wrote.

        Raises:
            ValueError: it is damaged, or from another version.
        """
        ads_data, trackers, more, less, without = unpack(data, 5)
        ads = FilterEngine.deserialize(ads_data)
        hosts = (ads.whole.hosts | _of_lines(more)) - _of_lines(less)
        return cls(ads, partial(FilterEngine.deserialize, trackers), HostSet.of_lower(hosts, _of_lines(without)))


def _lines(hosts: frozenset[str]) -> bytes:
    return "\n".join(sorted(hosts)).encode()


def _of_lines(data: bytes) -> frozenset[str]:
    return frozenset(data.decode().split("\n")) if data else frozenset()


def pack(parts: Sequence[bytes]) -> bytes:
    """Join byte strings so that `unpack` takes them apart: a line with their lengths, then they."""
    return b" ".join(b"%d" % len(part) for part in parts) + b"\n" + b"".join(parts)


def unpack(data: bytes, count: int) -> list[bytes]:
    """Take apart what `pack` joined.

    Raises:
        ValueError: there are not `count` parts that fill `data` exactly.
    """
    end = data.find(b"\n", 0, 200)
    sizes = [int(size) for size in data[: max(end, 0)].split()]
    if len(sizes) != count or end + 1 + sum(sizes) != len(data) or min(sizes) < 0:
        raise ValueError("the parts do not fit their lengths")
    parts = []
    at = end + 1
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    return parts


def _exceptions(filter_list: FilterList) -> FilterList:
    """The part of a list that takes back what other lists block or hide."""
    kept = (rule for rule in rules(filter_list.text) if rule[:2] == "@@" or "#@" in rule or "badfilter" in rule)
    return FilterList(filter_list.name, "\n".join(kept), filter_list.kind)


def _filter_set(chosen: list[str]) -> adblock.FilterSet:
    """All rules at once; one by one where one makes the parser panic, so that only that one is lost."""
    chosen = [_in_ascii(_WWW.sub(r"\1||WWW.", _plain(rule))) for rule in chosen if not _LETHAL.match(rule)]
    filters = adblock.FilterSet(debug=True)
    if _calmly(_added, filters, chosen):
        return filters
    filters = adblock.FilterSet(debug=True)
    for rule in chosen:
        _calmly(_added, filters, [rule])
    return filters


_WWW = re.compile(r"^(@@)?\|\|www\.")
"""The engine takes `||www.` for `||` and so frees or blocks a whole domain; in capitals it reads it as it stands."""

_LETHAL = re.compile(r"(?:@@)?\|*\*?/\*?\|*(?:\$|$)")
"""`|/` is accepted, and then every request panics; alone, a slash names everything anyway."""


_ASCII = {"\\w": (r"(?-u:\w)", "[:word:]"), "\\d": (r"(?-u:\d)", "[:digit:]")}
r"""Letters and digits as a browser's pattern means them, outside and inside of brackets.

The engine means all the world's: for EasyList's one `\w{30,}` it takes 21 MB and a tenth of a second.
"""
_STEP = re.compile(r"\\.|[\[\]]")


def _in_ascii(rule: str) -> str:
    """A rule with a pattern, for the engine; `_as_listed` undoes it."""
    if rule.removeprefix("@@")[:1] != "/" or "\\" not in rule:
        return rule
    inside = False

    def told(step: re.Match[str]) -> str:
        nonlocal inside
        inside = step[0] == "[" or (inside and step[0] != "]")
        return _ASCII[step[0]][inside] if step[0] in _ASCII else step[0]

    return _STEP.sub(told, rule)


def _deserialized(data: bytes) -> adblock.Engine:
    engine = adblock.Engine(adblock.FilterSet(debug=True), optimize=False)
    try:
        engine.deserialize(data)
    except adblock.AdblockException as exc:
        raise ValueError(f"serialized engine: {exc}") from exc
    return engine


def _added(filters: adblock.FilterSet, chosen: list[str]) -> bool:
    filters.add_filters(chosen)
    return True


def _calmly[**P, T](call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """`call`'s result, or None after a panic inside the engine's Rust code, whose exception class cannot be imported."""
    try:
        return call(*args, **kwargs)
    except BaseException as exc:
        if type(exc).__name__ != "PanicException":
            raise
        logger.warning("the filter engine panicked: %s", exc)
        return None


def _as_listed(rule: str) -> str:
    for listed, forms in _ASCII.items() if "(?-u:" in rule or "[:" in rule else ():
        for form in forms:
            rule = rule.replace(form, listed)
    return rule.replace("||WWW.", "||www.", 1)


def _address(url: str) -> str:
    """A URL as the engine can read it: scheme and host in lower case, of bearable length, without lone surrogates.

    A host's final dot goes: it is the same host, and no rule is written with it.
    """
    end = url.find("/", 8)
    head = url[:end] if end > 0 else url
    if not head.islower() or head.endswith("."):
        url = head.lower().removesuffix(".") + url[len(head) :]
    return _plain(url[:LONGEST_URL])


_SURROGATE = re.compile("[\ud800-\udfff]")


def _all_plain(names: Iterable[str]) -> list[str]:
    found = list(names)
    return found if "".join(found).isascii() else list({_plain(name) for name in found})


def _plain(text: str) -> str:
    """`text` without lone surrogates, which no UTF-8 can say: the undecodable bytes they stand for, percent-encoded."""
    return text if text.isascii() else _SURROGATE.sub(_percent, text)


def _percent(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"%{code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else "%EF%BF%BD"
