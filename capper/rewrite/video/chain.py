"""What is known of a player's answer before it comes: a wrapper or an ad break sent the player for it.

    before = what was remembered of the address that is being answered, or None
    for url, sending in sendings(videos, token, withheld, before):     # to be remembered for minutes, this person's alone
        ...

So the last answer of a chain is led back to the pod it plays in, and what the wrappers count by to the ad found there.
Nothing is asked for: only what the player itself asks for is looked at.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from capper.markup import unique
from capper.rewrite.video.answer import Stop, Tag, Video, Videos

MOST_STEPS = 10
"""Players give up after 5 or so wrappers (VAST 4.2, section 2.4.1.1); what goes in a circle ends here."""
MOST_BEACONS = 200


@dataclass(frozen=True, slots=True)
class Sending:
    """Why a player asks for an answer.

    `pod` is the token of the pod, or of the playlist's break, that all ads found there belong to; None: they make their
    own. `sure`: what is found there plays if it works, and not only in place of another. `several` and `onward` are those
    of `Tag`. `beacons` of all wrappers on the way are asked for when the ad found there plays.
    """

    pod: str | None = None
    sure: bool = True
    several: bool = True
    onward: bool = True
    beacons: tuple[str, ...] = ()
    steps: int = 1


def pod_of(video: Video, stop: Stop, token: str, before: Sending | None = None) -> str | None:
    """The token of the pod that an ad plays in; `token` is of the answer that holds it, and as unique as its occasion."""
    if before is not None and before.pod is not None:
        return before.pod
    return f"{token} {video.place}" if video in stop.pod else None


def sendings(
    videos: Videos, token: str, withheld: Collection[int] = (), before: Sending | None = None
) -> Iterator[tuple[str, Sending]]:
    """Where the player will ask on, and why, once the ads numbered `withheld` are taken out."""
    steps = before.steps + 1 if before else 1
    if steps > MOST_STEPS:
        return
    stops = videos.stops(several=before is None or before.several)
    playing = {ad.number for stop in stops for ad in stop.playing(withheld)}
    podded = {ad.number for stop in stops for ad in stop.pod}
    for tag in videos.tags:
        if tag.ad is not None and tag.ad in withheld:
            continue
        own = tag.ad is None or tag.ad in podded
        yield (
            tag.url,
            Sending(
                before.pod if before and before.pod else f"{token} {tag.place}" if own else None,
                sure=_sure(tag, playing, before),
                several=tag.several,
                onward=tag.onward,
                beacons=unique((*(before.beacons if before else ()), *tag.beacons), MOST_BEACONS),
                steps=steps,
            ),
        )


def _sure(tag: Tag, playing: Collection[int], before: Sending | None) -> bool:
    followed = before is None or (before.sure and before.onward)
    return followed and (tag.ad is None or tag.ad in playing)
