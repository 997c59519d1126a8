"""`capper backup`: the household in one sealed file, and back again on another machine."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from capper.backup.create import SHORTEST, create
from capper.backup.restore import Target, restore
from capper.backup.sealing import Opener
from capper.backup.survey import survey
from capper.cli.options import Config, Json, LedgerUrl, Policy, State
from capper.cli.plain import plain
from capper.cli.tables import print_json, print_text
from capper.domain.errors import ConfigError
from capper.measure.output import whole_file
from capper.settings import load_settings
from capper.settings.places import config_file
from capper.settings.toml import read_text

VARIABLE = "CAPPER_BACKUP_PASSPHRASE"

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""The household in one sealed file: settings, policy, people, keys, sites, lists and counts.

    The passphrase is asked for, or comes from --passphrase-file or CAPPER_BACKUP_PASSPHRASE; never from the command line, which
    others on the machine can see. Without it nobody can open the file, you included.
    """,
    epilog="""\b
Examples:
  capper backup create capper.backup                     while capper runs, too
  capper backup create - | ssh nas 'cat > capper.backup'
  capper backup check capper.backup                      is it whole, and what does it hold?
  capper backup restore capper.backup                    on a new machine, before capper runs there
  capper backup restore capper.backup --replace          ... where it has run; what is there is kept aside""",
)

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", show_default=False)]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="A file whose first line is the passphrase; - is standard input.", show_default=False
    ),
]


@app.command("create")
def make(
    file: BackupFile,
    *,
    passphrase_file: PassphraseFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Put everything into one sealed file, which only you may read; the proxy may run meanwhile.

    FILE may be - for standard output, to be sent elsewhere at once: what is to be told then goes to standard error. Options that
    `capper run` is given (--policy, --ledger, --state, --config) are needed here too.
    """
    settings = load_settings(config, {"state": state, "ledger": ledger, "policy": policy})
    piped = str(file) == "-"
    if piped and sys.stdout.isatty():
        raise ConfigError(
            "a backup is nothing for a terminal; name a file, or send it on: capper backup create - > FILE"
        )
    if not piped and file.exists() and not force:
        raise ConfigError(f"{file} is there already; name another file, or add --force")
    passphrase = _passphrase(passphrase_file, new=True)
    with nullcontext(sys.stdout.buffer) if piped else whole_file(file, 0o600) as sealed:
        made = asyncio.run(create(sealed, settings, config_file(config, os.environ), passphrase, datetime.now(UTC)))
    told = {"file": str(file), "bytes": made.bytes, "files": made.files, "entries": made.entries, "notes": made.notes}
    if as_json and not piped:
        print_json(told)
        return
    said = [f"{file}: {made.files} files and {made.entries:,} entries of the ledger, {made.bytes:,} bytes"]
    for line in (*said, *(f"note: {note}" for note in made.notes)):
        typer.echo(plain(line), err=piped)


@app.command()
def check(file: BackupFile, *, passphrase_file: PassphraseFile = None, as_json: Json = False) -> None:
    """Read a backup to its end and say what it holds; nothing is changed."""
    with _opened(file, passphrase_file) as sealed:
        held = survey(sealed, str(file))
    made = held.manifest
    if as_json:
        rows = [{"place": one.place, "name": one.name, "origin": one.origin} for one in held.digests]
        print_json({"made": made.made, "by": made.by, "ledger": made.ledger, "entries": held.entries, "files": rows})
        return
    places = Counter(str(one.place) for one in held.digests)
    print_text(
        f"{file} is whole: made {made.made} by capper {made.by}",
        f"{held.entries:,} entries of a ledger ({made.ledger}), {len(held.digests)} files ({', '.join(f'{count} {place}' for place, count in sorted(places.items()))}):",
        *(f"  {one.place:<10} {one.name}{f'  (was {one.origin})' if one.origin else ''}" for one in held.digests),
    )


@app.command("restore")
def bring_back(
    file: BackupFile,
    *,
    passphrase_file: PassphraseFile = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Keep aside what is there, and put this in its place.")
    ] = False,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Bring everything back, on this machine or another one; counts go on where they were.

    All of FILE is checked before anything is touched. Settings go beside the configuration file in use (--config), the rest to the state
    folder that they name (--state). Counts go to the ledger the settings name (--ledger): an embedded one becomes what it
    was, a server of yours keeps what it has counted since. Stop capper first.
    """
    target = Target.usual(config, os.environ, {"state": state, "ledger": ledger}, replace=replace)
    with _opened(file, passphrase_file) as sealed:
        done = asyncio.run(restore(sealed, str(file), target, datetime.now(UTC)))
    if as_json:
        print_json(
            {
                "files": done.files,
                "entries": done.entries,
                "known": done.known,
                "expired": done.expired,
                "state": str(done.state),
                "config": str(done.config),
                "aside": list(map(str, done.aside)),
                "notes": done.notes,
            }
        )
        return
    also = [f"{done.known:,} were there already"] if done.known else []
    also += [f"{done.expired:,} have expired since"] if done.expired else []
    print_text(
        f"{done.files} files are back, in {done.state} and {done.config.parent}",
        f"{done.entries:,} entries of the ledger are back{f' ({", ".join(also)})' if also else ''}",
        *(f"what was there is kept in {aside}" for aside in done.aside),
    )
    print_text(*(f"note: {note}" for note in done.notes), style="yellow")


@contextmanager
def _opened(file: Path, passphrase_file: Path | None) -> Iterator[Opener]:
    if not file.is_file():
        raise ConfigError(f"open {file}: {'it is no plain file' if file.exists() else 'there is no such file'}")
    try:
        with file.open("rb") as stream:
            yield Opener(stream, _passphrase(passphrase_file, new=False), str(file))
    except OSError as exc:
        raise ConfigError(f"open {file}: {exc.strerror or exc}") from exc


def _passphrase(file: Path | None, *, new: bool) -> str:
    """The passphrase from a file, the environment or a person.

    Raises:
        ConfigError: there is none, or it is too short for a new backup.
    """
    if file is not None:
        text = sys.stdin.readline() if str(file) == "-" else read_text(file)
        passphrase = text.partition("\n")[0].rstrip("\r")
    elif VARIABLE in os.environ:
        passphrase = os.environ[VARIABLE]
    elif sys.stdin.isatty():
        passphrase = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    else:
        raise ConfigError(f"nobody is there to be asked for the passphrase; give --passphrase-file or {VARIABLE}")
    if new and len(passphrase) < SHORTEST:
        raise ConfigError(
            f"the passphrase has {len(passphrase)} letters; {SHORTEST} are the least, and several words are better"
        )
    return passphrase
