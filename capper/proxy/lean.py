"""Imports mitmproxy without the forty addons capper does not use, which are half of its start-up time."""

import importlib
import sys
import types
import warnings
from pathlib import Path

import mitmproxy


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
