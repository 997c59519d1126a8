"""The words a body begins with, without its markup: what its language is told by."""

import re
from html import unescape

from capper.recognise.credit.words import LONGEST

_ENOUGH = 400
"""Letters of text that tell a page's language; one with fewer may be all state and attributes, and no text yet."""
_PAGE, _STATE_OF_PAGE, _ANSWER = 30_000, 60_000, 20_000
"""Bytes that are looked at."""
_STATE = re.compile(rb"</?script[^>]*>|<style.*?</style", re.IGNORECASE | re.DOTALL)
_SAID = re.compile(rb"(?<!class)(?<!style)=\"([^\"<>{}=]{3,400})\"", re.IGNORECASE)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
# Of a script or style that is not closed only the tag is taken; to see that must not cost a step for each letter.
_TAGS = re.compile(
    r"<(?:script[^<]*+(?:<(?!/script)[^<]*+)*+</script|style[^<]*+(?:<(?!/style)[^<]*+)*+</style|[^>]*>)", re.IGNORECASE
)
_AT_ONCE = 100
"""Tags: the words between so many are most often enough, or nearly."""


def sample(data: bytes, media_type: str, charset: str) -> str:
    """The words at the beginning of a body; of a page none from before its `<body>`, and where it has no text what its state says."""
    if media_type != "text/html":
        return plain(data[:_ANSWER], charset)
    body = data[_begin(data) :]
    text = _first_words(body[:_PAGE], charset)
    if len(text.strip()) > _ENOUGH:
        return text
    said = b" ".join(match[1] for match in _SAID.finditer(body[:_STATE_OF_PAGE]))
    state = plain(_STATE.sub(b" ", body[:_STATE_OF_PAGE]), charset)
    return f"{plain(body[:_PAGE], charset)} {state} {plain(said, charset)}"


def plain(data: bytes, charset: str) -> str:
    """The words of some bytes; references are resolved before brackets alone are taken out, and after whole tags are."""
    return unescape(_TAGS.sub(" ", unescaped(data, charset)))


def unescaped(data: bytes, charset: str) -> str:
    r"""Bytes as text, with what is written `\u00e9` as the letter it stands for."""
    text = data.decode(charset or "utf-8", "replace")
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "\\" in text else text


def _first_words(data: bytes, charset: str) -> str:
    """What `plain` gives of some bytes, as far as `fold` reads it."""
    words, rest = "", unescaped(data, charset)
    while len(words) <= LONGEST:
        *pieces, rest = _TAGS.split(rest, _AT_ONCE)
        if len(pieces) < _AT_ONCE:
            return words + unescape(" ".join((*pieces, rest)))
        words += unescape(" ".join(pieces)) + " "
    return words


def _begin(data: bytes) -> int:
    """Where the body of a page begins, whatever its case; most write it small, and only what stands before that is looked at again."""
    small = data.find(b"<body")
    earlier = data[: small if small >= 0 else len(data)].lower().find(b"<body")
    return max(small if earlier < 0 else earlier, 0)
