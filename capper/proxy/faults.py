"""How a fault of our own is told: its kind and its place, and not its words, which may hold an address somebody visited."""

import traceback
from pathlib import PurePath


def place(exc: BaseException) -> str:
    """Kind and place in a few words: `ValueError at page.py:120`."""
    frames = traceback.extract_tb(exc.__traceback__)
    where = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    return f"{type(exc).__name__} at {where}"


def trace(exc: BaseException) -> str:
    """The way to the fault, by lines of code alone."""
    return "".join(traceback.format_tb(exc.__traceback__))
