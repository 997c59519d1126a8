"""What `capper run` writes to standard error: sentences for a person, or a JSON object on each line for programs."""

import json
import logging
import os
from collections.abc import Collection
from datetime import UTC, datetime

from capper.cli.plain import plain
from capper.settings import Log


class Sentences(logging.Formatter):
    """`capper: MESSAGE`, without what a terminal would obey; and which of several processes speaks, where that matters."""

    def __init__(self, who: str = "") -> None:
        super().__init__("%(message)s")
        self._who = who

    def format(self, record: logging.LogRecord) -> str:
        """One message."""
        who = _speaker(record, self._who)
        return plain(f"capper{f' ({who})' if who else ''}: {super().format(record)}", keep="\n")


class Lines(logging.Formatter):
    """JSON in ASCII, one object a line: `time`, `level`, `part` (the module that speaks), `message`, `trace` of a fault, and
    `process`, if it matters which of several speaks."""

    def __init__(self, who: str = "") -> None:
        super().__init__()
        self._who = who

    def format(self, record: logging.LogRecord) -> str:
        """One message."""
        row = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": record.name,
            "message": record.getMessage(),
        }
        if who := _speaker(record, self._who):
            row["process"] = who
        if record.exc_info:
            row["trace"] = self.formatException(record.exc_info)
        return json.dumps(row)


def begin(form: Log, who: str = "", hushed: Collection[str] = ()) -> None:
    """Write in this form from now on, as `who` of several processes, of which another says what `hushed` would. Two that speak of every request are heard only in trouble.

    mitmproxy's log names each site visited; uvicorn complains of each request that it cannot read, as often as somebody sends one.
    """
    debug = bool(os.environ.get("CAPPER_DEBUG"))
    root = logging.getLogger()
    root.setLevel(logging.INFO if debug else logging.WARNING)
    for handler in root.handlers:
        handler.setFormatter(Lines(who) if form is Log.JSON else Sentences(who))
    logging.getLogger("capper.settings.watch").setLevel(logging.INFO)
    for name in (*LISTS, *FILES):
        logging.getLogger(name).disabled = name in hushed
    for name in ("mitmproxy", "uvicorn"):
        logging.getLogger(name).setLevel(logging.INFO if debug else logging.ERROR)


def _speaker(record: logging.LogRecord, who: str) -> str:
    """Nobody in particular speaks of what all see alike."""
    return "" if record.name in (*LISTS, *FILES) else who


LISTS = (
    "capper",
    "capper.assembly",
    "capper.recognise.engine",
    "capper.recognise.enginecache",
    "capper.recognise.kept",
    "capper.recognise.lists",
)
"""Who speaks of filter lists and of the certificate's end."""
FILES = ("capper.policies.following", "capper.settings.watch")
"""Who speaks of the policy and of files that change."""
