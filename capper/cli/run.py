"""`capper run`: the proxy, with everything the settings ask for behind it, until it is told to stop."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capper import __version__
from capper.assembly import Assembly, ClosedSource, assemble, utc_now
from capper.backup.swap import finish, hold, interrupted, stamp_of
from capper.cli.logs import begin
from capper.cli.options import Config, LedgerUrl, Policy, State
from capper.cli.plain import plain
from capper.cli.supervised import Supervisor, answers
from capper.cli.tables import print_text
from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.gateway.ours import HOST
from capper.gateway.pac import PacFile
from capper.gateway.ways import chooser_for, hosts_for, sites_for
from capper.settings import Address, Enrolment, Log, Open, Settings, first_words, load_settings, policy_file
from capper.settings.options import redacted
from capper.settings.running import Running, tell_running, tell_stopped
from capper.settings.sites import OwnSites, known_sites, read_sites, sites_file

if TYPE_CHECKING:
    from capper.proxy.master import CapperMaster, ProxyOptions
    from capper.recognise.hosts import HostSet
    from capper.settings.closed import ClosedHosts

app = typer.Typer(rich_markup_mode=None)

REFRESH = timedelta(minutes=5)
"""How often the filter lists in use are looked at: `capper lists update` may have brought newer ones."""
RENEW = timedelta(hours=1)
"""How often subscriptions are asked for that are due by their own word; one that failed is tried again then."""
_UNAVAILABLE = 3
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, and a terminal that is closed."""


