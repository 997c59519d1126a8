"""One household's part: what it counts, and what it makes of the answer."""

import numpy as np

from capper.study.detection import detect
from capper.study.household import judged, sketched
from capper.study.joint import Answer, Roster, Terms
from capper.study.rt1 import World, simulate
from capper.study.sketch import Blinding, Shape, estimate, opened

KEY = bytes(range(32))


def test_of_one_person_no_more_counts_than_agreed(exposures):
    """And an ad that she met twice counts once."""
    rows = [(minute, "anna", f"ad{minute // 2}") for minute in range(20)]
    cells = sketched(exposures(*rows), KEY, Terms("joint", Shape(100, 4), 3, 1.0), 1)

    assert [3] * 4 == cells.sum(axis=1).tolist()


def test_verdicts_are_those_of_who_knows_everything():
    """Four households of fifteen people each, who told nobody, and one that has all sixty in the simulated week: 99.9 % agree."""
    week = simulate(1, 6, World(people=60, visits=40, campaigns=60)).exposures
    # Hardly any noise, so that what is compared is the sketch.
    terms = Terms("joint", Shape(10_000, 17), 1000, 1e6)
    everybody = [Blinding(bytes([number]) * 32) for number in range(1, 5)]
    roster = Roster(terms, tuple(sorted(each.public for each in everybody)))
    homes = [week.only(week.person.codes % 4 == number) for number in range(4)]
    plain = [sketched(home, KEY, terms, 1) for home in homes]
    sent = {
        one.public: one.blind(cells, roster.members, roster.round_id("2026-W03"))
        for one, cells in zip(everybody, plain, strict=True)
    }
    total = opened(sent, roster.members, terms.shape)
    answer = Answer.of(total, roster, "2026-W03")
    truth = detect(week, "advertiser", users_threshold=answer.threshold)
    found = [judged(home, KEY, answer, roster) for home in homes]
    of_all = {(person, ad) for person, ad in zip(truth.person[truth.targeted], truth.ad[truth.targeted], strict=True)}
    of_each = {pair for each in found for pair in zip(each.person[each.targeted], each.ad[each.targeted], strict=True)}

    assert len(truth) == sum(map(len, found))
    assert len(of_all ^ of_each) <= 0.001 * len(truth)
    assert of_all
    assert estimate(total, terms.shape, KEY, week.advertiser.names[1]) >= 1
    assert not any(np.array_equal(sent[one.public], cells) for one, cells in zip(everybody, plain, strict=True))
