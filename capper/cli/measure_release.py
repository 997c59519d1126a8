"""`capper measure release`, `budget` and `privacy`: what leaves a study, what that has cost its people, and what is kept of them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from capper.cli.options import Config, Json, State
from capper.cli.studies import Name, recorded, still, study_of, study_settings
from capper.cli.tables import print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.domain.window import to_ms
from capper.settings import Settings
from capper.settings.writing import put
from capper.study.register import (
    Study,
    blinding_file,
    change_study,
    data_file,
    invitation_file,
    key_file,
    register_file,
    releases_file,
)
from capper.study.release import USUAL, Axis, Request, What, figure
from capper.study.spending import Budget, Release, Spending, spent
from capper.study.store import Filled, Table
from capper.study.table import Exposures, Key

_WEEK = timedelta(weeks=1)


def release(
    name: Name,
    what: Annotated[
        What,
        typer.Argument(
            help="frequency: how often people meet an ad; reach: how many meet each; counts: people by basis, format,"
            " hour or verdict; threshold: by how many an ad is met (Users_th)."
        ),
    ],
    *,
    epsilon: Annotated[
        float, typer.Option(metavar="E", help="What it may tell of any one person; less is more noise.")
    ],
    delta: Annotated[
        float, typer.Option(metavar="D", help="The chance that it tells of too few people; a threshold needs none.")
    ] = 1e-6,
    by: Annotated[
        list[Axis] | None, typer.Option(help="For counts: by what; may be given twice.", show_default=False)
    ] = None,
    margins: Annotated[
        bool, typer.Option("--margins", help="For counts by two: the sums too, each with noise.")
    ] = False,
    key: Annotated[
        str, typer.Option(metavar="KEY", help="What tells an ad: creative, campaign or advertiser.")
    ] = "advertiser",
    each: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="How many ads (counts: exposures) of one person count, drawn by the study's seed; more is more noise.",
            show_default=", ".join(f"{what} {usual}" for what, usual in USUAL.items()),
        ),
    ] = None,
    week: Annotated[
        str, typer.Option(metavar="WEEK", help="One week of it, as 2026-W47; left out: all.", show_default=False)
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it as JSON.", show_default=False)
    ] = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Release a figure of a study: a sum with noise, for crowds only, paid for out of the study's budget.

    Nothing else leaves a study, apart from raw exports. The noise is such that nobody can tell from the figure whether any one person
    took part, by more than epsilon; what is told is written down first, in the study's releases. The same figure asked for again is the
    same answer, and costs nothing. Exits with 2 once the budget is spent.
    """
    settings = study_settings(config, state)
    study = study_of(settings, name)
    if key not in ("creative", "campaign", "advertiser"):
        raise ConfigError(f"--key: expected creative, campaign or advertiser, not {key!r}")
    request = Request(
        what,
        epsilon,
        0.0 if what is What.THRESHOLD else delta,
        cast("Key", key),
        USUAL[what] if each is None else each,
        tuple(by or ()),
        margins,
        week,
        study.least,
        study.seed,
    ).checked()
    if len(study.participants) < study.least:
        raise ConfigError(
            f"{len(study.participants)} people take part in {name}, and no sum over fewer than {study.least} leaves it"
        )
    span = week_of(week) if week else None
    made, fresh = spending_of(settings, study).once(
        request.plain(),
        Budget(*request.price),
        lambda: figure(_named(settings, study, exposures_of(settings, study, span)), request),
        datetime.now(UTC),
    )
    told = _as_told(study, made)
    if out:
        put(out, json.dumps(told, indent=2).encode() + b"\n")
    if as_json:
        print_json(told)
        return
    _print_answer(made.answer)
    again = "" if fresh else f", as it was answered on {made.at[:10]}: nothing is spent"
    print_text(
        f"release {made.number} of {name}: epsilon {made.epsilon:g}, delta {made.delta:g}{again}",
        f"seal {made.seal}",
        *([f"written to {out}"] if out else []),
    )


