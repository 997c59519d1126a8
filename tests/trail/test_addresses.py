"""Addresses with macros lead back to what they were remembered for, however they are filled in."""

from datetime import timedelta
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.testing import FrozenClock
from capper.trail.addresses import Addresses

LIFE = timedelta(minutes=10)
CLOCK = FrozenClock()


def digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()


def made(**urls: str) -> Addresses[str]:
    addresses = Addresses[str].made(digest, 1_000, LIFE)
    for value, url in urls.items():
        addresses.put("anna", url, value, CLOCK())
    return addresses


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("https://x.example/imp?ad=7&p=${AUCTION_PRICE}", "https://x.example/imp?ad=7&p=0.42"),
        ("https://x.example/imp?ad=7&p=${AUCTION_PRICE}", "https://x.example/imp?ad=7&p=0.42&extra=1"),
        ("https://x.example/imp?ad=7&p=${AUCTION_PRICE}", "https://x.example/imp?ad=7&p=${AUCTION_PRICE}"),
        ("https://x.example/imp?ad=7&p=${AUCTION_PRICE:B64}", "https://x.example/imp?ad=7&p=MC40Mg"),
        ("https://x.example/imp?ad=7&p=$%7BAUCTION_PRICE%7D", "https://x.example/imp?ad=7&p="),
        ("https://x.example/win/${AUCTION_PRICE}/abcdef", "https://x.example/win/1.25/abcdef"),
        ("https://x.example/w/${AUCTION_ID}/${AUCTION_PRICE}/ad7", "https://x.example/w/9/1.25/ad7"),
        ("https://x.example/v?id=55&cb=[CACHEBUSTING]", "https://x.example/v?id=55&cb=8374628"),
        ("https://x.example/v?id=55&cb=[TIMESTAMP]&x={{gdpr}}", "https://x.example/v?id=55&cb=1&x=0"),
        ("https://x.example/v?id=55&c=%%CACHEBUSTER%%", "https://x.example/v?id=55&c=12"),
        ("https://x.example/v;ord=[TIMESTAMP];id=55?x=1234", "https://x.example/v;ord=77;id=55?x=1234"),
    ],
)
def test_filled_in(kept: str, asked: str) -> None:
    """A price or a time in place of a macro does not matter; further parameters do not either."""
    assert made(ad=kept).get("anna", asked, CLOCK()) == "ad"


@pytest.mark.parametrize(
    "asked",
    [
        "https://x.example/imp?ad=8&p=0.42",
        "https://x.example/other?ad=7&p=0.42",
        "https://y.example/imp?ad=7&p=0.42",
        "https://x.example/imp",
        "https://x.example/",
        "x",
        "",
    ],
)
def test_another(asked: str) -> None:
    """Another ad's address, path or host leads nowhere."""
    assert made(ad="https://x.example/imp?ad=7&p=${AUCTION_PRICE}").get("anna", asked, CLOCK()) is None


def test_most_exact() -> None:
    """Of several that fit, the one that says most is meant."""
    addresses = made(
        one="https://x.example/imp?ad=7&p=${AUCTION_PRICE}", two="https://x.example/imp?ad=7&c=9&p=${AUCTION_PRICE}"
    )

    assert addresses.get("anna", "https://x.example/imp?ad=7&c=9&p=1", CLOCK()) == "two"


def test_parameters_in_the_path() -> None:
    """Campaign Manager's parameters stand in the path: there too those without a macro tell one ad from the next."""
    addresses = made(
        one="https://x.example/ddm/trackimp/N1.2/B3.4;dc_trk_aid=5;ord=[timestamp];u=?",
        two="https://x.example/ddm/trackimp/N1.2/B3.4;dc_trk_aid=6;ord=[timestamp];u=?",
    )

    assert addresses.get("anna", "https://x.example/ddm/trackimp/N1.2/B3.4;dc_trk_aid=5;ord=9;u=?", CLOCK()) == "one"


def test_too_vague() -> None:
    """An address that is nearly all macro leads to nothing but itself."""
    addresses = made(ad="https://x.example/${AUCTION_ID}?${AUCTION_PRICE}")

    assert addresses.get("anna", "https://x.example/1?2", CLOCK()) is None


def test_each_her_own() -> None:
    """What one person's page was told leads nowhere for another."""
    assert (
        made(ad="https://x.example/imp?ad=7&p=${AUCTION_PRICE}").get("ben", "https://x.example/imp?ad=7&p=1", CLOCK())
        is None
    )


def test_forgotten() -> None:
    """After its life an address leads nowhere, filled in or not."""
    clock = FrozenClock()
    addresses = Addresses[str].made(digest, 1_000, LIFE)
    addresses.put("anna", "https://x.example/imp?ad=7&p=${AUCTION_PRICE}", "ad", clock())
    clock.forward(minutes=10)

    assert addresses.get("anna", "https://x.example/imp?ad=7&p=1", clock()) is None


@given(st.text(alphabet="htps:/.?&=;${}[]%#AB0", max_size=80), st.text(alphabet="htps:/.?&=;${}[]%#AB0", max_size=80))
def test_whatever(kept: str, asked: str) -> None:
    """Any text may be remembered and asked for; what was remembered is found."""
    addresses = made(ad=kept)

    assert addresses.get("anna", kept, CLOCK()) == "ad"
    assert addresses.get("anna", asked, CLOCK()) in ("ad", None)
