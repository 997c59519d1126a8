"""Text from files and from the network, made harmless for a terminal."""

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, reorder the line or cannot be seen: controls, bidi overrides, surrogates."""


def plain(text: str, keep: str = "") -> str:
    r"""`text` with every character that a terminal obeys rather than shows written as its escape: `\x1b`, `\u202e`.

    Args:
        keep: such characters that stay all the same, as "\n" in a message of several lines.
    """
    return "".join(_shown(char, keep) for char in text)


def _shown(char: str, keep: str) -> str:
    if char in keep or unicodedata.category(char) not in _UNSEEN:
        return char
    return char.encode("unicode_escape").decode("ascii")
