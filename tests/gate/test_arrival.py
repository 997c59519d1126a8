"""Why somebody is on a page, by what the request for it holds and nothing else."""

import pytest

from capper.domain.exchange import Action, Headers, Outcome, Request
from capper.domain.policy import CreditPrompts
from capper.gate.arrival import purpose
from capper.gate.credit import Credit
from capper.recognise.credit import Frame
from capper.testing import an_exchange

SHOP = "https://shop.example"
CLICK = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}
WITHIN = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"}


@pytest.fixture(scope="module")
def credit():
    return Credit.load()


@pytest.mark.parametrize(
    ("url", "headers", "frame"),
    [
        # What she searched for.
        (f"{SHOP}/search?q=personal+loan", CLICK, Frame.ASKED),
        (f"{SHOP}/zoeken?page=2&zoekterm=geld%20lenen", {}, Frame.ASKED),
        (f"{SHOP}/s?k=red+shoes", CLICK, Frame.ANY),
        (f"{SHOP}/p/1?color=loan", CLICK, Frame.ANY),
        (f"{SHOP}/p/1", CLICK | {"Referer": f"{SHOP}/search?q=loan"}, Frame.ASKED),
        (f"{SHOP}/", CLICK | {"Referer": "https://search.example/?q=loans+online"}, Frame.ASKED),
        (f"{SHOP}/", CLICK | {"Referer": "https://search.example/"}, Frame.ANY),
        # Which link she followed.
        (f"{SHOP}/", CLICK | {"Referer": "https://www.personal-loans.example/"}, Frame.ASKED),
        (f"{SHOP}/apply/step-2", CLICK | {"Referer": f"{SHOP}/loans/compare"}, Frame.ASKED),
        (f"{SHOP}/", CLICK | {"Referer": f"{SHOP}/loans/compare"}, Frame.ANY),
        (f"{SHOP}/account", CLICK | {"Referer": f"{SHOP}/loans/compare"}, Frame.ANY),
        (f"{SHOP}/apply/step-2", CLICK | {"Referer": f"{SHOP}/help/orders"}, Frame.ANY),
        # Nobody clicked, or nobody says so.
        (f"{SHOP}/a/b", {"Sec-Fetch-Dest": "document", "Referer": f"{SHOP}/loans"}, Frame.ANY),
        (f"{SHOP}/a/b", CLICK, Frame.ANY),
        # Which page asks.
        (f"{SHOP}/api/tiles", WITHIN | {"Referer": f"{SHOP}/loans/compare"}, Frame.ASKED),
        (f"{SHOP}/api/tiles", WITHIN | {"Referer": f"{SHOP}/help/x"}, Frame.READING),
        ("https://api.shop.example/tiles", WITHIN | {"Referer": "https://www.shop.example/loans"}, Frame.ASKED),
        (f"{SHOP}/api/tiles", WITHIN | {"Referer": f"{SHOP}/home"}, Frame.LANDING),
        ("https://other.example/tiles", WITHIN | {"Referer": f"{SHOP}/loans"}, Frame.ANY),
        (f"{SHOP}/frame", {"Sec-Fetch-Dest": "iframe", "Referer": f"{SHOP}/loans"}, Frame.ASKED),
        # What makes no sense.
        (f"{SHOP}/?q=%ff%fe&" + "q=&" * 500, CLICK | {"Referer": "::nonsense::"}, Frame.ANY),
        (f"{SHOP}/", CLICK | {"Referer": "https://[/loans"}, Frame.ANY),
    ],
)
def test_what_the_request_tells(credit, url, headers, frame):
    """A search, a link that was followed, the page that asks."""
    assert frame is purpose(credit.packs, Request("GET", url, Headers(headers.items())), document=True)


@pytest.mark.parametrize("referrer", [f"{SHOP}/loans", f"{SHOP}/home"])
def test_a_loan_page_s_own_answer_stays(credit, referrer):
    """What a loan page asks for is what she came for; the same answer on another page loses it."""
    body = b'{"tiles":[{"title":"You are pre-approved for a loan of up to $5,000. Apply now!"}]}'
    exchange = an_exchange(
        f"{SHOP}/api/tiles",
        request=WITHIN | {"Referer": referrer},
        response={"Content-Type": "application/json"},
        body=body,
    )
    changed = credit.without(exchange, Outcome(Action.PASS), CreditPrompts.STRIP, 10_000)

    assert referrer.endswith("home") == (changed is not None)
