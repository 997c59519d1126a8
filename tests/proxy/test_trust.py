"""What is learnt of clients: who trusts our certificate, where they do not, and for how long that is believed."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.proxy.trust import (
    PROVEN_FOR,
    REMEMBERED,
    RETRIES,
    WITHDRAWN_FOR,
    Book,
    Client,
    Known,
    Names,
    Reason,
    Refusal,
    Standing,
    Trust,
)
from capper.testing import NOON, FrozenClock

BROWSER, APP, GUEST = (
    Client("phone", "phone's browser"),
    Client("phone", "phone's app"),
    Client("guest", "guest's browser"),
)


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def trust(clock):
    return Trust(clock)


def test_nothing_is_opened_for_a_stranger(trust):
    """A device that has proven nothing passes through; one that is tried anyway does not."""
    assert not trust.opens(GUEST, "ads")
    assert trust.opens(GUEST, "ads", untried=True)


def test_a_proof_holds_for_the_device(trust):
    """When one program of a device has proven itself, the device's others are tried; other devices are not."""
    trust.proven(BROWSER)

    assert [True, True, False] == [trust.opens(who, "ads") for who in (BROWSER, APP, GUEST)]


def test_a_program_that_never_trusted_us_is_left_alone(trust, clock):
    """Its first refusal ends it for all hosts, for a week; the browser beside it is not touched."""
    trust.proven(BROWSER)
    trust.refused(APP, "app's ads")

    assert [False, True] == [trust.opens(who, "more ads") for who in (APP, BROWSER)]
    clock.now += WITHDRAWN_FOR + timedelta(days=1)
    assert trust.opens(APP, "more ads")


def test_a_pinned_host_is_retried_later_each_time(trust, clock):
    """A host that a trusting client refuses us at passes through for an hour, then for six, a day, three."""
    trust.proven(BROWSER)
    held = []
    for length in (*RETRIES, RETRIES[-1]):
        trust.refused(BROWSER, "pinned")
        clock.now += length - timedelta(seconds=1)
        held.append(trust.opens(BROWSER, "pinned"))
        clock.forward(seconds=1)
        held.append(trust.opens(BROWSER, "pinned"))
        trust.proven(BROWSER, "other")

    assert [False, True] * 5 == held


def test_a_host_that_is_taken_again_is_as_good_as_new(trust, clock):
    """After a success the next refusal is a first one."""
    trust.proven(BROWSER)
    trust.refused(BROWSER, "pinned")
    clock.now += RETRIES[0]
    trust.proven(BROWSER, "pinned")
    trust.refused(BROWSER, "pinned")

    assert 1 == trust.book.refusals["pinned"].times


def test_refusals_everywhere_mean_that_the_certificate_is_gone(trust):
    """Three hosts refused with no success between them withdraw the client altogether, and what was learnt of hosts with it."""
    trust.proven(BROWSER)
    for host in ("a", "b", "c"):
        trust.refused(BROWSER, host)

    assert Standing.WITHDRAWN is trust.standing(BROWSER)
    assert {} == trust.book.refusals


def test_success_between_refusals_keeps_the_trust(trust):
    """Hosts that are pinned among others that are not do not add up."""
    trust.proven(BROWSER)
    for host in ("a", "b", "c", "d"):
        trust.refused(BROWSER, host)
        trust.proven(BROWSER, "other")

    assert Standing.PROVEN is trust.standing(BROWSER)
    assert {"a", "b", "c", "d"} == set(trust.book.refusals)


def test_our_own_page_refused(trust):
    """Where nothing but our certificate is to be expected, one refusal says enough; a proof takes it back."""
    trust.proven(BROWSER)
    trust.lost(BROWSER)
    withdrawn = trust.opens(BROWSER, "ads")
    trust.proven(BROWSER)

    assert [False, True] == [withdrawn, trust.opens(BROWSER, "ads")]


@pytest.mark.parametrize(("what", "enough", "reason"), [("silent", 2, Reason.SILENT), ("mute", 3, Reason.MUTE)])
def test_hanging_up(trust, what, enough, reason):
    """Hanging up without a word may be the network's doing; several times in a row it is a refusal."""
    trust.proven(BROWSER)
    for _ in range(enough - 1):
        getattr(trust, what)(BROWSER, "ads")
    trust.proven(BROWSER, "ads")
    for _ in range(enough - 1):
        getattr(trust, what)(BROWSER, "ads")
    before = trust.opens(BROWSER, "ads")
    getattr(trust, what)(BROWSER, "ads")

    assert (True, False, reason) == (before, trust.opens(BROWSER, "ads"), trust.book.refusals["ads"].reason)


def test_a_device_that_is_not_seen_is_forgotten(trust, clock):
    """A proof runs out two months after the last success, to the day."""
    trust.proven(BROWSER)
    clock.now += PROVEN_FOR
    seen = trust.opens(BROWSER, "ads")
    clock.forward(days=1)

    assert [True, False] == [seen, trust.opens(BROWSER, "ads")]


def test_times_say_no_more_than_the_day(trust, clock):
    """A success at any hour of a day leaves the same row, so nothing tells when somebody was at home."""
    trust.proven(BROWSER, "ads")
    first = dict(trust.book.clients)
    clock.forward(hours=3)
    trust.proven(BROWSER, "ads")

    assert first == trust.book.clients


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["refused", "proven", "mute", "silent"])), max_size=40)
)
def test_a_stranger_is_never_opened_by_what_others_do(steps):
    """Whatever one device does, nothing is opened for another."""
    trust = Trust(lambda: NOON)
    for host, what in steps:
        getattr(trust, what)(BROWSER, host)

    assert not any(trust.opens(GUEST, host) for host in "abcd")


def test_the_book_is_bounded(trust, clock):
    """However many hosts and programs a device makes up, only the newest are kept."""
    trust.proven(BROWSER)
    for number in range(10_100):
        trust.refused(BROWSER, str(number))
        trust._losing.clear()
        clock.forward(milliseconds=1)
    for number in range(2_100):
        trust.refused(Client("phone", str(number)), "ads")

    assert len(trust.book.refusals) <= 10_000
    assert len(trust.book.clients) <= 2_000
    assert not trust.opens(BROWSER, "10099")


def test_what_is_over_is_dropped():
    """A client goes when its time is up, a refusal two days later: until then a second one is known to be that."""
    book = Book()
    book.put("stack", Known("phone", Standing.PROVEN, NOON))
    book.put("host", Refusal("phone", "stack", Reason.PINNED, NOON))
    book.prune(NOON)
    kept = (set(book.clients), set(book.refusals))
    book.prune(NOON + REMEMBERED)

    assert (set(), {"host"}) == kept
    assert {} == book.refusals


def test_digests_need_the_key():
    """Equal names have equal digests under one key, unrelated ones under another; a host's differ from device to device."""
    one, two = Names(b"1" * 32), Names(b"2" * 32)
    phone, tablet = one.client("192.0.2.1/", "x"), one.client("192.0.2.2/", "x")

    assert phone == one.client("192.0.2.1/", "x")
    assert phone != two.client("192.0.2.1/", "x")
    assert one.host(phone, "ads.test") != one.host(tablet, "ads.test")
