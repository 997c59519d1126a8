"""What readers met, as plain values: the loads of pages, the ads on them, and what a policy would have made of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from capper.domain.identity import Ad
from capper.domain.sighting import Format


@dataclass(frozen=True, slots=True)
class Meeting:
    """One ad that one reader was shown; `load` is the index of the page load, `place` its number among the load's ads."""

    load: int
    place: int
    ad: Ad
    format: Format = Format.BANNER
    pod: str | None = None
    site: str = ""
    """The registrable domain of the page."""


@dataclass(slots=True)
class Load:
    """One load of a page by one reader, and what came with it.

    Sizes are bytes as the page holds them, without the coding they travel in.
    """

    url: str
    person: str
    device: str
    at: datetime
    product: bool = False
    session: int = 0
    requests: int = 0
    size: int = 0
    ad_requests: int = 0
    ad_size: int = 0
    prompts: tuple[str, ...] = ()
    """Of each credit prompt, its kind."""
    loud: list[str] = field(default_factory=list)
    """Sound or film that starts by itself, unmuted: where it is from."""
    moving: list[str] = field(default_factory=list)
    """Pictures of ads that move by themselves: where they are from."""
    housed: int = 0
    """Ads of its markup that have a house ad beside them."""
    unhoused: tuple[str, ...] = ()
    """Of each house ad that cannot be used why."""
    look: "Look | None" = None


@dataclass(frozen=True, slots=True)
class Notice:
    """The "i" of one ad, tried by a click: the site of the ad's document, what came of it, and by which words the ad was refused."""

    where: str
    works: bool
    came: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ad that was refused by its own notice while a browser was recorded: of `frames`, the first that holds a known ad is meant."""

    frames: tuple[str, ...]
    at: datetime
    said: str
    page: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a refusal: whose ad it was, and how often such a one was met again, in how many later loads of a page."""

    person: str
    where: str
    subject: str
    said: str
    again: int
    loads: int


@dataclass(frozen=True, slots=True)
class Look:
    """What only a browser sees of a load. Lengths in CSS pixels."""

    width: int
    height: int
    tall: int
    """The page's whole height."""
    most_on_screen: int
    """The most ads that can be seen at one time, wherever she scrolls to."""
    share: float
    """The most of a screen's area that ads cover, from 0 to 1."""
    notices: tuple[Notice, ...] = ()
    picture: str = ""
    """A screenshot's file name."""


@dataclass(frozen=True, slots=True)
class Capped:
    """What the policy would have done with the same traffic.

    Money is in units of its currency ("" where the answers name none): what the winning bids paid, and how much less would
    have been paid because the runner-up won; only where answers carry prices.
    """

    met: int = 0
    withheld: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)
    """How many, by the cap that spoke."""
    paid: Mapping[str, float] = field(default_factory=dict)
    lost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One audit's material."""

    sources: tuple[str, ...]
    loads: tuple[Load, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    capped: Capped = Capped()
    bodiless: int = 0
    """Answers whose body the recordings do not hold: what was in them cannot be seen."""
    entries: int = 0
    choices: tuple[Choice, ...] = ()
    """Refusals of ads that could be told."""
    untold: int = 0
    """Refusals of which it is not known whose ad was meant."""
    missed: tuple[str, ...] = ()
    """Loads of pages that failed: which page, and why."""

    @property
    def live(self) -> bool:
        """Whether a browser looked at the pages."""
        return any(load.look for load in self.loads)

    @property
    def unhoused(self) -> tuple[tuple[str, str], ...]:
        """House ads that cannot be used: which page, and which of its and why."""
        return tuple(dict.fromkeys((page_of(load.url), reason) for load in self.loads for reason in load.unhoused))

    def on(self, load: int) -> Iterator[Meeting]:
        """The ads of one load, in their order."""
        return (each for each in self.meetings if each.load == load)


def page_of(url: str) -> str:
    """A page as reports name it: its address without query and fragment, which may hold what is private."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
