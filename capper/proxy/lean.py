"""Keeps capper small: mitmproxy without the forty addons it does not use, and what start-up took given back."""

import contextlib
import ctypes
import gc
import sys
from typing import Final

from capper.later import import_bare, import_later

_MOST_HEAPS = -8
"""M_ARENA_MAX of malloc.h."""


_HARDLY_NEEDED = (
    # QUIC and HTTP/3: what comes over UDP is passed on unread (`proxy/opening.py`).
    (
        "aioquic.h3.connection",
        "aioquic.tls",
        "mitmproxy.proxy.layers.quic",
        "mitmproxy.proxy.layers.http._http3",
    ),
    # The language of mitmproxy's commands, which nobody types here.
    ("mitmproxy.command_lexer", "pyparsing"),
    # Its configuration file: capper has one of its own.
    ("ruamel", "ruamel.yaml"),
)
"""A fifth of a second and 15 MB of every start."""
SOON: Final = ("mitmproxy.proxy.layers.http._http2",)
"""What no start needs, but the first browser: imported once the proxy listens."""


def lean() -> None:
    """Let mitmproxy be imported without what is hardly needed, unless someone has imported the whole of it already.

    The package of its addons imports every one of them (Flask, LDAP, the flow filter's grammar). Call this before importing
    `mitmproxy.master`.
    """
    if "mitmproxy.addons" in sys.modules:
        return
    import_bare("mitmproxy.addons")
    for group in (*_HARDLY_NEEDED, SOON):
        import_later(*group)


def begin_start() -> None:
    """What `settle` ends: the collector does not look through what start-up makes, and threads share their heap.

    The collector would find next to nothing, in a quarter of a second.
    """
    gc.disable()
    share_heap()


def share_heap() -> None:
    """Let all threads of this process share one heap of the C library, from now on.

    It would give each thread one of its own, and what one thread freed would be of no use to the next (ten megabytes, once
    pages have come by); under Python's lock there is nothing to gain by that. Other C libraries have nothing to be told.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MOST_HEAPS, 1)


def settle() -> None:
    """Tell the collector that what start-up made stays, and give back what it took and freed.

    It does not look through that once more: all would wait for a tenth of a second, and it would find a tenth of a megabyte.
    """
    gc.freeze()
    gc.enable()
    give_back()


def give_back() -> None:
    """Give freed memory back to the system; takes a millisecond or two.

    The C library keeps it for later: tens of megabytes once the matcher of credit's words was built, ten to twenty once pages
    have come by. Where it has no way to give it back, it stays.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
