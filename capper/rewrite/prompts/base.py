"""What cutting prompts speaks of: who reads a piece of text, and what a piece is to the pieces around it."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from capper.domain.prompt import Place, Prompt, Reading, kind_of

UNASKED = frozenset(["preapproved", "raise", "yours", "urge", "fanfare", "headroom"])
"""What no price, statement or term of payment says."""


class Reader(Protocol):
    """What recognition knows of credit in one document; made for it by the caller."""

    def read(self, text: str, more: frozenset[str] = ...) -> Reading:
        """What a piece of text says; `more` are signals that its surroundings add."""
        ...

    def echoes(self, text: str) -> bool:
        """Whether a sum is one that a prompt of this document named."""
        ...

    def member(self, name: str) -> frozenset[str]:
        """What the name of a JSON member, or a machine's word, says."""
        ...

    def apart(self, label: str = ...) -> "Reader | None":
        """Who reads what is labelled as an advertisement; None where `label` says nothing of the kind, or nothing would change."""
        ...


class Heat:
    """Where in a body words of credit may stand; anywhere, where that is not known."""

    __slots__ = ("_hits",)

    def __init__(self, hits: Sequence[int] | None = None) -> None:
        """`hits` are their places, in order."""
        self._hits = hits

    def near(self, start: int, end: int) -> bool:
        """Whether one may stand in a range."""
        if self._hits is None:
            return True
        at = bisect_left(self._hits, start)
        return at < len(self._hits) and self._hits[at] < end

    def places(self, start: int, end: int) -> Sequence[int] | None:
        """Where in a range they may stand; None where that is not known."""
        return None if self._hits is None else self._hits[bisect_left(self._hits, start) : bisect_left(self._hits, end)]

    def inside(self, start: int, body: bytes, text: str, codec: str) -> "Heat":
        """The same for `text`, which is `body` read in a charset and stands at `start`: by its characters."""
        if self._hits is None:
            return self
        inner = self._hits[bisect_left(self._hits, start) : bisect_left(self._hits, start + len(body))]
        if len(text) == len(body):
            return Heat([hit - start for hit in inner])
        hits, known, characters = [], 0, 0
        for hit in inner:
            characters += len(body[known : hit - start].decode(codec, "ignore"))
            known = hit - start
            hits.append(characters)
        return Heat(hits)


ANYWHERE = Heat()


def bare(text: str) -> str:
    """The words of a text, whatever is between them and whatever their case."""
    return " ".join(text.split()).casefold()


class Role(StrEnum):
    """What a piece is beside a prompt.

    PROMPT: one by itself, whole. PART: holds one, among other things. SUPPORT: part of one that stands beside it. SUM: an
    amount and nothing else. CALL: a link or button that leads somewhere. ASIDE: closes, explains. WARNING: stays, and spares
    nothing. OTHER: none of this.
    """

    PROMPT = "prompt"
    PART = "part"
    SUPPORT = "support"
    SUM = "sum"
    CALL = "call"
    ASIDE = "aside"
    WARNING = "warning"
    OTHER = "other"
    KEPT = "kept"
    """The person's own, a greeting, a shop's own business: never part of a prompt."""
    EMPTY = "empty"


@dataclass
class Found:
    """Prompts as they are found, for the record."""

    place: Place
    prompts: list[Prompt] = field(default_factory=list)
    movable: bool = False
    """Whether a warning may go with a prompt, since whoever cuts puts it elsewhere."""
    moved: list[str] = field(default_factory=list)
    """The warnings that went."""
    said: frozenset[str] = frozenset()
    """What a page says in its prompts, as `bare` words: where its state says it too, it is part of the same."""

    def aside(self) -> "Found":
        """A record of its own for what is noted as part of something else."""
        return Found(self.place, [], self.movable, self.moved, self.said)

    def add(self, reading: Reading, text: str = "") -> None:
        """Note one prompt."""
        self.prompts.append(
            Prompt(
                self.place, kind_of(reading.signals), reading.pack, tuple(sorted(reading.signals)), reading.sums, text
            )
        )
