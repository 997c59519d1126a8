"""`capper run`: the proxy, with everything the settings ask for behind it, until it is told to stop."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capper import __version__
from capper.assembly import assemble, utc_now
from capper.backup.swap import hold
from capper.cli.logs import begin
from capper.cli.options import Config, LedgerUrl, Policy, State
from capper.cli.proxying import Proxying, proxy_options
from capper.cli.ready import policy_in_words, tell
from capper.cli.supervised import Supervisor, answers
from capper.cli.works import Closing, check_ledger, complete_restore, warn_of_end
from capper.dashboard.house import house_of
from capper.dashboard.serving import OwnerPages
from capper.gateway.ours import HOST
from capper.later import import_now
from capper.settings import Address, Log, Open, Settings, load_settings
from capper.settings.running import Running, tell_running, tell_stopped

if TYPE_CHECKING:
    from capper.proxy.master import CapperMaster

app = typer.Typer(rich_markup_mode=None)


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
  capper run --workers 4                                  for more people than one processor can serve

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
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many processes share the work (Linux); one is enough for a household."),
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
        "workers": workers,
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
    if settings.workers > 1:
        from capper.cli.workers import run_workers  # noqa: PLC0415  imports mitmproxy, which takes a while
        from capper.proxy.steering import can_steer  # noqa: PLC0415  as above

        if can_steer():
            raise typer.Exit(run_workers(settings, resolve or []))
        logging.getLogger("capper").warning(
            "workers = %d: this system cannot lead all connections of a device to the same worker, so there is one",
            settings.workers,
        )
    asyncio.run(_run(settings, resolve or []))


async def _run(settings: Settings, resolve: list[str]) -> None:
    from capper.proxy.lean import SOON, begin_start, settle  # noqa: PLC0415  imports mitmproxy, which takes a while

    begin_start()
    options = proxy_options(settings, resolve)
    complete_restore(settings.state)
    assembly = await assemble(settings, host=HOST)
    hold(settings.state)
    async with contextlib.aclosing(Closing(assembly)):
        await check_ledger(assembly, settings)
        house = house_of(assembly, settings, utc_now)
        proxying = await Proxying.begin(settings, options, assembly, house)
        master, pages = proxying.master, OwnerPages.open(settings)
        await master.start()
        try:
            with _signals(master):
                # Who asks already is served; who waits for the word that it is ready finds a proxy with nothing else to do.
                await assembly.warm(utc_now())
                await asyncio.to_thread(import_now, *SOON)
                owned = pages.serve(replace(house, certificate_ends=master.certificate_ends))
                works = (*proxying.works(renews=True), warn_of_end(master.certificate_ends), owned)
                beside = [asyncio.create_task(work) for work in works]
                settle()
                listening, hosts = master.listening(), len(assembly.recogniser.current().engines.hosts)
                listens = tuple(str(Address(*each)) for each in listening.addresses)
                # Who waits for the word that it is ready may look at once.
                tell_running(settings.state, Running(os.getpid(), __version__, utc_now(), listens, pages.url))
                tell(settings, listening, hosts, policy_in_words(settings, assembly), pages.rows())
                told = Supervisor.of(os.environ)
                told.say("READY=1", f"STATUS=listening at {', '.join(listens)}")
                beside.append(asyncio.create_task(told.keep_watch(partial(_answers, master))))
                await master.serve()
                told.say("STOPPING=1")
                for task in beside:
                    task.cancel()
        finally:
            await asyncio.to_thread(tell_stopped, settings.state, os.getpid())
            await master.stop()


async def _answers(master: "CapperMaster", deadline: float) -> bool:
    where = master.listening().address_of("regular", "upstream", "socks5", "transparent")
    return await answers(where, deadline)


@contextlib.contextmanager
def _signals(master: "CapperMaster") -> Iterator[None]:
    from capper.fleet import ENDINGS  # noqa: PLC0415  it listens already, and needs no more of that

    loop = asyncio.get_running_loop()
    for number in ENDINGS:
        loop.add_signal_handler(number, master.shutdown)
    try:
        yield
    finally:
        for number in ENDINGS:
            loop.remove_signal_handler(number)
