"""Which hosts come to capper, and the shortest list that says so."""

from hypothesis import given
from hypothesis import strategies as st

from capper.gateway.chosen import chosen_hosts, fewest
from capper.recognise.hosts import HostSet

NAMES = st.lists(st.sampled_from(["a", "b", "ads", "test", "example", "1", "7"]), min_size=1, max_size=4).map(".".join)
HOSTS = st.lists(NAMES, max_size=8)


@given(HOSTS, HOSTS, HOSTS, NAMES)
def test_a_host_is_chosen_by_a_list_or_by_its_owner(ads, without, sites, host):
    """Exactly what `capper run` opens is chosen: what the lists name, less what they free, and every site named."""
    lists = HostSet(ads, without)

    assert (lists.covers(host) or HostSet(sites).covers(host)) == chosen_hosts(lists, sites).covers(host)


@given(HOSTS, HOSTS, NAMES)
def test_the_fewest_hosts_say_the_same(ads, without, host):
    """Leaving out what a domain above speaks for changes no verdict."""
    hosts = HostSet(ads, without)

    assert hosts.covers(host) == fewest(hosts).covers(host)


def test_the_fewest_are_few():
    """Names below a named one are left out, unless something between is left out by a list."""
    hosts = HostSet(["ads.test", "a.ads.test", "b.c.ads.test", "d.c.ads.test"], ["c.ads.test"])

    assert ["ads.test", "b.c.ads.test", "d.c.ads.test"] == list(fewest(hosts))
