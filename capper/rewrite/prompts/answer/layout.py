"""Where the values of a document stand, whatever notation it is written in."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from capper.jsontext import Locator, Place, Text


class Spot(NamedTuple):
    """A member or element, and from where to where the value it names is written: its own, or one that it refers to."""

    place: Place
    at: int
    stop: int


class Layout(Protocol):
    """A document as text and as a value."""

    source: str
    value: object
    shared: bool
    """Whether several members may refer to one value."""

    @property
    def at(self) -> int:
        """Where the document's own value begins."""
        ...

    @property
    def stop(self) -> int:
        """Where it ends."""
        ...

    def spots(self, at: int) -> Sequence[Spot]:
        """The members or elements of the object or array at `at`, in order."""
        ...


class Json:
    """The layout of JSON."""

    shared = False

    def __init__(self, text: Text, stop: int | None = None) -> None:
        self.source, self.value = text.source, text.value
        self._locator = Locator(text)
        self._stop = stop

    @cached_property
    def at(self) -> int:
        """Where the document's own value begins."""
        return self._locator.at(())

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self._locator.end(self.at) if self._stop is None else self._stop

    @property
    def reach(self) -> int:
        """Where the last of what it says ends."""
        return self.stop

    def spots(self, at: int) -> list[Spot]:
        """The members or elements of the object or array at `at`, in order."""
        return [Spot(place, place.value, place.end) for place in self._locator.children(at)]
