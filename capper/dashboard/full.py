"""Which advertisers a person would not be shown now, because a cap of hers is full, and when it opens."""

from collections.abc import Iterable
from datetime import UTC, datetime

from capper.dashboard.speech import Tongue
from capper.domain.decision import Decision, Verdict
from capper.domain.identity import Ad, Basis, Viewer
from capper.domain.policy import Policy
from capper.ledger.base import Entry
from capper.ledger.standing import Standing, standings
from capper.rewrite.wording import words

_NEVER_OPENS = datetime.max.replace(tzinfo=UTC)


def full_caps(policy: Policy, viewer: Viewer, entries: Iterable[Entry], tongue: Tongue) -> dict[str, str]:
    """By advertiser, the cap that opens last of those that are full, in the reader's words: `3 of 3 per 24 hours, again at 14:10`."""
    found = {}
    for entry in entries:
        rule, held = standings(policy, viewer.name, entry, tongue.now)
        full = [standing for standing in held if standing.full]
        if full:
            last = max(full, key=_opens)
            ad = Ad((entry.name,), basis=Basis.REMEMBERED)
            decision = Decision(Verdict.WITHHOLD, viewer, ad, rule.name, last.cap, last.count, last.reopens)
            told = words(decision, tongue.speech, tongue.now)
            found[entry.name] = ", ".join(filter(None, (told.why, told.when)))
    return found


def _opens(standing: Standing) -> datetime:
    return standing.reopens or _NEVER_OPENS
