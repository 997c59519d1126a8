"""Options that several commands share, spelled once."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from capper.domain.cap import parse_length
from capper.domain.errors import ConfigError

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="The configuration file (CAPPER_CONFIG).", show_default=False),
]
State = Annotated[
    Path | None,
    typer.Option("--state", metavar="FOLDER", help="The folder capper keeps its state in.", show_default=False),
]
Policy = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="The policy to go by.", show_default=False)
]
PolicyName = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE|N",
        help="A policy file, or a version's number (0 is your file); left out: the policy in force.",
        show_default=False,
    ),
]
DraftFile = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="A policy file; left out: the one in your settings.", show_default=False),
]
LedgerUrl = Annotated[
    str | None,
    typer.Option("--ledger", metavar="URL", help="embedded, or the address of a Redis or Valkey.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Person = Annotated[str, typer.Option("--person", metavar="NAME", help="Whose record, by the policy's name.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_SHORT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def length_of(text: str) -> timedelta:
    """What `--for` says: `90 days`, or 90d.

    Raises:
        ConfigError: it says no length.
    """
    short = re.fullmatch(r"(\d+)\s*([mhdw])", text.strip())
    try:
        return parse_length(f"{short[1]} {_SHORT[short[2]]}" if short else text)
    except ValueError as exc:
        raise ConfigError(f"--for: {exc}") from exc
