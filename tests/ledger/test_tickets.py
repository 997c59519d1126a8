"""Tickets: read by whom they were made for, and by nobody else."""

import string
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.identity import Ad, Level, Viewer
from capper.domain.mute import Mute, Why, names_of
from capper.ledger.secret import Secret
from capper.ledger.tickets import LIFE, Ticket, Tickets
from capper.testing import NOON, an_ad

SHOES = Ticket(
    ((Level.ADVERTISER, "shoes.example"),), NOON, "caps", "3 per advertiser per day", 3, NOON + timedelta(hours=2)
)


@pytest.fixture
def tickets() -> Tickets:
    return Tickets(Secret())


def test_a_ticket_says_what_was_decided():
    """Of a cap its count and when it opens; of a mute what it names."""
    mute = Mute(Level.CREATIVE, "ads.example/1", Why.CLICKED, NOON, NOON + timedelta(days=9))
    cap = Cap.parse("3 per advertiser per day")
    capped = Decision(Verdict.WITHHOLD, Viewer("anna"), an_ad(), "caps", cap, 3, SHOES.reopens)
    muted = Decision(Verdict.WITHHOLD, Viewer("anna"), an_ad(), "caps", reopens=mute.until, mute=mute)

    assert Ticket.of(capped, NOON) == SHOES
    assert Ticket.of(muted, NOON) == Ticket(
        ((Level.CREATIVE, "ads.example/1"),), NOON, "caps", reopens=mute.until, mute=Why.CLICKED
    )
    assert Ticket.of(Decision(Verdict.WITHHOLD, Viewer("anna"), Ad(), "never"), NOON).names == ()


@given(names=st.lists(st.tuples(st.sampled_from(Level), st.text(max_size=253)), max_size=5), count=st.integers(0, 1000))
def test_what_was_sealed_is_opened(names, count):
    """Whatever names came from the network, a ticket says the same after its way through an address."""
    tickets, ticket = Tickets(Secret()), Ticket(tuple(names), NOON, "a rule", None, count)
    sealed = tickets.seal("anna", ticket)

    assert tickets.open("anna", sealed, NOON) == ticket
    assert sealed.isascii()
    assert not set(sealed) & set("+/=&?#")


def test_equal_tickets_do_not_look_equal(tickets):
    """A page cannot tell by a ticket whom it saw before, nor by its length which cap was reached."""
    first, again = tickets.seal("anna", SHOES), tickets.seal("anna", SHOES)
    other = tickets.seal("ben", Ticket(((Level.ADVERTISER, "x.example"),), NOON))

    assert first != again
    assert not {first[n : n + 12] for n in range(len(first) - 12)} & {again[n : n + 12] for n in range(len(again) - 12)}
    assert len(first) == len(again) == len(other)


@given(
    advertisers=st.lists(st.text("aé\x00", min_size=1, max_size=253), max_size=7),
    creative=st.none() | st.text(min_size=1, max_size=253),
    rule=st.text(string.ascii_letters, max_size=80),
)
def test_why_an_ad_was_withheld_does_not_show_in_the_length(advertisers, creative, rule):
    """Whatever a page calls its ad: capped, by whichever cap and rule, or muted by any of its names, the ticket is equally long."""
    ad = Ad(advertisers=tuple(advertisers), creative=creative)
    reopens = NOON + timedelta(days=9)
    caps = (
        ("caps", "3 per advertiser per day", 3),
        (rule, "1000 per category per calendar month", 1000),
        (rule, "never", 0),
    )
    withheld = [
        Decision(Verdict.WITHHOLD, Viewer("anna"), ad, name, Cap.parse(cap), n, reopens) for name, cap, n in caps
    ]
    for level, name in names_of(ad):
        mute = Mute(level, name, Why.CLICKED, NOON, reopens)
        withheld.append(Decision(Verdict.WITHHOLD, Viewer("anna"), ad, rule, reopens=reopens, mute=mute))
    tickets = Tickets(Secret())

    assert 1 == len({len(tickets.seal("anna", Ticket.of(each, NOON))) for each in withheld})


def test_a_ticket_is_hers_for_a_day(tickets):
    """Ben cannot read it, nor anybody under another secret, nor she after a day or once she is forgotten."""
    sealed = tickets.seal("anna", SHOES)
    secret = tickets._keyring.secret

    assert tickets.open("anna", sealed, NOON + LIFE - timedelta(minutes=2)) == SHOES
    assert tickets.open("anna", sealed, NOON + LIFE) is None
    assert tickets.open("ben", sealed, NOON) is None
    assert Tickets(Secret()).open("anna", sealed, NOON) is None
    secret.forget("anna")
    assert tickets.open("anna", sealed, NOON) is None


@pytest.mark.parametrize("text", ["", "A", "AAAA", "é", "%00", "-" * 100, "A" * 9000, "=" * 8])
def test_anything_else_is_no_ticket(tickets, text):
    """What somebody made up opens nothing, and breaks nothing."""
    assert tickets.open("anna", text, NOON) is None
    assert tickets.open("anna", tickets.seal("anna", SHOES)[:-8] + text[:8], NOON) is None
