"""`capper gateway`: the ways in for a household's traffic, each as text to review, applied and removed by one command."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.options import Config, Json, State
from capper.cli.tables import print_json, print_text
from capper.domain.errors import ConfigError
from capper.gateway import nftables, system, watchdog
from capper.gateway.dnsmasq import dnsmasq_file
from capper.gateway.pac import LARGEST, pac_file
from capper.gateway.ways import hosts_for, near_side, redirect_for, transparent_listener
from capper.gateway.wireguard import keep_tunnel, tunnel_name
from capper.recognise.hosts import HostSet
from capper.settings import Settings, load_settings
from capper.settings.options import Address
from capper.settings.version import check_state

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""How traffic finds its way to capper: a PAC file, a transparent router, WireGuard for phones.

    Only what delivers ads, and the sites you named, comes to capper; all else never meets it. docs/gateway.md tells how.
    """,
)

Interface = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Only devices behind this network interface; repeatable.", show_default=False),
]
DnsmasqPath = Annotated[
    Path, typer.Option("--dnsmasq", metavar="FILE", help="Where dnsmasq looks for further configuration.")
]
Restart = Annotated[
    str, typer.Option("--restart", metavar="COMMAND", help="What makes dnsmasq read it; empty: do it yourself.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")]
DNSMASQ = Path("/etc/dnsmasq.d/capper.conf")
RESTART = "systemctl try-restart dnsmasq"


@app.command()
def hosts(state: State = None, config: Config = None) -> None:
    """List the hosts whose traffic is to come to capper, each with all names below it."""
    chosen = _hosts(_settings(config, state))
    if chosen is None:
        print_text('every host (open = "all")')
        return
    print_text(*chosen, *(f"but not {host}" for host in sorted(chosen.without)))


