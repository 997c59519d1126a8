"""The table of hooks: every addon in its order, and one addon's fault does not stop the rest."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from mitmproxy import exceptions, hooks
from mitmproxy.options import Options
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.layers.http import _hooks as http_hooks
from mitmproxy.test import tflow

from capper.domain.policy import Policy
from capper.proxy.dispatch import _DISPATCH, Direct, Dispatch, call_directly
from capper.proxy.master import CapperMaster, ProxyOptions
from capper.proxy.testing import PassingGate


class Listener:
    """An addon that notes its calls and may raise."""

    def __init__(self, name: str, calls: list[str], fault: Exception | None = None) -> None:
        self.name, self.calls, self.fault = name, calls, fault

    def done(self) -> None:
        self.calls.append(self.name)
        if self.fault:
            raise self.fault


class AsyncListener(Listener):
    """The same with a coroutine."""

    async def done(self) -> None:
        super().done()


@pytest.fixture
async def dispatch(tmp_path):
    """A dispatcher without addons."""
    return Dispatch(CapperMaster(ProxyOptions(tmp_path), PassingGate(), Policy))


async def test_order(dispatch):
    """Addons are called in their order, coroutines among them; one added later is called too."""
    calls = []
    dispatch.add(Listener("one", calls), AsyncListener("two", calls))
    await dispatch.trigger_event(hooks.DoneHook())
    dispatch.add(Listener("three", calls))
    await dispatch.trigger_event(hooks.DoneHook())

    assert calls == ["one", "two", "one", "two", "three"]


@pytest.mark.parametrize("kind", [Listener, AsyncListener])
async def test_fault(dispatch, caplog, kind):
    """A fault is logged without its words, and the other addons are still called."""
    calls = []
    dispatch.add(kind("one", calls, ValueError("http://secret.test/")), Listener("two", calls))
    with caplog.at_level(logging.ERROR):
        await dispatch.trigger_event(hooks.DoneHook())

    assert calls == ["one", "two"]
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_halt(dispatch):
    """An addon may end an event."""
    calls = []
    dispatch.add(Listener("one", calls, exceptions.AddonHalt()), Listener("two", calls))
    await dispatch.trigger_event(hooks.DoneHook())

    assert calls == ["one"]


async def test_removed(dispatch):
    """An addon that was taken out is not called again."""
    calls = []
    one = Listener("one", calls)
    dispatch.add(one, Listener("two", calls))
    await dispatch.trigger_event(hooks.DoneHook())
    dispatch.remove(one)
    calls.clear()
    await dispatch.trigger_event(hooks.DoneHook())

    assert calls == ["two"]


class Waiting(Listener):
    """An addon that has to wait for something before it is done."""

    def __init__(self, name: str, calls: list[str], gate: asyncio.Event) -> None:
        super().__init__(name, calls)
        self.gate = gate

    async def requestheaders(self, flow: object) -> None:
        await self.gate.wait()
        self.calls.append(self.name)

    request = requestheaders


class Reading(Listener):
    """An addon that looks at each request."""

    def requestheaders(self, flow: object) -> None:
        self.calls.append(self.name)

    request = requestheaders


async def test_at_once(dispatch):
    """A hook nobody has to wait for is over when it was called."""
    calls = []
    dispatch.add(Reading("one", calls), Reading("two", calls))
    over = dispatch.calls(http_hooks.HttpRequestHeadersHook(tflow.tflow()))

    assert (over, calls) == (True, ["one", "two"])


async def test_the_rest(dispatch):
    """Once an addon has to wait, those behind it are called after it, and those before it not again."""
    calls, gate = [], asyncio.Event()
    dispatch.add(Reading("one", calls), Waiting("two", calls, gate), Reading("three", calls))
    hook = http_hooks.HttpRequestHeadersHook(tflow.tflow())
    over, before = dispatch.calls(hook), [*calls]
    gate.set()
    await dispatch.handle_lifecycle(hook)

    assert (over, before, calls) == (False, ["one"], ["one", "two", "three"])


class Asking(Layer):
    """A layer that calls a hook for each event of a connection, and goes on once it is over."""

    def __init__(self, context: Context, hook: commands.StartHook) -> None:
        super().__init__(context)
        self.hook = hook

    def _handle_event(self, _: events.Event) -> CommandGenerator[None]:
        reply = yield self.hook
        yield commands.Log(f"on, {reply}")


@pytest.fixture
def asking(dispatch):
    """A layer that calls a hook."""
    call_directly()
    context = Context(tflow.tclient_conn(), Options())
    vars(context)[_DISPATCH] = dispatch
    return lambda hook: Asking(context.fork(), hook(tflow.tflow()))


@pytest.mark.parametrize("hook", [http_hooks.HttpRequestHeadersHook, http_hooks.HttpRequestHook])
async def test_direct(dispatch, asking, hook):
    """A hook that is over at once is answered before the connection hears of it; for another its layer waits."""
    calls, gate = [], asyncio.Event()
    dispatch.add(Reading("one", calls))
    layer = asking(hook)
    told = [*Direct(layer, dispatch).handle_event(events.Start())]
    layer.hook.blocking = True
    dispatch.add(Waiting("two", calls, gate))
    left = [*Direct(layer, dispatch).handle_event(events.Start())]
    gate.set()
    await dispatch.handle_lifecycle(layer.hook)
    later = [*Direct(layer, dispatch).handle_event(events.HookCompleted(layer.hook))]

    assert ["on, None"] == [log.message for log in told] == [log.message for log in later]
    assert left == [layer.hook]
    assert layer.hook.blocking is layer
    assert calls == ["one", "one", "two"]


@pytest.mark.parametrize(
    ("hook", "heard"), [(http_hooks.HttpRequestHeadersHook, True), (http_hooks.HttpRequestHook, False)]
)
async def test_within(asking, hook, heard):
    """The first hook of a flow is heard of by what is around its layer, which by then is done with what came before."""
    layer = asking(hook)

    assert (layer.hook in [*layer.handle_event(events.Start())]) is heard


async def test_at_once_is_sent(dispatch):
    """What goes to one peer without anything else in between is sent in one piece, and nothing changes its order."""
    client, server, log = tflow.tclient_conn(), tflow.tserver_conn(), commands.Log("between")
    said = [(client, b"a"), (client, b"b"), (server, b"c"), (client, b"d"), log, (client, b"e"), (client, b"f")]

    class Saying:
        def handle_event(self, _event: events.Event) -> Iterator[commands.Command]:
            for each in said:
                yield each if each is log else commands.SendData(*each)

    told = [
        each if each is log else (each.connection, each.data)
        for each in Direct(Saying(), dispatch).handle_event(events.Start())
    ]

    assert told == [(client, b"ab"), (server, b"c"), (client, b"d"), log, (client, b"ef")]
