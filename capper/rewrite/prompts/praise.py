"""What recommends a way to pay later, among the words that stand beside its name."""

from dataclasses import replace

from capper.domain.prompt import Reading
from capper.rewrite.prompts.base import Reader

LATER = frozenset(["later", "credit", "headroom"])
"""What a way to pay that is credit says."""
_OPTION = frozenset(["option", "later"])
"""What words beside such a way to pay are about."""
_STRONG = frozenset(["popular", "decided", "yours", "urge", "raise", "fanfare", "ready"])
_HINTING = frozenset("you yours urge ease spend borrow ready need decided available fanfare room credit raise".split())
_SPARED = frozenset(["editorial", "statement", "set", "intent", "warning", "business"])
"""What is said of a way to pay without recommending it."""


def praise(text: str, reader: Reader, *, chosen: bool = False) -> Reading | None:
    """What words beside a way to pay later say if they recommend it, else None: a prompt, or that most people choose it.

    `chosen`: it is chosen beforehand, so that less tells that they do.
    """
    reading = reader.read(text, _OPTION)
    if reading.prompt and reading.signals & _STRONG:
        return reading
    if reading.amount or reading.signals & _SPARED:
        return None
    hints = len(reading.signals & _HINTING) + ("!" in text) * 2 + ("?" in text)
    if "popular" in reading.signals or (chosen and hints >= 2):
        return replace(reading, prompt=True, against=False)
    return None
