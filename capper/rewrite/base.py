"""What finding and applying speak of: the slots of a document, how each is filled, and who judges what is an ad."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from capper.domain.evidence import Evidence
from capper.domain.mark import Mark
from capper.domain.sighting import Format

if TYPE_CHECKING:
    from capper.clues import Shapes
    from capper.markup import Span


class Labels(Protocol):
    """What recognition knows of the words that mark an item as paid for."""

    @property
    def spoken(self) -> tuple[str, ...]:
        """Attributes that hold such words."""
        ...

    @property
    def flags(self) -> tuple[str, ...]:
        """Attributes that say it by themselves, unless their value is in `off`."""
        ...

    @property
    def off(self) -> Collection[str]:
        """Values that switch a flag off."""
        ...

    def likely(self, texts: Iterable[str]) -> set[str]:
        """Those of the texts that begin as such words do, and letters that stand alone; quick."""
        ...

    def read(self, text: str, language: str = "") -> Mark | None:
        """What a text that stands on its own says on a page in `language`; None where it is no label."""
        ...

    def is_name(self, text: str) -> bool:
        """Whether a text that follows a label can be a name."""
        ...


class Judge(Protocol):
    """What recognition knows about one page; made for it by the caller."""

    def is_ad(self, url: str, kind: str) -> bool:
        """Whether a request from this page for `url` as `kind` (`image`, `media`, `object`) fetches an ad."""
        ...

    def is_click(self, url: str) -> bool:
        """Whether `url` is where an ad network takes clicks."""
        ...

    def is_teaser(self, url: str) -> bool:
        """Whether `url` leads to another page of the same publisher, through a network that counts the click."""
        ...

    def is_elsewhere(self, url: str) -> bool:
        """Whether `url` leads away from the page's site."""
        ...

    def selectors(self, classes: Collection[str], ids: Collection[str]) -> Sequence[Iterable[str]]:
        """CSS selectors that hide ads on this page, given the classes and ids it has; in groups, first those of all pages."""
        ...

    def is_sold(self, url: str) -> bool:
        """Whether `url` is where an ad server counts the click on an ad, and on nothing else: a link in words is an ad too."""
        ...

    def is_profile(self, url: str) -> bool:
        """Whether `url` is one of many on a site of profiles, apps or searches: an ad's, or a "follow us"."""
        ...

    def is_notice(self, url: str) -> bool:
        """Whether `url` explains or refuses ads: it is beside an ad, and never where the ad leads."""
        ...

    @property
    def labels(self) -> Labels:
        """The words that mark an item as paid for."""
        ...

    @property
    def shapes(self) -> "Shapes":
        """How networks' ads look in markup."""
        ...


class Manner(StrEnum):
    """How a withheld slot is filled.

    BOX: the element stays, without its links and handlers, and holds a placeholder. PICTURE: a placeholder stands in its
    place. FRAME: its `srcdoc` becomes a placeholder. LINK: its size is known to the browser alone, so the picture stays
    and its own request is answered with a placeholder; the link around it leads nowhere. LEAVE: the same, without a link.
    """

    BOX = "box"
    PICTURE = "picture"
    FRAME = "frame"
    LINK = "link"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class House:
    """What a page itself would have in a withheld ad's place: the bytes of the ad, and those that would stand for them."""

    span: "Span"
    markup: bytes


@dataclass(frozen=True, slots=True)
class Slot:
    """One ad in a document: what it gives away about itself, the bytes it would cost, and how they would be filled.

    `size` is in CSS pixels, None where markup does not tell it. `opening` and `closing` are the bytes kept of the element.
    """

    number: int
    evidence: Evidence
    span: "Span"
    size: tuple[int, int] | None
    format: Format
    manner: Manner
    opening: bytes = b""
    closing: bytes = b""
    height: int | None = None
    house: House | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The slots of a document, in document order; none overlaps another.

    `refused` says of each house ad that the page declares and that cannot be used why.
    """

    slots: tuple[Slot, ...] = ()
    refused: tuple[str, ...] = ()
