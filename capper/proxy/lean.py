"""Keeps capper small: mitmproxy without the forty addons it does not use, and what start-up took given back."""

import contextlib
import ctypes
import gc
import importlib
import sys
import types
import warnings
from pathlib import Path

import mitmproxy

_MOST_HEAPS = -8
"""M_ARENA_MAX of malloc.h."""


def lean() -> None:
    """Let `mitmproxy.addons` be a plain folder of modules, unless someone has imported the whole of it already.

    Its `__init__` imports every addon (Flask, LDAP, the flow filter's grammar). Call this before importing
    `mitmproxy.master`, in a process that is capper's own: `mitmproxy.addons.default_addons` is not there afterwards.
    """
    if "mitmproxy.addons" in sys.modules:
        return
    folder = types.ModuleType("mitmproxy.addons")
    folder.__path__ = [str(Path(mitmproxy.__path__[0]) / "addons")]
    sys.modules["mitmproxy.addons"] = folder
    mitmproxy.addons = folder  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        # mitmproxy 12 uses names that pyparsing 3.3 calls deprecated; nothing we could change.
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("mitmproxy.command_lexer")


def share_heap() -> None:
    """Let all threads of this process share one heap of the C library, from now on.

    It would give each thread one of its own, and what one thread freed would be of no use to the next (ten megabytes, once
    pages have come by); under Python's lock there is nothing to gain by that. Other C libraries have nothing to be told.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MOST_HEAPS, 1)


def settle() -> None:
    """Tell the collector that what start-up made stays, and give back what it took and freed."""
    gc.collect()
    gc.freeze()
    give_back()


def give_back() -> None:
    """Give freed memory back to the system; takes a millisecond or two.

    The C library keeps it for later: tens of megabytes once the matcher of credit's words was built, ten to twenty once pages
    have come by. Where it has no way to give it back, it stays.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
