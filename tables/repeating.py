"""T10: the same again gives the same, to the last byte, in another process too."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from capper.demo.sites import AD_LIST, SITES, Asked, answer
from capper.study.formats.folder import Format
from capper.study.register import data_file
from capper.study.rt1 import World, simulate
from capper.study.simulated import keep
from capper.study.store import Store
from tables.row import Row, exactly

_BEGUN = datetime(2026, 3, 2, 8, tzinfo=UTC)
_POLICY = 'caps = ["2 per advertiser per day"]\n'
_CAPPER = "import sys; from capper.cli import app; [app(each.split(), standalone_mode=False) for each in sys.argv[1:]]"
_COMMANDS = (
    "replay in.har --policy policy.toml --lists ads.txt --out out.har --journal journal.jsonl --state state",
    "measure import crawl in.har --crawl --lists ads.txt --state state",
    *(f"measure export crawl --format {form} --out {form} --yes --state state" for form in Format),
)


def t10() -> list[Row]:
    """A recording replayed, imported and exported, and a simulated study kept, each twice."""
    with TemporaryDirectory() as folder:
        one, other = (repeated(Path(folder) / name, name) for name in ("1", "2"))
        kept = [_kept(Path(folder) / name) for name in ("a", "b")]
    return [
        *(exactly(f"{what} twice: SHA-256", other[what][:16], one[what][:16]) for what in one),
        exactly("capper measure simulate --into twice: SHA-256 of the exposures", kept[1][:16], kept[0][:16]),
    ]


def repeated(folder: Path, hash_seed: str) -> dict[str, str]:
    """SHA-256 of what capper makes of an hour on the demo's sites, in a process whose hashes have that seed."""
    folder.mkdir()
    files = {"in.har": json.dumps(recording()), "policy.toml": _POLICY, "ads.txt": AD_LIST}
    for name, text in files.items():
        (folder / name).write_text(text)
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "CAPPER_JOURNAL_LEVEL": "3"}
    command = [sys.executable, "-c", _CAPPER, *_COMMANDS]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)  # noqa: S603  our own
    return {
        "capper replay, the traffic": _digest((folder / "out.har").read_bytes()),
        "capper replay, the journal": _digest((folder / "journal.jsonl").read_bytes()),
    } | {f"capper measure export, {form}": _exported(folder / form) for form in Format}


def _exported(folder: Path) -> str:
    """Of all files, the manifest and the card among them."""
    return _digest(b"".join(path.name.encode() + path.read_bytes() for path in sorted(folder.iterdir())))


def recording(rounds: int = 3) -> dict[str, object]:
    """A HAR of the demo's sites, each opened so often."""
    entries = []
    for number, host in enumerate([*SITES] * rounds):
        at = _BEGUN + timedelta(minutes=7 * number)
        entries.append(_entry(host, "/", at, "document", ""))
    return {"log": {"version": "1.2", "creator": {"name": "made up", "version": "1"}, "entries": entries}}


def _entry(host: str, target: str, at: datetime, kind: str, page: str) -> dict[str, object]:
    reply = answer(Asked("GET", host, target))
    asked = [{"name": "Sec-Fetch-Dest", "value": kind}] + ([{"name": "Referer", "value": page}] if page else [])
    return {
        "startedDateTime": at.isoformat(),
        "time": 1,
        "request": {
            "method": "GET",
            "url": f"https://{host}{target}",
            "httpVersion": "HTTP/1.1",
            "headers": asked,
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": {
            "status": reply.status,
            "statusText": "OK",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": name, "value": value} for name, value in reply.headers],
            "cookies": [],
            "content": {"size": len(reply.body), "mimeType": "text/html", "text": reply.body.decode()},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(reply.body),
        },
        "cache": {},
        "timings": {"send": 0, "wait": 1, "receive": 0},
    }


def _kept(state: Path) -> str:
    keep(state, "twice", 1, simulate(1, 3, World(people=30, campaigns=30)))
    store = Store.open(data_file(state, "twice"))
    try:
        return _digest("\n".join(map(repr, store.rows())).encode())
    finally:
        store.close()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
