"""The retargeter does what it says it does."""

from datetime import timedelta

import pytest

from capper.demo.retargeter import BOUGHT, OPT_OUT, PRODUCT, SHOP, Habit, Retargeter
from capper.demo.sites import AD_SERVER, SHOES, Asked
from capper.testing import FrozenClock


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def world(clock):
    return Retargeter(clock, Habit(share=0.8, half_life=timedelta(days=2)))


@pytest.fixture
def browse(world):
    """One browser: `browse(host, target)`."""
    return lambda host, target: world(Asked("GET", host, target, {"user-agent": "a browser"}))


@pytest.fixture
def share(world, browse):
    """How many of 400 slots are the shop's now."""

    def measure():
        before = len(world.delivered)
        for load in range(400):
            browse(AD_SERVER, f"/frame?slot=side&site=news.example&load={before + load}")
        return sum(each.advertiser is SHOES for each in world.delivered[before:]) / 400

    return measure


def test_pages_hold_their_slots_and_the_shop_its_pixel(browse):
    """Each load of a page asks for its two slots under a number of its own; the shop tells the ad server what was opened."""
    first, second = (browse("news.example", "/").body for _ in range(2))
    shop = browse(SHOP, PRODUCT.removeprefix(f"https://{SHOP}")).body
    bought = browse(SHOP, BOUGHT.removeprefix(f"https://{SHOP}")).body

    assert first.count(b"load=0") == second.count(b"load=1") == 2
    assert b"pixel?seen=shoes" in shop
    assert b"pixel?bought=shoes" in bought
    assert 404 == browse("news.example", "/more").status


def test_it_follows_who_looked_by_the_chances_it_states(browse, share, clock):
    """Nobody before; then by its share, half of that two days later."""
    before = share()
    browse(AD_SERVER, "/pixel?seen=shoes")
    at_once = share()
    clock.forward(days=2)
    later = share()

    assert 0 == before
    assert at_once == pytest.approx(0.8, abs=0.06)
    assert later == pytest.approx(0.4, abs=0.08)


def test_it_lets_go_of_who_opts_out(browse, share):
    """For good, although she looks again."""
    browse(AD_SERVER, "/pixel?seen=shoes")
    browse(AD_SERVER, OPT_OUT.removeprefix(f"https://{AD_SERVER}"))
    browse(AD_SERVER, "/pixel?seen=shoes")

    assert 0 == share()


def test_it_notices_a_purchase_late(browse, share, clock):
    """Twelve hours of it still go on."""
    browse(AD_SERVER, "/pixel?seen=shoes")
    browse(AD_SERVER, "/pixel?bought=shoes")
    clock.forward(hours=1)
    still = share()
    clock.forward(hours=12)

    assert still > 0.6
    assert 0 == share()


def test_it_follows_nobody_else(browse, world):
    """Another browser has looked at nothing."""
    browse(AD_SERVER, "/pixel?seen=shoes")
    for load in range(50):
        world(Asked("GET", AD_SERVER, f"/frame?slot=top&site=news.example&load={load}", {"user-agent": "another"}))

    assert {0} == {each.chance for each in world.delivered}