def budget(
    name: Name,
    *,
    seal: Annotated[
        str | None,
        typer.Option(metavar="SEAL", help="Of a release you have: it must be among them.", show_default=False),
    ] = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show what has left a study, what of its budget is spent, and whether the record of that is as it was written.

    Exits with 2 when it is not: a line was changed or taken out, or the release with the seal you name is not there.
    """
    settings = study_settings(config, state)
    study = study_of(settings, name)
    releases = spending_of(settings, study).read(seal)
    had = spent(releases)
    if as_json:
        print_json(
            {"study": name, **_account(study, releases), "releases": [_as_told(study, each) for each in releases]}
        )
        return
    if releases:
        print_table(
            ["#", "when", "what", "#epsilon", "#delta", "seal"],
            [
                [
                    str(each.number),
                    each.at[:10],
                    _asked(each.request),
                    f"{each.epsilon:g}",
                    f"{each.delta:g}",
                    each.seal[:12],
                ]
                for each in releases
            ],
        )
    print_text(
        f"epsilon: {had.epsilon:g} of {study.epsilon:g} spent, {max(study.epsilon - had.epsilon, 0):g} left",
        f"delta: {had.delta:g} of {study.delta:g} spent",
        "the record is as it was written" if releases else "nothing was released",
    )


def privacy(name: Name, *, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Show what is kept of a study's people: each field, since when, which keys there are, and what has left."""
    settings = study_settings(config, state)
    study = study_of(settings, name)
    tables, oldest = _kept(settings, study)
    releases = spending_of(settings, study).read()
    account = _account(study, releases)
    files = {"study": key_file} | ({"joint study": invitation_file, "sketches": blinding_file} if study.joint else {})
    keys = {key: file(settings.state, name).exists() for key, file in files.items()}
    if as_json:
        stored = {table: {field: each._asdict() for field, each in found.items()} for table, found in tables.items()}
        print_json(
            {
                "study": name,
                "people": len(study.participants),
                "stored": stored,
                "oldest": oldest,
                "keys": keys,
                **account,
                "releases": len(releases),
            }
        )
        return
    print_table(
        ["kept of each", "field", "#rows that say it", "#different"],
        [
            [table, field, str(each.rows), str(each.different)]
            for table, found in tables.items()
            for field, each in found.items()
        ],
    )
    print_text(
        f"{len(study.participants)} people take part; the oldest row is {f'of {oldest:%Y-%m-%d %H:%M} UTC' if oldest else 'not there yet'}",
        *(f"the key of the {key} is {'there' if there else 'not there'}" for key, there in keys.items()),
        f"{len(releases)} releases have spent epsilon {account['spent']['epsilon']:g} of {study.epsilon:g}",
    )


def week_of(text: str) -> tuple[datetime, datetime]:
    """From when to when a week of the ISO calendar lasts, UTC: 2026-W47.

    Raises:
        ConfigError: there is no such week.
    """
    try:
        begun = datetime.strptime(f"{text}-1", "%G-W%V-%u").replace(tzinfo=UTC)
    except ValueError as exc:
        raise ConfigError(f"--week: expected a week such as 2026-W47, not {text!r}") from exc
    return begun, begun + _WEEK


def spending_of(settings: Settings, study: Study) -> Spending:
    """What has left the study."""
    named = f"{study.name}\0{study.begun.isoformat()}"
    newest = _Registered(settings, study.name)
    return Spending(releases_file(settings.state, study.name), named, Budget(study.epsilon, study.delta), newest)


@dataclass(frozen=True, slots=True)
class _Registered:
    """The newest release's seal in the register of studies, which outlives a study's folder."""

    settings: Settings
    name: str

    def read(self) -> str:
        return study_of(self.settings, self.name).released

    def keep(self, seal: str) -> None:
        file = register_file(self.settings.state)
        change_study(file, self.name, lambda there: replace(still(there, self.name), released=seal))


def exposures_of(settings: Settings, study: Study, span: tuple[datetime, datetime] | None) -> Exposures:
    """What was recorded, in that time."""
    with recorded(settings, study.name) as store:
        exposures = store.exposures()
    if span is None:
        return exposures
    begun, ended = map(to_ms, span)
    return exposures.only((begun <= exposures.time) & (exposures.time < ended))


def _named(settings: Settings, study: Study, exposures: Exposures) -> Exposures:
    """With advertisers by their domains where everybody agreed to that; were it some, a name would tell of one of them."""
    if not (study.names and all(each.names for each in study.participants.values())):
        return exposures
    with recorded(settings, study.name) as store:
        domains = store.names()
    told = tuple(domains.get(name, name) for name in exposures.advertiser.names)
    return replace(exposures, advertiser=replace(exposures.advertiser, names=told))


def _kept(settings: Settings, study: Study) -> tuple[dict[Table, dict[str, Filled]], datetime | None]:
    """What is in each table's columns, and the time of the oldest row of all."""
    tables: tuple[Table, ...] = ("exposures", "visits")
    if not data_file(settings.state, study.name).exists():
        return {}, None
    with recorded(settings, study.name) as store:
        times = [time for table in tables if (time := store.oldest(table))]
        return {table: store.filled(table) for table in tables}, min(times, default=None)


def _account(study: Study, releases: list[Release]) -> dict[str, Any]:
    had = spent(releases)
    left = Budget(max(study.epsilon - had.epsilon, 0), max(study.delta - had.delta, 0))
    return {"spent": asdict(had), "left": asdict(left)}


def _as_told(study: Study, made: Release) -> dict[str, Any]:
    """A release as it is handed on: with what it takes to read it, and its seal."""
    row = asdict(made)
    del row["before"]
    return {"study": study.name, "unit": "person", **row}


def _asked(request: Mapping[str, Any]) -> str:
    by = f" by {', '.join(request['by'])}" if request.get("by") else ""
    return f"{request.get('what')}{by}{f' in {week}' if (week := request.get('week')) else ''}"


def _print_answer(answer: Mapping[str, Any]) -> None:
    if "threshold" in answer:
        print_text(
            f"an ad is met by {answer['threshold']:.2f} people on average ({answer['pairs']} pairs, {answer['ads']} ads)"
        )
        return
    if not answer["rows"]:
        print_text(f"nothing to tell: no cell has clearly {answer['told_from']} people")
        return
    counted = [name for name in answer["rows"][0] if name != "cell"]
    print_table(
        [*answer["axes"], *(f"#{name}" for name in counted)],
        [[*(each or "all" for each in row["cell"]), *(str(row[name]) for name in counted)] for row in answer["rows"]],
    )
    print_text(f"cells of fewer than {answer['told_from']} people, with their noise, are not told")
