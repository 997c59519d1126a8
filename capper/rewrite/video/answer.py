"""What a video player's answer holds, as values: ads, the places they play in, and where the player asks on for more."""

from collections.abc import Collection
from dataclasses import dataclass

from capper.domain.offer import Offer
from capper.markup import Span


@dataclass(frozen=True, slots=True)
class Video:
    """One `<Ad>`: what it says about itself and the bytes it would cost.

    `place` tells the ad breaks of one document apart: with the document it makes the token of a pod. `wrapper` is where
    the player asks on for the real ad (so this one is no sighting yet), "" for an ad that plays itself. `sequence` is its
    turn in a pod, None in a buffet. `impressions` are asked for once it plays, `beacons` while it does; they and all its
    files are the resources of the offer's evidence. A macro such as `[CACHEBUSTING]` stands in them as it is.
    """

    number: int
    offer: Offer
    span: Span
    place: int
    sequence: int | None = None
    wrapper: str = ""
    impressions: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    title: str = ""
    system: str = ""
    beacons: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """Where its icons lead, the "i" of AdChoices among them: never to the advertiser."""


@dataclass(frozen=True, slots=True)
class Break:
    """An ad break of a playlist (VMAP): when it comes, as the playlist says, and what it is called."""

    offset: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """Where the player asks on, for the ads of which `place`.

    `ad` is the number of the wrapper that says so, None where the ad break itself does. `several`: all ads that are found
    there may play, and not only one that stands alone. `onward`: what is found there may send the player further.
    `fallback`: an ad beside this one plays if none is found. `beacons` are asked for when what is found there plays.
    """

    url: str
    place: int
    ad: int | None = None
    sequence: int | None = None
    several: bool = True
    onward: bool = True
    fallback: bool = False
    beacons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """The ads of one place as a player takes them.

    All of `pod` play, in this order. Of `buffet` the first that works plays: alone where there is no pod, else in place of
    a pod's ad that does not. So a pod's ads are sightings, and of a buffet without a pod only the first that is let through
    is; the others are asked about, not counted.
    """

    place: int
    pod: tuple[Video, ...]
    buffet: tuple[Video, ...]

    def playing(self, without: Collection[int] = ()) -> tuple[Video, ...]:
        """The ads that play if none fails, wrappers among them, once those numbered `without` are taken out."""
        pod = tuple(ad for ad in self.pod if ad.number not in without)
        return pod or tuple(ad for ad in self.buffet if ad.number not in without)[:1]


@dataclass(frozen=True, slots=True)
class Videos:
    """The ads of one answer in its order, and all addresses where the player asks on: of wrappers and of ad breaks.

    `breaks` are a playlist's, by place; `alone` the places of which a player is told to play one ad only.
    """

    ads: tuple[Video, ...] = ()
    tags: tuple[Tag, ...] = ()
    breaks: tuple[Break, ...] = ()
    alone: frozenset[int] = frozenset()

    def stops(self, *, several: bool = True) -> tuple[Stop, ...]:
        """The ads by place, each place's as they play; not `several`: one that stands alone, as a wrapper may demand."""
        places = dict.fromkeys(ad.place for ad in self.ads)
        return tuple(_stop(place, self.ads, several=several and place not in self.alone) for place in places)


def _stop(place: int, ads: tuple[Video, ...], *, several: bool) -> Stop:
    here = [ad for ad in ads if ad.place == place]
    pod = sorted((ad for ad in here if ad.sequence is not None), key=lambda ad: ad.sequence or 0)
    buffet = [ad for ad in here if ad.sequence is None]
    # Told to play one ad, a player takes one that stands alone (VAST 3, section 2.3.5.3), and if there is none the first.
    return Stop(place, tuple(pod), tuple(buffet)) if several else Stop(place, (), (*buffet, *pod))
