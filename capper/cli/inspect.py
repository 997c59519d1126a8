"""`capper inspect`: which ads a file or an address holds, and whose they are."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from capper.assembly import RecogniserSource
from capper.cli.contents import Contents, Item, Looking, What, of_address, of_file
from capper.cli.explain import address
from capper.cli.options import Config, Json, State
from capper.cli.reasons import BASES
from capper.cli.tables import print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.rewrite.auction.layout import load_layouts
from capper.settings import load_settings

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ["source", "format", "size", "advertiser", "campaign", "creative", "known because"]


@app.command(
    help="""Show which ads a file or an address holds, and whose they are.

    A file may be a page or an ad's own document (HTML), an auction's answer (JSON), a video player's (VAST, VMAP) or a
    picture; a folder stands for all files in it. Of an address only what it says itself is told. Nothing is asked of the
    network, nothing is counted, and no policy is looked at.
    """,
    epilog="""\b
Examples:
  capper inspect page.html --page https://news.example/
  capper inspect vast.xml bids.json banner.html --json
  capper inspect 'https://ads.example/click?adurl=https://shoes.example/'""",
)
def run(
    what: Annotated[list[str], typer.Argument(metavar="FILE|URL...", help="Files, folders or addresses.")],
    *,
    page: Annotated[
        str | None, typer.Option(metavar="URL", help="The publisher's page it was on.", show_default=False)
    ] = None,
    where: Annotated[
        str | None, typer.Option("--address", metavar="URL", help="Where the file came from.", show_default=False)
    ] = None,
    kind: Annotated[
        What | None,
        typer.Option("--as", metavar="KIND", help="Take HTML for a page or for a frame.", show_default=False),
    ] = None,
    lists: Annotated[list[Path] | None, typer.Option(help="Another filter list to use; may be repeated.")] = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Tell files from addresses, and look into each."""
    if kind not in {None, What.PAGE, What.FRAME}:
        raise ConfigError(f"--as is page or frame, not {kind}")
    now = datetime.now(UTC)
    sources = [each for text in what for each in _sources(text)]
    looking = Looking(
        RecogniserSource(load_settings(config, {"lists": lists or None, "state": state}), now).current(),
        load_layouts(),
        now,
        page=address(page) if page else "",
        address=address(where) if where else "",
        what=kind,
    )
    found = (of_file(looking, each) if isinstance(each, Path) else of_address(looking, each) for each in sources)
    print_json([_json(each) for each in found]) if as_json else _print(list(found))


def _sources(text: str) -> list[str] | list[Path]:
    if text.strip().lower().startswith(("http://", "https://")):
        return [address(text)]
    path = Path(text)
    try:
        if path.is_dir():
            return sorted(each for each in path.rglob("*") if each.is_file())
        with path.open("rb"):
            return [path]
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{text} is no http(s) address, and cannot be read: {exc}") from exc


def _print(found: Sequence[Contents]) -> None:
    rows = [row for each in found for row in _rows(each)]
    if rows:
        print_table(_COLUMNS, rows)
    for each in found:
        if each.note:
            print_text(f"{each.source}: {each.note}")


def _rows(contents: Contents) -> Iterator[tuple[str, ...]]:
    for item in contents.ads:
        ad = item.ad
        yield (
            _name(contents, item),
            item.format,
            _size(item),
            ", ".join(ad.advertisers),
            ad.campaign or "",
            ad.creative or "",
            BASES[ad.basis],
        )


def _name(contents: Contents, item: Item) -> str:
    name = contents.source if contents.what is What.ADDRESS else Path(contents.source).name
    return " ".join(filter(None, (name, item.slot)))


def _size(item: Item) -> str:
    return "x".join(map(str, item.size)) if item.size else ""


def _json(contents: Contents) -> dict[str, Any]:
    return {
        "source": contents.source,
        "what": contents.what,
        "note": contents.note or None,
        "ads": [
            {
                "advertiser": item.ad.advertisers[0] if item.ad.advertisers else None,
                "advertisers": list(item.ad.advertisers),
                "campaign": item.ad.campaign,
                "creative": item.ad.creative,
                "categories": list(item.ad.categories),
                "basis": item.ad.basis,
                "format": item.format,
                "size": list(item.size) if item.size else None,
                "slot": item.slot or None,
                "leads_on": item.leads_on or None,
                "house_ad": item.housed,
            }
            for item in contents.ads
        ],
    }
