"""Sets of hosts that speak for their subdomains, and the hosts that filter lists name outright."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from capper.recognise.domains import host_of, site_of
from capper.recognise.filterlist import FilterList, ListKind, rules
from capper.remembered import remembered


class HostSet:
    """Hosts that speak for all their subdomains, but for those of `without`; immutable, and quick at any size."""

    __slots__ = ("_hosts", "_without")

    def __init__(self, hosts: Iterable[str] = (), without: Iterable[str] = ()) -> None:
        self._without = frozenset(host for host in map(_normal, without) if host)
        self._hosts = frozenset(host for host in map(_normal, hosts) if host) - self._without

    @classmethod
    def of_lower(cls, hosts: frozenset[str], without: frozenset[str]) -> Self:
        """The same of hosts that are in lower case and without a dot at their end already: in a tenth of the time."""
        made = cls()
        made._hosts, made._without = hosts - without, without
        return made

    def covers(self, host: str) -> bool:
        """Whether `host` or a domain above it is in the set; an address is only covered by itself."""
        return self.covering(host) is not None

    def covering(self, host: str) -> str | None:
        """The member that covers `host`, the longest one: what to show a person who asks why."""
        host = _normal(host)
        names = (host,) if ":" in host or host[-1:].isdigit() else _above(host)
        if self._hosts.isdisjoint(names):
            return None
        nearest = next(name for name in names if name in self._hosts or name in self._without)
        return nearest if nearest in self._hosts else None

    @property
    def without(self) -> frozenset[str]:
        """The hosts that are not covered though a domain above them is."""
        return self._without

    def __or__(self, other: "HostSet") -> "HostSet":
        """Whatever either names; what one leaves out stays out unless the other names it."""
        return HostSet(self._hosts | other._hosts, (self._without - other._hosts) | (other._without - self._hosts))

    def __contains__(self, host: object) -> bool:
        return isinstance(host, str) and self.covers(host)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._hosts))

    def __len__(self) -> int:
        return len(self._hosts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostSet) and (self._hosts, self._without) == (other._hosts, other._without)

    def __hash__(self) -> int:
        return hash((self._hosts, self._without))

    def __repr__(self) -> str:
        return f"<HostSet of {len(self)}>"


_LONGEST_HOST = 253


def _normal(host: str) -> str:
    bare = host.strip().rstrip(".")
    lower = bare.lower()
    # The same object where nothing is to be done: sets of the same hundred thousand hosts share their names.
    return bare if lower == bare else lower


_HOST_RULE = re.compile(
    r"(?P<exception>@@)?\|\|(?P<host>(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*[a-z0-9])\^(?:\$(?P<options>[\w~,-]+))?"
)
_WHOLE = frozenset({"third-party", "3p", "important"})
_FREEING = _WHOLE | {"document"}


def ad_hosts(lists: Iterable[FilterList]) -> HostSet:
    """The hosts that ad lists block as a whole (`||host^`, `||host^$third-party`): those whose TLS may be opened.

    Lists of trackers name none. A host that some list frees as a whole (`@@||host^`) is left out, below a blocked
    domain too: that is how opt-out pages stay closed.
    """
    named: set[str] = set()
    freed: set[str] = set()
    for filter_list in lists:
        for rule in rules(filter_list.text):
            if rule[:2] not in ("||", "@@") or not (match := _HOST_RULE.fullmatch(rule)):
                continue
            options = set((match["options"] or "third-party").split(","))
            if match["exception"]:
                freed |= {match["host"]} if options <= _FREEING else set()
            elif filter_list.kind is ListKind.ADS and options <= _WHOLE:
                named.add(match["host"])
    return HostSet(named, freed)


@dataclass(frozen=True, slots=True)
class HostRules:
    """The rules `||host^` and `||host^$third-party`, by host.

    Of EasyList's rules for requests five in six are such, and a filter engine takes half a kilobyte for each.
    """

    anyone: frozenset[str] = frozenset()
    strangers: frozenset[str] = frozenset()
    """Named for requests from pages of other sites only."""

    @classmethod
    def taken(cls, chosen: Iterable[str]) -> tuple[Self, list[str]]:
        """Those of a list, and its other rules. Where `$badfilter` takes one of a host back, that is for the engine to tell."""
        chosen = list(chosen)
        back = {match["host"] for rule in chosen if "badfilter" in rule and (match := _HOST_RULE.fullmatch(rule))}
        found: dict[str, set[str]] = {"": set(), "third-party": set()}
        others = []
        for rule in chosen:
            match = _HOST_RULE.fullmatch(rule) if rule[:2] == "||" else None
            hosts = found.get(match["options"] or "") if match and match["host"] not in back else None
            if match is None or hosts is None:
                others.append(rule)
            else:
                hosts.add(match["host"])
        return cls(frozenset(found[""]), frozenset(found["third-party"])), others

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that is named."""
        return self.anyone | self.strangers

    def match(self, url: str, source: str) -> str | None:
        """The rule that names a request for `url`, made by the page `source`."""
        if not url.startswith(_REQUESTED):
            return None
        above = _above(host_of(url))
        if self.anyone.isdisjoint(above) and self.strangers.isdisjoint(above):
            return None
        for host in above:
            if host in self.anyone:
                return f"||{host}^"
            if host in self.strangers and site_of(url) != site_of(source):
                return f"||{host}^$third-party"
        return None


@remembered(2_048)
def _above(host: str) -> tuple[str, ...]:
    """A host, and each domain above it; none of what is too long to be one."""
    labels = host.split(".") if 0 < len(host) <= _LONGEST_HOST else []
    return tuple(".".join(labels[place:]) for place in range(len(labels)))


_REQUESTED = ("https://", "http://", "wss://", "ws://")
