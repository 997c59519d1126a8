"""The figures of a study, by small cases that can be counted by hand and by laws that hold for all."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.exposure import Exposure, Kind, Visit
from capper.study.metrics import concentration, coverage, figures, frequency, gaps, over_cap, pairs, reach
from capper.study.table import Exposures, Visits
from capper.testing import NOON

NOWHERE = Visits.of([])
ROWS = [
    (0, "anna", "shoes", "news"),
    (1, "anna", "shoes", "weather"),
    (3, "anna", "shoes", "news", Verdict.WITHHOLD),
    (1441, "ben", "shoes", "news"),
    (2, "ben", "cola", "news"),
    (2881, "ben", "cola", ""),
    (5, "ben", "", "news"),
]


def named(table, found):
    return [
        (table.person.names[person], table.advertiser.names[ad])
        for person, ad in zip(found.person, found.ad, strict=True)
    ]


def test_pairs(exposures):
    """How often each met each: observed, shown, on how many known sites, first and last."""
    table = exposures(*ROWS)
    found = pairs(table, "advertiser")
    told = zip(found.observed, found.shown, found.sites, (found.last - found.first) // 60_000, strict=True)

    assert {
        ("anna", "shoes"): (3, 2, 2, 3),
        ("ben", "shoes"): (1, 1, 1, 0),
        ("ben", "cola"): (2, 2, 1, 2879),
    } == dict(zip(named(table, found), told, strict=True))
    assert {table.advertiser.names.index("shoes"): 2, table.advertiser.names.index("cola"): 1} == reach(found)
    assert {1: pytest.approx(1 / 3), 2: pytest.approx(1 / 3), 3: pytest.approx(1 / 3)} == frequency(found.observed)


def test_figures(exposures):
    """Of the same exposures, with the ad that nobody can name left out."""
    found = figures(exposures(*ROWS), NOWHERE, "advertiser", (1, 2, 5))

    assert (6, 2, 2, pytest.approx(1 / 6), pytest.approx(2 / 3)) == (
        found.exposures,
        found.people,
        found.ads,
        found.withheld,
        found.repeats,
    )
    assert [3, 1, 0] == [each.exposures for each in found.over]
    assert pytest.approx(1 / 3) == found.moved
    assert (1, 2) == (found.sites_median, found.sites_most)
    assert (3, 120_000, 0) == (found.gaps.number, found.gaps.median_ms, found.gaps.bursts)
    assert (2, pytest.approx(2879 / 1440)) == (found.persistence.pairs, found.persistence.longest)


def test_slots_that_refresh_are_told_from_following(exposures):
    """Below a minute is a burst; another person's exposure between them changes nothing."""
    rows = [(0, "anna"), (0.5, "anna"), (0.6, "ben"), (30, "anna")]

    assert (2, 0.5) == ((found := gaps(exposures(*rows), "advertiser")).number, found.bursts)


def test_still_shown_after_she_bought_it(exposures):
    """Exposures to that advertiser, of her who bought, after she did."""
    table = exposures((0, "anna", "shoes"), (10, "anna", "shoes"), (10, "ben", "shoes"), (11, "anna", "cola"))
    visits = Visits.of(
        [
            Visit(NOON - timedelta(minutes=9), "anna", "shoes", Kind.PRODUCT),
            Visit(NOON + timedelta(minutes=5), "anna", "shoes", Kind.BOUGHT),
            Visit(NOON, "carl", "shoes", Kind.BOUGHT),
        ]
    )

    assert 1 == figures(table, visits, "advertiser", ()).persistence.after_purchase
    assert 0 == figures(table, visits, "creative", ()).persistence.after_purchase


def test_coverage(exposure):
    """The shares that have a name, by which rung, and a site."""
    rows = [
        exposure(0, creative="c"),
        exposure(1, site=""),
        exposure(2, advertiser="", basis=Basis.UNIDENTIFIED),
        exposure(3),
    ]
    found = coverage(Exposures.of(rows))

    assert {"creative": 0.25, "campaign": 0.0, "advertiser": 0.75} == found.keyed
    assert {"click": 0.75, "unidentified": 0.25} == found.basis
    assert (4, 0.75) == (found.exposures, found.sited)


@pytest.mark.parametrize(
    ("counts", "gini", "hhi", "entropy"),
    [
        ([5] * 20, 0.0, 0.05, 1.0),
        ([0] * 50 + [1] * 19 + [1_000_000], 0.95, 1.0, 0.0),
        ([7, 7], None, 0.5, 1.0),
        ([3], None, 1.0, 0.0),
        ([], None, 0.0, 0.0),
    ],
)
def test_concentration(counts, gini, hhi, entropy):
    """All alike, all of one, and too few to tell."""
    found = concentration(np.array(counts, np.int64))

    assert (gini, hhi, entropy) == pytest.approx((found.gini, found.hhi, found.entropy), abs=0.001)


def test_of_nothing(exposures):
    """No exposures: figures of nothing, and no fault."""
    found = figures(exposures(), NOWHERE, "campaign", (3,))

    assert (0, 0, 0, {}, None) == (found.exposures, found.people, found.ads, found.observed, found.gaps.median_ms)


EXPOSURES = st.lists(
    st.builds(
        lambda minute, person, ad, site, verdict: Exposure(
            NOON + timedelta(minutes=minute),
            person,
            "",
            site,
            Format.BANNER,
            "",
            Basis.CLICK,
            advertiser=ad,
            verdict=verdict,
        ),
        st.integers(0, 10_000),
        st.sampled_from("pqr"),
        st.sampled_from(["", "a", "b", "c"]),
        st.sampled_from(["", "s", "t"]),
        st.sampled_from(Verdict),
    ),
    max_size=40,
)


@given(EXPOSURES, st.integers(0, 9))
def test_laws(rows, cap):
    """Pairs are what counting one by one finds; shares add up to one; a higher cap withholds no more."""
    table = Exposures.of(rows)
    found = pairs(table, "advertiser")
    known = [row for row in rows if row.advertiser]

    assert Counter((row.person, row.advertiser) for row in known) == dict(
        zip(named(table, found), found.observed.tolist(), strict=True)
    )
    assert Counter((row.person, row.advertiser) for row in known if row.verdict is Verdict.SHOW) == {
        pair: shown for pair, shown in zip(named(table, found), found.shown.tolist(), strict=True) if shown
    }
    assert sum(frequency(found.observed).values()) == pytest.approx(1 if known else 0)
    assert over_cap(found, cap).exposures >= over_cap(found, cap + 1).exposures
    assert over_cap(found, 0).exposures == len(known)
    assert (found.first <= found.last).all()
