"""The lease files of this machine's DHCP servers as they change: which MAC an address was given to, and what devices call themselves."""

import glob
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from capper.devices.leases import Lease, read_leases
from capper.packaged import packaged_config
from capper.settings.toml import parse, read_text
from capper.settings.watch import Stamp, stamp

LARGEST = 4 * 1024 * 1024
"""Bytes from the end of a file: servers append what has changed, and clean up now and then."""


def usual_places() -> tuple[str, ...]:
    """The patterns of the files that DHCP servers write (config/leases.toml)."""
    path = packaged_config() / "leases.toml"
    servers: Mapping[str, list[str]] = parse(read_text(path), str(path)).data
    return tuple(place for places in servers.values() for place in places)


@dataclass(frozen=True, slots=True)
class Leased:
    """What all lease files say together: MACs by packed address, names by MAC."""

    macs: Mapping[bytes, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


class LeaseFiles:
    """The files at `patterns`; `refresh` reads those that have changed, and `now` is what all of them say.

    A file that cannot be read is none: `unreadable` names it.
    """

    def __init__(self, patterns: Iterable[str], clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._patterns, self._clock = tuple(patterns), clock
        self._read: dict[Path, tuple[Stamp, tuple[Lease, ...]]] = {}
        self.now = Leased()
        self.unreadable: frozenset[Path] = frozenset()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were read last."""
        return tuple(self._read)

    def refresh(self) -> None:
        """Look at every file; may take some milliseconds. Never raises."""
        before, self._read = self._read, {}
        unreadable = set()
        for path in self._found():
            seen = stamp(path)
            if seen is None:
                continue
            known = before.get(path)
            try:
                self._read[path] = known if known and known[0] == seen else (seen, self._leases(path))
            except OSError:
                unreadable.add(path)
        self.unreadable = frozenset(unreadable)
        # A lease that has run out meanwhile stays until its file changes; the server will not give the address away before.
        leases = [lease for _, found in self._read.values() for lease in found]
        self.now = Leased(
            MappingProxyType({lease.address: lease.mac for lease in leases if lease.mac}),
            MappingProxyType({lease.mac: lease.name for lease in leases if lease.mac and lease.name}),
        )

    def _found(self) -> list[Path]:
        return sorted({Path(name) for pattern in self._patterns for name in _named(pattern)})

    def _leases(self, path: Path) -> tuple[Lease, ...]:
        if not path.is_file():
            return ()
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LARGEST))
            content = file.read(LARGEST).decode("utf-8", "replace")
            if size > LARGEST:
                file.seek(0)
                # Kea's first line names the columns.
                head = file.readline(4096).decode("utf-8", "replace")
                content = (head if head.startswith("address,") else "") + content.partition("\n")[2]
        return read_leases(content, self._clock())


def _named(pattern: str) -> list[str]:
    """The files a pattern means; one whose own name has a bracket in it is meant as it is."""
    return [pattern] if Path(pattern).exists() else glob.glob(pattern)  # noqa: PTH207  patterns are whole paths
