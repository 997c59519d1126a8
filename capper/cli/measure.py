"""`capper measure`: studies of how often people meet the same advertiser, with their consent."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.measure_export import dpia, export
from capper.cli.measure_import import bring_in
from capper.cli.measure_release import budget, privacy, release
from capper.cli.measure_report import report
from capper.cli.measure_simulate import simulate
from capper.cli.measure_sketch import app as sketch_app
from capper.cli.measure_strip import strip
from capper.cli.measure_treat import treat
from capper.cli.options import Config, Json, LedgerUrl, Policy, State, Yes, length_of
from capper.cli.record import known_person, settings_and_policy
from capper.cli.studies import Name, Who, checked_name, keys_of, recorded, still, study_of, study_settings
from capper.cli.tables import print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.journal import Level
from capper.settings import Settings
from capper.settings.toml import read_text
from capper.settings.version import check_state
from capper.settings.writing import put
from capper.study.consent import also_joint, standard_text
from capper.study.joint import Invitation
from capper.study.register import (
    Of,
    Participant,
    Study,
    blinding_file,
    change_study,
    data_file,
    invitation_file,
    joined,
    key_file,
    left,
    make_key,
    read_studies,
    register_file,
)

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Measure how often people meet the same advertisers: studies of those who agreed to one.

    Nothing is recorded of anybody before she has joined, nor below journal_level = 3. What is recorded stays on this machine,
    under names made for one study; who withdraws is overwritten at once.
    """,
    epilog="""\b
Examples:
  capper measure start autumn --for "4 weeks"            begin a study, with the standard text of consent
  capper measure join autumn --person anna               anna reads the text and agrees
  capper measure status                                  which studies there are, and what they have
  capper measure report autumn                           every figure, by creative, campaign and advertiser
  capper measure report autumn --html autumn.html        the same as a page
  capper measure export autumn --format csv --out rows   the rows themselves, for other tools
  capper measure import crawl crawl-data.sqlite --crawl  a study of what OpenWPM recorded; HARs and exports do too
  capper measure withdraw autumn --person anna           all of anna's is overwritten
  capper measure stop autumn                             no more is recorded; figures can still be made
  capper measure release autumn reach --epsilon 1        by how many each advertiser was met, with noise
  capper measure budget autumn                           what has left, and what of the budget is spent
  capper measure privacy autumn                          what is kept of those who take part
  capper measure strip page.har --out shared.har         a recording that can be shared
  capper measure simulate --into practice                a study of people who do not exist, to try reports with""",
)


@app.command()
def start(
    name: Name,
    *,
    length: Annotated[str, typer.Option("--for", metavar="LENGTH", help="How long it goes on: 4 weeks.")] = "4 weeks",
    consent: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The text participants agree to; left out: one that travels with capper."),
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Keep advertisers by name, of those who agree to it.")] = False,
    control_days: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="On this share of each person's days caps are off.")
    ] = 0,
    control_people: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="For this share of people caps are off.")
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything that is drawn.")] = 1,
    least: Annotated[
        int, typer.Option("-k", "--least", min=2, metavar="N", help="No sum over fewer people leaves.")
    ] = 20,
    epsilon: Annotated[float, typer.Option(metavar="E", help="What all releases together may spend.")] = 8,
    invitation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="To a joint study: ads are named as in all its households.", show_default=False
        ),
    ] = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Begin a study. Nobody takes part until she joins."""
    settings = study_settings(config, state)
    if settings.journal_level < Level.RESEARCH:
        raise ConfigError(
            f"journal_level = {settings.journal_level} records no exposures; journal_level = 3 in capper.toml does,"
            " of those who join"
        )
    if control_days and control_people:
        raise ConfigError("--control-days and --control-people: one of the two is drawn, not both")
    if not epsilon > 0:
        raise ConfigError("--epsilon: expected a number above 0")
    begun = datetime.now(UTC).replace(microsecond=0)
    until, control = begun + length_of(length), control_days or control_people
    text = (
        read_text(consent)
        if consent
        else standard_text(checked_name(name), begun, until, names=names, control=control, least=least)
    )
    if invitation:
        text = also_joint(text)
    of = Of.PEOPLE if control_people else Of.DAYS
    study = Study(
        checked_name(name), begun, until, text, seed, names=names, control=control, of=of, least=least, epsilon=epsilon
    )
    invited = Invitation.read(invitation) if invitation else None
    study = replace(study, joint=invited is not None)

    def begin(there: Study | None) -> Study:
        if there:
            raise ConfigError(
                f"there is a study called {name} already, begun on {there.begun:%Y-%m-%d}; take another name"
            )
        make_key(key_file(settings.state, name))
        if invited:
            put(invitation_file(settings.state, name), invited.write())
        return study

    change_study(register_file(settings.state), name, begin)
    print_text(
        f"{name} goes on until {until:%Y-%m-%d %H:%M} UTC. Nobody takes part yet:",
        f"  capper measure join {name} --person NAME     shows the text and asks",
    )


@app.command()
def join(
    name: Name,
    *,
    person: Who,
    yes: Annotated[
        bool, typer.Option("--yes", help="She has read the text and agrees, also to --names if it is given.")
    ] = False,
    names: Annotated[bool, typer.Option("--names", help="Advertisers may be kept by name.")] = False,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
) -> None:
    """Take part in a study: the text is shown, and nothing is recorded unless it is agreed to.

    Exits with 1 when it is not.
    """
    settings, caps = settings_and_policy(config, state, ledger, policy)
    check_state(settings.state)
    known_person(caps, person)
    study = study_of(settings, name)
    now = datetime.now(UTC)
    level = caps.chosen_level(person)
    if level is not None and level < Level.RESEARCH:
        raise ConfigError(
            f"{person} has journal_level = {level}, at which nothing is recorded; she can raise it on her pages"
        )
    if not study.runs(now):
        raise ConfigError(f"{name} is over since {(study.stopped or study.until):%Y-%m-%d %H:%M} UTC")
    if not yes:
        print_text(*study.consent.splitlines())
        if not typer.confirm(f"Does {person} agree to this?"):
            print_text("Nothing is recorded.")
            raise typer.Exit(1)
        names = study.names and typer.confirm("May the advertisers' own names be kept too?")
    digest = keys_of(settings, name).of("person", person)
    if other := _elsewhere(settings, name, person, now):
        raise ConfigError(f"{person} takes part in {other} already, and can be in one study at a time")
    agreed = Participant(now.replace(microsecond=0), study.text, names=names and study.names)
    change_study(register_file(settings.state), name, lambda there: joined(still(there, name), digest, agreed))
    print_text(
        f"{person} takes part in {name} from now on, until {study.until:%Y-%m-%d %H:%M} UTC.",
        f"  capper measure withdraw {name} --person {person}     at any time",
    )


@app.command()
def withdraw(
    name: Name,
    *,
    person: Who,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take no part in a study any more: all that was recorded is overwritten, at once.

    Exits with 1 when she takes no part in it.
    """
    settings = study_settings(config, state)
    study_of(settings, name)
    digest = keys_of(settings, name).of("person", person)
    found: list[bool] = []

    def leave(there: Study | None) -> Study:
        study = still(there, name)
        found.append(digest in study.participants)
        return left(study, digest)

    # First nothing more is recorded, then what was is erased.
    change_study(register_file(settings.state), name, leave)
    with recorded(settings, name) as store:
        erased = store.erase(digest)
    if as_json:
        print_json({"study": name, "person": person, "took_part": found[-1], "erased": erased})
    elif found[-1] or erased:
        print_text(f"{person} takes no part in {name} any more; {erased} exposures of hers were overwritten")
    else:
        print_text(f"{person} takes no part in {name}")
    if not (found[-1] or erased):
        raise typer.Exit(1)


