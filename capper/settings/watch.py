"""What small files say as they change underneath, the policy before all: a bad, half-written or vanished one changes nothing.

Once a version of the policy has been applied for every capper on the same ledger, that one is in force, and the file a draft of the next.
"""

import logging
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.domain.policy import Policy
from capper.settings.policy import parse_policy
from capper.settings.toml import read_text

LOOK = timedelta(seconds=1)
"""How often the file is looked at, and how long it must stay as it is before it is read."""

log = logging.getLogger(__name__)

Stamp = tuple[int, int, int, int, int]
"""What tells one state of a file from the next: type, device, inode, size and time of change."""


def stamp(path: Path) -> Stamp | None:
    """The file's stamp, or None where there is no file to be seen."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    kind = stat.S_IFMT(found.st_mode)
    # A directory changes with every file in it; all that matters here is that it is one.
    if kind != stat.S_IFREG:
        return kind, 0, 0, 0, 0
    return kind, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Looking:
    """When to look at a file again: a second after the last look."""

    def __init__(self, at: datetime) -> None:
        self._last = at

    def due(self, at: datetime) -> bool:
        """Whether it is time; the caller looks then."""
        # A clock that was set back must not stop the looking.
        if timedelta(0) <= at - self._last < LOOK:
            return False
        self._last = at
        return True


class Watched[T]:
    """What a small file of a person's says, as it changes: looked at once a second at most, and only when somebody asks.

    A file that cannot be used leaves what was read before, and says so once in the log.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[Path], T],
        empty: T,
        stays: str,
        clock: Callable[[], datetime] = now,
        *,
        look: Callable[[Path], Stamp | None] = stamp,
    ) -> None:
        """`read` may raise ConfigError; `empty` is what holds until it has not; `stays` says in the log what is left."""
        self._path, self._read, self._held, self._stays = path, read, empty, stays
        self._look, self._looking, self._used = look, Looking(clock()), look(path)
        self._take()

    def at(self, at: datetime) -> T:
        """What is in force then, after a look at the file if the last one is a second old. Never raises."""
        if self._looking.due(at) and (found := self._look(self._path)) != self._used:
            self._used = found
            self._take()
        return self._held

    def _take(self) -> None:
        try:
            self._held = self._read(self._path)
        except ConfigError as exc:
            log.warning("%s: %s", self._stays, exc)


def same_text(one: str, other: str) -> bool:
    """Whether two texts of a policy are the same, however their lines end."""
    return one.splitlines() == other.splitlines()


class PolicySource:
    """The policy of a file, as the file changes.

    1. Read whole when made; a file that cannot be used then is refused (ConfigError).
    2. Looked at by `current`, once a second at most. A changed file is read when it has stayed the same from one look
       to the next, so an editor that truncates and then writes is never caught half-way; and again if it changed meanwhile.
    3. A file that cannot be used, or is gone, leaves the policy as it is and says so once: in `problem`, in the log, and
       to `tell`.
    4. Where a `successor` is named (the owner's own policy, while the starter policy is in force), it takes the file's place as
       soon as it is there.
    5. A version that was applied (`adopt`) takes the file's place until another does, or the file is to be the policy again. That
       the file differs from it is said when the first is adopted, and each time the file changes.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], datetime] = now,
        tell: Callable[[str], None] | None = None,
        *,
        successor: Path | None = None,
        look: Callable[[Path], Stamp | None] = stamp,
        read: Callable[[Path], str] = read_text,
    ) -> None:
        self.path, self._successor = path, successor
        self.problem: ConfigError | None = None
        self._clock, self._tell, self._look, self._read = clock, tell, look, read
        self._looking = Looking(clock())
        self._used = self._seen = look(path)
        self.policy = parse_policy(read(path), str(path))
        """The policy in force, without a look at the file."""
        self.version: int | None = None
        """The number of the version in force; None where the file is."""
        self._text = ""

    def current(self) -> Policy:
        """The policy in force, after a look at the file if the last one is a second old. Never raises."""
        if self._looking.due(self._clock()):
            self.refresh()
        return self.policy

    def refresh(self) -> None:
        """Look at the file now; for a caller that keeps its own time, such as a thread beside an event loop."""
        if self._successor and self._look(self._successor):
            self.path, self._successor, self._used, self._seen = self._successor, None, None, None
        found = self._look(self.path)
        settled, self._seen = found == self._seen, found
        if not settled or found == self._used:
            return
        try:
            text = self._read(self.path)
            if self._look(self.path) != found:
                return
            policy = parse_policy(text, str(self.path))
        except ConfigError as exc:
            self.problem = exc
            self._say(logging.WARNING, f"the policy in force stays as it was: {exc}")
        else:
            self.problem = None
            if self.version is None:
                self._take(policy, str(self.path))
            else:
                self._compare(text)
        self._used = found

    def adopt(self, version: int, text: str | None) -> bool:
        """Put a version of the policy in force in the file's place, or the file again for None; returns whether it is.

        One that this capper cannot use leaves the policy as it is, and says so; another capper may have been able to.
        """
        if text is None:
            self.version, self._used, self._seen = None, None, self._look(self.path)
            self.refresh()
            return True
        name = f"version {version} of the policy"
        try:
            policy = parse_policy(text, name)
        except ConfigError as exc:
            self.problem = exc
            self._say(logging.WARNING, f"the policy in force stays as it was: {exc}")
            return False
        first, self.version, self._text, self.problem = self.version is None, version, text, None
        self._take(policy, name)
        if first:
            try:
                self._compare(self._read(self.path))
            except ConfigError as exc:
                self._say(logging.WARNING, f"{name} is in force; the file cannot be used: {exc}")
        return True

    def _take(self, policy: Policy, name: str) -> None:
        changed, self.policy = policy != self.policy, policy
        self._say(logging.INFO, f"policy {'reloaded' if changed else 'unchanged'}: {name}")

    def _compare(self, text: str) -> None:
        if same_text(text, self._text):
            self._say(logging.INFO, f"{self.path} says what is in force: version {self.version}")
        else:
            self._say(
                logging.WARNING,
                f"{self.path} differs from version {self.version}, which is in force; `capper policy diff` shows in what,"
                " `capper policy apply` puts the file in force",
            )

    def _say(self, level: int, sentence: str) -> None:
        log.log(level, "%s", sentence)
        if self._tell:
            self._tell(sentence)
