"""The table of hooks: every addon in its order, and one addon's fault does not stop the rest."""

import logging

import pytest
from mitmproxy import exceptions, hooks

from capper.domain.policy import Policy
from capper.proxy.dispatch import Dispatch
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
