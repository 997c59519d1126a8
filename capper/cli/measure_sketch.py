"""`capper measure sketch`: by how many people an ad is met over several households, none of which tells the others what its people met."""

import hashlib
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.measure_release import exposures_of, spending_of, week_of
from capper.cli.options import Config, Json, State
from capper.cli.studies import Name, checked_name, study_of, study_settings
from capper.cli.tables import print_json, print_text
from capper.domain.errors import ConfigError
from capper.settings import Settings
from capper.settings.writing import put
from capper.study.household import judged, sketched
from capper.study.joint import (
    KEY_BYTES,
    Answer,
    Invitation,
    Roster,
    Terms,
    made_up,
    read_key_of,
    read_sketch,
    write_key,
    write_sketch,
)
from capper.study.register import Study, blinding_file, invitation_file
from capper.study.sketch import Blinding, Shape, opened
from capper.study.spending import Budget

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Count over several households by how many people an ad is met, so that each can tell which ads follow its own.

    Three households and more, and one who adds up and learns the sum only: what each sends is noise until all are added.
    """,
    epilog="""\b
In this order:
  sketch invite autumn --out invitation.json       the organiser; goes to the households, not to who adds up
  start autumn --invitation invitation.json        each household, when its study begins
  sketch key autumn --out ours.json                each household; goes to the organiser
  sketch roster invitation.json *.json --out roster.json     the organiser; goes to everybody
  sketch make autumn roster.json --week 2026-W47 --out ours.sketch     each household; goes to who adds up
  sketch combine roster.json *.sketch --week 2026-W47 --out answer.json     who adds up; goes to the households
  sketch detect autumn roster.json answer.json     each household: which ads follow its people""",
)
RosterFile = Annotated[Path, typer.Argument(metavar="ROSTER", show_default=False, help="Who takes part.")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.", show_default=False)]
Week = Annotated[str, typer.Option("--week", metavar="WEEK", help="Which week, as 2026-W47.", show_default=False)]


@app.command()
def invite(
    name: Name,
    *,
    out: Out,
    ads: Annotated[
        int, typer.Option(min=1, max=1_000_000, metavar="N", help="Ads of a week, of all together.")
    ] = 10_000,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="Ads of one person that count in a week.")] = 414,
    epsilon: Annotated[float, typer.Option(metavar="E", help="What a week's answer may tell of one person.")] = 1,
) -> None:
    """Invite households to a joint study. The file has the key by which they name ads: whoever adds up must not have it."""
    # With twice as many places as ads, an ad seldom shares all of its own.
    shape = Shape.of(ads)
    terms = Terms(checked_name(name), Shape(max(shape.width, 2 * ads), shape.depth), most, epsilon)
    try:
        Terms.of(terms.plain())
    except ValueError as exc:
        raise ConfigError(f"invite to {name}: {exc}") from exc
    put(out, Invitation(terms, secrets.token_bytes(KEY_BYTES)).write())
    print_text(f"{out}: for the households of {name} alone; a week's sketch has {terms.shape.size:,} bytes")


@app.command()
def key(name: Name, *, out: Out, state: State = None, config: Config = None) -> None:
    """Write this household's public key, for the organiser."""
    settings = study_settings(config, state)
    study = _joint(settings, name)
    file = blinding_file(settings.state, name)
    if not file.exists():
        put(file, Blinding().kept())
    terms = Invitation.read(invitation_file(settings.state, study.name)).terms
    put(out, write_key(terms.study, Blinding(file.read_bytes()).public))
    print_text(f"{out}: for the organiser of {terms.study}")


@app.command()
def roster(
    invitation: Annotated[Path, typer.Argument(metavar="INVITATION", show_default=False)],
    keys: Annotated[list[Path], typer.Argument(metavar="KEY...", show_default=False)],
    *,
    out: Out,
) -> None:
    """Put the keys of all households together. The households compare the digest it prints, by telephone if need be."""
    terms = Invitation.read(invitation).terms
    members = {read_key_of(each, terms.study) for each in keys}
    if not 3 <= len(members) == len(keys):
        raise ConfigError("put a roster together: it takes the keys of three households and more, each once")
    made = Roster(terms, tuple(sorted(members)))
    put(out, made.write())
    print_text(f"{out}: {len(members)} households", f"digest {made.digest}")


@app.command()
def make(name: Name, roster: RosterFile, *, week: Week, out: Out, state: State = None, config: Config = None) -> None:
    """Make this household's sketch of a week that is over. Of each week one is made, for one roster, and its epsilon is spent."""
    settings = study_settings(config, state)
    study, terms, blinding = _joint(settings, name), Roster.read(roster), _blinding(settings, name)
    invited = Invitation.read(invitation_file(settings.state, name))
    if invited.terms != terms.terms or blinding.public not in terms.members:
        raise ConfigError(f"{roster}: it is not of the study this household was invited to, or has not its key")
    span = week_of(week)
    if datetime.now(UTC) < span[1]:
        raise ConfigError(f"{week} is not over; what is met in the rest of it could not be added")
    exposures = exposures_of(settings, study, span)
    cells = sketched(exposures, invited.key, terms.terms, study.seed)
    sketch = blinding.blind(cells, terms.members, terms.round_id(week))
    content = write_sketch("sketch", terms, week, blinding.public, sketch)
    digest = hashlib.sha256(content).hexdigest()
    made, _ = spending_of(settings, study).once(
        {"what": "sketch", "week": week},
        Budget(terms.terms.epsilon, 0.0),
        lambda: {"roster": terms.digest, "sha256": digest},
        datetime.now(UTC),
    )
    if made.answer["sha256"] != digest:
        raise ConfigError(
            f"another sketch of {week} was made: two of one week, taken from each other, would tell of this household"
        )
    put(out, content)
    print_text(f"{out}: for who adds up; it is noise until all {len(terms.members)} are added")


