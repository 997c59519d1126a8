"""A week of the simulated world as a study of its own, so that reports and exports can be tried before anybody takes part."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.draft import Draft
from capper.study.exposure import Exposure
from capper.study.register import Study, StudyKeys, open_key
from capper.study.rt1 import Truth

BEGUN = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday, the same for every simulated week: the same seed gives the same rows."""
LENGTH = timedelta(weeks=1)
CONSENT = "Nobody takes part in this study: its people, pages and ads are simulated (RT-1)."


def rows(truth: Truth, keys: StudyKeys) -> Iterator[Exposure]:
    """The week's exposures as a recording would have made them, in the order of time."""
    met = truth.exposures
    columns = (met.person, met.load, met.site, met.campaign, met.advertiser)
    texts = zip(*([part.names[code] for code in part.codes] for part in columns), strict=True)
    for time, (person, load, site, campaign, ad) in zip(met.time.tolist(), texts, strict=True):
        yield Exposure(
            time=BEGUN + timedelta(milliseconds=time),
            person=keys.of("person", person),
            load=keys.of("load", load),
            site=keys.of("site", site),
            format=Format.BANNER,
            network="",
            basis=Basis.CLICK,
            creative=keys.of("creative", ad),
            campaign=keys.of("campaign", campaign),
            advertiser=keys.of("advertiser", ad),
        )


def keep(state: Path, name: str, seed: int, truth: Truth) -> int:
    """Make a study of the week, one that is over; returns how many exposures it has.

    Raises:
        ConfigError: there is a study of that name, or it cannot be written.
    """
    with Draft(state, name, open_key(seed)) as draft:
        draft.fill(rows(truth, draft.keys))
        draft.register(Study(name, BEGUN, BEGUN + LENGTH, CONSENT, seed))
    return len(truth.exposures)
