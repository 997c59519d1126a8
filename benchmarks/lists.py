"""Which filter lists a run is made with: those named, else EasyList and EasyPrivacy where the shared data is."""

import gzip
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capper.recognise.filterlist import ListKind

USUAL = ("easylist", "easyprivacy")
NONE = "none"
"""What is said to run with no list but those that travel with capper."""


@dataclass(frozen=True, slots=True)
class NamedList:
    """A list's name and kind, and its text unpacked."""

    name: str
    kind: ListKind
    text: str


def shared_data() -> Path | None:
    """The folder of data that is too large to travel with capper, where there is one."""
    folder = Path(os.environ.get("CAPPER_SHARED_DATA") or Path(__file__).parents[2] / "shared" / "data")
    return folder if folder.is_dir() else None


def chosen_lists(asked: Sequence[str], data: Path | None) -> list[NamedList]:
    """The lists for the words of `--lists`; without any, the newest of the usual ones in `data`."""
    if not asked:
        newest = (sorted((data / "lists").glob(f"{name}-2*.txt.gz"))[-1:] for name in USUAL) if data else ()
        return [read_list(path) for found in newest for path in found]
    return [] if list(asked) == [NONE] else [read_list(Path(path)) for path in asked]


def read_list(path: Path) -> NamedList:
    """A list's file, packed or not; one that is called after privacy or trackers names trackers."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")
    name = path.name.removesuffix(".gz").removesuffix(".txt")
    tracks = "privacy" in name or "track" in name
    return NamedList(name, ListKind.TRACKERS if tracks else ListKind.ADS, text)
