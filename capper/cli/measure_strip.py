"""`capper measure strip`: a recording without what is private in it."""

from pathlib import Path
from typing import Annotated

import typer

from capper.cli.tables import print_text
from capper.domain.errors import ConfigError
from capper.measure.har import load
from capper.measure.output import whole_file, written
from capper.measure.strip import stripped


def strip(
    har: Annotated[Path, typer.Argument(metavar="IN.har", help="The recording: HAR, or an OpenWPM crawl.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to, as plain HAR.")],
) -> None:
    """Write a recording without cookies, credentials, bodies and the values of queries, so that it can be shared.

    Addresses keep their paths, and queries the names of their parameters: look the result over before it leaves.
    """
    if out.resolve() == har.resolve():
        raise ConfigError(f"{out} is read: name another file to write to")
    recording = load(har)
    with whole_file(out, 0o600) as file, written(out):
        file.write(stripped(recording))
    print_text(
        f"{out} has {len(recording):,} {'entry' if len(recording) == 1 else 'entries'} without bodies, cookies, credentials and values of queries"
    )