@app.command("make-up")
def make_up(
    name: Name,
    roster: RosterFile,
    missing: Annotated[list[Path], typer.Argument(metavar="MISSING...", show_default=False)],
    *,
    week: Week,
    out: Out,
    state: State = None,
    config: Config = None,
) -> None:
    """Make up for households that sent nothing, so that the sum of the rest opens. Once for a week: ask them first whether it is so."""
    settings = study_settings(config, state)
    _joint(settings, name)
    terms, blinding = Roster.read(roster), _blinding(settings, name)
    gone = tuple(sorted(read_key_of(each, terms.terms.study) for each in missing))
    once = blinding_file(settings.state, name).with_name(f"made-up-{week_of(week)[0]:%Y-%m-%d}")
    said = json.dumps([terms.digest, *(each.hex() for each in gone)]).encode()
    if once.exists() and once.read_bytes() != said:
        raise ConfigError(
            f"others were made up for in {week}; two sums of one week would tell of who is in one of them"
        )
    cells = made_up(blinding, terms, week, gone)
    put(once, said)
    put(out, write_sketch("made up", terms, week, blinding.public, cells, gone))
    print_text(f"{out}: for who adds up")


@app.command()
def combine(
    roster: RosterFile,
    sketches: Annotated[list[Path], typer.Argument(metavar="SKETCH...", show_default=False)],
    *,
    week: Week,
    out: Out,
    made_up: Annotated[
        list[Path] | None, typer.Option("--made-up", metavar="FILE", help="Of each who sent one.", show_default=False)
    ] = None,
) -> None:
    """Add up a week's sketches. Who has no invitation learns how many ads were met how often, and of no ad which it is.

    Exits with 1 while somebody is missing, whose keys are named then.
    """
    terms = Roster.read(roster)
    if out.exists():
        raise ConfigError(f"{out}: there is an answer; a second one with other noise would tell twice as much")
    sent = dict(read_sketch(each, "sketch", terms, week) for each in sketches)
    gone = tuple(each for each in terms.members if each not in sent)
    for one in [] if made_up else gone:
        file = out.with_name(f"missing-{one.hex()[:12]}.json")
        put(file, write_key(terms.terms.study, one))
        print_text(f"missing: {one.hex()[:12]}, whose key is in {file}")
    if gone and not made_up:
        raise typer.Exit(1)
    shares = dict(read_sketch(each, "made up", terms, week, gone) for each in made_up or ())
    try:
        total = opened(sent, terms.members, terms.terms.shape, shares or None)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    answer = Answer.of(total, terms, week)
    put(out, answer.write())
    print_text(f"{out}: for the households; an ad is met by {answer.threshold:.2f} people, of about {answer.ads} ads")
    if terms.terms.shape.width < 2 * answer.ads:
        print_text(f"the sketch is narrow: invite with --ads {answer.ads} to have counts that are not too high")


@app.command("detect")
def followed(
    name: Name,
    roster: RosterFile,
    answer: Annotated[Path, typer.Argument(metavar="ANSWER", show_default=False)],
    *,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Tell, on this machine, how many of the ads its people met follow them: met by few people, on many sites."""
    settings = study_settings(config, state)
    study, terms = _joint(settings, name), Roster.read(roster)
    told = Answer.read(answer, terms)
    key = Invitation.read(invitation_file(settings.state, name)).key
    exposures = exposures_of(settings, study, week_of(told.week))
    found = judged(exposures, key, told, terms)
    row = {
        "week": told.week,
        "pairs": len(found),
        "decided": int(found.decided.sum()),
        "targeted": int(found.targeted.sum()),
        "users_threshold": told.threshold,
    }
    if as_json:
        print_json(row)
    else:
        print_text(
            f"{row['targeted']} of {row['decided']} pairs of a person and an ad are targeted, by a threshold of"
            f" {told.threshold:.2f} people; {len(found) - int(found.decided.sum())} have too few sites for a verdict"
        )


def _joint(settings: Settings, name: str) -> Study:
    study = study_of(settings, name)
    if not study.joint:
        raise ConfigError(f"{name} is this household's alone; one of several begins with `start --invitation FILE`")
    return study


def _blinding(settings: Settings, name: str) -> Blinding:
    file = blinding_file(settings.state, name)
    try:
        return Blinding(file.read_bytes())
    except (OSError, ValueError) as exc:
        raise ConfigError(f"read this household's key {file}: `capper measure sketch key {name}` makes one") from exc
