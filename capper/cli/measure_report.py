"""`capper measure report`: everything that a study found, on the terminal, as JSON, or as a page."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from capper.cli.options import Config, Json, State
from capper.cli.studies import Name, recorded, study_of, study_settings
from capper.cli.tables import print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.domain.window import to_ms
from capper.measure.output import whole_file, written
from capper.measure.study_page import study_page
from capper.measure.study_tables import parts
from capper.study.findings import Findings, findings
from capper.study.register import Study
from capper.study.table import Key

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]


class KeyName(StrEnum):
    """By what an ad is told from another."""

    CREATIVE = "creative"
    CAMPAIGN = "campaign"
    ADVERTISER = "advertiser"


From = Annotated[
    datetime | None, typer.Option("--from", formats=_FORMATS, help="Only from then on (UTC).", show_default=False)
]
To = Annotated[
    datetime | None, typer.Option("--to", formats=_FORMATS, help="Only until then (UTC).", show_default=False)
]


def report(
    name: Name,
    *,
    key: Annotated[
        list[KeyName] | None, typer.Option(help="By what an ad is told from another; may be repeated.")
    ] = None,
    cap: Annotated[
        list[int] | None, typer.Option(min=1, metavar="N", help="Tell how much lies over this cap; may be repeated.")
    ] = None,
    since: From = None,
    until: To = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page instead; it needs nothing from elsewhere.")
    ] = None,
    as_json: Json = False,
    state: State = None,
    config: Config = None,
) -> None:
    """Show every figure of a study, each by its key and with its coverage, and what capping did.

    The figures are exact, so of few people they say much about each: they are for this machine.
    """
    settings = study_settings(config, state)
    study, now = study_of(settings, name), datetime.now(UTC)
    first, last = window(study, since, until, now)
    with recorded(settings, name) as store:
        exposures, visits, names = store.exposures(), store.visits(), store.names()
    exposures = exposures.only((exposures.time >= to_ms(first)) & (exposures.time < to_ms(last)))
    # What somebody looked at before the window may be followed in it.
    visits = visits.only(visits.time < to_ms(last))
    keys: list[Key] = [each for each in get_args(Key) if not key or each in key]
    found = findings(study, exposures, visits, keys, sorted(set(cap or (3, 5, 10))), to_ms(last))
    notes = tuple(_notes(study, first, last, len(set(exposures.person.codes.tolist()))))
    if html:
        with whole_file(html, 0o600) as file, written(html):
            file.write(study_page(name, found, names, notes, now))
        print_text(f"{html} has the figures of {name}")
    if as_json:
        print_json({"study": name, "from": first, "until": last, "seed": study.seed, **_plain(asdict(found))})
    elif not html:
        _print(notes, found, names)


def window(study: Study, since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """From when until when figures are made: within the study, and not after now.

    Raises:
        ConfigError: nothing lies between.
    """
    end = min(study.stopped or study.until, now)
    first = max(since.replace(tzinfo=UTC), study.begun) if since else study.begun
    last = min(until.replace(tzinfo=UTC), end) if until else end
    if first > last:
        raise ConfigError(
            f"--from and --to: {study.name} goes from {study.begun:%Y-%m-%d %H:%M} until {end:%Y-%m-%d %H:%M} UTC,"
            " and nothing of that lies between"
        )
    return first, last


def _notes(study: Study, first: datetime, last: datetime, people: int) -> Iterator[str]:
    yield (
        f"{study.name}, from {first:%Y-%m-%d %H:%M} until {last:%Y-%m-%d %H:%M} UTC: {people:,} of"
        f" {len(study.participants):,} participants met ads. Seed {study.seed}."
    )
    if people < study.least:
        yield f"These are exact figures of fewer than {study.least} people: they are for this machine, and must not leave it."
    else:
        yield "These are exact figures: they are for this machine, and not for publication."


def _print(notes: tuple[str, ...], found: Findings, names: Mapping[str, str]) -> None:
    print_text(*notes)
    for part in parts(found, names):
        print_text("", part.title, style="bold")
        print_text(*part.sentences)
        if part.heads:
            print_text("")
            print_table(part.heads, part.rows)


def _plain(value: Any) -> Any:
    """What JSON can say: an interval without bounds has none."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