@app.command()
def pac(
    proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST:PORT", help="Where browsers reach capper, the first choice first; repeatable."),
    ] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Print the PAC file: chosen hosts through capper, all else DIRECT, and all of it DIRECT when capper is down.

    `capper run` serves the same file at http://HOST:PORT/proxy.pac, always by the lists in use.
    """
    settings = _settings(config, state)
    try:
        text = pac_file(_hosts(settings), proxy or [str(near_side(settings.listen))])
    except ValueError as exc:
        raise ConfigError(f"--proxy: {exc}") from exc
    typer.echo(text, nl=False)
    if len(text) > LARGEST:
        typer.echo(f"capper: {len(text):,} bytes; Chromium takes no PAC file of more than {LARGEST:,}", err=True)


@app.command()
def nft(interface: Interface = None, state: State = None, config: Config = None) -> None:
    """Print the redirect of a transparent router, as `nft -f` reads it; asleep until `watch` or `apply` wakes it."""
    typer.echo(_table(_settings(config, state), interface), nl=False)


@app.command()
def dnsmasq(state: State = None, config: Config = None) -> None:
    """Print dnsmasq's configuration: addresses of chosen hosts go into the redirect's sets."""
    typer.echo(dnsmasq_file(_hosts(_settings(config, state))), nl=False)


@app.command()
def wireguard(
    name: Annotated[str, typer.Argument(help="Whose listener: one for each person.")],
    endpoint: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where her devices reach this listener from outside.")
    ],
    *,
    ipv6: Annotated[
        bool, typer.Option("--ipv6", help="Also send IPv6 into the tunnel, where it ends: all goes by IPv4.")
    ] = False,
    qr: Annotated[bool, typer.Option(help="Print the profile as a QR code for the WireGuard app.")] = True,
    state: State = None,
    config: Config = None,
) -> None:
    """Make a person's WireGuard keys, or find them, and print the profile for her devices.

    Whoever has the profile can use the listener as this person: show it to nobody else.
    """
    settings = _settings(config, state)
    try:
        file, tunnel = keep_tunnel(settings.state / "wireguard", tunnel_name(name))
        profile = tunnel.profile(endpoint, ipv6=ipv6)
    except ValueError as exc:
        raise ConfigError(f"a listener for {name!r}: {exc}") from exc
    if qr:
        import segno  # noqa: PLC0415  as below

        segno.make(profile, error="l", micro=False).terminal(compact=True)
    typer.echo(profile)
    port = endpoint.rpartition(":")[2]
    print_text(
        f"In capper.toml, `mode` needs:  wireguard:{file}@0.0.0.0:{port}",
        f"Counts as hers after:  capper people add {name} --device wireguard:{name}",
        f"In the router, forward UDP {port} to this machine if she is to use it away from home.",
    )


@app.command()
def apply(
    *,
    interface: Interface = None,
    unwatched: Annotated[
        bool, typer.Option("--unwatched", help="Redirect from now on, whether or not capper answers.")
    ] = False,
    dnsmasq_path: DnsmasqPath = DNSMASQ,
    restart: Restart = RESTART,
    dry_run: DryRun = False,
    state: State = None,
    config: Config = None,
) -> None:
    """Put the redirect and dnsmasq's configuration in place; again after lists or settings have changed.

    Nothing is redirected until `capper gateway watch` runs beside capper, or with --unwatched.
    """
    settings = _settings(config, state)
    table = _table(settings, interface) + (nftables.lease(None) if unwatched else "")
    resolver = dnsmasq_file(_hosts(settings))
    if dry_run:
        typer.echo(f"# nft -f -\n{table}\n# {dnsmasq_path}\n{resolver}\n# {restart or '(restart dnsmasq)'}")
        return
    attempt = "configure dnsmasq"
    system.check_dnsmasq(attempt, resolver)
    _put(table)
    before = _read(dnsmasq_path)
    changed = system.put_file(attempt, dnsmasq_path, resolver)
    print_text(f"nftables   {'redirecting' if unwatched else 'in place, and asleep until `capper gateway watch` runs'}")
    print_text(f"dnsmasq    {dnsmasq_path}: {'written' if changed else 'was right already'}")
    if changed and (fault := _restart(restart)):
        if before is None:
            system.drop_file(attempt, dnsmasq_path)
        else:
            system.put_file(attempt, dnsmasq_path, before)
        _restart(restart)
        raise ConfigError(f"restart dnsmasq: `{restart}`: {fault}; {dnsmasq_path} is as it was before")


@app.command()
def remove(
    *,
    dnsmasq_path: DnsmasqPath = DNSMASQ,
    restart: Restart = RESTART,
    dry_run: DryRun = False,
) -> None:
    """Take the redirect and dnsmasq's configuration away, as if they had never been; it is no error if they are not there."""
    if dry_run:
        typer.echo(f"# nft -f -\n{nftables.removal()}\n# rm {dnsmasq_path}\n\n# {restart or '(restart dnsmasq)'}")
        return
    before = system.standing()
    system.feed_nft("remove the redirect", nftables.removal())
    gone = system.drop_file("remove dnsmasq's configuration", dnsmasq_path)
    print_text("nftables   no redirect", f"dnsmasq    {dnsmasq_path}: {'deleted' if gone else 'was not there'}")
    if before.working and not before.lasting:
        print_text("`capper gateway watch` seems to run, and will put the redirect back: stop it too.", style="yellow")
    if gone and (fault := _restart(restart)):
        raise ConfigError(f"restart dnsmasq: `{restart}`: {fault}; until then it complains about sets that are gone")


