"""Whether what a reader said to an ad by its own notice holds: how often the same advertiser came again. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from capper.audit.met import Choice, Load, Meeting, Refusal, page_of
from capper.domain.identity import Ad
from capper.domain.mute import Mute, Name, Why, chosen


def recorded(
    mutes: Mapping[str, Sequence[Mute]], came: Sequence[tuple[str, Mute]], loads: Sequence[Load]
) -> Iterator[Choice]:
    """Of refusals that stand in a recording, as the gate heard them: a reader's `mutes`, and those that were met again."""
    again = Counter((person, mute.since) for person, mute in came)
    for person, all_ in mutes.items():
        said = sorted((mute for mute in all_ if mute.why is Why.CLICKED), key=lambda mute: mute.since)
        for since, mine in groupby(said, key=lambda mute: mute.since):
            pages = [load for load in loads if load.person == person]
            where = next((page_of(load.url) for load in reversed(pages) if load.at <= since), "")
            later = sum(load.at > since for load in pages)
            subject = ", ".join(mute.name for mute in mine)
            yield Choice(person, where, subject, "stop seeing this ad", again[person, since], later)


def tried(
    refusals: Iterable[Refusal], framed: Mapping[str, Sequence[Ad]], loads: Sequence[Load], meetings: Sequence[Meeting]
) -> Iterator[Choice | None]:
    """Of refusals while a browser was recorded, which loaded the page again; None where it is not known whose ad was meant."""
    for each in refusals:
        names = next(filter(None, (_names(framed.get(frame, ())) for frame in each.frames)), None)
        if names is None:
            yield None
            continue
        later = {number for number, load in enumerate(loads) if load.at > each.at}
        again = sum(one.load in later and not names.isdisjoint(chosen(one.ad)) for one in meetings)
        subject = ", ".join(name for _, name in sorted(names))
        yield Choice(loads[0].person, page_of(each.page), subject, each.said, again, len(later))


def _names(ads: Sequence[Ad]) -> frozenset[Name] | None:
    """Whose ad a document holds; None where that is not known, or it holds those of several."""
    found = {frozenset(chosen(ad)) for ad in ads} - {frozenset()}
    return found.pop() if len(found) == 1 else None
