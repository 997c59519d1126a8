"""capper as an addon for people who already run mitmproxy; `addons/cap_ads.py` is the file they name."""

import asyncio
import logging
from pathlib import Path

from mitmproxy import connection, ctx, http
from mitmproxy.addonmanager import Loader

from capper.assembly import Assembly, assemble, utc_now
from capper.domain.errors import CapperError
from capper.proxy.addon import FrequencyCap
from capper.proxy.people import Keeping, People
from capper.settings import load_settings

logger = logging.getLogger(__name__)


class CapAds:
    """The addon: it reads capper's settings when mitmproxy starts, and hands its hooks to `FrequencyCap`.

    Nothing is streamed, so that other addons still see whole bodies; what is opened, and who may use the proxy, is
    mitmproxy's own business here.
    """

    def __init__(self) -> None:
        self._assembly: Assembly | None = None
        self._beside: list[asyncio.Task[None]] = []
        self._ready = asyncio.Event()
        self.addons: list[FrequencyCap] = []

    def load(self, loader: Loader) -> None:
        for name, what in (
            ("capper_policy", "The policy file; empty: your own, else the starter policy."),
            ("capper_ledger", "The ledger: embedded, memory, or the URL of a Redis or Valkey."),
            ("capper_state", "The folder of capper's ledger, secret and lists."),
        ):
            loader.add_option(name, str, "", what)

    async def running(self) -> None:
        if self._assembly is not None:
            return
        options = ctx.options
        chosen = {
            "policy": Path(options.capper_policy) if options.capper_policy else None,
            "ledger": options.capper_ledger or None,
            "state": Path(options.capper_state) if options.capper_state else None,
        }
        try:
            settings = load_settings(None, chosen)
            self._assembly = await assemble(settings)
            await self._assembly.warm(utc_now())
            keeping = await asyncio.to_thread(Keeping.begin, settings)
        except CapperError as exc:
            # While mitmproxy starts, an error in its log ends it.
            logger.error("capper: %s", exc)  # noqa: TRY400  a sentence for a person, not a fault
            return
        finally:
            self._ready.set()
        policy = self._assembly.policy
        self._beside = [asyncio.create_task(work) for work in (self._assembly.keep_watch(), keeping.keep(policy))]
        people = People(policy, _user, keeping.sources())
        self.addons = [FrequencyCap(self._assembly.gate, people, stream=False)]

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Hold the first requests: mitmproxy listens before `running` has made everything ready to judge them."""
        del flow
        if not self._ready.is_set():
            await self._ready.wait()

    async def done(self) -> None:
        self.addons = []
        for task in self._beside:
            task.cancel()
        self._beside = []
        if self._assembly is not None:
            await self._assembly.close()
            self._assembly = None


def _user(client: connection.Client) -> str | None:
    """Whom mitmproxy's own proxy authentication knows behind a connection."""
    keeper = ctx.master.addons.get("proxyauth")  # type: ignore[no-untyped-call]
    found = keeper.authenticated.get(client) if keeper else None
    return found[0] if found else None
