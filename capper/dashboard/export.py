"""All that is kept of a person, as values that JSON can write."""

from collections.abc import Mapping
from typing import Any

from capper.dashboard.decided import records_of
from capper.dashboard.house import House
from capper.domain.daily import Follower, date_of
from capper.domain.mute import Mute
from capper.journal import Record


async def export(house: House, person: str) -> Mapping[str, Any]:
    """Her days by advertiser (`all` is their sum), the times that count, her mutes, and what was decided in the last day.

    Raises:
        LedgerUnavailable: the ledger does not answer.
    """
    ledger, now = house.ledger, house.clock()
    followers = await ledger.followers(person, house.today())
    return {
        "person": person,
        "exported": now.isoformat(timespec="seconds"),
        "days": {_text(each.name) or "all": _days(each) for each in sorted(followers, key=lambda one: one.name)},
        "counted": [
            {"advertiser": _text(entry.name), "times": [time.isoformat() for time in entry.times]}
            for entry in await ledger.entries(person, now)
        ],
        "muted": [_mute(mute) for mute in await ledger.mutes(person, now)],
        "decisions": [_decision(record) for record in records_of(await ledger.notes(person, now))],
    }


def _days(follower: Follower) -> dict[str, Any]:
    days = {
        date_of(day).isoformat(): {"shown": one.shown, "withheld": one.withheld, "prompts": one.prompts}
        for day, one in sorted(follower.days.items())
    }
    return {"sites": follower.sites, "days": days}


def _mute(mute: Mute) -> dict[str, Any]:
    return {
        "level": mute.level,
        "name": _text(mute.name),
        "why": mute.why,
        "since": mute.since.isoformat(),
        "until": mute.until.isoformat(),
    }


def _decision(record: Record) -> dict[str, Any]:
    return {name: _plain(value) for name, value in record.row().items()}


def _plain(value: object) -> object:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | None) else str(value)


def _text(value: str) -> str:
    """Half a surrogate pair cannot be written."""
    return value.encode("utf-8", "replace").decode()
