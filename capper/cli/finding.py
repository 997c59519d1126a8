"""All that is known of an address: the filter rule that names it, whose ad it is, the caps that hold and where they stand."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from capper.domain.decision import Answer, Check, Claim, Decision, conclude, prepare
from capper.domain.errors import LedgerUnavailable
from capper.domain.evidence import Evidence
from capper.domain.exchange import Exchange, Headers, Request
from capper.domain.identity import Ad, Viewer
from capper.domain.policy import Policy
from capper.domain.sighting import Format, Sighting
from capper.domain.window import from_ms, reopens
from capper.recognise.domains import host_of, registrable
from capper.recognise.engine import Label, Recognised
from capper.recognise.kind import UNKNOWN_SOURCE, Kind, kind_of
from capper.recognise.recogniser import Recogniser

_LIKELY = (Kind.SUBDOCUMENT, Kind.IMAGE, Kind.SCRIPT, Kind.XHR)
FORMATS = {Kind.IMAGE: Format.IMAGE, Kind.SUBDOCUMENT: Format.FRAME, Kind.MEDIA: Format.VIDEO}


@dataclass(frozen=True, slots=True)
class Asking:
    """The request to be judged; without a `kind`, the likeliest one that a list names."""

    url: str
    page: str = UNKNOWN_SOURCE
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """One cap against one name of the ad; `count` is None where the ledger did not answer."""

    check: Check
    name: str
    count: int | None
    reopens: datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """What became clear of an address; `silent` says why the ledger said nothing, and is empty where it answered."""

    asking: Asking
    kind: Kind
    recognised: Recognised
    sighting: Sighting
    decision: Decision
    held: tuple[Held, ...]
    silent: str


async def judge(
    asking: Asking,
    recogniser: Recogniser,
    policy: Policy,
    viewer: Viewer,
    now: datetime,
    *,
    peek: Callable[[Claim], Awaitable[Answer]],
) -> Finding:
    """What would become of the request now.

    Args:
        peek: asks the ledger without counting; may raise LedgerUnavailable. Called only where a cap might speak.
    """
    kind, recognised = named(recogniser, asking, now)
    sighting = Sighting(
        viewer=viewer,
        ad=whose(recogniser, asking),
        occasion=secrets.token_hex(8),
        format=FORMATS.get(kind, Format.BANNER),
        site=registrable(host_of(asking.page)) if asking.page != UNKNOWN_SOURCE else None,
        network=registrable(host_of(asking.url)),
    )
    rule, claim = prepare(policy, sighting, now)
    answer, silent = Answer(shown=not claim.refused), ""
    if claim.checks and not claim.refused:
        try:
            answer = await peek(claim)
        except LedgerUnavailable as exc:
            silent = str(exc)
    decision = conclude(policy, sighting, rule, claim, answer, now)
    held = []
    for place, check in enumerate(claim.checks):
        tally = answer.tallies[place] if place < len(answer.tallies) else None
        full = tally.nth_ms if tally else None
        opens = None if full is None else reopens(check.cap.window, from_ms(full), now, policy.zone, policy.session_gap)
        held.append(Held(check, claim.counters[check.counter].value, tally.count if tally else None, opens))
    return Finding(asking, kind, recognised, sighting, decision, tuple(held), silent)


def whose(recogniser: Recogniser, asking: Asking) -> Ad:
    """Whose ad the address is: of a file by its own address, of a click by where it leads."""
    ad = recogniser.read_url(asking.url, asking.page)
    landing = None if ad.advertisers else recogniser.reader.landing(asking.url, asking.page)
    if landing is None or not landing.through:
        return ad
    return recogniser.read(Evidence(clicks=(asking.url,), page=asking.page))


def named(recogniser: Recogniser, asking: Asking, now: datetime) -> tuple[Kind, Recognised]:
    """What lists say of it, and as what: the kind asked for, else the one its address tells, else the likeliest that a list names."""
    referer = [("Referer", asking.page)] if asking.page != UNKNOWN_SOURCE else []
    told = asking.kind or kind_of(Exchange(Request("GET", asking.url, Headers(referer)), Viewer(), now))
    kinds = (told,) if asking.kind or told not in {Kind.DOCUMENT, Kind.OTHER} else _LIKELY
    found = [(kind, recogniser.engines.verdict(asking.url, asking.page, kind)) for kind in kinds]
    for label in (Label.AD, Label.TRACKER):
        for kind, recognised in found:
            if recognised.label is label:
                return kind, recognised
    return next(((kind, recognised) for kind, recognised in found if recognised.match), found[0])
