"""Credit prompts as values: what a piece of text says of credit, and what was cut and why."""

import re
from dataclasses import dataclass, field
from enum import StrEnum


class Place(StrEnum):
    """Where in a body a prompt stood."""

    PAGE = "page"
    STATE = "state"
    ANSWER = "answer"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one piece of text says of credit; `signals` name the categories of words that were met.

    `prompt`: by itself a prompt. `support`: part of one, if it stands beside one. `against`: the person's own money or
    agreement, or somebody telling about credit; never cut. `foreign`: about something else. `warning`: a mandatory warning or statutory example; never cut
    either, but no reason to spare what stands beside it.
    """

    score: float = 0.0
    signals: frozenset[str] = frozenset()
    pack: str = ""
    prompt: bool = False
    support: bool = False
    against: bool = False
    foreign: bool = False
    warning: bool = False
    greeting: bool = False
    action: bool = False
    sums: frozenset[str] = frozenset()
    """The digits of the sums it names."""

    @property
    def amount(self) -> bool:
        """Whether it names an amount of money."""
        return "amount" in self.signals

    @property
    def bare(self) -> bool:
        """Whether it says nothing but an amount."""
        return "amount" in self.signals and self.signals <= {"amount", "round"}


SILENCE = Reading()


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt that was cut or marked: where it stood, which words gave it away, in which language's pack."""

    place: Place
    kind: str
    pack: str
    signals: tuple[str, ...]
    sums: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    text: str = field(default="", repr=False, compare=False)
    """Both are personal and never written down: for finding where the page says it again, and for showing it to her."""


def kind_of(signals: frozenset[str]) -> str:
    """What kind of prompt these signals make, in a word or two a person understands."""
    for needed, kind in _KINDS:
        if needed & signals:
            return kind
    return "credit offered"


_KINDS = (
    (frozenset(["raise"]), "limit raised"),
    (frozenset(["popular"]), "pay later recommended"),
    (frozenset(["headroom"]), "room to spend"),
    (frozenset(["borrow"]), "loan offered"),
    (frozenset(["later"]), "pay later urged"),
    (frozenset(["decided"]), "credit already approved"),
    (frozenset(["yours"]), "person selected"),
)


def digits(text: str) -> str:
    """A sum's digits without its cents: `1.850,00`, `1850` and `1850.0` are one; "" for what is too small to tell."""
    found = re.sub(r"\D", "", _CENTS.sub("", text))
    return found if len(found) >= _TELLING else ""


_CENTS = re.compile(r"[.,](?:\d{1,2}|-)(?!\d)")
_TELLING = 3
