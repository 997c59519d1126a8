"""What start-up leaves behind."""

import ctypes
import gc
import subprocess
import sys

import pytest

from capper.proxy.lean import settle

HEAPS = """
import ctypes, sys, threading
from capper.proxy.lean import share_heap

if sys.argv[1] == "shared":
    share_heap()
together = threading.Barrier(4)
def work():
    together.wait()
    held = [bytearray(1000) for _ in range(1000)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


def test_what_start_up_made_is_not_looked_at_again():
    """The collector sets it aside; what is made afterwards is looked at as ever."""
    try:
        settle()

        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the C library has one heap anyway")
def test_threads_share_a_heap():
    """Threads at work at the same time take their memory from one heap, where they would have had one each."""
    heaps = {
        how: subprocess.run(
            [sys.executable, "-c", HEAPS, how], capture_output=True, text=True, check=True
        ).stdout.count("<heap nr=")
        for how in ("shared", "apart")
    }

    assert heaps["shared"] == 1
    assert heaps["apart"] > 1


HELD = """
import sys
from capper.proxy.lean import give_back, share_heap

def resident():
    return int(open("/proc/self/status").read().partition("VmRSS:")[2].split()[0]) // 1024

share_heap()
pieces = [bytearray(100_000) for _ in range(600)]
last = bytearray(100_000)  # above it nothing could be given back by itself
del pieces
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library keeps what it keeps")
def test_memory_is_given_back():
    """What was freed between what is still in use goes back to the system."""
    given = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True).stdout

    assert int(given) > 40
