"""Every `capper ...` line in README.md, docs/ and the help pages is one that capper understands."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from capper.cli import NOUNS, app, load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(text: str) -> list[str]:
    """The command lines of a page: in blocks, indented or after a prompt, and in running text between backticks."""
    lines = re.findall(r"^(?: {2,}|\$ )(?:\$ )?(?:.*\| )?(capper [a-z-].*)$", text, re.MULTILINE)
    quoted = re.findall(r"`(capper [a-z-][^`]*)`", text)
    return [re.split(r"\s{2,}|\s#\s", line)[0].strip() for line in [*lines, *quoted]]


FOUND = [(page.name, line) for page in PAGES for line in dict.fromkeys(commands(page.read_text("utf-8")))]


@pytest.mark.parametrize(("page", "line"), FOUND, ids=[f"{page}: {line}" for page, line in FOUND])
def test_example(page, line):
    """Its command exists, and so does each of its options."""
    _, *words = shlex.split(line.rstrip(" .:;,"))
    command = typer.main.get_command(app)
    if words and words[0] in NOUNS:
        command = load(words.pop(0))
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
    known = {option for param in command.params for option in param.opts} | {"--help", "-h"}
    used = {word.partition("=")[0] for word in words if word.startswith("--")}

    assert used <= known
    assert words[:1] == [] or words[0].startswith("-") or not hasattr(command, "commands")


def test_there_are_many():
    """The pages hold examples of every noun."""
    assert {line.split()[1] for _, line in FOUND} >= set(NOUNS)
