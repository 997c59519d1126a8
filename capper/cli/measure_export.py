"""`capper measure export` and `dpia`: a study's rows for other tools, and the papers that go with it."""

from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.measure_release import spending_of
from capper.cli.measure_report import From, To
from capper.cli.options import Config, State, Yes
from capper.cli.provenance import provenance
from capper.cli.studies import Name, recorded, study_of, study_settings
from capper.cli.tables import print_table, print_text
from capper.domain.errors import ConfigError
from capper.journal import Level
from capper.measure.output import whole_file, written
from capper.study.formats.card import impact_assessment
from capper.study.formats.folder import Format, Window
from capper.study.formats.folder import export as export_to
from capper.study.spending import spent


def export(
    name: Name,
    *,
    form: Annotated[Format, typer.Option("--format", help="What the rows are written as.")] = Format.PARQUET,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="A folder that is not there yet.")],
    since: From = None,
    until: To = None,
    yes: Yes = False,
    state: State = None,
    config: Config = None,
) -> None:
    """Write a study's rows, with a manifest (versions, digests, coverage) and a data card, into a folder.

    These are rows about single people, of those who agreed: the command says what they hold, and asks. The same study gives the same bytes.
    """
    settings = study_settings(config, state)
    study = study_of(settings, name)
    if settings.journal_level < Level.RESEARCH:
        raise ConfigError(
            f"journal_level = {settings.journal_level} lets no rows out; journal_level = 3 in capper.toml does, of those who joined"
        )
    window = Window(
        max(since.replace(tzinfo=UTC), study.begun) if since else study.begun,
        until.replace(tzinfo=UTC) if until else study.stopped or study.until,
    )
    with recorded(settings, name) as store:
        rows = sum(count for person, count in store.counts().items() if person in study.participants)
        print_text(
            f"{rows:,} exposures of {len(study.participants):,} people: when, on which site, of which ad, whether it was shown, and which"
            " sites they opened; under this study's own names"
            f"{', advertisers also by their domains' if study.names else ''}.",
            "They are rows about single people: whoever gets them must be one whom the consent names, and erase hers who withdraws.",
        )
        if not yes:
            typer.confirm(f"Write them to {out}?", abort=True)
        had = spent(spending_of(settings, study).read())
        budget = {"spent": asdict(had), "of": {"epsilon": study.epsilon, "delta": study.delta}}
        told = export_to(study, store, form, window, out, provenance(settings) | {"budget": budget})
    print_table(
        ["file", "#bytes", "SHA-256"],
        [(name, f"{each['bytes']:,}", each["sha256"]) for name, each in told["files"].items()],
    )
    print_text("", f"{out} has {told['rows']['exposures']:,} exposures and {told['rows']['visits']:,} visits.")


def dpia(
    name: Name,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to; left out: printed.", show_default=False)
    ] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Write the data protection impact assessment of a study (GDPR Art. 35), filled in as far as capper knows; Markdown.

    What only you can say stands in [brackets].
    """
    text = impact_assessment(study_of(study_settings(config, state), name))
    if out is None:
        print_text(*text.splitlines())
        return
    with whole_file(out) as file, written(out):
        file.write(text.encode())
    print_text(f"{out} is to be completed where there are [brackets]")
