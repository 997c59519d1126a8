"""The hosts whose traffic is to come to capper: where ads are delivered, and the sites the owner named. All else stays away."""

from collections.abc import Iterable

from capper.recognise.hosts import HostSet


def chosen_hosts(ads: HostSet, sites: Iterable[str] = ()) -> HostSet:
    """The hosts of the lists and the owner's sites; a site is meant whole, also where a list leaves a part of it out."""
    named = HostSet(sites)
    return HostSet((*ads, *named), (host for host in ads.without if not named.covers(host)))


def fewest(hosts: HostSet) -> HostSet:
    """The same hosts, without those that a domain above them speaks for anyway."""
    return HostSet((host for host in hosts if not _spoken_for(host, hosts)), hosts.without)


def _spoken_for(host: str, hosts: HostSet) -> bool:
    if ":" in host or host[-1:].isdigit():
        return False
    return hosts.covers(host.partition(".")[2])
