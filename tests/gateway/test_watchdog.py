"""The watchdog: quick to take the redirect off, slower to put it back, and never sure by one look alone."""

import asyncio
import itertools
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.gateway.watchdog import INTERVAL, LEASE, Patience, State, Watch, alive, keep_watch
from capper.proxy.testing import LOOPBACK, running_proxy


def states(looks: str, watch: Watch | None = None) -> str:
    """The state after each look: `+` and `-` are good and bad ones, `1` and `0` the states."""
    watch = watch or Watch()
    return "".join("1" if watch.observe(look == "+") is State.ON else "0" for look in looks)


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ("+", "1"),
        ("--+", "001"),
        ("+-+-+", "11111"),
        ("+--", "110"),
        ("+--+++", "110001"),
        ("+--++-+++", "110000001"),
    ],
)
def test_states(looks, expected):
    """The first good look starts it, two bad ones in a row end it, three good ones bring it back."""
    assert expected == states(looks)


def test_a_proxy_that_comes_and_goes_is_trusted_more_slowly():
    """After each fault it takes twice as many good looks, up to a minute's; a long good time is forgiven."""
    watch = Watch()
    states("+", watch)
    needed = [states("--" + "+" * 100, watch).index("1", 2) - 1 for _ in range(8)]
    watch.forgive()

    assert [3, 6, 12, 24, 48, 60, 60, 60] == needed
    assert "10001" == states("--+++", watch)


@given(st.text("+-", max_size=60))
def test_off_after_two_bad_looks(looks):
    """Whatever came before, it is never on after two bad looks in a row."""
    said = states(looks)

    assert all(said[at + 1] == "0" for at in range(len(looks) - 1) if looks[at : at + 2] == "--")


class Script:
    """Looks as a script has them, on a clock that `pause` moves."""

    def __init__(self, looks: str) -> None:
        self.looks, self.now, self.told = iter(looks), 0.0, []

    async def look(self) -> bool:
        try:
            return next(self.looks) == "+"
        except StopIteration:
            raise asyncio.CancelledError from None

    async def change(self, state: State) -> None:
        self.told.append((self.now, state.name))

    async def renew(self) -> None:
        self.told.append((self.now, "renew"))

    async def pause(self, seconds: float) -> None:
        self.now += seconds

    async def play(self) -> list[tuple[float, str]]:
        with pytest.raises(asyncio.CancelledError):
            await keep_watch(
                self.look, self.change, self.renew, watch=Watch(), clock=lambda: self.now, pause=self.pause
            )
        return self.told


async def test_the_lease_is_renewed_in_time():
    """While all is well the lease is renewed at least twice before it would run out."""
    told = await Script("+" * 200).play()
    times = [time for time, _ in told]

    assert (0.0, "ON") == told[0]
    assert {"renew"} == {what for _, what in told[1:]}
    assert max(later - sooner for sooner, later in itertools.pairwise(times)) <= LEASE / 2


async def test_a_bad_look_is_followed_quickly():
    """A dead proxy is found out in less than one interval more; nothing is renewed while it is off."""
    told = await Script("+" + "-" * 50).play()

    assert [(0.0, "ON"), (INTERVAL * 1.25, "OFF")] == told


async def test_a_proxy_that_lives(tmp_path):
    """A proxy's own listener hangs up on what nobody redirected: it is alive."""
    async with running_proxy(tmp_path, modes=("transparent",)) as proxy:
        assert await alive(LOOPBACK, proxy.port, 5)


async def test_nothing_listens(unused_tcp_port):
    """A port at which nothing listens is no proxy."""
    assert not await alive(LOOPBACK, unused_tcp_port, 5)


async def test_a_proxy_that_hangs():
    """The kernel takes the connection, and nobody answers: it is not alive."""
    with socket.create_server((LOOPBACK, 0)) as silent:
        assert not await alive(LOOPBACK, silent.getsockname()[1], 0.05)


def test_patience_is_within_five_seconds():
    """From a proxy's last good answer to the redirect's end it takes less than five seconds, however it fails."""
    patience = Patience()

    assert INTERVAL + patience.failures * patience.deadline + (patience.failures - 1) * INTERVAL / 4 < 3
