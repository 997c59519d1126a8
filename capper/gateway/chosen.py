"""The hosts whose traffic is to come to capper: where ads are delivered, and the sites the owner named. All else stays away."""

from collections.abc import Iterable

from capper.gateway.ours import HOST
from capper.recognise.hosts import HostSet
from capper.settings.closed import ClosedHosts


def chosen_hosts(
    ads: HostSet, sites: Iterable[str] = (), closed: ClosedHosts | None = None, silent: ClosedHosts | None = None
) -> HostSet:
    """The hosts of the lists, the owner's sites, and capper's own; a site is meant whole, also where a list leaves a part of it out.

    What stays closed is left out, unless a site is that very host or lies below what closes it: capper would not open it anyway. So
    is what is silent, unless it is part of a site.
    """
    named, closed, silent = HostSet(sites), closed or ClosedHosts(), silent or ClosedHosts()
    asked = {site for site in named if not _closed_to(site, closed)}
    wanted = [host for host in ads if not closed.closing(host) and not silent.closing(host)]
    freed = {host for host in ads.without if not named.covers(host)}
    kept = {host for host in closed.hosts if ads.covers(host) or named.covers(host)}
    kept |= {host for host in silent.hosts if ads.covers(host) and not named.covers(host)}
    return HostSet((*wanted, *asked, HOST), freed | (kept - asked))


def _closed_to(site: str, closed: ClosedHosts) -> bool:
    closing = closed.by_host(site)
    return closing is not None and len(closing.entry) > len(site)


def fewest(hosts: HostSet) -> HostSet:
    """The same hosts, without those that a domain above them speaks for anyway."""
    return HostSet((host for host in hosts if not _spoken_for(host, hosts)), hosts.without)


def _spoken_for(host: str, hosts: HostSet) -> bool:
    if ":" in host or host[-1:].isdigit():
        return False
    return hosts.covers(host.partition(".")[2])
