"""Calls the addons' hooks by a table made once, where mitmproxy searches every addon at every event.

With ten addons and four events a request that search, and the update events nobody here listens to, are a fifth of the
proxy's time.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any

from mitmproxy import exceptions, hooks, http
from mitmproxy.addonmanager import AddonManager

from capper.proxy.faults import place, trace

logger = logging.getLogger(__name__)


class Dispatch(AddonManager):
    """mitmproxy's addon manager, with the hooks of each event looked up once. Addons must not change their hooks."""

    def __init__(self, master: Any) -> None:
        super().__init__(master)  # type: ignore[no-untyped-call]
        self._table: dict[str, tuple[Callable[..., Any], ...]] = {}

    def register(self, addon: Any) -> Any:
        self._table.clear()
        return super().register(addon)  # type: ignore[no-untyped-call]

    def remove(self, addon: Any) -> None:
        self._table.clear()
        super().remove(addon)  # type: ignore[no-untyped-call]

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        """One event; mitmproxy's `update` event after each serves its user interfaces, and is left out."""
        await self.trigger_event(event)

    async def trigger_event(self, event: hooks.Hook) -> None:
        listeners = self._table.get(event.name)
        if listeners is None:
            listeners = self._table[event.name] = self._listeners(event)
        if not listeners:
            return
        args = event.args()
        for listener in listeners:
            try:
                result = listener(*args)
                if result is not None and inspect.isawaitable(result):
                    await result
            except exceptions.AddonHalt:
                return
            except Exception as exc:  # noqa: BLE001  one addon's fault must not keep the flow from going on
                logger.error("%s: %s\n%s", event.name, place(exc), trace(exc))  # noqa: TRY400  see faults

    def _listeners(self, event: hooks.Hook) -> tuple[Callable[..., Any], ...]:
        return tuple(listener for addon in self.chain for _, listener in self._iter_hooks(addon, event))


def trust_messages() -> None:
    """Leave out mitmproxy's check of its own types whenever it makes a message, as `python -O` would: 6 % of its time."""
    http.MessageData.__post_init__ = _nothing  # type: ignore[method-assign]


def _nothing(_: http.MessageData) -> None:
    pass
