"""Whether an ad that a reader refused by its own notice comes again, as recordings tell."""

from datetime import timedelta

import pytest

from capper.audit.choices import tried
from capper.audit.findings import find
from capper.audit.met import Load, Meeting, Refusal
from capper.audit.yardstick import yardstick
from capper.testing import NOON, an_ad

SHOES, BIKES = "C2YoqJ4BtaYScMJqA2roP_7iNqQnPz", "CKxpJYVwyZIizC4LH9QP2ror4Dce4j"


@pytest.mark.parametrize(("again", "expected"), [(0, []), (2, [("choices-unkept", "shoes.example", 2)])])
async def test_an_advertiser_that_was_refused_and_comes_again_is_found(audited, publishers, again, expected):
    """Counted from the refusal on; those that nobody refused may come as often as they like."""
    recording = publishers.Recording()
    recording.visit("https://news.example/0")
    recording.google("shoes.example", SHOES)
    recording.google("bikes.example", BIKES)
    recording.refuse(SHOES)
    for number in range(2):
        recording.visit(f"https://news.example/{number + 1}")
        recording.google("bikes.example", f"{BIKES}{number}")
        if number < again:
            recording.google("shoes.example", f"{SHOES}{number}")
    run = await audited(recording)

    assert expected == [(each.code, each.subject, each.value) for each in find(run, yardstick().limits)]
    assert [("anna", "news.example/0", "shoes.example", again, 2)] == [
        (each.person, each.where, each.subject, each.again, each.loads) for each in run.choices
    ]


async def test_to_look_why_an_ad_is_there_is_not_to_refuse_it(audited, publishers):
    """Who opens what the "i" leads to has said nothing yet."""
    recording = publishers.Recording()
    recording.visit("https://news.example/0")
    recording.google("shoes.example", SHOES)
    recording.visit("https://adssettings.google.com/whythisad?source=display")
    recording.visit("https://news.example/1")
    recording.google("shoes.example", f"{SHOES}2")

    assert () == (await audited(recording)).choices


@pytest.mark.parametrize(
    ("ads", "expected"),
    [
        ([an_ad("shoes.example", "a")], ("shoes.example", 1)),
        ([an_ad("shoes.example", "a"), an_ad("shoes.example", "b")], ("shoes.example", 1)),
        ([an_ad("tea.example", "a")], ("tea.example", 0)),
        ([an_ad("shoes.example", "a"), an_ad("tea.example", "a")], None),
        ([], None),
    ],
    ids=["that one", "two of one advertiser", "another", "of several", "not known"],
)
def test_whose_ad_a_click_refused_is_told_by_the_document_around_the_mark(ads, expected):
    """Where that leaves several or none, nothing is judged."""
    loads = [Load(f"https://news.example/{n}", "anna", "", NOON + timedelta(minutes=n)) for n in range(2)]
    meetings = [Meeting(1, 1, an_ad("shoes.example", "c"))]
    refusal = Refusal(("about:blank", "https://ads.example/f"), NOON, "Hide ad", "https://news.example/0")

    (found,) = tried([refusal], {"https://ads.example/f": ads}, loads, meetings)
    assert expected == (found and (found.subject, found.again))
