"""What is known of one subscribed filter list, how an update of it went, and how it is written down."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from capper.recognise.filterlist import USUAL, ListKind

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What a list may be called: it is a file's name too."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One list the owner subscribed to, and what is known of its last good copy."""

    name: str
    source: str
    kind: ListKind
    title: str = ""
    etag: str = ""
    fetched_at: datetime | None = None
    expires: timedelta = USUAL
    rules: int = 0
    sha256: str = ""
    failure: str = ""
    """Why the last attempt to update failed; empty when it did not."""

    def due(self, now: datetime) -> bool:
        """Whether the copy has outlived its `! Expires`, or there is none."""
        return self.fetched_at is None or now >= self.fetched_at + self.expires or self.fetched_at > now

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON file or `--json`."""
        return {
            "name": self.name,
            "source": self.source,
            "kind": str(self.kind),
            "title": self.title,
            "etag": self.etag,
            "fetched_at": self.fetched_at.isoformat() if self.fetched_at else None,
            "expires_hours": round(self.expires / timedelta(hours=1), 2),
            "rules": self.rules,
            "sha256": self.sha256,
            "failure": self.failure,
        }

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """Read what `as_json` made.

        Raises:
            KeyError, TypeError, ValueError: it is not that.
        """
        fetched = datetime.fromisoformat(row["fetched_at"]) if row["fetched_at"] else None
        if fetched is not None and fetched.tzinfo is None:
            raise ValueError("fetched_at has no time zone")
        if not NAME.fullmatch(row["name"]):
            raise ValueError(f"{row['name']!r} is no name for a list")
        return cls(
            row["name"],
            str(row["source"]),
            ListKind(row["kind"]),
            str(row["title"]),
            str(row["etag"]),
            fetched,
            timedelta(hours=float(row["expires_hours"])),
            int(row["rules"]),
            str(row["sha256"]),
            str(row["failure"]),
        )


class Outcome(StrEnum):
    """How one list came out of an update."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FRESH = "fresh"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """What an update did to one list; on failure the last good copy stays in use."""

    name: str
    outcome: Outcome
    rules: int
    before: int
    detail: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "name": self.name,
            "outcome": str(self.outcome),
            "rules": self.rules,
            "before": self.before,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Status:
    """One list as it stands: a subscription, or one that travels with capper (`source` is then `packaged`)."""

    subscription: Subscription
    due: bool
    packaged: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {**self.subscription.as_json(), "due": self.due, "packaged": self.packaged}
