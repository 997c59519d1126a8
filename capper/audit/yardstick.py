"""What pages are judged by, as `config/audit.toml` and a budget say: limits, and what each finding costs."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.packaged import packaged_config
from capper.settings.reader import near
from capper.settings.toml import parse, read_text


class Of(StrEnum):
    """What the affected part is a share of."""

    ADS = "ads"
    LOADS = "loads"
    NOTICES = "marks tried"
    CHOICES = "refusals"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be found; of its `points` half are lost at once, all of them once the share `full` is affected."""

    code: str
    title: str
    points: float
    full: float
    of: Of
    mend: str


@dataclass(frozen=True, slots=True)
class Marks:
    """How the "i" of an ad is known: CSS selectors; and the words of controls by which an ad is refused."""

    selectors: tuple[str, ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Limits by name, faults by code; scores of another `version` are not to be compared."""

    version: int
    limits: Mapping[str, float]
    faults: Mapping[str, Fault]
    marks: Marks

    def with_budget(self, budget: Mapping[str, float]) -> "Yardstick":
        """The same with a publisher's own limits."""
        return Yardstick(self.version, {**self.limits, **budget}, self.faults, self.marks)


@cache
def yardstick() -> Yardstick:
    """What travels with capper."""
    table = tomllib.loads((packaged_config() / "audit.toml").read_text("utf-8"))
    faults = {
        code: Fault(code, row["title"], row["points"], row["full"], Of(row["of"]), row["mend"])
        for code, row in table["findings"].items()
    }
    marks = Marks(tuple(table["marks"]), tuple(table["refusals"]))
    return Yardstick(table["version"], table["limits"], faults, marks)


def read_budget(path: Path) -> dict[str, float]:
    """The limits of a budget file: names as in `[limits]` of audit.toml, each with a number.

    Raises:
        ConfigError: it cannot be read, or names what is no limit; says what was perhaps meant.
    """
    document = parse(read_text(path), str(path))
    known = yardstick().limits
    wrong = []
    for name, value in document.data.items():
        if name not in known:
            wrong.append(document.note((name,), f"{name!r} is no limit{near(name, known)}"))
        elif not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < float("inf"):
            wrong.append(document.note((name,), f"{name!r} is a number from 0 up"))
    if wrong:
        raise ConfigError("\n".join(f"{path} {note}" for note in sorted(wrong)))
    return {name: float(value) for name, value in document.data.items()}
