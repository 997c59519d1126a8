"""Which of many rules is the first that fits a sighting: each is filed under something it names, so that few are asked."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from capper.domain.identity import Level
from capper.domain.sighting import Sighting

Conditions = Mapping[str, tuple[str, ...]]
"""What a rule names, by the name of the condition; those left empty are left out."""
_MOST_LABELS: Final = 127
"""A domain name has no more of them."""


def parents(names: Iterable[str]) -> set[str]:
    """Each of these domains and every domain that it is below: what may be written for it in a policy."""
    found: set[str] = set()
    for name in names:
        # A reseller's key says after a slash which of its customers it is; a rule for the reseller speaks for all of them.
        for host in {name, name.partition("/")[0]}:
            found.add(host)
            dot = len(host)
            for _ in range(_MOST_LABELS):
                dot = host.rfind(".", 0, dot)
                if dot < 0:
                    break
                found.add(host[dot + 1 :])
    return found


CALLED: Final[Mapping[str, Callable[[Sighting], Collection[str]]]] = {
    "advertiser": lambda sighting: parents(sighting.ad.advertisers),
    "creative": lambda sighting: sighting.ad.keys(Level.CREATIVE),
    "campaign": lambda sighting: sighting.ad.keys(Level.CAMPAIGN),
    "category": lambda sighting: sighting.ad.categories,
    "site": lambda sighting: parents((sighting.site,)) if sighting.site else (),
    "network": lambda sighting: parents((sighting.network,)) if sighting.network else (),
    "format": lambda sighting: (sighting.format,),
    "people": lambda sighting: (sighting.viewer.name,),
}
"""Every condition, and all that a sighting answers to there."""


def fits(conditions: Mapping[str, Collection[str]], sighting: Sighting) -> bool:
    """Whether `sighting` answers to one of the names of each condition."""
    return all(any(name in wanted for name in CALLED[key](sighting)) for key, wanted in conditions.items())


class RuleBook:
    """Rules in their order, found by what a sighting is called: as fast among thousands as among ten.

    A rule is filed under that one of its conditions whose names the fewest rules share.
    """

    def __init__(self, rules: Sequence[Conditions]) -> None:
        self._rules = [{key: frozenset(wanted) for key, wanted in rule.items()} for rule in rules]
        crowd = Counter((key, name) for rule in self._rules for key, wanted in rule.items() for name in wanted)
        self._filed: dict[str, dict[str, list[int]]] = {}
        self._general: int | None = None
        for place, rule in enumerate(self._rules):
            if rule:
                key = min(rule, key=lambda key: sum(crowd[key, name] for name in rule[key]))
                shelf = self._filed.setdefault(key, {})
                for name in rule[key]:
                    shelf.setdefault(name, []).append(place)
            elif self._general is None:
                self._general = place

    def fitting(self, sighting: Sighting) -> int | None:
        """The place of the first rule that fits."""
        return self.first(lambda key: CALLED[key](sighting), lambda place: fits(self._rules[place], sighting))

    def first(self, called: Callable[[str], Collection[str]], speaks: Callable[[int], bool]) -> int | None:
        """The least place that `speaks` is true of.

        Args:
            called: the names, by condition, of which every rule that speaks has one, in each of its own conditions.
            speaks: asked of few.
        """
        best = self._general
        for key, shelf in self._filed.items():
            for name in called(key):
                for place in shelf.get(name, ()):
                    if best is not None and place >= best:
                        break
                    if speaks(place):
                        best = place
                        break
        return best
