"""`capper tls`: which connections are opened, for which devices, and why not."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capper.cli.governing import policy_for
from capper.cli.machines import machines
from capper.cli.options import Config, Json, State
from capper.cli.tables import moment, print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.gateway.opened import Chooser, Rule, Ruling
from capper.gateway.ours import HOST as OURS
from capper.settings import Enrolment, Open, Settings, load_settings
from capper.settings.closed import CLOSED_HEAD, YOURS, closed_file
from capper.settings.options import a_site
from capper.settings.sites import read_sites, sites_file, within, write_sites
from capper.settings.version import check_state

if TYPE_CHECKING:
    from capper.proxy.trust import Book, Names
    from capper.proxy.trustfile import TrustFile

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Which connections capper opens, for which devices, and why not.

    Only hosts that deliver ads, and sites with something to take out, are opened, and only for devices that have proven that they
    trust capper's certificate. Banks, health and government never are.
    """,
    epilog="""\b
Examples:
  capper tls why www.mybank.example             would this host be opened, and by which rule?
  capper tls list                               which devices trust capper, and where do they not?
  capper tls close shop.example                 never open it, nor what is below it
  capper tls forget --device 192.168.1.20       learn anew what this device takes""",
)

Host = Annotated[str, typer.Argument(metavar="HOST", help="A host like ads.example; an address of it will do.")]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="DEVICE", help="An address, user:NAME or wireguard:NAME.", show_default=False),
]


@app.command()
def why(
    host: Host, *, device: Device = None, state: State = None, config: Config = None, as_json: Json = False
) -> None:
    """Say whether connections to a host are opened, by which rule, and what devices made of it."""
    settings = _settings(config, state)
    name = _host(host)
    ruling = ruling_of(settings, name)
    learnt = list(_refusals_at(settings, name, device))
    if as_json:
        print_json(
            {"host": name, "opened": ruling.opens, "rule": ruling.rule.name.lower(), "entry": ruling.entry}
            | {"source": ruling.source, "devices": learnt}
        )
        return
    print_text(f"{name}: {'opened' if ruling.opens else 'passes through unopened'}: {_because(ruling)}")
    if ruling.opens and settings.enrolment is Enrolment.PROOF:
        print_text(f"only for devices that trust capper: http://{OURS}/ on a device says whether it does")
    now = datetime.now(UTC)
    for row in learnt:
        until = moment(row["until"], now, now.astimezone().tzinfo or UTC)
        print_text(f"{row['device']}: passes through until {until}: {row['reason']}")


