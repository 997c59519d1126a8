"""Two publishers, one respectful and one not: every fault that was planted is found, and none that was not."""

import pytest

from capper.audit.findings import find
from capper.audit.result import judge
from capper.audit.yardstick import yardstick
from capper.testing import NOON


async def test_the_respectful_publisher_has_no_fault(audited, publishers):
    """Two ads a page, each advertiser at most three times in a session, a muted film: nothing to mend, all points."""
    result = judge(await audited(publishers.respectful()), yardstick(), NOON)

    assert ([], 100) == ([each.code for each in result.findings], result.score)


async def test_every_planted_fault_is_found_and_no_other(audited, publishers):
    """Of each planted fault one finding, about what was planted."""
    found = find(await audited(publishers.disrespectful()), yardstick().limits)

    assert sorted(publishers.planted) == sorted((each.code, each.subject) for each in found)


async def test_the_publishers_are_ordered_rightly(audited, publishers):
    """Whoever respects her readers has the higher score."""
    scores = [
        judge(await audited(made()), yardstick(), NOON).score
        for made in (publishers.respectful, publishers.disrespectful)
    ]

    assert scores[0] - scores[1] > 30


async def test_what_the_policy_would_have_withheld(audited, publishers):
    """Of six ads of one advertiser in a day, a cap of two lets two pass."""
    capped = (await audited(publishers.disrespectful())).capped

    assert (9, 4, {"2 per advertiser per day": 4}) == (capped.met, capped.withheld, dict(capped.rules))


async def test_a_bid_that_the_policy_withholds_is_an_ad_withheld(audited, publishers):
    """Each is withheld where it was offered and met where it was shown; in its place the runner-up pays."""
    recording = publishers.Recording()
    for number in range(3):
        recording.visit(f"https://news.example/{number}")
        recording.auction(publishers.bid("cars.example", 2.0), publishers.bid("bikes.example", 1.0))
    capped = (await audited(recording)).capped

    assert (3, 1, {"2 per advertiser per day": 1}) == (capped.met, capped.withheld, dict(capped.rules))
    assert ({"EUR": pytest.approx(0.006)}, {"EUR": pytest.approx(0.001)}) == (capped.paid, capped.lost)


async def test_each_reader_is_counted_for_herself(audited, publishers):
    """Two readers who met the same ad three times each are not one who met it six times."""
    both = []
    for person in ("anna", "ben"):
        recording = publishers.Recording(person)
        for number in range(3):
            recording.visit(f"https://news.example/{number}")
            recording.ad("shoes.example", "same")
        both.append(recording)

    assert [] == find(await audited(*both), yardstick().limits)


@pytest.mark.parametrize(("minutes", "codes"), [(1, ["repeat-creative"]), (40, [])])
async def test_a_long_rest_begins_another_session(audited, publishers, minutes, codes):
    """The same picture four times within a session is too often; with half an hour and more between, it is not."""
    recording = publishers.Recording()
    for number in range(4):
        recording.visit(f"https://news.example/{number}", minutes=minutes)
        recording.ad("shoes.example", "same")

    assert codes == [each.code for each in find(await audited(recording), yardstick().limits)]
