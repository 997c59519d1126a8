"""What the kernel tells of processes."""

import subprocess
import sys

import pytest

from benchmarks.processes import children, cpu, ended, free_port, resident, wait_for

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="read from /proc")
_SPENDS = """
import subprocess, sys, time
def spend():
    while time.process_time() < 0.3: pass
if sys.argv[1] == "parent":
    child = subprocess.Popen([sys.executable, "-c", sys.argv[2], "child", ""], stdout=subprocess.PIPE)
    child.stdout.readline()
    print("spent", flush=True)
else:
    spend()
    print("spent", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent():
    """A process whose child has spent 0.3 seconds of CPU, and that itself has spent next to nothing."""
    command = [sys.executable, "-c", _SPENDS, "parent", _SPENDS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.stdin.close()


def test_what_children_spend_counts(parent):
    """For capper that is the ledger's server."""
    assert len(children(parent.pid)) == 1
    assert cpu(parent.pid) >= 0.29


def test_resident_memory(parent):
    """In MB: a Python takes some, and not hundreds."""
    assert 2 < resident(parent.pid) < 200


def test_waiting_for_what_ended_is_given_up():
    """With what was started and how it ended, not after a minute."""
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"]) as process:
        process.wait()
        with pytest.raises(SystemExit, match="it ended with 3"):
            wait_for(free_port(), process)


def test_a_process_is_ended_and_waited_for():
    """Its last CPU time is the kernel's to tell until then."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    ended(process)
    process.stdin.close()

    assert process.returncode == -15
