"""What placeholders say where a page's scripts can read them, and where they cannot."""

from dataclasses import replace
from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.identity import Ad, Level, Viewer
from capper.domain.mute import Mute, Why
from capper.domain.policy import Policy
from capper.domain.sighting import Format
from capper.gate.speaking import Door, Speaking
from capper.ledger.secret import Secret
from capper.ledger.tickets import Ticket, Tickets
from capper.testing import NOON, an_ad, an_exchange

ALONE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
READ = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
CAPPED = Decision(
    Verdict.WITHHOLD, Viewer("anna"), an_ad(), "caps", Cap.parse("6 per day"), 6, NOON + timedelta(hours=2, minutes=10)
)
MUTE = Mute(Level.ADVERTISER, "shoes.example", Why.CLICKED, NOON, NOON + timedelta(days=90))
MUTED = Decision(Verdict.WITHHOLD, Viewer("anna"), an_ad(), "caps", reopens=MUTE.until, mute=MUTE)
NEVER = Decision(Verdict.WITHHOLD, Viewer("anna"), an_ad(), "no shoes", Cap(0))


@pytest.fixture
def tickets() -> Tickets:
    return Tickets(Secret())


@pytest.fixture
def speaking(tickets: Tickets) -> Speaking:
    return Speaking(Policy, door=Door("capper.internal", tickets))


def filled(speaking: Speaking, decision: Decision, headers: dict[str, str], form: Format = Format.FRAME):
    return speaking.filling(an_exchange("https://ads.example/f", request=headers), form, None, decision)


def test_a_frame_of_another_origin_says_all(speaking):
    """Counts, times and what she can do, in a document that nobody else may look into or fetch."""
    response = filled(speaking, CAPPED, ALONE)
    text = response.body.decode()

    assert "6 of 6 per 24 hours" in text
    assert "again at 14:10" in text
    assert [f"&amp;do={deed}" in text for deed in ("once", "never", "why")] == [True] * 3
    assert "access-control-allow-origin" not in response.headers
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in response.headers.get("content-security-policy")


@pytest.mark.parametrize("form", [Format.FRAME, Format.IMAGE])
def test_what_a_page_can_read_says_nothing_of_her(form):
    """The very same bytes whether a cap was reached, and how often, or she muted it."""
    often = replace(CAPPED, cap=Cap.parse("9 per calendar week"), count=9)
    bodies = {filled(Speaking(Policy), each, READ, form).body for each in (CAPPED, often, MUTED)}

    assert len(bodies) == 1
    assert b"shoes.example" in bodies.pop()
    assert filled(Speaking(Policy), CAPPED, READ, form).headers.get("access-control-allow-origin") == "*"
    assert "access-control-allow-origin" not in filled(Speaking(Policy), CAPPED, ALONE, form).headers


def test_in_a_page_it_leads_to_her_own_page(speaking, tickets):
    """A page's own placeholder holds a ticket that only she can use."""
    told = speaking.words(an_exchange(), CAPPED)
    link, _, about = told.link.partition("?about=")

    assert (told.why, told.when, told.short) == ("not shown for now", "", "")
    assert link == "https://capper.internal/ad"
    assert tickets.open("anna", about, NOON) == Ticket.of(CAPPED, NOON)
    assert tickets.open("ben", about, NOON) is None


def test_what_she_muted_can_be_undone(speaking):
    """A mute says that it is hers, and offers to take it back."""
    text = filled(speaking, MUTED, ALONE).body.decode()

    assert ("muted by you" in text, "&amp;do=never" in text, ">undo<" in text) == (True, True, True)


def test_against_a_rule_nothing_is_offered(speaking):
    """Where a rule says never, the placeholder only says why."""
    text = filled(speaking, NEVER, ALONE).body.decode()

    assert ("do=why" in text, "do=once" in text, "do=never" in text) == (True, False, False)


def test_without_a_host_or_a_name_it_leads_nowhere(speaking):
    """A replay has no pages; of an ad that nothing is known of there is nothing to say."""
    nobody = Decision(Verdict.WITHHOLD, Viewer("anna"), Ad(), "never", Cap(0))

    assert Speaking(Policy).words(an_exchange(), CAPPED).link == ""
    assert speaking.words(an_exchange(), nobody).link == ""
    assert "href" not in filled(Speaking(Policy), CAPPED, ALONE).body.decode()
