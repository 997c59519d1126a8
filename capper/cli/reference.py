"""docs/cli.md, written from the commands themselves: `python -m capper.cli.reference > docs/cli.md`."""

import sys
from collections.abc import Iterator
from typing import Any

import typer

from capper.cli import NOUNS, app, load

WIDTH = 100
_HEAD = """\
# The command line

Every command, as `--help` tells it. This page is written by `python -m capper.cli.reference`; a test keeps it current.
"""


def reference() -> str:
    """The page."""
    return _HEAD + "".join(f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in pages())


def pages() -> Iterator[tuple[str, str]]:
    """Each command's name and its help, the first page first."""
    return ((context.command_path, _help(context)) for context in contexts())


def contexts() -> Iterator[Any]:
    """Every command in a context of its own, nouns before their verbs."""
    top = _context(typer.main.get_command(app), "capper", None)
    yield top
    for noun in NOUNS:
        context = _context(load(noun), noun, top)
        yield context
        for name, verb in getattr(context.command, "commands", {}).items():
            yield _context(verb, name, context)


def _context(command: Any, name: str, parent: Any) -> Any:
    # The width must not be that of the terminal at hand.
    return command.context_class(
        command, info_name=name, parent=parent, terminal_width=WIDTH, **command.context_settings
    )


def _help(context: Any) -> str:
    return "\n".join(line.rstrip() for line in context.command.get_help(context).splitlines())


if __name__ == "__main__":
    sys.stdout.write(reference())
