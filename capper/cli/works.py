"""What goes on beside the proxy: the ledger is looked at, the lists are kept up to date, and the certificate's end is watched."""

import asyncio
import logging
from datetime import datetime, timedelta
from pathlib import Path

from capper.assembly import Assembly, ClosedSource, RecogniserSource, utc_now
from capper.backup.swap import finish, interrupted, stamp_of
from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.gateway.ours import HOST
from capper.settings import Settings, policy_file
from capper.settings.options import redacted

REFRESH = timedelta(minutes=5)
"""How often the filter lists in use are looked at: `capper lists update` may have brought newer ones."""
RENEW = timedelta(hours=1)
"""How often subscriptions are asked for that are due by their own word; one that failed is tried again then."""


class Closing:
    """An assembly as `contextlib.aclosing` takes it."""

    def __init__(self, assembly: Assembly) -> None:
        self.aclose = assembly.close


def complete_restore(state: Path) -> None:
    """Go on with a restore that was cut short, before anything of the state folder is read.

    Raises:
        ConfigError: a file cannot be moved.
    """
    if interrupted(state):
        logging.getLogger("capper").warning("a restore that was cut short is completed in %s", state)
        finish(state, stamp_of(utc_now()))


async def check_ledger(assembly: Assembly, settings: Settings) -> None:
    """A ledger of our own must start; one elsewhere may come later, and until then ads pass uncounted.

    Raises:
        LedgerUnavailable: our own does not.
    """
    health = await assembly.ledger.health()
    if health.ok:
        # That counts kept in memory end with capper is what `ledger = memory` asks for.
        if health.detail and health.lasting:
            logging.getLogger("capper").warning("the ledger at %s: %s", redacted(settings.ledger), health.detail)
        return
    detail = health.detail or "it does not answer"
    if settings.ledger.startswith("embedded"):
        raise LedgerUnavailable(f"the ledger does not start: {detail}")
    logging.getLogger("capper").warning(
        "the ledger at %s: %s; ads pass for now, and a policy that was applied is not known, so %s holds",
        redacted(settings.ledger),
        detail,
        policy_file(settings),
    )


async def refresh(recogniser: RecogniserSource, closed: ClosedSource, *, renews: bool = True) -> None:
    """Look at the filter lists again and again; where this process `renews` them, those that are due are fetched."""
    renewed = None
    while True:
        now = utc_now()
        due = renews and (renewed is None or now - renewed >= RENEW)
        try:
            if await asyncio.to_thread(recogniser.renew if due else recogniser.refresh, now):
                logging.getLogger("capper").info("the filter lists were read again")
            await asyncio.to_thread(closed.refresh)
        except (ConfigError, OSError, ValueError) as exc:
            logging.getLogger("capper").warning("the filter lists stay as they were: %s", exc)
        renewed = now if due else renewed
        await asyncio.sleep(REFRESH.total_seconds())


async def warn_of_end(ends: datetime) -> None:
    """A word a day in the log while the certificate nears its end: each device needs the next one by hand."""
    from capper.proxy.authority import SOON  # noqa: PLC0415

    while True:
        if (left := ends - utc_now()) < SOON:
            what = f"ends in {left.days} days" if left > timedelta(0) else "has ended, and nothing is opened any more"
            logging.getLogger("capper").warning(
                "the certificate %s (%s): capper ca renew, start again, and open http://%s/ on each device",
                what,
                f"{ends:%Y-%m-%d}",
                HOST,
            )
        await asyncio.sleep(timedelta(days=1).total_seconds())
