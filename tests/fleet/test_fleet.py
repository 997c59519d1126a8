"""A fleet of small processes: who dies is replaced, who hangs is killed, and all end together."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import asyncio, json, os, signal, sys, time
from capper.fleet import Board, Fleet, Patience, Post

NOTES = sys.argv[1]

def note(*what):
    with open(NOTES, "a") as file:
        file.write(json.dumps(what) + "\\n")

class Herald:
    def ready(self, fleet): note("ready", [each.pid for each in fleet])
    def changed(self, fleet): note("changed", [[each.name, each.pid, each.restarts] for each in fleet])
    def well(self): pass
    def stopping(self): note("stopping")

def good(station):
    async def serve():
        stop = asyncio.Event()
        station.heed(stop.set)
        task = asyncio.create_task(station.beat())
        await stop.wait()
        note("ended", os.getpid())
    asyncio.run(serve())
    return 0

def refuses(station): return 3
def dies(station):
    station.row.beat = time.monotonic_ns()
    return 70
def faulty(station): raise ValueError("broken")
def deaf(station):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    station.row.beat = time.monotonic_ns()
    while True: time.sleep(0.05)

works = [globals()[name] for name in sys.argv[3:]]
board = Board(len(works) - 1)
patience = Patience(**json.loads(sys.argv[2]))
code = Fleet([Post(f"{n} {work.__name__}", work) for n, work in enumerate(works)], board.rows, Herald(), patience).run()
note("code", code)
sys.exit(code)
"""


@pytest.fixture
def fleet(tmp_path):
    """Start a fleet of the program's works; ended with the test."""
    started = []

    def start(*works: str, **patience: float) -> subprocess.Popen:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "notes"), json.dumps(patience), *works]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def noted(tmp_path):
    """The notes of a kind so far; with `wait`, once there are so many."""

    def read(kind: str, wait: int = 0) -> list:
        over = time.monotonic() + 30
        while True:
            lines = (tmp_path / "notes").read_text().splitlines() if (tmp_path / "notes").exists() else []
            found = [row[1:] for row in map(json.loads, lines) if row[0] == kind]
            if len(found) >= wait:
                return found
            assert time.monotonic() < over, f"{kind} is not there"
            time.sleep(0.02)

    return read


def test_its_life(fleet, noted):
    """Once all are ready it is told; asked to end, each ends, and nobody is left."""
    process = fleet("good", "good")
    ((pids,),) = noted("ready", wait=1)
    process.send_signal(signal.SIGTERM)

    assert 0 == process.wait(30)
    assert sorted(pids) == sorted(pid for (pid,) in noted("ended"))
    assert [[]] == noted("stopping")


def test_who_dies_is_replaced(fleet, noted):
    """In its place; the other stays, and who listens is told."""
    process = fleet("good", "good")
    ((pids,),) = noted("ready", wait=1)
    os.kill(pids[1], signal.SIGKILL)
    (((first, second),),) = noted("changed", wait=1)

    assert ["0 good", pids[0], 0] == first
    assert ["1 good", 1] == [second[0], second[2]]
    assert second[1] not in pids
    process.terminate()
    assert 0 == process.wait(30)


def test_who_keeps_dying_ends_all(fleet, noted):
    """After so many times within a minute, with a word in the log and a code of its own."""
    process = fleet("good", "dies", deaths=3)
    _, said = process.communicate(timeout=60)

    assert 70 == process.returncode
    assert "that was 3 times within 60 seconds: everything stops" in said
    assert 1 == len(noted("ended"))


def test_who_cannot_start_ends_all(fleet, noted):
    """With its own exit code: it has said why, and would again."""
    process = fleet("good", "refuses")
    _, said = process.communicate(timeout=60)

    assert (3, "", []) == (process.returncode, said, noted("ready"))


def test_a_fault_is_told(fleet):
    """With its trace, and never runs on in the parent's code."""
    process = fleet("faulty", deaths=1)
    _, said = process.communicate(timeout=60)

    assert 70 == process.returncode
    assert "ValueError: broken" in said


def test_who_hangs_is_killed(fleet, noted):
    """Once it has said nothing for so long, by force; it counts as a death."""
    process = fleet("deaf", hung=0.3, deaths=2)
    _, said = process.communicate(timeout=60)

    assert 70 == process.returncode
    assert 2 == said.count("has said nothing for")
    assert "SIGKILL" in said


def test_who_does_not_end_is_killed(fleet, noted):
    """After so long, or at a second signal."""
    process = fleet("deaf", stop=0.5)
    noted("ready", wait=1)
    process.terminate()

    assert 0 == process.wait(30)


def test_a_parent_that_is_killed(fleet, noted):
    """The others notice, and end as if they had been asked to."""
    process = fleet("good", "good")
    ((pids,),) = noted("ready", wait=1)
    process.kill()

    assert sorted(pids) == sorted(pid for (pid,) in noted("ended", wait=2))
