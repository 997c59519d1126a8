"""`capper measure treat`: who of a study was opted out of what, and when."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from capper.cli.options import Config, State
from capper.cli.studies import Name, Who, keys_of, still, study_of, study_settings
from capper.cli.tables import print_text
from capper.domain.errors import ConfigError
from capper.study.register import Study, Treatment, change_study, register_file, treated


def treat(
    name: Name,
    *,
    person: Who,
    treatment: Annotated[
        str, typer.Option(metavar="NAME", help="What was done: adchoices, gpc, ...; none: she is watched untreated.")
    ],
    block: Annotated[str, typer.Option(metavar="NAME", help="Profiles that run at the same time.")] = "all",
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="When (UTC); left out: now.", show_default=False),
    ] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Note down that a participant was opted out, or that she is watched without: `report` then tells what the opt-out did.

    In each block some must be treated and some not; what was before the first treatment of a block is compared with what came after.
    """
    settings = study_settings(config, state)
    study_of(settings, name)
    digest = keys_of(settings, name).of("person", person)
    when = at.replace(tzinfo=UTC) if at else datetime.now(UTC).replace(microsecond=0)
    done = "" if treatment == "none" else treatment
    if not treatment.strip() or not block.strip():
        raise ConfigError("--treatment and --block: expected a name")

    def noted(there: Study | None) -> Study:
        study = still(there, name)
        if digest not in study.participants:
            raise ConfigError(f"{person} takes no part in {name}")
        return treated(study, Treatment(digest, done, block, when))

    change_study(register_file(settings.state), name, noted)
    what = f"is treated with {done}" if done else "is watched untreated"
    print_text(f"{person} {what} in block {block} of {name}, from {when:%Y-%m-%d %H:%M} UTC")
