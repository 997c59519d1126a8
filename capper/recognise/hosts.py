"""Sets of hosts that speak for their subdomains, and the ad-delivery hosts that filter lists name outright."""

import re
from collections.abc import Iterable, Iterator

from capper.recognise.filterlist import FilterList, ListKind, rules


class HostSet:
    """Hosts and all their subdomains; immutable, and asked in microseconds whatever its size."""

    __slots__ = ("_hosts",)

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self._hosts = frozenset(host for host in map(_normal, hosts) if host)

    def covers(self, host: str) -> bool:
        """Whether `host` or a domain above it is in the set; an address is only covered by itself."""
        return self.covering(host) is not None

    def covering(self, host: str) -> str | None:
        """The member that covers `host`, the longest one: what to show a person who asks why."""
        host = _normal(host)
        if len(host) > _LONGEST_HOST:
            return None
        hosts = self._hosts
        if host in hosts:
            return host
        if ":" in host or host[-1:].isdigit():
            return None
        dot = host.find(".")
        while dot >= 0:
            host = host[dot + 1 :]
            if host in hosts:
                return host
            dot = host.find(".")
        return None

    def __or__(self, other: "HostSet") -> "HostSet":
        merged = HostSet()
        merged._hosts = self._hosts | other._hosts
        return merged

    def __contains__(self, host: object) -> bool:
        return isinstance(host, str) and self.covers(host)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._hosts))

    def __len__(self) -> int:
        return len(self._hosts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostSet) and self._hosts == other._hosts

    def __hash__(self) -> int:
        return hash(self._hosts)

    def __repr__(self) -> str:
        return f"<HostSet of {len(self)}>"


_LONGEST_HOST = 253


def _normal(host: str) -> str:
    return host.strip().rstrip(".").lower()


_HOST_RULE = re.compile(
    r"(?P<exception>@@)?\|\|(?P<host>(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*[a-z0-9])\^?(?:\$(?P<options>[\w~,-]+))?"
)
_HARMLESS = frozenset({"third-party", "3p", "important", "all", "script", "image", "subdocument", "xmlhttprequest"})
_WHOLE = frozenset({"third-party", "3p", "important"})


def ad_hosts(lists: Iterable[FilterList]) -> HostSet:
    """The hosts that ad lists block as a whole (`||host^`, `||host^$third-party`): those whose TLS may be opened.

    Lists of trackers name none. A host that some list frees as a whole (`@@||host^`) is left out.
    """
    named: set[str] = set()
    freed: set[str] = set()
    for filter_list in lists:
        for rule in rules(filter_list.text):
            if rule[:2] not in ("||", "@@") or not (match := _HOST_RULE.fullmatch(rule)):
                continue
            options = set((match["options"] or "third-party").split(","))
            if match["exception"]:
                freed |= {match["host"]} if options <= _HARMLESS | {"document"} else set()
            elif filter_list.kind is ListKind.ADS and rule[-1] != "." and options <= _WHOLE:
                named.add(match["host"])
    return HostSet(named - freed)
