"""Whom capper leaves alone for a while, and until when: a small file beside the running proxy, which looks at it once a second."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from capper.domain.cap import parse_length
from capper.settings.policy_text import quote
from capper.settings.reader import spell_value
from capper.settings.toml import parse, read_text
from capper.settings.watch import Stamp, Watched, now, stamp
from capper.settings.writing import alone, put

LONGEST = timedelta(days=1)
"""A pause ends by itself; what should last longer belongs in the policy."""
_HEAD = "# Whom capper leaves alone, and until when; `capper people pause` and `resume` write here.\n"


def pauses_file(state: Path) -> Path:
    """The file of pauses, in the state folder."""
    return state / "pauses.toml"


def a_pause(text: str) -> timedelta:
    """How long a pause is: `20` minutes, or a length like `2 hours`.

    Raises:
        ValueError: it is none, or longer than `LONGEST`.
    """
    plain = " ".join(text.split())
    try:
        length = parse_length(f"{plain} minutes" if plain.isascii() and plain.isdigit() else plain)
    except ValueError:
        raise ValueError(f'expected minutes or a length like "2 hours", found {spell_value(plain)}') from None
    if length > LONGEST:
        raise ValueError(
            f"expected at most a day, found {spell_value(plain)}; it ends by itself, so that nobody forgets it"
        )
    return length


def read_pauses(path: Path) -> dict[str, datetime]:
    """Until when, by person; those that are over are still there. None where there is no file.

    Raises:
        ConfigError: it cannot be used.
    """
    if not path.exists():
        return {}
    found = parse(read_text(path), str(path)).data
    return {name: until for name, until in found.items() if isinstance(until, datetime) and until.tzinfo}


def in_force(pauses: Mapping[str, datetime], at: datetime) -> dict[str, datetime]:
    """The pauses that are not over. One that would last longer than any was made by a clock that was wrong, and is none."""
    return {name: until for name, until in pauses.items() if timedelta(0) < until - at <= LONGEST}


def pause(path: Path, name: str, until: datetime | None, at: datetime) -> None:
    """Leave a person alone until then, or no longer (None). Pauses that are over leave the file.

    Raises:
        ConfigError: the file cannot be used or written.
    """
    with alone(path):
        left = in_force(read_pauses(path), at)
        left.pop(name, None)
        if until is not None:
            left[name] = until
        rows = (f"{quote(each)} = {end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n" for each, end in sorted(left.items()))
        put(path, (_HEAD + "".join(rows)).encode())


class Pauses:
    """The pauses in force as their file changes; one that cannot be used leaves those that were read before."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], datetime] = now,
        *,
        look: Callable[[Path], Stamp | None] = stamp,
    ) -> None:
        self._clock = clock
        self._pauses = Watched(path, read_pauses, dict[str, datetime](), "pauses stay as they were", clock, look=look)

    def holds(self, name: str) -> bool:
        """Whether capper leaves this person alone now. Never raises."""
        at = self._clock()
        pauses = self._pauses.at(at)
        return bool(pauses) and name in in_force(pauses, at)
