"""Which TLS connections are opened, and by which rule: by the host's name alone, in some millionths of a second."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from capper.recognise.hosts import HostSet
from capper.settings.closed import ClosedHosts


class Rule(StrEnum):
    """Why a host is opened, or why not."""

    SITE = "a site that you opened"
    AD_HOST = "delivers ads"
    CREDIT = "known for credit prompts"
    CLOSED = "stays closed"
    SILENT = "carries no ads"
    UNNAMED = "named nowhere"
    ALL = "everything is opened"

    @property
    def opens(self) -> bool:
        """Whether a connection is opened by this rule."""
        return self not in (Rule.CLOSED, Rule.SILENT, Rule.UNNAMED)


class Ruling(NamedTuple):
    """What is done with connections to a host: by which rule, which entry of it, and where that entry stands."""

    rule: Rule
    entry: str = ""
    source: str = ""

    @property
    def opens(self) -> bool:
        """Whether they are opened."""
        return self.rule.opens


class Known(Protocol):
    """A set of sites that speak for what is below them, with exceptions of its own."""

    def covers(self, host: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Chooser:
    """The sets that decide, each as it is at the moment it is asked.

    A host that stays closed is opened only if a person named that very host, or one below the entry that closes it.
    """

    ads: Callable[[], HostSet]
    closed: Callable[[], ClosedHosts] = ClosedHosts
    sites: frozenset[str] = frozenset()
    own: Callable[[], frozenset[str]] = frozenset
    known: Known = field(default_factory=HostSet)
    wanted: Callable[[str], bool] = lambda _: True
    """Whether anybody wants the pages of a site known for credit prompts opened."""
    silent: ClosedHosts = field(default_factory=ClosedHosts)
    """Hosts that carry no ads though a list of ad hosts names them."""

    def ruling(self, host: str) -> Ruling:
        """What is done with connections to `host`, in lower case and without a final dot."""
        if asked := _within(host, self.sites) or _within(host, self.own()):
            closing = self.closed().by_host(host)
            if closing is None or len(asked) >= len(closing.entry):
                return Ruling(Rule.SITE, asked)
            return Ruling(Rule.CLOSED, *closing)
        if entry := self.ads().covering(host):
            quiet = self.silent.closing(host)
            return self._unless_closed(host, Ruling(Rule.SILENT, *quiet) if quiet else Ruling(Rule.AD_HOST, entry))
        if self.known.covers(host):
            if self.wanted(host):
                return self._unless_closed(host, Ruling(Rule.CREDIT, host))
            return Ruling(Rule.UNNAMED)
        return self._unless_closed(host, Ruling(Rule.UNNAMED))

    def opens(self, host: str) -> bool:
        """Whether connections to `host` are opened."""
        return self.ruling(host).opens

    def _unless_closed(self, host: str, ruling: Ruling) -> Ruling:
        closing = self.closed().closing(host)
        return Ruling(Rule.CLOSED, *closing) if closing else ruling


def _within(host: str, sites: Iterable[str]) -> str:
    """The longest of `sites` that is `host` or lies above it, else ""; `sites` is best a set."""
    if not sites:
        return ""
    while host and host not in sites:
        host = host.partition(".")[2]
    return host
