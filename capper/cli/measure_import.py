"""`capper measure import`: a study of what was recorded elsewhere, or of the rows that an export holds."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.options import Config, State
from capper.cli.replay import through
from capper.cli.studies import Name, checked_name, recorded
from capper.cli.tables import print_text
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.domain.policy import CreditPrompts, Policy
from capper.journal import Journal, Level
from capper.measure.entry import BEFORE_ALL
from capper.measure.har import Har, load
from capper.settings import Settings, load_settings
from capper.settings.version import check_state
from capper.study.draft import Draft
from capper.study.formats.reading import Exported
from capper.study.importing import CONSENT, Everybody
from capper.study.register import Study, open_key

_UNCAPPED = Policy(credit_prompts=CreditPrompts.LEAVE)
"""A recording holds what was met: nothing more is withheld from it."""


def bring_in(
    name: Name,
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...",
            help="Recordings (HAR, or the SQLite file of an OpenWPM crawl), or one folder that `export` wrote.",
            show_default=False,
        ),
    ],
    *,
    person: Annotated[
        str, typer.Option("--person", metavar="NAME", help="Whose recordings these are, where they do not say.")
    ] = HOUSEHOLD,
    names: Annotated[
        bool,
        typer.Option("--names", help="Of recordings: keep advertisers by name too; not of people who did not agree."),
    ] = False,
    crawl: Annotated[
        bool,
        typer.Option(
            "--crawl",
            help="These are recordings of machines: advertisers by name, and all other names by --seed, so that the same crawl gives the same rows.",
        ),
    ] = False,
    lists: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Another filter list to find ads by; may be repeated.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of recordings: of what reports draw.")] = 1,
    state: State = None,
    config: Config = None,
) -> None:
    """Make a study, one that is over, of recordings, of a crawl of OpenWPM's, or of an export: to report on and to export.

    Recordings go through the same recognition as live traffic, by their own clock; nothing is withheld from them, and sites, people and
    ads get names of this study's own. A browser of a crawl is a person. An export keeps the names it has.
    """
    settings = load_settings(config, {"lists": lists or None, "state": state, "ledger": "memory"})
    check_state(settings.state)
    checked_name(name)
    folders = [source for source in sources if source.is_dir()]
    if folders and len(sources) > 1:
        raise ConfigError(
            "import an export by itself: its people, and those of other sources, have names of different studies"
        )
    with Draft(settings.state, name, open_key(seed) if crawl else None) as draft:
        study = (
            _of_export(draft, folders[0])
            if folders
            else _of_recordings(draft, settings, sources, person, seed, names=names or crawl)
        )
        made = draft.register(study)
    with recorded(settings, name) as store:
        exposures = sum(store.counts().values())
    print_text(
        f"{name} has {exposures:,} exposures of {len(made.participants):,} people, from {made.begun:%Y-%m-%d %H:%M} until"
        f" {made.until:%Y-%m-%d %H:%M} UTC:",
        f"  capper measure report {name}     every figure",
    )


def _of_export(draft: Draft, folder: Path) -> Study:
    exported = Exported(folder)
    draft.fill(exported.exposures(), exported.visits())
    return exported.study


def _of_recordings(
    draft: Draft, settings: Settings, sources: Sequence[Path], person: str, seed: int, *, names: bool
) -> Study:
    onlooker = Everybody(draft.keys, draft.store, names=names)
    asyncio.run(_replay(settings, [*map(load, sources)], person, onlooker))
    onlooker.close()
    return Study("", BEFORE_ALL, BEFORE_ALL, CONSENT, seed, names=names)


async def _replay(settings: Settings, recordings: Sequence[Har], person: str, onlooker: Everybody) -> None:
    async for _ in through(recordings, settings, _UNCAPPED, Journal(Level.NOTHING), person, observer=onlooker):
        pass
