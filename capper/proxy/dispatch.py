"""Calls the addons' hooks by a table made once and where they arise, where mitmproxy searches every addon in a task of its own.

With ten addons and four events a request that search, and the update events nobody here listens to, are a fifth of the
proxy's time, and the tasks a tenth.
"""

import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields
from typing import Any, Final

from mitmproxy import exceptions, hooks, http
from mitmproxy.addonmanager import AddonManager
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.mode_servers import ProxyConnectionHandler

from capper.proxy.faults import place, trace

logger = logging.getLogger(__name__)

_REST: Final = "_capper_rest"

type Listener = Callable[..., Any]


class Dispatch(AddonManager):
    """mitmproxy's addon manager, with the hooks of each event looked up once. Addons must not change their hooks."""

    def __init__(self, master: Any) -> None:
        super().__init__(master)  # type: ignore[no-untyped-call]
        self._table: dict[str, tuple[tuple[str, ...], tuple[Listener, ...]]] = {}

    def register(self, addon: Any) -> Any:
        self._table.clear()
        return super().register(addon)  # type: ignore[no-untyped-call]

    def remove(self, addon: Any) -> None:
        self._table.clear()
        super().remove(addon)  # type: ignore[no-untyped-call]

    def calls(self, hook: commands.StartHook) -> bool:
        """Call the listeners of a hook as far as none has to wait; False leaves the rest to `handle_lifecycle`."""
        rest = self._begin(hook)
        if rest is not None:
            vars(hook)[_REST] = rest
        return rest is None

    async def handle_lifecycle(self, event: hooks.Hook) -> None:
        """One event; mitmproxy's `update` event after each serves its user interfaces, and is left out."""
        rest = vars(event).pop(_REST, None)
        await (rest or self.trigger_event(event))

    async def trigger_event(self, event: hooks.Hook) -> None:
        rest = self._begin(event)
        if rest is not None:
            await rest

    def _begin(self, event: hooks.Hook) -> Awaitable[None] | None:
        found = self._table.get(event.name)
        if found is None:
            found = self._table[event.name] = self._listeners(event)
        names, listeners = found
        if not listeners:
            return None
        return self._go_on(event.name, [getattr(event, name) for name in names], iter(listeners))

    def _go_on(self, name: str, args: list[Any], listeners: Iterator[Listener]) -> Awaitable[None] | None:
        """Call one listener after the other; what is left to do once one of them has to wait."""
        for listener in listeners:
            try:
                result = listener(*args)
            except exceptions.AddonHalt:
                return None
            except Exception as exc:  # noqa: BLE001  one addon's fault must not keep the flow from going on
                _complain(name, exc)
            else:
                if result is not None and inspect.isawaitable(result):
                    return self._rest(name, args, result, listeners)
        return None

    async def _rest(self, name: str, args: list[Any], waiting: Awaitable[Any], listeners: Iterator[Listener]) -> None:
        try:
            await waiting
        except exceptions.AddonHalt:
            return
        except Exception as exc:  # noqa: BLE001  see above
            _complain(name, exc)
        rest = self._go_on(name, args, listeners)
        if rest is not None:
            await rest

    def _listeners(self, event: hooks.Hook) -> tuple[tuple[str, ...], tuple[Listener, ...]]:
        listeners = tuple(listener for addon in self.chain for _, listener in self._iter_hooks(addon, event))
        return tuple(field.name for field in fields(event)), listeners  # type: ignore[arg-type]


def _complain(name: str, exc: Exception) -> None:
    logger.error("%s: %s\n%s", name, place(exc), trace(exc))


class Direct:
    """The layers of a connection, whose hooks are called as they arise, and in a task only where a listener has to wait."""

    def __init__(self, layer: Layer, dispatch: Dispatch) -> None:
        self._layer, self._dispatch = layer, dispatch

    @property
    def context(self) -> Context:
        return self._layer.context

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """What the connection is to do about an event, and about the hooks that were called for it."""
        waiting = deque((event,))
        while waiting:
            for command in self._layer.handle_event(waiting.popleft()):
                if isinstance(command, commands.StartHook) and self._dispatch.calls(command):
                    if command.blocking:
                        waiting.append(events.HookCompleted(command))
                else:
                    yield command


_handle = ProxyConnectionHandler.handle_client


async def _handle_directly(self: ProxyConnectionHandler) -> None:
    if isinstance(self.master.addons, Dispatch):
        self.layer = Direct(self.layer, self.master.addons)  # type: ignore[assignment]
    await _handle(self)


def call_directly() -> None:
    """Let the connections of a master that dispatches by table call their hooks as they arise."""
    ProxyConnectionHandler.handle_client = _handle_directly  # type: ignore[assignment, method-assign]


def trust_messages() -> None:
    """Leave out mitmproxy's check of its own types whenever it makes a message, as `python -O` would: 6 % of its time."""
    http.MessageData.__post_init__ = _nothing  # type: ignore[method-assign]


def _nothing(_: http.MessageData) -> None:
    pass
