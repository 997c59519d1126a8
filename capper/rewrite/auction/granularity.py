"""How a Prebid Server rounds prices to the steps that an ad server's line items have (`hb_pb`)."""

from dataclasses import dataclass
from itertools import pairwise
from math import floor
from typing import Any, Self

_NAMED = {
    # prebid/prebid-server:openrtb_ext/request.go, "Price granularity": up to which price, in which steps.
    "low": ((5.0, 0.5),),
    "med": ((20.0, 0.1),),
    "medium": ((20.0, 0.1),),
    "high": ((20.0, 0.01),),
    "auto": ((5.0, 0.05), (10.0, 0.1), (20.0, 0.5)),
    "dense": ((3.0, 0.01), (8.0, 0.05), (20.0, 0.5)),
}


@dataclass(frozen=True, slots=True)
class Granularity:
    """Ranges of prices, each up to which price and in which steps, and how many decimals are written."""

    ranges: tuple[tuple[float, float], ...]
    precision: int = 2

    @classmethod
    def of(cls, said: Any) -> Self | None:
        """A request's `pricegranularity`, by name or spelled out; None where it says none or nonsense."""
        if isinstance(said, str):
            return cls(_NAMED[said]) if said in _NAMED else None
        if not isinstance(said, dict) or not isinstance(said.get("ranges"), list):
            return None
        try:
            ranges = tuple((float(row["max"]), float(row["increment"])) for row in said["ranges"][:50])
            precision = int(said.get("precision", 2))
        except (TypeError, KeyError, ValueError, OverflowError):
            return None
        rising = all(lower[0] < upper[0] for lower, upper in pairwise(ranges))
        usable = ranges and rising and all(0 < step <= top < 1e6 for top, step in ranges) and 0 <= precision <= 15
        return cls(ranges, precision) if usable else None

    def of_price(self, price: float) -> str:
        """The step at or below a price; "" for one below the first."""
        bottom = 0.0
        if price > self.ranges[-1][0]:
            return f"{self.ranges[-1][0]:.{self.precision}f}"
        for top, step in self.ranges:
            if price <= top:
                # Half a thousandth of a step up: 0.3 is three steps of 0.1, whatever binary fractions make of it.
                rounded = bottom + floor((price - bottom) / step + 0.0005) * step
                return f"{rounded:.{self.precision}f}" if rounded > 0 else ""
            bottom = top
        return ""
