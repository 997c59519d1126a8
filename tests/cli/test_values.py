"""Options' values, taken plainly where that is enough."""

import os
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

RUN = """
import sys
from capper.cli import main
try:
    main()
finally:
    print("pydantic" in sys.modules)
"""


class Colour(Enum):
    """A choice."""

    RED = "red"


@pytest.fixture
def given():
    """What a command is given for its options."""
    app = typer.Typer()

    @app.command()
    def show(
        *,
        text: Annotated[str | None, typer.Option()] = None,
        texts: Annotated[list[str] | None, typer.Option()] = None,
        number: Annotated[int, typer.Option(min=1, max=9)] = 5,
        path: Annotated[Path | None, typer.Option()] = None,
        there: Annotated[Path | None, typer.Option(exists=True)] = None,
        colour: Annotated[Colour | None, typer.Option()] = None,
        share: Annotated[float | None, typer.Option()] = None,
    ) -> None:
        values = {"text": text, "texts": texts, "path": path, "there": there, "colour": colour, "share": share}
        typer.echo(repr({key: value for key, value in values.items() if value} | {"number": number}))

    def show_values(*args):
        result = CliRunner().invoke(app, list(map(str, args)))
        return result.output.strip() if result.exit_code == 0 else (result.exit_code, result.output)

    return show_values


def test_values_come_as_they_are_annotated(given, tmp_path):
    """Text, texts, whole numbers, paths, choices, and what is Typer's own to read."""
    args = [
        "--text",
        "a",
        "--texts",
        "b",
        "--texts",
        "c",
        "--number",
        7,
        "--path",
        "x",
        "--colour",
        "red",
        "--share",
        0.5,
    ]

    assert "{'number': 5}" == given()
    assert repr(
        {"text": "a", "texts": ["b", "c"], "path": Path("x"), "there": tmp_path, "colour": Colour.RED, "share": 0.5}
        | {"number": 7}
    ) == given(*args, "--there", tmp_path)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--number", "x"), "unable to parse"),
        (("--number", "10"), "less than or equal to 9"),
        (("--number", "0"), "greater than or equal to 1"),
        (("--colour", "blue"), "not one of 'red'"),
        (("--there", "/nowhere"), "does not exist"),
    ],
)
def test_typer_has_the_words_for_what_is_wrong(given, args, told):
    """A value that cannot be taken is refused as Typer refuses it."""
    code, output = given(*args)

    assert 2 == code
    assert told in " ".join(output.replace("│", "").split())


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_a_file_that_cannot_be_read_is_told_of(given, tmp_path):
    """Before the command begins."""
    file = tmp_path / "closed"
    file.touch(mode=0)

    assert "not readable" in given("--path", file)[1]


def test_a_command_does_without_pydantic(tmp_path):
    """Options with text and paths bring nothing in that only checks of other kinds need."""
    command = [sys.executable, "-c", RUN, "lists", "show", "--state", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "False" == done.stdout.split()[-1]
