"""What `capper run` writes to standard error: sentences for a person, or a JSON object on each line for programs."""

import json
import logging
import os
from datetime import UTC, datetime

from capper.cli.plain import plain
from capper.settings import Log


class Sentences(logging.Formatter):
    """`capper: MESSAGE`, without what a terminal would obey."""

    def __init__(self) -> None:
        super().__init__("capper: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One message."""
        return plain(super().format(record), keep="\n")


class Lines(logging.Formatter):
    """JSON in ASCII, one object a line: `time`, `level`, `part` (the module that speaks), `message`, and `trace` of a fault."""

    def format(self, record: logging.LogRecord) -> str:
        """One message."""
        row = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            row["trace"] = self.formatException(record.exc_info)
        return json.dumps(row)


def begin(form: Log) -> None:
    """Write in this form from now on. Two that speak of every request are heard only in trouble.

    mitmproxy's log names each site visited; uvicorn complains of each request that it cannot read, as often as somebody sends one.
    """
    debug = bool(os.environ.get("CAPPER_DEBUG"))
    root = logging.getLogger()
    root.setLevel(logging.INFO if debug else logging.WARNING)
    for handler in root.handlers:
        handler.setFormatter(Lines() if form is Log.JSON else Sentences())
    logging.getLogger("capper.settings.watch").setLevel(logging.INFO)
    for name in ("mitmproxy", "uvicorn"):
        logging.getLogger(name).setLevel(logging.INFO if debug else logging.ERROR)
