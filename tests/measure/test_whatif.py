"""What another policy would have done: from days, from replays, as numbers and as a page."""

import re
from datetime import UTC, datetime

import html5lib
import pytest

from capper.domain.daily import EVERYBODY, Daily, Follower
from capper.domain.frequency import BINS, shares
from capper.measure.replay import Count, Summary
from capper.measure.report import report
from capper.measure.whatif import Money, Side, of_days, of_replays
from capper.settings import parse_policy
from capper.testing import NOON

TODAY = 20_780
OLD = parse_policy('caps = ["3 per day", "1 per page"]', "")
NEW = parse_policy(
    'caps = ["1 per day"]\n[[rules]]\nname = "no bikes"\nadvertiser = "bikes.example"\ncaps = ["never"]\n'
    '[[rules]]\nname = "paper"\nsite = "paper.example"\ncaps = []\n',
    "",
)
FOLLOWERS = [
    Follower(EVERYBODY, {TODAY: Daily(8, 4)}),
    Follower("shoes.example", {TODAY: Daily(3, 2), TODAY - 1: Daily(2, 0), TODAY - 9: Daily(3, 3)}, 2),
    Follower("bikes.example", {TODAY - 2: Daily(1, 0)}, 1),
    Follower("old.example", {TODAY - 40: Daily(5, 5)}, 1),
]


def test_a_person_s_days():
    """Both policies are reckoned alike, over the days asked for; what cannot be told is named."""
    found = of_days(FOLLOWERS, "anna", OLD, NEW, TODAY, 7)

    assert [(row.advertiser, row.met, row.before, row.after) for row in found.rows] == [
        ("shoes.example", 7, Side(5, 2, 1), Side(2, 5, 1)),
        ("bikes.example", 1, Side(1, 0, 1), Side(0, 1, 0)),
    ]
    assert (dict(found.before), dict(found.after)) == ({5: 1, 1: 1}, {2: 1, 0: 1})
    assert (found.exact, found.counted, found.untold) == (False, Daily(8, 4), ("1 per advertiser per page",))
    assert [row.perhaps for row in found.rows] == [("paper",), ()]
    assert (found.total("before"), found.total("after")) == (Side(6, 2, 2), Side(2, 6, 1))


def test_the_same_policy_is_no_difference():
    """Nothing is different, and the distance is 0."""
    found = of_days(FOLLOWERS, "anna", OLD, OLD, TODAY)

    assert [row.before for row in found.rows] == [row.after for row in found.rows]
    assert found.distance == 0


def summary(**viewers: dict[str, tuple[int, int]]) -> Summary:
    return Summary(viewers={who: {name: Count(*each) for name, each in ads.items()} for who, ads in viewers.items()})


def test_recordings_of_several_people():
    """Counts of all recordings add up; reach is the people an advertiser was shown to."""
    before = [
        summary(anna={"a.example": (3, 0)}, ben={"a.example": (1, 0)}),
        summary(anna={"a.example": (2, 1), "b.example": (1, 0)}),
    ]
    after = [
        summary(anna={"a.example": (2, 1)}, ben={"a.example": (0, 1)}),
        summary(anna={"a.example": (0, 3), "b.example": (1, 0)}),
    ]
    found = of_replays(before, after)

    assert [(row.advertiser, row.met, row.before, row.after) for row in found.rows] == [
        ("a.example", 7, Side(6, 1, 2), Side(2, 5, 1)),
        ("b.example", 1, Side(1, 0, 1), Side(1, 0, 1)),
    ]
    assert (shares(found.before), shares(found.after)) == ({1: 2 / 3, 5: 1 / 3}, {1: 1 / 2, 2: 1 / 2})
    assert (found.people, found.exact, found.rows[0].before.frequency) == (2, True, 3.0)
    assert found.distance == pytest.approx((1 / 6 + 1 / 3 + 1 / 2) / 2)


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg><a href='http://evil.example'>",
    "\u202emoc.elpmaxe\x1b[2J",
    "\ud800",
    "&lt;b&gt;",
    "x" * 5000,
    "]]>",
]  # fmt: skip


def test_a_page_of_hostile_names():
    """Whatever advertisers, files and rules are called, the page has no script, no address and no element of theirs."""
    followers = [Follower(name, {TODAY: Daily(place, 1)}) for place, name in enumerate(HOSTILE, 1)]
    found = of_days(followers, "anna", OLD, NEW, TODAY)
    page = report(found, HOSTILE[2], HOSTILE[1], HOSTILE[0], HOSTILE, NOON)
    tree = html5lib.parse(page, transport_encoding="utf-8", namespaceHTMLElements=False)
    tags = {element.tag.rpartition("}")[2] for element in tree.iter() if isinstance(element.tag, str)}
    attributes = {name for element in tree.iter() for name in element.attrib}

    assert tags.isdisjoint({"script", "img", "a", "b", "link", "iframe", "object"})
    assert not [
        name for name in attributes if isinstance(name, str) and name.startswith(("on", "href", "src", "style"))
    ]
    assert not re.search(rb"[\x00-\x08\x0b-\x1f]|\xe2\x80\xae", page)
    assert "default-src 'none'" in page.decode()
    assert len(tree.findall(".//bdi")) >= len(HOSTILE)


def test_a_page_of_numbers():
    """The table holds every advertiser's numbers, the drawings a bar for each side."""
    found = of_days(FOLLOWERS, "anna", OLD, NEW, TODAY, 7)
    tree = html5lib.parse(
        report(found, "old", "new", "7 days", ["A note."], datetime(2026, 1, 1, tzinfo=UTC)),
        namespaceHTMLElements=False,
    )
    cells = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]

    assert ["shoes.example", "7", "5", "2"] in cells
    assert ["1", "50.0%", "0.0%"] in cells
    assert len([each for each in tree.iter() if str(each.tag).endswith("rect")]) == 2 * 2 + 4 * len(BINS)
    assert "A note." in "".join(tree.itertext())


def test_a_page_of_nothing():
    """Where nothing was met that is said."""
    found = of_days([], "anna", OLD, NEW, TODAY)

    assert b"There were no ads" in report(found, "old", "new", "7 days", [], NOON)


def test_what_two_policies_leave_of_what_auctions_pay():
    """By currency, over all recordings: what winning bids pay, less what each policy's runners-up pay less."""
    before = [Summary(paid={"EUR": 3.0}), Summary(paid={"EUR": 1.0, "USD": 2.0})]
    after = [Summary(paid={"EUR": 3.0}, lost={"EUR": 0.5}), Summary(paid={"EUR": 1.0, "USD": 2.0})]

    assert (Money("EUR", 4.0, 4.0, 3.5), Money("USD", 2.0, 2.0, 2.0)) == of_replays(before, after).money
