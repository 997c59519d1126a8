"""The `capper` command: its first page, its exit codes, and the nouns it loads only when one is asked for."""

import gc
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from capper import __version__
from capper.cli.plain import plain
from capper.cli.values import take_plainly
from capper.domain.errors import CapperError, LedgerUnavailable, ListenError


class Exit(IntEnum):
    """What `capper` tells the shell; the first page of its help spells these out."""

    OK = 0
    FOUND = 1
    BAD_INPUT = 2
    UNAVAILABLE = 3
    BUG = 70
    INTERRUPTED = 130


NOUNS = {
    "run": "Start the proxy.",
    "demo": "A tour with sites and people of its own, offline.",
    "replay": "Run saved traffic (HAR) through a policy.",
    "whatif": "What another policy would have done.",
    "audit": "What a publisher's pages do to their readers.",
    "measure": "Studies of how often people meet the same advertisers, with their consent.",
    "inspect": "Show which ads a file or an address holds, and whose.",
    "status": "Is it running, and how is it doing today?",
    "tail": "Watch what is decided, as it is decided.",
    "explain": "Say why an ad was shown or withheld.",
    "policy": "Check, show and question the policy.",
    "people": "The people of the household, their devices, and pauses.",
    "ledger": "See and forget what was counted for a person.",
    "lists": "The filter lists that say which requests are ads.",
    "gateway": "The ways in for a household: PAC file, transparent router, WireGuard.",
    "sites": "Sites of your own whose pages are opened too.",
    "tls": "Which connections are opened, for which devices, and why not.",
    "ca": "capper's certificate: show, export and renew it.",
    "credit": "Credit nobody asked for: what would go from a page, and the language packs.",
    "backup": "The household in one sealed file, and back again.",
    "doctor": "Is everything in order, and what to do if not.",
}
"""Each noun is `capper/cli/NOUN.py` with a Typer `app`; a file is imported when its noun is used, so that help stays fast."""

PAGE = """\
Counts, for each person, how often an ad has been shown, and stops at the cap.

Point a browser or a phone at capper. Ads under their cap pass byte for byte; an ad over its cap gives way to a calm
placeholder of the same size that says why. The counts stay in the house: nobody can read from them what anybody read.
"""

EPILOG = """\
\b
Examples:
  capper run                                    start, with the starter policy and a ledger of our own
  capper run --policy ~/caps.toml               ... with your own policy, reloaded whenever you save it
  capper policy check ~/caps.toml               is the file right, and does every rule in it get to speak?
  capper policy explain --advertiser shoes.example --person anna
  capper policy apply                           ... and put it in force for every capper on the ledger
  capper whatif --policy new.toml               what would another policy have done last month?
  capper people devices                         which devices are nobody's yet?
  capper replay page.har --out capped.har       what would have been delivered?
  capper ledger show --person anna              what has been counted for anna?
  capper doctor                                 is everything in order?

\b
Exit codes:
  0    done
  1    a check found something to mend, or nothing was found
  2    an option, a file or a policy cannot be used as it stands
  3    a service that is needed (the ledger) does not answer
  70   an error in capper itself; CAPPER_DEBUG=1 shows where
  130  interrupted

Most commands that tell you something take --json. Settings come from options, then CAPPER_* in the environment, then
capper.toml, then the defaults; `capper doctor` names the files in use. Documentation: docs/cli.md, docs/policy.md.
"""


CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""What every command's help has in common."""


class Nouns(TyperGroup):
    """The group of all nouns: stubs in its help, the real commands when one is called, and one place where errors end."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that `args` begin with, loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        command = load(name) if name in NOUNS else command
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; whatever goes wrong ends as one clear sentence and an exit code."""
        with explained():
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result


take_plainly()
app = typer.Typer(
    name="capper",
    cls=Nouns,
    help=PAGE,
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings=CONTEXT,
)


def main() -> None:
    """The console script."""
    # What is imported stays: the collector would look through all of it again and again, and find nothing.
    gc.disable()
    app()


def load(noun: str) -> Any:
    """The command of `noun`, imported now."""
    command = typer.main.get_command(importlib.import_module(f"capper.cli.{noun}").app)
    command.name = noun
    # Completion is installed once, for the whole command.
    command.params = [param for param in command.params if param.name not in {"install_completion", "show_completion"}]
    for part in (command, *getattr(command, "commands", {}).values()):
        part.rich_markup_mode = None
        part.context_settings = CONTEXT | part.context_settings
    return command


def _print_version(wanted: bool) -> None:  # noqa: FBT001  a Typer callback's signature
    if wanted:
        typer.echo(f"capper {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # noqa: ARG001, FBT002  a Typer option's signature; its callback has acted
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    # What the parts below have to say while a command works; `capper run` says more.
    logging.basicConfig(level=logging.WARNING, format="capper: %(message)s")


def _stub() -> None:
    """Stands in for a noun until it is loaded; never called."""


for _noun, _help in NOUNS.items():
    app.command(_noun, help=_help, short_help=_help)(_stub)


@contextmanager
def explained() -> Iterator[None]:
    """Let whatever goes wrong in the block end as one clear sentence and an exit code.

    Raises:
        typer.Exit: with that code.
    """
    try:
        yield
    except (LedgerUnavailable, ListenError) as exc:
        raise _told(str(exc), Exit.UNAVAILABLE) from exc
    except CapperError as exc:
        raise _told(str(exc), Exit.BAD_INPUT) from exc
    except BrokenPipeError:
        # The reader has seen enough (`| head`); the interpreter must not try to flush again when it leaves.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.OK) from None
    except Exception as exc:
        # Typer's own ways to end (usage errors, Exit, Abort) are not errors of ours.
        if hasattr(exc, "exit_code") or isinstance(exc, typer.Abort):
            raise
        raise _told(_bug(exc), Exit.BUG) from exc


def _told(sentence: str, code: Exit) -> typer.Exit:
    if os.environ.get("CAPPER_DEBUG"):
        traceback.print_exc()
    typer.echo(f"capper: {plain(sentence, keep=chr(10))}", err=True)
    return typer.Exit(code)


def _bug(exc: BaseException) -> str:
    what = f"{type(exc).__name__}: {exc}".rstrip(": ")
    return (
        f"this should not have happened: {what}\nPlease report it with what you did;"
        " run it again with CAPPER_DEBUG=1 and add what it prints (look it over for names and addresses first)."
    )
