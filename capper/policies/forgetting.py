"""Forgetting a person whole: what the ledger keeps of her, and the old versions of the policy that name her."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from capper.domain.identity import HOUSEHOLD
from capper.ledger.base import Ledger
from capper.ledger.versions import Version, Versions
from capper.policies.enacting import Overtaken, newest_usable


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much is gone: records, and the versions that named her; `still` is the one in force where that names her yet."""

    records: int
    versions: tuple[int, ...] = ()
    still: int | None = None


async def forget(ledger: Ledger, person: str, now: datetime) -> Forgotten:
    """Forget `person`. While the policy in force names her, versions before it are left as they are: they would tell no more.

    Raises:
        LedgerUnavailable: the ledger does not answer.
        Overtaken: somebody put another version in force meanwhile; what was counted is forgotten.
    """
    kept = [] if person == HOUSEHOLD else await ledger.versions.all()
    still = next((one.number for one in _holding(kept) if mentions(one.text, person)), None)
    # First, for afterwards an embedded ledger writes its file anew.
    gone = () if still else await _remove(ledger.versions, kept, person, now)
    return Forgotten(await ledger.forget(person), gone, still)


def mentions(text: str | None, person: str) -> bool:
    """Whether a policy's text has the name as a word, in a comment too."""
    return bool(text and re.search(rf"(?<![\w-]){re.escape(person)}(?![\w-])", text))


def _holding(kept: Sequence[Version]) -> list[Version]:
    """The newest version, and the one that is in force if that cannot be used."""
    in_force = newest_usable(kept)
    return [*kept[-1:], *([in_force] if in_force else [])]


async def _remove(versions: Versions, kept: Sequence[Version], person: str, now: datetime) -> tuple[int, ...]:
    named = [one for one in kept if any(mentions(said, person) for said in (one.text, one.who, one.note))]
    if named and named[-1] == kept[-1]:
        # Only who applied it, or why, is about her: it goes on as one of which nobody is told.
        newest = kept[-1]
        anew = replace(newest, number=newest.number + 1, at=now, who="capper", note="")
        if not await versions.add(anew, newest.number):
            raise Overtaken(
                "another version was put in force meanwhile, and old ones are left as they are; try it again"
            )
    await versions.remove([one.number for one in named])
    return tuple(one.number for one in named)
