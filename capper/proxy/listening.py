"""Where a proxy listens, of what kind each listener is, and what is said when it cannot."""

import errno
from dataclasses import dataclass
from pathlib import Path, PurePath

from capper.domain.errors import CapperError, ConfigError, ListenError

Place = tuple[str, int]
"""A host and a port."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The listeners of a running proxy: each one's mode by its first word (`regular`, `transparent`, ...) and its place.

    `files` are for people's devices: the name of each WireGuard listener, and what to import for it.
    """

    ways: tuple[tuple[str, Place], ...]
    files: tuple[tuple[str, Path], ...] = ()

    @property
    def addresses(self) -> list[Place]:
        """All places."""
        return [place for _, place in self.ways]

    def address_of(self, *kinds: str) -> Place | None:
        """Where the first listener of one of these kinds is."""
        return next((place for kind, place in self.ways if kind in kinds), None)


def device_file(state: Path, data: str) -> tuple[str, Path]:
    """The name of the WireGuard listener whose mode has this `data`, and the file that its person's device imports."""
    name = PurePath(data).stem or "wireguard"
    return name, state / "wireguard" / f"{name}-device.conf"


def listening_fault(fault: BaseException | None, place: Place, modes: tuple[str, ...]) -> CapperError:
    """Why nothing can listen at `place`, in one sentence."""
    where = f"{place[0] or 'every address'}:{place[1]}"
    if isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE:
        return ListenError(f"{where} is taken: another program listens there; stop it, or choose another with --listen")
    if isinstance(fault, OSError) and fault.errno in {errno.EACCES, errno.EPERM}:
        return ListenError(f"{where} may not be used: ports below 1024 need privileges; choose another with --listen")
    if isinstance(fault, OSError) and (fault.errno in {errno.EADDRNOTAVAIL, None} or fault.errno < 0):
        return ListenError(f"{where} is not an address of this machine; choose another with --listen")
    return ConfigError(f"start the proxy ({', '.join(modes)}): {fault}")
