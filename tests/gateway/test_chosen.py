"""Which hosts come to capper, and the shortest list that says so."""

from hypothesis import given
from hypothesis import strategies as st

from capper.gateway.chosen import chosen_hosts, fewest
from capper.gateway.opened import Chooser
from capper.gateway.ours import HOST as OURS
from capper.recognise.hosts import HostSet
from capper.settings.closed import ClosedHosts

NAMES = st.lists(st.sampled_from(["a", "b", "ads", "test", "example", "1", "7"]), min_size=1, max_size=4).map(".".join)
HOSTS = st.lists(NAMES, max_size=8)


@given(HOSTS, HOSTS, HOSTS, NAMES)
def test_a_host_is_chosen_by_a_list_or_by_its_owner(ads, without, sites, host):
    """What the lists name, less what they free, and every site named is chosen."""
    lists = HostSet(ads, without)

    assert (lists.covers(host) or HostSet(sites).covers(host)) == chosen_hosts(lists, sites).covers(host)


@given(HOSTS, HOSTS, NAMES)
def test_the_fewest_hosts_say_the_same(ads, without, host):
    """Leaving out what a domain above speaks for changes no verdict."""
    hosts = HostSet(ads, without)

    assert hosts.covers(host) == fewest(hosts).covers(host)


NAMED = st.lists(st.sampled_from(["a", "b", "ads", "test", "example"]), min_size=1, max_size=4).map(".".join)
SOME = st.lists(NAMED, max_size=8)


@given(SOME, SOME, SOME, SOME, SOME, NAMED)
def test_exactly_what_is_opened_is_chosen(ads, without, sites, closed, silent, host):
    """What would not be opened when it comes to capper stays away, and all else comes; capper's own host too."""
    lists, shut = HostSet(ads, without), ClosedHosts(dict.fromkeys(closed, "banks"))
    quiet = ClosedHosts(dict.fromkeys(silent, "matching"))
    chooser = Chooser(lambda: lists, lambda: shut, frozenset(sites), silent=quiet)
    chosen = chosen_hosts(lists, sites, shut, quiet)

    assert chooser.opens(host) == chosen.covers(host)
    assert chosen.covers(f"x.{OURS}")


def test_the_fewest_are_few():
    """Names below a named one are left out, unless something between is left out by a list."""
    hosts = HostSet(["ads.test", "a.ads.test", "b.c.ads.test", "d.c.ads.test"], ["c.ads.test"])

    assert ["ads.test", "b.c.ads.test", "d.c.ads.test"] == list(fewest(hosts))
