"""The ledger gone at the start and in the middle: pages come, caps hold as far as is known, and no acknowledged count is lost."""

import json
import os
import signal
import socket
import threading

import pytest

from capper.proxy.testing import LOOPBACK


@pytest.fixture
def nobody() -> int:
    """A port of loopback on which nobody listens."""
    with socket.create_server((LOOPBACK, 0)) as closed:
        return closed.getsockname()[1]


def test_gone_at_the_start(household, nobody):
    """A Redis that does not answer is told once; pages come, and this process caps by what it remembers."""
    capper = household('caps = ["2 per advertiser per day"]').start(
        "--ledger", f"redis://:pass-word@{LOOPBACK}:{nobody}"
    )

    seen = [capper.visit() for _ in range(4)]

    assert seen == [True, True, False, False]
    assert capper.stop() == 0
    assert len(capper.errors().splitlines()) == 1
    assert "pass-word" not in capper.errors()


def test_killed_in_the_middle(household, wait_for):
    """The embedded server is killed while pages load: they all come, it is started anew, and it has every count it acknowledged."""
    capper = household().start()
    for _ in range(5):
        assert capper.visit()
    before = capper.counted()
    loaded, over = [], threading.Event()

    def read_on():
        while not over.is_set():
            loaded.append(capper.visit())

    reader = threading.Thread(target=read_on)
    reader.start()
    killed = capper.ledger_pid()
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: len(loaded) >= 5)
    over.set()
    reader.join()
    wait_for(lambda: capper.visit() and capper.counted() > before)
    anew = capper.ledger_pid()
    after = capper.counted()
    capper.visit()

    assert before == 5
    assert all(loaded)
    assert anew != killed
    assert capper.counted() == after + 1
    assert capper.stop() == 0
    assert "Traceback" not in capper.errors()


def test_killed_at_the_cap(household):
    """What is over its cap stays over it while the server is gone, and after."""
    capper = household('caps = ["2 per advertiser per day"]').start()
    seen = [capper.visit(), capper.visit()]
    os.kill(capper.ledger_pid(), signal.SIGKILL)
    seen += [capper.visit(), capper.visit()]

    assert seen == [True, True, False, False]


def test_stopped_and_started(household):
    """What was counted before the end counts after the next start."""
    capper = household('caps = ["3 per advertiser per day"]').start()
    assert [capper.visit(), capper.visit()] == [True, True]
    assert capper.stop() == 0

    capper.start()

    assert capper.counted() == 2
    assert [capper.visit(), capper.visit()] == [True, False]


def test_killed_itself(household):
    """A capper that is killed leaves no server behind for long, and the next has every count."""
    capper = household().start()
    assert [capper.visit() for _ in range(3)] == [True] * 3
    capper.stop(signal.SIGKILL)

    capper.start()

    assert capper.counted() == 3


def test_two_on_one_folder(household, web):
    """Two cappers with one state folder share one ledger: neither shows what the other has counted to its cap."""
    first = household('caps = ["2 per advertiser per day"]').start()
    second = household('caps = ["2 per advertiser per day"]', name="second")
    second.state = first.state
    second.start()

    seen = [first.visit(), second.visit(), first.visit(), second.visit()]

    assert seen == [True, True, False, False]
    assert (second.stop(), first.visit()) == (0, False)
    assert first.stop() == 0
    assert second.errors() == ""


def test_the_first_of_two_ends(household):
    """The one that started the server ends: the other starts it anew and has every count."""
    first, second = household(), household(name="second")
    second.state = first.state
    first.start()
    second.start()
    assert [first.visit(), second.visit()] == [True, True]

    assert first.stop() == 0
    assert second.visit()
    assert second.counted() >= 2
    assert second.stop() == 0


def test_the_record_of_a_running_proxy(household):
    """`ledger show`, `top`, `forget` and `rotate` work beside a proxy that runs, and it goes by what they did."""
    policy = 'caps = ["2 per advertiser per day"]\n[people.anna]\ndevices = ["127.0.0.1"]\n'
    capper = household(policy).start()
    files = ["--state", str(capper.state), "--policy", str(capper.policy)]
    assert [capper.visit() for _ in range(3)] == [True, True, False]

    shown = capper.run("ledger", "show", "--person", "anna", "--json", *files)
    top = capper.run("ledger", "top", "--person", "anna", *files)
    forgotten = capper.run("ledger", "forget", "--person", "anna", "--yes", "--state", str(capper.state))
    again = [capper.visit() for _ in range(3)]
    rotated = capper.run("ledger", "rotate", "--yes", "--state", str(capper.state))

    (row,) = json.loads(shown.stdout)
    assert (row["advertiser"], len(row["times"]), row["caps"][0]["full"]) == ("shoes.example", 2, True)
    assert "shoes.example" in top.stdout
    assert forgotten.returncode == 0
    assert again == [True, True, False]
    assert rotated.returncode == 0
