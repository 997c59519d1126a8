"""Who follows a person, as a page shows it: by times seen, over a span of days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from capper.dashboard.chart import Chart, chart
from capper.domain.daily import EVERYBODY, Daily, Follower
from capper.domain.identity import Level
from capper.domain.mute import Mute

SPANS: Final = (1, 7, 28)
"""The spans, in days with today, that can be looked at."""
MOST_LINES: Final = 100
"""Advertisers on a page; the rest is in the export."""


@dataclass(frozen=True, slots=True)
class Line:
    """One advertiser: how often it was shown and withheld in the span, and on about how many sites in four weeks."""

    name: str
    counts: Daily
    sites: int
    muted: Mute | None = None
    standing: str = ""
    """Why it would be withheld now, where a cap of hers is full."""


@dataclass(frozen=True, slots=True)
class Overview:
    """A span of days: its sum, its days, and who followed."""

    span: int
    total: Daily
    chart: Chart
    lines: tuple[Line, ...]
    more: int = 0
    """Advertisers that are left out."""


def overview(
    followers: Sequence[Follower], mutes: Sequence[Mute], full: Mapping[str, str], today: int, span: int
) -> Overview:
    """What `followers` amount to in the last `span` days; who was seen most comes first.

    Args:
        full: by advertiser, what is to be said of one whose cap is full now.
    """
    muted = {mute.name: mute for mute in mutes if mute.level is Level.ADVERTISER}
    everybody = next((each for each in followers if each.name == EVERYBODY), Follower(EVERYBODY))
    lines = [
        Line(each.name, counts, each.sites, muted.get(each.name), full.get(each.name, ""))
        for each in followers
        if each.name != EVERYBODY and (counts := each.within(today, span)).met
    ]
    lines.sort(key=lambda line: (-line.counts.met, -line.counts.shown, line.name))
    days = [(day, everybody.days.get(day, Daily())) for day in range(today - span + 1, today + 1)]
    return Overview(
        span, everybody.within(today, span), chart(days), tuple(lines[:MOST_LINES]), max(len(lines) - MOST_LINES, 0)
    )
