"""What has left a study, and what that has spent of its budget: a file that only grows, in which each line seals those before it.

A release is written, and on the disk, before anybody sees it: whatever happens then, too much is counted rather than too little. The same
request is answered from the file, for asked twice with new noise it would tell twice as much.

The seals show that a line was changed, put in or taken out. That the newest lines were cut off, or all of them, they cannot show by
themselves: so the newest seal is kept elsewhere too (`Newest`), and every release shows its own (`Spending.read` with `sealed`).
"""

import contextlib
import fcntl
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from capper.domain.errors import ConfigError
from capper.settings.writing import alone, put

_LARGEST = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Budget:
    """What all releases of a study together may spend."""

    epsilon: float
    delta: float


@dataclass(frozen=True, slots=True)
class Release:
    """What left once, at which price."""

    number: int
    at: str
    """ISO 8601, UTC."""
    request: Mapping[str, Any]
    epsilon: float
    delta: float
    answer: Mapping[str, Any]
    before: str
    """The seal of the one before it."""
    seal: str = ""
    """SHA-256 of all of the above, in hex."""

    def sealed(self) -> str:
        """The seal that it ought to have."""
        fields = asdict(self)
        del fields["seal"]
        return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def spent(releases: Sequence[Release]) -> Budget:
    """The price of all together: the sum of each, which holds whatever was asked after which answer."""
    return Budget(math.fsum(each.epsilon for each in releases), math.fsum(each.delta for each in releases))


class Newest(Protocol):
    """Keeps the seal of the newest release, in another file than the releases."""

    def read(self) -> str:
        """The seal; "" where nothing was released."""
        ...

    def keep(self, seal: str) -> None:
        """Keep this one from now on."""
        ...


class Spending:
    """The file of one study's releases."""

    def __init__(self, path: Path, study: str, budget: Budget, newest: Newest) -> None:
        """`study`: what the first seal is made of, so that no other study's file can stand in for this one."""
        self._path, self._budget, self._newest = path, budget, newest
        self._root = hashlib.sha256(b"capper releases\0" + study.encode()).hexdigest()

    def read(self, sealed: str | None = None) -> list[Release]:
        """All releases, the oldest first; none where there is no file.

        Args:
            sealed: a seal that one of them must have.

        Raises:
            ConfigError: the file cannot be read, its seals do not hold, or releases were taken out.
        """
        try:
            with self._path.open("rb") as file:
                releases = self._verified(file)
        except FileNotFoundError:
            releases = []
        except OSError as exc:
            raise ConfigError(f"read the releases {self._path}: {exc.strerror}") from exc
        self._expect(sealed, releases)
        self._expect(self._newest.read(), releases)
        return releases

    def once(
        self,
        request: Mapping[str, Any],
        price: Budget,
        answer: Callable[[], Mapping[str, Any]],
        at: datetime,
    ) -> tuple[Release, bool]:
        """The release that answers `request`, and whether it was made now; what was answered before is told again and costs nothing.

        Args:
            answer: makes the answer, with its noise; called while no other process can spend.

        Raises:
            ConfigError: the price is more than is left, the file's seals do not hold, or it cannot be written.
        """
        if not (0 < price.epsilon < math.inf and 0 <= price.delta < 1):
            raise ConfigError(
                "release a figure: expected an epsilon above 0, and a delta of at least 0 and below 1,"
                f" not {price.epsilon} and {price.delta}"
            )
        with self._alone() as file:
            releases = self._verified(file)
            self._expect(self._newest.read(), releases)
            for each in releases:
                if each.request == request:
                    return each, False
            self._afford(releases, price)
            unsealed = Release(
                len(releases) + 1,
                at.astimezone(UTC).isoformat(timespec="seconds"),
                request,
                price.epsilon,
                price.delta,
                answer(),
                releases[-1].seal if releases else self._root,
            )
            release = Release(**{**asdict(unsealed), "seal": unsealed.sealed()})
            # A machine that stops between the two has a file that is ahead of the seal: nothing is missing from it.
            self._append(file, release)
            self._newest.keep(release.seal)
        return release, True

    def _expect(self, seal: str | None, releases: Sequence[Release]) -> None:
        if seal and all(each.seal != seal for each in releases):
            raise ConfigError(
                f"{self._path}: no release in it has the seal {seal}: some were taken out, and nobody can say what was spent;"
                " nothing more is released. Bring the file back from a backup"
            )

    def _afford(self, releases: Sequence[Release], price: Budget) -> None:
        total = spent([*releases, Release(0, "", {}, price.epsilon, price.delta, {}, "")])
        had = spent(releases)
        for name in ("epsilon", "delta"):
            most, before, after = (getattr(each, name) for each in (self._budget, had, total))
            if after > most:
                left = max(most - before, 0)
                raise ConfigError(
                    f"this release would spend {name} {getattr(price, name):g}, and {left:g} is left of the study's {most:g}"
                )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[BinaryIO]:
        """The file, which nobody else writes meanwhile; it is made, for its owner only, where there is none."""
        with alone(self._path):
            if not self._path.exists():
                put(self._path, b"")
        try:
            with self._path.open("r+b") as file:
                # Without a lock two could spend the last of it: then nothing is spent.
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
        except OSError as exc:
            raise ConfigError(f"write the releases {self._path}: {exc.strerror}") from exc

    def _append(self, file: BinaryIO, release: Release) -> None:
        end = file.seek(0, os.SEEK_END)
        line = json.dumps(asdict(release), sort_keys=True, separators=(",", ":")).encode() + b"\n"
        try:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError:
            # Nobody has seen it.
            with contextlib.suppress(OSError):
                file.truncate(end)
            raise

    def _verified(self, file: BinaryIO) -> list[Release]:
        data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ConfigError(f"{self._path}: larger than {_LARGEST} bytes, which no file of releases is")
        releases: list[Release] = []
        before = self._root
        for number, line in enumerate(data.splitlines(keepends=True), 1):
            if not line.endswith(b"\n"):
                raise ConfigError(
                    f"{self._path}: line {number} is cut off. If the machine stopped while it was written, nobody has seen"
                    " that release, and the line can be deleted"
                )
            release = self._parsed(line, number)
            if (release.number, release.before, release.seal) != (number, before, release.sealed()):
                raise ConfigError(
                    f"{self._path}: line {number} is not as it was written, so nobody can say what was spent; nothing"
                    " more is released. Bring the file back from a backup"
                )
            releases.append(release)
            before = release.seal
        return releases

    def _parsed(self, line: bytes, number: int) -> Release:
        try:
            release = Release(**json.loads(line))
            if not (release.epsilon > 0 and release.delta >= 0):
                raise ValueError("it spends nothing")  # noqa: TRY301  # one place says which line it is
        except (ValueError, TypeError, RecursionError) as exc:
            raise ConfigError(f"{self._path}: line {number} cannot be used as a release: {exc}") from exc
        return release