@app.command("list")
def show(*, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Show which devices trust capper, and at how many hosts they do not, with the reasons.

    Devices are kept as digests: those that the policy names, and those that this machine sees on the network now, are shown by
    name. Hosts are kept as digests too; `capper tls why HOST` says what is known of one.
    """
    settings = _settings(config, state)
    known = _known(settings)
    if known is None or not (known[0].clients or known[0].refusals):
        print_json([]) if as_json else print_text(
            f"Nothing is known of any device so far; http://{OURS}/ on a device, through capper, proves that it trusts it."
        )
        return
    rows = list(_devices(*known[:2], settings))
    if as_json:
        print_json(rows)
        return
    now = datetime.now(UTC)
    zone = now.astimezone().tzinfo or UTC
    print_table(
        ["device", "how it stands", "until", "#hosts passed through", "because"],
        [
            [
                row["device"],
                row["standing"],
                moment(row["until"], now, zone),
                str(sum(row["passed"].values()) or ""),
                "; ".join(
                    f"{count}: {reason}" if len(row["passed"]) > 1 else reason
                    for reason, count in row["passed"].items()
                ),
            ]
            for row in rows
        ],
    )


@app.command()
def forget(
    host: Annotated[str | None, typer.Argument(metavar="[HOST]", help="Only what was learnt of this host.")] = None,
    *,
    device: Device = None,
    everything: Annotated[bool, typer.Option("--all", help="Of every device.")] = False,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Forget what devices made of capper's certificate, so that it is tried again at the next connection.

    With a host, that host is opened again. Without, the device has to prove anew that it trusts capper.
    A running capper heeds it within two seconds.
    """
    if not (host or device or everything):
        raise ConfigError("name a host, a --device, or --all")
    settings = _settings(config, state)
    known = _known(settings)
    gone = 0 if known is None else _forget(*known, settings, host and _host(host), device)
    if as_json:
        print_json({"forgotten": gone})
    else:
        print_text(f"{gone} forgotten" if gone else "nothing was known of that")


@app.command()
def close(host: Host, *, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Never open a host, nor what is below it; holds for the next connection. Lists go on being updated beside it.

    Sites of yours stand above it. Exits with 1 when one of them keeps the host, or something below it, opened; says which.
    """
    settings = _settings(config, state)
    file = closed_file(settings.state)
    name, closed = _host(host), read_sites(file)
    if name not in closed:
        write_sites(file, (*closed, name), CLOSED_HEAD)
    if still := "; ".join(_kept_open(settings, name)):
        _tell(name, f"is closed, and yet {still}", as_json=as_json)
        raise typer.Exit(1)
    _tell(name, "is closed already" if name in closed else "is never opened from now on", as_json=as_json)


@app.command()
def reopen(host: Host, *, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Take back that a host was closed; what travels with capper or comes from lists stays closed."""
    settings = _settings(config, state)
    file, name = closed_file(settings.state), _host(host)
    closed = read_sites(file)
    if name not in closed:
        told = (
            f"; it stays closed: {_because(ruling)}"
            if (ruling := ruling_of(settings, name)).rule is Rule.CLOSED
            else ""
        )
        raise ConfigError(f"{name} is not among the hosts that you closed{told}")
    write_sites(file, (each for each in closed if each != name), CLOSED_HEAD)
    _tell(name, "is no longer closed by you", as_json=as_json)


def _settings(config: Path | None, state: Path | None) -> Settings:
    settings = load_settings(config, {"state": state})
    check_state(settings.state)
    return settings


def _host(text: str) -> str:
    try:
        return a_site(text)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc


def _tell(host: str, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"host": host, "outcome": what})
    else:
        print_text(f"{host} {what}")


# Which rule speaks


def ruling_of(settings: Settings, host: str) -> Ruling:
    """What is done with connections to `host`, and by which rule."""
    if settings.open is Open.ALL:
        return Ruling(Rule.ALL)
    return _chooser(settings).ruling(host)


def _chooser(settings: Settings) -> Chooser:
    from capper.assembly import ClosedSource, ad_hosts_in_use  # noqa: PLC0415  reads lists, which takes a while
    from capper.gateway.ways import chooser_for  # noqa: PLC0415

    ads, own = ad_hosts_in_use(settings), frozenset(read_sites(sites_file(settings.state)))
    policy = policy_for(settings)
    return chooser_for(settings, lambda: ads, ClosedSource(settings).current, lambda: own, policy.seeks_prompts)


def _kept_open(settings: Settings, host: str) -> Iterator[str]:
    """What stands above the closing of `host`, and how to take that away."""
    if settings.open is Open.ALL:
        yield "everything is opened: open = all"
    for site in (each for each in read_sites(sites_file(settings.state)) if within(each, {host})):
        yield f"{site} goes on being opened, as a site of yours: capper sites remove {site}"
    for site in (each for each in settings.sites if within(each, {host})):
        yield f"{site} goes on being opened: take it out of `sites` in capper.toml, and start capper again"


def _because(ruling: Ruling) -> str:
    match ruling.rule:
        case Rule.CLOSED:
            where = "you closed it" if ruling.source == YOURS else f"it is among {ruling.source.replace('_', ' ')}"
            return f"{where} ({ruling.entry})"
        case Rule.SILENT:
            return f"lists of ad hosts name it, but it carries no ads, only {ruling.source} ({ruling.entry})"
        case Rule.UNNAMED:
            return "no list and no site of yours names it"
        case Rule.AD_HOST:
            return f"a filter list says that it delivers ads ({ruling.entry})"
        case _:
            return f"{ruling.rule}{f' ({ruling.entry})' if ruling.entry else ''}"


# What devices made of it


def _known(settings: Settings) -> "tuple[Book, Names, TrustFile] | None":
    """What is kept, what makes its digests, and where; None where there is no certificate so far."""
    from capper.proxy.authority import has_authority, read_authority  # noqa: PLC0415  imports mitmproxy, which takes a while
    from capper.proxy.trustfile import TrustFile, names_of  # noqa: PLC0415

    if not has_authority(settings.state):
        return None
    authority = read_authority(settings.state)
    file = TrustFile(settings.state, authority.fingerprint())
    return file.load(), names_of(authority), file


def _devices(book: "Book", names: "Names", settings: Settings) -> Iterable[dict[str, Any]]:
    labels = {names.device(machine): label for machine, label in machines(settings, None)}
    for digest in dict.fromkeys(
        (*(row.device for row in book.clients.values()), *(row.device for row in book.refusals.values()))
    ):
        clients = [row for row in book.clients.values() if row.device == digest]
        passed: dict[str, int] = {}
        for row in book.refusals.values():
            if row.device == digest:
                passed[row.reason] = passed.get(row.reason, 0) + 1
        best = min(clients, key=lambda row: row.standing.name, default=None)
        yield {
            "device": labels.get(digest, f"a device ({digest[:6]})"),
            "standing": best.standing if best else "",
            "until": best.until if best else None,
            "passed": passed,
        }


def _refusals_at(settings: Settings, host: str, device: str | None) -> Iterable[dict[str, Any]]:
    from capper.proxy.trust import Client  # noqa: PLC0415  as above

    if (known := _known(settings)) is None:
        return
    book, names, _ = known
    labels = {names.device(machine): label for machine, label in machines(settings, device)}
    wanted = labels if device else None
    stacks = {(row.device, stack) for stack, row in book.clients.items()}
    stacks |= {(row.device, row.stack) for row in book.refusals.values()}
    for who, stack in sorted(stacks):
        row = book.refusals.get(names.host(Client(who, stack), host))
        if row and (wanted is None or who in wanted):
            yield {"device": labels.get(who, f"a device ({who[:6]})"), "reason": str(row.reason), "until": row.until}


def _forget(
    book: "Book", names: "Names", file: "TrustFile", settings: Settings, host: str | None, device: str | None
) -> int:
    from capper.proxy.trust import Client  # noqa: PLC0415  as above

    whose = {names.device(machine) for machine, _ in machines(settings, device)} if device else None
    gone = {
        key
        for key, row in book.refusals.items()
        if (whose is None or row.device in whose)
        and (host is None or key == names.host(Client(row.device, row.stack), host))
    }
    if host is None:
        gone |= {key for key, row in book.clients.items() if whose is None or row.device in whose}
    for key in gone:
        book.drop(key)
    if gone:
        file.save(book, datetime.now(UTC))
    return len(gone)
