"""What `capper run` writes to standard error: sentences for a person, or a JSON object on each line for programs."""

import json
import logging
import os
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


def begin(form: Log, who: str = "") -> None:
    """Write in this form from now on, as `who` of several processes. Two that speak of every request are heard only in trouble.

    mitmproxy's log names each site visited; uvicorn complains of each request that it cannot read, as often as somebody sends one.
    """
    debug = bool(os.environ.get("CAPPER_DEBUG"))
    root = logging.getLogger()
    root.setLevel(logging.INFO if debug else logging.WARNING)
    for handler in root.handlers:
        handler.setFormatter(Lines(who) if form is Log.JSON else Sentences(who))
    logging.getLogger("capper.settings.watch").setLevel(logging.INFO)
    for name in ("mitmproxy", "uvicorn"):
        logging.getLogger(name).setLevel(logging.INFO if debug else logging.ERROR)


def _speaker(record: logging.LogRecord, who: str) -> str:
    return "" if record.name in _SEEN_BY_ALL else who


def hush() -> None:
    """Leave it to another process to say what all of them see alike: files that change, and what is wrong with them."""
    for name in _SEEN_BY_ALL:
        logging.getLogger(name).disabled = True


_SEEN_BY_ALL = (
    "capper",
    "capper.assembly",
    "capper.policies.following",
    "capper.recognise.engine",
    "capper.recognise.enginecache",
    "capper.recognise.kept",
    "capper.recognise.lists",
    "capper.settings.watch",
)
