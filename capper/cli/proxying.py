"""How the settings become a proxy: where it listens, whom it serves, what it opens, and what goes on beside it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from capper.assembly import Assembly, ClosedSource, utc_now
from capper.cli.works import refresh
from capper.dashboard.serving import PersonPages
from capper.gateway.pac import PacFile
from capper.gateway.ways import chooser_for, hosts_for, sites_for
from capper.settings import Enrolment, Open, Settings
from capper.settings.sites import OwnSites, sites_file

if TYPE_CHECKING:
    from capper.dashboard.house import House
    from capper.proxy.master import CapperMaster, ProxyOptions
    from capper.proxy.people import Keeping
    from capper.recognise.hosts import HostSet
    from capper.settings.closed import ClosedHosts


@dataclass(frozen=True, slots=True)
class Proxying:
    """A proxy around an assembly, and what keeps its knowledge of devices and hosts up to date."""

    master: "CapperMaster"
    assembly: Assembly
    closed: ClosedSource
    keeping: "Keeping"

    @classmethod
    async def begin(cls, settings: Settings, options: "ProxyOptions", assembly: Assembly, house: "House") -> Self:
        """Make it; nothing listens yet. `house` is what each person's dashboard speaks of."""
        from capper.proxy.master import CapperMaster  # noqa: PLC0415  imports mitmproxy, which takes a while
        from capper.proxy.people import Keeping  # noqa: PLC0415

        keeping, closed = Keeping.begin(settings, utc_now), await asyncio.to_thread(ClosedSource, settings)
        options = replace(
            opening(options, settings, assembly, closed), sources=keeping.sources(), app=PersonPages(house)
        )
        master = CapperMaster(options, assembly.gate, assembly.policy, utc_now)
        return cls(master, assembly, closed, keeping)

    def works(self, *, renews: bool) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on beside the traffic, each until it is cancelled; `renews`: filter lists are fetched too."""
        yield refresh(self.assembly.recogniser, self.closed, renews=renews)
        yield self.assembly.keep_watch()
        yield self.keeping.keep(self.assembly.policy)
        yield self.master.rest()


def proxy_options(settings: Settings, resolve: list[str]) -> "ProxyOptions":
    """The proxy's options as the settings say them.

    Raises:
        ConfigError: a password, a network or an address cannot be used.
    """
    from capper.proxy.auth import parse_credentials  # noqa: PLC0415  as above
    from capper.proxy.master import ProxyOptions  # noqa: PLC0415
    from capper.proxy.shield import check_listener, parse_resolve  # noqa: PLC0415

    check_listener(settings.listen.host, settings.mode, lan=bool(settings.lan), auth=bool(settings.proxy_auth))
    return ProxyOptions(
        settings.state,
        settings.listen.host,
        settings.listen.port,
        settings.mode,
        lan=settings.lan,
        auth=parse_credentials(settings.proxy_auth) if settings.proxy_auth else None,
        resolve=_named(settings) | dict(map(parse_resolve, resolve)),
        upstream_ca=settings.upstream_ca,
    )


def _named(settings: Settings) -> dict[tuple[str, int], tuple[str, int]]:
    """The hosts of the settings' `resolve`, at every port; without a port of its own an address keeps the one asked for."""
    found: dict[tuple[str, int], tuple[str, int]] = {}
    for host, where in settings.resolve.items():
        address, colon, port = where.rpartition(":")
        bare = address.startswith("[") or (colon and "." in address)
        found[host, 0] = (address.strip("[]"), int(port)) if bare else (where, 0)
    return found


def opening(choices: "ProxyOptions", settings: Settings, assembly: Assembly, closed: ClosedSource) -> "ProxyOptions":
    """The same, with what is opened and the PAC file that says so."""
    from capper.proxy.opening import open_all  # noqa: PLC0415

    choices = replace(choices, pac=_pac(settings, assembly, closed))
    if settings.open is Open.ALL:
        return replace(choices, opened=open_all)

    chooser = chooser_for(
        settings,
        lambda: assembly.recogniser.current().engines.hosts,
        closed.current,
        OwnSites(sites_file(settings.state)).current,
        # Where nobody wants prompts taken out there is no reason to read these pages.
        lambda host: assembly.policy().seeks_prompts(host),
    )
    return replace(choices, opened=chooser.opens, proof=settings.enrolment is Enrolment.PROOF)


def _pac(settings: Settings, assembly: Assembly, closed: ClosedSource) -> Callable[[str], str]:
    """The PAC file by the address it is asked at; its hosts are digested once for each state of the lists and sites."""
    made: list[tuple[HostSet, ClosedHosts, tuple[str, ...], PacFile]] = []

    def pac(where: str) -> str:
        ads, shut, sites = assembly.recogniser.current().engines.hosts, closed.current(), sites_for(settings)
        if not made or made[0][0] is not ads or made[0][1] is not shut or made[0][2] != sites:
            made[:] = [(ads, shut, sites, PacFile(hosts_for(settings, ads, shut)))]
        return made[0][3].to([where])

    return pac