@app.command()
def status(
    dnsmasq_path: DnsmasqPath = DNSMASQ,
    state: State = None,
    config: Config = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Say whether the redirect is in place and at work, how many addresses it knows, and whether capper answers.

    Exits with 1 when something keeps it from working.
    """
    settings = _settings(config, state)
    now = system.standing()
    listener = transparent_listener(settings)
    answers = asyncio.run(watchdog.alive(*near_side(listener), watchdog.Patience().deadline))
    right = _is_current(dnsmasq_path, settings)
    if as_json:
        print_json(
            {
                "applied": now.applied,
                "working": now.working,
                "watched": now.working and not now.lasting,
                "addresses": {"ipv4": now.ads4, "ipv6": now.ads6},
                "capper_answers": answers,
                "dnsmasq_current": right,
            }
        )
    else:
        at_work = f"at work{', with nobody watching' if now.lasting else ''}" if now.working else "asleep"
        print_text(
            f"nftables   {at_work if now.applied else 'no redirect; `capper gateway apply` puts it in place'}",
            f"addresses  {now.ads4} IPv4, {now.ads6} IPv6",
            f"dnsmasq    {dnsmasq_path}: {'as it should be' if right else 'not as it should be; `capper gateway apply` writes it'}",
            f"capper     {listener}: {'answers' if answers else 'does not answer'}",
        )
    if not (now.working and answers and right):
        raise typer.Exit(1)


@app.command()
def watch(
    *,
    interface: Interface = None,
    deadline: Annotated[float, typer.Option(min=0.05, max=10, help="Seconds within which capper must answer.")] = 0.75,
    state: State = None,
    config: Config = None,
) -> None:
    """Keep the redirect on while capper answers, and off while it does not; run it beside capper, as root.

    It puts the table in place itself. When it ends, or is killed, everything goes straight out.
    """
    settings = _settings(config, state)
    listener = near_side(transparent_listener(settings))
    table = _table(settings, interface)
    _put(table)
    asyncio.run(_watch(listener, table, deadline))


async def _watch(listener: Address, table: str, deadline: float) -> None:
    async def change(now: watchdog.State) -> None:
        on = now is watchdog.State.ON
        print_text("on: capper answers" if on else "off: capper does not answer; everything goes straight out")
        await (renew() if on else asyncio.to_thread(_try, nftables.revoke()))

    async def renew() -> None:
        # Whoever loads a firewall anew may have swept the table away; all of it is put back.
        if not await asyncio.to_thread(_try, nftables.lease(watchdog.LEASE), quietly=True):
            await asyncio.to_thread(_try, table + nftables.lease(watchdog.LEASE))

    task = asyncio.create_task(
        watchdog.keep_watch(
            lambda: watchdog.alive(*listener, deadline),
            change,
            renew,
            watch=watchdog.Watch(watchdog.Patience(deadline=deadline)),
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        _try(nftables.revoke())


def _try(text: str, *, quietly: bool = False) -> bool:
    """Have nft do this; a fault is told and tried again later, and meanwhile the kernel's lease runs out."""
    try:
        system.feed_nft("switch the redirect", text)
    except ConfigError as exc:
        if not quietly:
            typer.echo(f"capper: {exc}", err=True)
        return False
    return True


def _put(table: str) -> None:
    system.feed_nft("put the redirect in place", table)


def _restart(command: str) -> str | None:
    """What is the matter with the owner's command; None if nothing."""
    if command:
        return system.run_command(command)
    print_text("dnsmasq reads its configuration when it starts: restart it.")
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return None


def _is_current(path: Path, settings: Settings) -> bool:
    return _read(path) == dnsmasq_file(_hosts(settings))


def _table(settings: Settings, interfaces: list[str] | None) -> str:
    try:
        return nftables.table(redirect_for(settings, tuple(interfaces or ())))
    except ValueError as exc:
        raise ConfigError(f"--interface: {exc}") from exc


def _hosts(settings: Settings) -> HostSet | None:
    from capper.assembly import ClosedSource, ad_hosts_in_use  # noqa: PLC0415  the watchdog lives for years, without it

    return hosts_for(settings, ad_hosts_in_use(settings), ClosedSource(settings).current())


def _settings(config: Path | None, state: Path | None) -> Settings:
    settings = load_settings(config, {} if state is None else {"state": str(state)})
    check_state(settings.state)
    return settings
