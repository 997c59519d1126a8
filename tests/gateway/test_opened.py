"""Which connections are opened, by which rule, and at what price."""

import gzip
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import opened
from benchmarks.report import marks
from capper.gateway.opened import Chooser, Rule, Ruling
from capper.recognise.exclusions import exclusions
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.hosts import HostSet, ad_hosts
from capper.settings.closed import ClosedHosts, built_in, silent
from capper.settings.sites import known_sites

LISTS = (
    "easylist-20260822",
    "adguard-base-20260320",
    "easylist-germany-20260821",
    "adguard-dutch-20260320",
    "nordic-ublock-20260822",
)


def chooser(ads=(), closed=None, sites=(), own=(), known=(), *, wanted=True) -> Chooser:
    hosts, shut, quiet = (
        HostSet(ads),
        ClosedHosts(closed or {}, {"bank": "banks"}),
        ClosedHosts({}, {"sync": "matching"}),
    )
    return Chooser(
        lambda: hosts, lambda: shut, frozenset(sites), lambda: frozenset(own), HostSet(known), lambda _: wanted, quiet
    )


@pytest.mark.parametrize(
    ("host", "ruling"),
    [
        ("x.ads.test", Ruling(Rule.AD_HOST, "ads.test")),
        ("news.test", Ruling(Rule.UNNAMED)),
        ("www.shop.test", Ruling(Rule.CREDIT, "www.shop.test")),
        ("www.mine.test", Ruling(Rule.SITE, "mine.test")),
        ("own.test", Ruling(Rule.SITE, "own.test")),
        ("bank.ads.test", Ruling(Rule.CLOSED, "bank", "banks")),
        ("pay.ads.test", Ruling(Rule.CLOSED, "pay.ads.test", "payment")),
        ("pay.mine.test", Ruling(Rule.CLOSED, "pay.mine.test", "payment")),
        ("bank.mine.test", Ruling(Rule.SITE, "mine.test")),
        ("my.bank.test", Ruling(Rule.CLOSED, "bank", "banks")),
        ("sync.ads.test", Ruling(Rule.SILENT, "sync", "matching")),
        ("sync.mine.test", Ruling(Rule.SITE, "mine.test")),
    ],
)
def test_rulings(host, ruling):
    """Each host is opened by one rule, or passes through by one; what stays closed is stronger than any list."""
    choose = chooser(
        ["ads.test"],
        {"pay.ads.test": "payment", "pay.mine.test": "payment"},
        ["mine.test"],
        ["own.test"],
        ["shop.test"],
    )

    assert ruling == choose.ruling(host)
    assert (ruling.rule in {Rule.AD_HOST, Rule.CREDIT, Rule.SITE}) == choose.opens(host)


@pytest.mark.parametrize(("site", "opens"), [("mybank.test", True), ("www.mybank.test", True), ("test", False)])
def test_a_person_may_ask_for_that_one_host(site, opens):
    """A closed host is opened for who names it, or one below it; naming a domain above is not asking for it."""
    assert opens == chooser(closed={"mybank.test": "banks"}, sites=[site]).opens("www.mybank.test")


def test_prompts_nobody_wants_removed():
    """A site known for credit prompts is not read where nobody wants anything taken out."""
    assert not chooser(known=["shop.test"], wanted=False).opens("shop.test")


NAMES = st.lists(st.sampled_from(["a", "b", "ads", "bank", "test"]), min_size=1, max_size=4).map(".".join)


@given(st.lists(NAMES), st.dictionaries(NAMES, st.just("banks")), st.lists(NAMES), NAMES)
def test_closed_hosts_are_opened_for_nobody_who_did_not_ask(ads, closed, known, host):
    """Without a site of a person's own nothing below a closed entry is opened, whatever lists say."""
    choose = chooser(ads, closed, known=known)

    if any(host == entry or host.endswith(f".{entry}") for entry in closed) or "bank" in host.split("."):
        assert not choose.opens(host)


@pytest.fixture(scope="module")
def lists(shared_data) -> HostSet:
    """The ad hosts of five real lists."""
    texts = (gzip.decompress((shared_data / "lists" / f"{name}.txt.gz").read_bytes()).decode() for name in LISTS)
    return ad_hosts(FilterList(name, text, ListKind.ADS) for name, text in zip(LISTS, texts, strict=True))


def test_no_bank_is_opened(lists, shared_data):
    """Of ten thousand hosts of banks, only by lists that travel with capper and no subscription, none is opened."""
    closed, known = built_in(), known_sites()
    choose = Chooser(lambda: lists, lambda: closed, known=known)
    banks = {
        host
        for name in ("adguard-banks", "ut1-bank", "adguard-sensitive", "ut1-webmail")
        for host in exclusions((shared_data / "exclusions" / f"{name}.txt").read_text())
    }
    opened = sorted(host for each in banks for host in (each, f"www.{each}", f"login.{each}") if choose.opens(host))
    print(len(banks), opened)

    assert [] == [host for host in opened if choose.ruling(host).rule is not Rule.CREDIT]


def test_it_takes_microseconds(lists):
    """A hundred thousand hosts are decided upon as quickly as a hundred, and faster than a handshake could tell."""
    closed = built_in()
    many = HostSet([*lists, *(f"host{number}.ads{number % 97}.test" for number in range(100_000))])
    few = HostSet(list(many)[:100])
    hosts = [f"a.b.{host}" for host in list(many)[:: len(many) // 500]] + [f"www.news{n}.example" for n in range(500)]
    took = {}
    for name, ads in (("few", few), ("many", many)):
        choose = Chooser(
            lambda ads=ads: ads, lambda: closed, frozenset(["mine.test"]), known=known_sites(), silent=silent()
        )
        rounds = []
        for _ in range(7):
            began = time.perf_counter()
            for host in hosts:
                choose.opens(host)
            rounds.append((time.perf_counter() - began) / len(hosts))
        took[name] = min(rounds)
    print({name: f"{each * 1e6:.1f} us" for name, each in took.items()})

    assert took["many"] < 3 * took["few"]
    assert took["many"] < 100e-6


def test_the_table_of_the_documentation(shared_data):
    """The shares in docs/privacy.md are those of today's rules: under 30 % in the middle of the ad-heavy pages, and of banks none."""
    text = opened.table(shared_data)
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
    begin, end = marks("opened")
    middle = re.search(r"Median of those (\d+): (\d+) % opened", text)

    assert text == page.partition(begin)[2].partition(end)[0]
    assert int(middle[1]) >= 10
    assert int(middle[2]) < 30
    assert " 0 are opened." in text
