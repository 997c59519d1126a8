"""How a running capper is: what its owner should know, and what a monitoring system asks."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from capper.dashboard.house import House
from capper.domain.errors import ConfigError
from capper.ledger.base import Health
from capper.recognise.lists import ListStore
from capper.recognise.subscription import Status

SOON = timedelta(days=30)


class State(StrEnum):
    """How one part is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Part(StrEnum):
    """What is looked at."""

    LEDGER = "ledger"
    LISTS = "lists"
    CERTIFICATE = "certificate"
    JOURNAL = "journal"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one part is; a page says it of `counts`, `ends` and `lasting` in its reader's language, `detail` is as the part puts it."""

    part: Part
    state: State
    detail: str = ""
    counts: tuple[int, ...] = ()
    """Of the lists how many there are and how many rules they have, of the journal how many records it lost."""
    ends: datetime | None = None
    lasting: bool = True
    """Whether what is counted outlives this process."""


async def findings(house: House) -> list[Finding]:
    """Every part, the ledger first."""
    health, lists = await house.ledger.health(), await asyncio.to_thread(lists_of, house)
    return [ledger_finding(health), *_others(house, lists)]


def ledger_finding(health: Health) -> Finding:
    """How the ledger is."""
    state = State.FAIL if not health.ok else State.WARN if health.detail else State.OK
    return Finding(Part.LEDGER, state, health.detail or health.server, lasting=health.lasting)


def lists_of(house: House) -> list[Status]:
    """The filter lists in use; none where the file that names them cannot be read."""
    try:
        return ListStore(house.settings.state).show(house.clock())
    except ConfigError:
        return []


def _others(house: House, lists: list[Status]) -> Iterator[Finding]:
    failed = [status.subscription.name for status in lists if status.subscription.failure]
    rules = sum(status.subscription.rules for status in lists)
    state = State.WARN if failed or not lists else State.OK
    yield Finding(Part.LISTS, state, ", ".join(failed), (len(lists), rules))
    if house.certificate_ends:
        yield _certificate(house.certificate_ends, house.clock())
    if dropped := house.totals.dropped:
        yield Finding(Part.JOURNAL, State.WARN, counts=(dropped,))


def _certificate(ends: datetime, now: datetime) -> Finding:
    state = State.FAIL if ends <= now else State.WARN if ends - now < SOON else State.OK
    return Finding(Part.CERTIFICATE, state, ends=ends)