@app.command(
    help="""Start the proxy.

    Prints where it listens, how to point a browser or a phone at it and where its certificate is; then a line that
    begins with `ready`, for scripts to wait for. Ctrl-C lets pages under way finish and stops.
    """,
    epilog="""\b
Examples:
  capper run                                              for this machine only
  capper run --listen 0.0.0.0:8080 --lan 192.168.1.0/24   for the devices of this network
  capper run --listen 0.0.0.0:8080 --proxy-auth @people   for whoever is in an htpasswd file
  capper run --mode wireguard:anna.conf@0.0.0.0:51821     for anna's phone, wherever it is
  capper run --mode upstream:http://proxy.example:3128    behind another proxy

\b
It does not go to this machine, to link-local and metadata addresses, nor, for those who come with only a password or
a key, to private ones. Exits with 2 when an option or file cannot be used, 3 when the port is taken or the ledger does
not start.""",
)
def run(
    *,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to listen; port 0 picks a free one.")
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(metavar="MODE", help="regular, upstream:URL, socks5, transparent or wireguard:FILE; repeatable."),
    ] = None,
    lan: Annotated[
        list[str] | None, typer.Option(metavar="CIDR", help="A network whose devices may use it; repeatable.")
    ] = None,
    proxy_auth: Annotated[
        str | None, typer.Option(metavar="NAME:PASSWORD|@FILE", help="Ask for a password; @FILE is an htpasswd file.")
    ] = None,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    open_: Annotated[
        Open | None, typer.Option("--open", help="Which TLS is opened: ads, or all (for demonstrations and tests).")
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A site whose own pages are opened too, for the ads in them; repeatable."),
    ] = None,
    dashboard: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where the owner's own pages are served; port 0 picks a free one."),
    ] = None,
    log: Annotated[Log | None, typer.Option(help="How the log is written.")] = None,
    upstream_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Further certificates (PEM) to trust for websites.")
    ] = None,
    resolve: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT=ADDRESS:PORT", help="Where a host is, even on this machine; for tests, repeatable."
        ),
    ] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Assemble, listen, tell, serve, stop."""
    chosen = {
        "listen": listen,
        "mode": mode,
        "lan": lan,
        "proxy_auth": proxy_auth,
        "policy": policy,
        "ledger": ledger,
        "open": open_,
        "sites": site,
        "upstream_ca": upstream_ca,
        "dashboard": dashboard,
        "log": log,
        "state": state,
    }
    settings = load_settings(config, {key: value for key, value in chosen.items() if value not in (None, [])})
    begin(settings.log)
    asyncio.run(_run(settings, resolve or []))


async def _run(settings: Settings, resolve: list[str]) -> None:
    from capper.dashboard.house import house_of  # noqa: PLC0415  imports jinja2 and starlette
    from capper.dashboard.person import create_app  # noqa: PLC0415
    from capper.dashboard.serving import OwnerPages  # noqa: PLC0415
    from capper.proxy.lean import settle, share_heap  # noqa: PLC0415  imports mitmproxy, which takes a while
    from capper.proxy.master import CapperMaster, ListenError  # noqa: PLC0415
    from capper.proxy.people import Keeping  # noqa: PLC0415

    share_heap()
    choices = _choices(settings, resolve)
    if interrupted(settings.state):
        logging.getLogger("capper").warning("a restore that was cut short is completed in %s", settings.state)
        finish(settings.state, stamp_of(utc_now()))
    assembly = await assemble(settings, host=HOST)
    hold(settings.state)
    async with contextlib.aclosing(_Closing(assembly)):
        await _check_ledger(assembly, settings)
        keeping, closed = Keeping.begin(settings, utc_now), await asyncio.to_thread(ClosedSource, settings)
        house = house_of(assembly, settings, utc_now)
        choices = _opening(choices, settings, assembly, closed)
        choices = replace(choices, sources=keeping.sources(), app=create_app(house))
        master = CapperMaster(choices, assembly.gate, assembly.policy, utc_now)
        owner = OwnerPages.open(replace(house, certificate_ends=master.certificate_ends))
        try:
            await master.start()
        except ListenError as exc:
            typer.echo(f"capper: {plain(str(exc))}", err=True)
            raise typer.Exit(_UNAVAILABLE) from exc
        try:
            with _signals(master):
                policy = assembly.policy
                works = (
                    _refresh(assembly, closed),
                    assembly.keep_watch(),
                    keeping.keep(policy),
                    _warn_of_end(master.certificate_ends),
                    owner.serve(),
                )
                beside = [asyncio.create_task(work) for work in works]
                _tell(settings, master, assembly, owner.rows())
                listens = tuple(str(Address(*each)) for each in master.addresses)
                tell_running(settings.state, Running(os.getpid(), __version__, utc_now(), listens, owner.url))
                told = Supervisor.of(os.environ)
                told.say("READY=1", f"STATUS=listening at {', '.join(listens)}")
                beside.append(asyncio.create_task(told.keep_watch(partial(_answers, master))))
                settle()
                await master.serve()
                told.say("STOPPING=1")
                for task in beside:
                    task.cancel()
        finally:
            await asyncio.to_thread(tell_stopped, settings.state, os.getpid())
            await master.stop()


async def _answers(master: "CapperMaster", deadline: float) -> bool:
    return await answers(master.address_of("regular", "upstream", "socks5", "transparent"), deadline)


class _Closing:
    """An assembly as `contextlib.aclosing` takes it."""

    def __init__(self, assembly: Assembly) -> None:
        self.aclose = assembly.close


def _choices(settings: Settings, resolve: list[str]) -> "ProxyOptions":
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


def _opening(choices: "ProxyOptions", settings: Settings, assembly: Assembly, closed: ClosedSource) -> "ProxyOptions":
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


async def _check_ledger(assembly: Assembly, settings: Settings) -> None:
    """A ledger of our own must start; one elsewhere may come later, and until then ads pass uncounted.

    Raises:
        LedgerUnavailable: our own does not.
    """
    health = await assembly.ledger.health()
    if health.ok:
        if health.detail:
            logging.getLogger("capper").warning("the ledger at %s: %s", redacted(settings.ledger), health.detail)
        return
    detail = health.detail or "it does not answer"
    if settings.ledger.startswith("embedded"):
        raise LedgerUnavailable(f"the ledger does not start: {detail}")
    logging.getLogger("capper").warning(
        "the ledger at %s: %s; ads pass for now, and a policy that was applied is not known, so %s holds",
        redacted(settings.ledger),
        detail,
        policy_file(settings),
    )


async def _refresh(assembly: Assembly, closed: ClosedSource) -> None:
    renewed = None
    while True:
        now = utc_now()
        due = renewed is None or now - renewed >= RENEW
        try:
            if await asyncio.to_thread(assembly.recogniser.renew if due else assembly.recogniser.refresh, now):
                logging.getLogger("capper").info("the filter lists were read again")
            await asyncio.to_thread(closed.refresh)
        except (ConfigError, OSError, ValueError) as exc:
            logging.getLogger("capper").warning("the filter lists stay as they were: %s", exc)
        renewed = now if due else renewed
        await asyncio.sleep(REFRESH.total_seconds())


async def _warn_of_end(ends: datetime) -> None:
    """A word a day in the log while the certificate nears its end: each device needs the next one by hand."""
    from capper.proxy.authority import SOON  # noqa: PLC0415

    while True:
        if (left := ends - utc_now()) < SOON:
            what = f"ends in {left.days} days" if left > timedelta(0) else "has ended, and nothing is opened any more"
            logging.getLogger("capper").warning(
                "the certificate %s (%s): capper ca renew, start again, and open http://%s/ on each device",
                what,
                f"{ends:%Y-%m-%d}",
                HOST,
            )
        await asyncio.sleep(timedelta(days=1).total_seconds())


def _tell(settings: Settings, master: "CapperMaster", assembly: Assembly, more: list[tuple[str, str]]) -> None:
    """What to do next, for a person; and a last line for scripts."""
    from capper.proxy.addresses import local_address  # noqa: PLC0415
    from capper.proxy.authority import authority_file  # noqa: PLC0415

    host, port = master.addresses[0] if master.addresses else (settings.listen.host, settings.listen.port)
    reachable = local_address() if host in {"0.0.0.0", "::"} else host  # noqa: S104  compared, not listened on
    opened = assembly.recogniser.current().engines.hosts
    rows = [
        *_ways_in(master, reachable),
        ("certificate", f"{authority_file(settings.state)}: install it there too, as an authority for websites"),
        (
            "then open",
            f"http://{HOST}/ in each browser: it gives the certificate, proves that it is trusted, and then is your dashboard",
        ),
        (
            "opened",
            "every site (--open all)"
            if settings.open is Open.ALL
            else f"{', '.join((f'{len(opened)} ad hosts', *_sites(settings)))}; the rest unread",
        ),
        ("policy", _policy(settings, assembly)),
        ("ledger", redacted(settings.ledger)),
        *more,
        *((f"for {name}", f"{file}: import it in the WireGuard app") for name, file in master.wireguard_files()),
    ]
    print_text(*(f"{name:<12} {what}" for name, what in rows))
    print_text(f"ready: http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}")
    sys.stdout.flush()


def _policy(settings: Settings, assembly: Assembly) -> str:
    version = assembly.following and assembly.following.source.version
    if version:
        return f"version {version}, as it was applied: capper policy history"
    return first_words(settings) or str(policy_file(settings))


def _ways_in(master: "CapperMaster", host: str) -> list[tuple[str, str]]:
    """For each kind of listener that a person must do something about, what."""
    rows = []
    if proxy := master.address_of("regular", "upstream", "socks5"):
        what = f"{host}, port {proxy[1]}: set it for HTTP and HTTPS in the browser's or phone's network settings"
        rows.append(("proxy", what))
    if proxy := master.address_of("regular"):
        what = (
            f"http://{Address(host, proxy[1])}/proxy.pac as the address of automatic configuration: only ads come here"
        )
        rows.append(("or instead", what))
    if listener := master.address_of("transparent"):
        rows.append(("redirected", f"port {listener[1]}: `capper gateway watch` sends connections to ad hosts there"))
    return rows


def _sites(settings: Settings) -> Iterator[str]:
    """What is opened besides ad hosts, for a person to read."""
    if settings.credit_sites:
        yield f"{len(known_sites().sites)} sites known for credit prompts"
    yield from settings.sites
    yield from _own_sites(settings)


def _own_sites(settings: Settings) -> tuple[str, ...]:
    with contextlib.suppress(ConfigError):  # the log has said what is wrong with it
        return read_sites(sites_file(settings.state))
    return ()


@contextlib.contextmanager
def _signals(master: "CapperMaster") -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in _ENDINGS:
        loop.add_signal_handler(number, master.shutdown)
    try:
        yield
    finally:
        for number in _ENDINGS:
            loop.remove_signal_handler(number)