@app.command()
def status(*, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Show the studies, how many take part, and how much was recorded."""
    settings = study_settings(config, state)
    now = datetime.now(UTC)
    rows = []
    for study in read_studies(register_file(settings.state)).values():
        counts = _counts(settings, study.name)
        rows.append((study, sum(counts.values()), len(study.participants)))
    if as_json:
        print_json(
            [
                {**{key: value for key, value in asdict(study).items() if key not in {"consent", "participants"}}}
                | {"runs": study.runs(now), "participants": people, "exposures": exposures}
                for study, exposures, people in rows
            ]
        )
    elif rows:
        print_table(
            ["study", "from", "until", "state", "people", "exposures", "caps off", "seed"],
            [
                [
                    study.name,
                    f"{study.begun:%Y-%m-%d}",
                    f"{(study.stopped or study.until):%Y-%m-%d}",
                    "recording" if study.runs(now) else "over",
                    str(people),
                    str(exposures),
                    f"{study.control:.0%} of {study.of}" if study.control else "never",
                    str(study.seed),
                ]
                for study, exposures, people in rows
            ],
        )
    else:
        print_text("There are no studies; `capper measure start NAME` begins one.")


@app.command()
def stop(
    name: Name,
    *,
    close: Annotated[
        bool, typer.Option("--close", help="Destroy the key too: what was recorded names nobody and nothing any more.")
    ] = False,
    yes: Yes = False,
    state: State = None,
    config: Config = None,
) -> None:
    """End a study: no more is recorded, and figures can still be made."""
    settings = study_settings(config, state)
    now = datetime.now(UTC).replace(microsecond=0)
    if close and not yes:
        typer.confirm(f"Destroy the key of {name}? Nobody can withdraw then, for nobody can be found.", abort=True)
    change_study(
        register_file(settings.state),
        name,
        lambda there: (
            replace(study, stopped=min(study.stopped or now, study.until, now))
            if (study := still(there, name))
            else None
        ),
    )
    if close:
        for file in (key_file, invitation_file, blinding_file):
            file(settings.state, name).unlink(missing_ok=True)
    print_text(f"{name} is over{', and its key is destroyed' if close else ''}")


app.command("import")(bring_in)
for _command in (report, export, dpia, release, budget, privacy, treat, strip, simulate):
    app.command()(_command)
app.add_typer(sketch_app, name="sketch")


def _elsewhere(settings: Settings, name: str, person: str, now: datetime) -> str | None:
    """The other study that she takes part in now; two could be joined by what one person met."""
    others = (
        each for each in read_studies(register_file(settings.state)).values() if each.name != name and each.runs(now)
    )
    hers = (each for each in others if keys_of(settings, each.name).of("person", person) in each.participants)
    return next((each.name for each in hers), None)


def _counts(settings: Settings, name: str) -> dict[str, int]:
    if not data_file(settings.state, name).exists():
        return {}
    with recorded(settings, name) as store:
        return store.counts()
