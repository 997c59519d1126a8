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

from mitmproxy import exceptions, hooks
from mitmproxy.addonmanager import AddonManager
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator, Layer, Paused
from mitmproxy.proxy.layers.http._hooks import HttpRequestHook, HttpResponseHeadersHook, HttpResponseHook
from mitmproxy.proxy.mode_servers import ProxyConnectionHandler

from capper.proxy.faults import place, trace

logger = logging.getLogger(__name__)

_REST: Final = "_capper_rest"
_DISPATCH: Final = "_capper_dispatch"
"""Of a connection's contexts: who calls the hooks of its layers."""
_WITHIN: Final = (HttpRequestHook, HttpResponseHeadersHook, HttpResponseHook)
"""Hooks that are called within their layer; others go up through all that is around it, and the answer down again.

So does the first of each flow: a request that came with the one before is read when that is answered, and would be sent
on before the origin's side knows that it was.
"""

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
        """Call the listeners of a hook as far as none has to wait; False leaves the rest to `handle_lifecycle`.

        Asked again about the same hook it says the same and calls nobody.
        """
        if _REST in vars(hook):
            return False
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
    """The layers of a connection, whose hooks are called as they arise, and in a task only where a listener has to wait.

    What is sent without anything else in between (a head, then its body) is sent in one piece.
    """

    def __init__(self, layer: Layer, dispatch: Dispatch) -> None:
        self._layer, self._dispatch = layer, dispatch

    @property
    def context(self) -> Context:
        return self._layer.context

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """What the connection is to do about an event, and about the hooks that were called for it."""
        waiting: deque[events.Event] = deque((event,))
        sent: commands.SendData | None = None
        while waiting:
            for command in self._layer.handle_event(waiting.popleft()):
                if type(command) is commands.SendData:
                    if sent and sent.connection is command.connection:
                        sent.data += command.data
                        continue
                    sent, command = command, sent  # noqa: PLW2901  the one before goes first
                elif sent:
                    yield sent
                    sent = None
                if isinstance(command, commands.StartHook) and self._dispatch.calls(command):
                    if command.blocking:
                        waiting.append(events.HookCompleted(command))
                elif command:
                    yield command
        if sent:
            yield sent


_handle_client = ProxyConnectionHandler.handle_client
_handle_event = Layer.handle_event


async def _handle_directly(self: ProxyConnectionHandler) -> None:
    if isinstance(self.master.addons, Dispatch):
        vars(self.layer.context)[_DISPATCH] = self.master.addons
        self.layer = Direct(self.layer, self.master.addons)  # type: ignore[assignment]
    await _handle_client(self)


def _call_or_wait(self: Layer, event: events.Event) -> CommandGenerator[None]:
    """mitmproxy's own for a layer that waits for nothing and is not debugged, with hooks of `_WITHIN` called at once."""
    if self._paused or self.debug is not None:
        yield from _handle_event(self, event)
        return
    steps = self._handle_event(event)
    for command in steps:
        if command.blocking is True:
            dispatch = vars(self.context).get(_DISPATCH)
            if dispatch is not None and isinstance(command, _WITHIN) and dispatch.calls(command):
                continue
            # This layer waits, those around it do not: they see that it is taken care of.
            command.blocking = self
            self._paused = Paused(command, steps)
            yield command
            return
        yield command


def call_directly() -> None:
    """Let the connections of a master that dispatches by table call their hooks as they arise."""
    Layer.handle_event = _call_or_wait  # type: ignore[method-assign]
    ProxyConnectionHandler.handle_client = _handle_directly  # type: ignore[assignment, method-assign]
