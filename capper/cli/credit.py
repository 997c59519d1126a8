"""`capper credit`: what would be taken out of a page as credit nobody asked for, and are the packs in order."""

from pathlib import Path
from typing import Annotated

import typer

from capper.cli.options import Json
from capper.cli.tables import print_json, print_table, print_text
from capper.domain.errors import ConfigError, Unrewritable
from capper.domain.prompt import Prompt
from capper.gate.credit import Credit
from capper.packaged import packaged_config
from capper.recognise.credit.lint import lint as findings
from capper.rewrite.charset import charset_of

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Credit nobody asked for: what would go from a page, and are the language packs in order?",
    epilog="""\b
Examples:
  capper credit test shop.html                  what would go, and which words say so?
  capper credit test home.json --url https://bank.example/home --json
  capper credit lint                            are the packs that travel with capper in order?
  capper credit lint cs.toml                    ... and the one you are writing?""",
)

_TYPES = {".json": "application/json", ".txt": "text/plain"}


@app.command("test")
def try_out(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Saved pages (.html), answers (.json), texts (.txt).")
    ],
    url: Annotated[
        str, typer.Option(help="The address they came from; it may say why somebody was there.")
    ] = "https://site.example/",
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Show what would be taken out of each file, and which words gave it away. Nothing is changed.

    Exits with 1 when nothing would go.
    """
    credit = Credit.load()
    found = [(path, prompt) for path in files for prompt in _prompts(credit, path, url)]
    if as_json:
        print_json([_row(path, prompt) for path, prompt in found])
    elif found:
        print_table(
            ["file", "kind", "where", "pack", "signals", "text"],
            [
                (path.name, prompt.kind, prompt.place, prompt.pack, ", ".join(prompt.signals), prompt.text[:120])
                for path, prompt in found
            ],
        )
    else:
        print_text("Nothing would go.")
    if not found:
        raise typer.Exit(1)


@app.command()
def lint(
    packs: Annotated[
        list[Path] | None, typer.Argument(metavar="PACK...", help="Packs (.toml); left out: those in use.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Check language packs: what is missing, contradicts itself, or fits too much.

    Exits with 1 when a pack cannot be used as it is.
    """
    paths = packs or sorted((packaged_config() / "credit").glob("??.toml"))
    said = [finding for path in paths for finding in findings(path)]
    if as_json:
        print_json([{"file": each.file, "finding": each.sentence, "wrong": each.wrong} for each in said])
    else:
        for each in said:
            print_text(f"{each.file}: {each.sentence}")
        if not said:
            print_text(f"{len(paths)} packs in order.")
    if any(each.wrong for each in said):
        raise typer.Exit(1)


def _prompts(credit: Credit, path: Path, url: str) -> tuple[Prompt, ...]:
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise ConfigError(f"read {path}: {exc.strerror}") from exc
    media_type = _TYPES.get(path.suffix.lower(), "text/html")
    try:
        return credit.strip(data, media_type, url, charset_of(media_type, data)).prompts
    except Unrewritable as exc:
        raise ConfigError(f"{path}: {exc}") from exc


def _row(path: Path, prompt: Prompt) -> dict[str, object]:
    return {
        "file": str(path),
        "kind": prompt.kind,
        "where": prompt.place,
        "pack": prompt.pack,
        "signals": list(prompt.signals),
        "text": prompt.text,
    }
