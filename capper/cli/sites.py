"""`capper sites`: sites of a person's own whose pages are opened too."""

from pathlib import Path
from typing import Annotated

import typer

from capper.cli.options import Config, Json, State
from capper.cli.tables import print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.recognise.domains import registrable
from capper.settings import Settings, load_settings
from capper.settings.options import a_site
from capper.settings.reader import near
from capper.settings.sites import known_sites, read_sites, sites_file, within, write_sites
from capper.settings.version import check_state
from capper.settings.writing import alone

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Sites whose own pages are opened too, each with its subdomains: for ads and credit prompts in them.

    What you add or remove holds for the next connection; `capper run` need not be started again.
    """,
    epilog="""\b
Examples:
  capper sites add shop.example                 open its pages too
  capper sites list                             which sites are yours, and which come with capper?
  capper sites remove shop.example              leave its pages unread again""",
)

Host = Annotated[str, typer.Argument(metavar="HOST", help="A site like shop.example; an address of it will do.")]


@app.command()
def add(host: Host, *, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Open the pages of a site too, with all names below it.

    From then on capper can read everything between you and it. A site that is there already stays there.
    """
    settings, site = _settings(config, state), _site(host)
    with alone(sites_file(settings.state)):
        file, sites = _own(settings)
        if site not in sites:
            write_sites(file, (*sites, site))
    _tell(site, "is yours already" if site in sites else "is opened from now on", as_json=as_json)


@app.command()
def remove(host: Host, *, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Leave the pages of a site of your own unread again."""
    settings, site = _settings(config, state), _site(host)
    with alone(sites_file(settings.state)):
        file, sites = _own(settings)
        if site not in sites:
            raise ConfigError(f"{site} is none of your sites{_why(settings, site, sites)}")
        write_sites(file, (each for each in sites if each != site))
    _tell(site, "is left unread from now on", as_json=as_json)


@app.command("list")
def show(*, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Show the sites that are opened besides those that deliver ads, and where each comes from."""
    settings = _settings(config, state)
    named = [(site, "capper.toml") for site in settings.sites]
    own = [(site, "yours") for site in _own(settings)[1]]
    known = sorted(known_sites().sites) if settings.credit_sites else []
    rows = [*own, *named, *((site, "known for credit") for site in known)]
    if as_json:
        print_json([{"site": site, "from": origin} for site, origin in rows])
    elif rows:
        print_table(["site", "from"], rows)
    else:
        print_text("None; `capper sites add` names one.")


def _settings(config: Path | None, state: Path | None) -> Settings:
    settings = load_settings(config, {"state": state})
    check_state(settings.state)
    return settings


def _own(settings: Settings) -> tuple[Path, tuple[str, ...]]:
    file = sites_file(settings.state)
    return file, read_sites(file)


def _site(host: str) -> str:
    try:
        site = a_site(host)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    if registrable(site) is None:
        raise ConfigError(f"{site} is not one site; name the site itself, like shop.example")
    return site


def _why(settings: Settings, site: str, sites: tuple[str, ...]) -> str:
    if within(site, settings.sites):
        return "; `sites` in capper.toml names it"
    if settings.credit_sites and known_sites().covers(site):
        return "; it is known for credit prompts, and credit_sites = false in capper.toml opens none of those"
    return near(site, sites)


def _tell(site: str, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"site": site, "outcome": what})
    else:
        print_text(f"{site} {what}")
