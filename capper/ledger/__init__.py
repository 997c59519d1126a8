"""The place that remembers how often a viewer was shown an ad, on whatever it is kept: `open_ledger` chooses by address."""

import difflib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capper.domain.errors import ConfigError
from capper.later import import_bare

if TYPE_CHECKING:
    from capper.ledger.base import Ledger
    from capper.ledger.secret import Secret

# Its connections are needed, not its clients: those, a cluster's and all commands are half of what it takes to import.
import_bare("redis", "redis.asyncio")

SCHEMES: Final = {
    "memory": "memory:",
    "embedded": "embedded or embedded:FOLDER",
    "redis": "redis://HOST:PORT/DB",
    "rediss": "rediss://HOST:PORT/DB (TLS; ?ssl_ca_certs=FILE for a CA of your own)",
    "unix": "unix:///PATH/TO/SOCKET",
    "redis+sentinel": "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE",
    "rediss+sentinel": "rediss+sentinel://HOST:PORT,HOST:PORT/SERVICE",
    "redis+cluster": "redis+cluster://HOST:PORT",
    "rediss+cluster": "rediss+cluster://HOST:PORT",
}
"""Every kind of address a ledger can have, and how it is written."""

DEADLINE: Final = timedelta(milliseconds=50)
SILENCE: Final = 2.0
"""Seconds until a server that says nothing is given up; `GuardedLedger` waits much less."""


def open_ledger(
    url: str,
    secret: "Secret",
    *,
    folder: Path | None = None,
    deadline: timedelta | None = DEADLINE,
    silence: float = SILENCE,
) -> "Ledger":
    """The ledger at `url`; nothing is connected to or started before its first call.

    Args:
        folder: where a bare `embedded` lives; left out: `ledger` beside the secret's file.
        deadline: how long a claim may take before it is answered from what this process remembers; None for a ledger
            without that guard, which raises `LedgerUnavailable` instead.
        silence: seconds a server may say nothing before its connection is given up.

    Raises:
        ConfigError: the address cannot be understood; says what was perhaps meant.
    """
    # What a kind of ledger needs is imported with it: redis-py takes a third of a second.
    scheme, _, rest = url.partition(":")
    if scheme == "memory" and not rest:
        from capper.ledger.memory import MemoryLedger  # noqa: PLC0415

        return MemoryLedger()
    ledger = _embedded(rest, secret, folder, silence) if scheme == "embedded" else _served(scheme, url, secret, silence)
    if deadline is None:
        return ledger
    from capper.ledger.guard import GuardedLedger  # noqa: PLC0415

    return GuardedLedger(ledger, deadline, changes=lambda: secret.changes)


def _embedded(rest: str, secret: "Secret", folder: Path | None, silence: float) -> "Ledger":
    from capper.ledger.embedded import EmbeddedLedger  # noqa: PLC0415

    place = Path(rest).expanduser() if rest else folder
    if place is None and secret.path:
        place = secret.path.parent / "ledger"
    if place is None:
        raise ConfigError("start the embedded ledger: it needs a folder; write embedded:FOLDER")
    return EmbeddedLedger(place, secret, silence)


def _served(scheme: str, url: str, secret: "Secret", silence: float) -> "Ledger":
    if scheme not in SCHEMES or not url.startswith(f"{scheme}://"):
        near = difflib.get_close_matches(scheme.lower().replace("valkey", "redis"), SCHEMES, n=1, cutoff=0.6)
        hint = f"did you mean {SCHEMES[near[0]]}?" if near else f"expected one of: {', '.join(SCHEMES.values())}"
        raise ConfigError(f"use {scheme + ':'!r} as the ledger's address: {hint}")
    from capper.ledger.link import connect  # noqa: PLC0415
    from capper.ledger.redis import RedisLedger  # noqa: PLC0415

    return RedisLedger(connect(url, silence), secret)
