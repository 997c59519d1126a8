"""Exposures and visits by column, as figures are reckoned from them: a million rows in some 60 MB."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from capper.domain.decision import Verdict
from capper.domain.window import to_ms
from capper.study.exposure import Arm, Exposure, Kind, Visit

Key = Literal["creative", "campaign", "advertiser"]
"""By what two exposures are of the same ad; no figure means anything without it."""

Pair = tuple[str, str]
"""A person and an advertiser, by what the study calls them."""


@dataclass(frozen=True, slots=True)
class Coded:
    """Texts as numbers: the i-th is `names[codes[i]]`; `names[0]` is "", what is not known."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Number the texts in the order in which they come."""
        numbers = {"": 0}
        codes = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int32)
        return cls(codes, tuple(numbers))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "Coded":
        return Coded(self.codes[chosen], self.names)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which of them are known."""
        found: NDArray[np.bool_] = self.codes != 0
        return found


def distinct(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each number once, in order; of a million of them six times as fast as `numpy.unique`, which hashes them."""
    ordered = np.sort(numbers)
    first: NDArray[np.bool_] = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    found: NDArray[np.int64] = ordered[first]
    return found


@dataclass(frozen=True, slots=True)
class Exposures:
    """A study's exposures in the order of time."""

    time: NDArray[np.int64]
    """Milliseconds since 1970, UTC."""
    person: Coded
    load: Coded
    site: Coded
    format: Coded
    network: Coded
    basis: Coded
    creative: Coded
    campaign: Coded
    advertiser: Coded
    shown: NDArray[np.bool_]
    before: NDArray[np.int32]
    control: NDArray[np.bool_]
    """Whether caps were off."""

    @classmethod
    def of(cls, rows: Iterable[Exposure]) -> Self:
        """Put rows in the order of time and take them apart."""
        ordered = sorted(rows, key=lambda row: row.time)

        def coded(name: str) -> Coded:
            return Coded.of(str(getattr(row, name)) for row in ordered)

        return cls(
            np.fromiter((to_ms(row.time) for row in ordered), np.int64),
            person=coded("person"),
            load=coded("load"),
            site=coded("site"),
            format=coded("format"),
            network=coded("network"),
            basis=coded("basis"),
            creative=coded("creative"),
            campaign=coded("campaign"),
            advertiser=coded("advertiser"),
            shown=np.fromiter((row.verdict is Verdict.SHOW for row in ordered), np.bool_),
            before=np.fromiter((row.before for row in ordered), np.int32),
            control=np.fromiter((row.arm is Arm.CONTROL for row in ordered), np.bool_),
        )

    def __len__(self) -> int:
        return len(self.time)

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """The chosen rows."""
        return replace(self, **{each.name: getattr(self, each.name)[chosen] for each in fields(self)})

    def by(self, key: Key) -> Coded:
        """What each exposure is called at that level."""
        return {"creative": self.creative, "campaign": self.campaign, "advertiser": self.advertiser}[key]

    def pair(self, key: Key) -> NDArray[np.int64]:
        """One number for the person and the ad of each row: her code times as many names as the ads have, and the ad's code."""
        ads = self.by(key)
        found: NDArray[np.int64] = self.person.codes.astype(np.int64) * len(ads.names) + ads.codes
        return found

    def rows_of(self, pairs: Iterable[Pair]) -> dict[Pair, NDArray[np.int64]]:
        """The rows in which each of these pairs met, in the order of time; of those that did not, none."""
        number, ads = self.pair("advertiser"), self.advertiser.names
        order = np.argsort(number, kind="stable")
        ordered = number[order]
        people, sites = ({name: code for code, name in enumerate(each)} for each in (self.person.names, ads))
        found = {}
        for person, site in pairs:
            if person in people and site in sites:
                wanted = people[person] * len(ads) + sites[site]
                low, high = np.searchsorted(ordered, [wanted, wanted + 1])
                found[person, site] = order[low:high]
        return found


@dataclass(frozen=True, slots=True)
class Visits:
    """The visits of a study's participants in the order of time; `site` is coded by names of its own."""

    time: NDArray[np.int64]
    person: Coded
    site: Coded
    kind: Coded

    @classmethod
    def of(cls, rows: Iterable[Visit]) -> Self:
        """Put rows in the order of time and take them apart."""
        ordered = sorted(rows, key=lambda row: row.time)
        return cls(
            np.fromiter((to_ms(row.time) for row in ordered), np.int64),
            *(Coded.of(str(getattr(row, name)) for row in ordered) for name in ("person", "site", "kind")),
        )

    def __len__(self) -> int:
        return len(self.time)

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """The chosen rows."""
        return replace(self, **{each.name: getattr(self, each.name)[chosen] for each in fields(self)})

    def times(self, *kinds: Kind) -> dict[Pair, NDArray[np.int64]]:
        """When each person opened such a page of each advertiser's, in the order of time."""
        wanted = [code for code, name in enumerate(self.kind.names) if name in kinds]
        found: defaultdict[Pair, list[int]] = defaultdict(list)
        for row in np.flatnonzero(np.isin(self.kind.codes, wanted)):
            pair = self.person.names[self.person.codes[row]], self.site.names[self.site.codes[row]]
            found[pair].append(int(self.time[row]))
        return {pair: np.array(times, np.int64) for pair, times in found.items()}
