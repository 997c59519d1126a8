"""How much of a page may pass before the rest of it is there: what stands before its body shows neither an ad nor credit.

Nothing is parsed: a tag that is not surely of the head's own, or is not whole yet, and all behind it, waits for the whole page.
"""

import re
from typing import Final

_LONGEST: Final = 256 * 1024
_MOST_LOOKS: Final = 64

_ATTRIBUTES: Final = rb"(?:[^<>\"'`]++|\"[^\"<>]*+\"|'[^'<>]*+')*+>"
"""Of a tag whose end no reader of it could see elsewhere."""
_HEAD: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:"
    rb"[ \t\r\n\f]++|<!--(?!-?>)(?:[^-]++|-(?!-))*+-->"
    rb"|<!doctype" + _ATTRIBUTES + rb"|<(?:html|head|meta|link|base)(?=[\s/>])" + _ATTRIBUTES
    # Their content is text until their own end tag, and these hold none that could be taken for another tag.
    + rb"|<title>[^<>]*+</title>"
    rb"|<style(?=[\s>])" + _ATTRIBUTES + rb"[^<>]*+(?:>[^<>]*+)*+</style>"
    rb"|<script(?=\s)(?=[^<>]*?\ssrc\s*=)" + _ATTRIBUTES + rb"\s*+</script>"
    rb")*+",
    re.IGNORECASE,
)  # fmt: skip


class Prelude:
    """A page on its way: what of it has passed, and what waits."""

    def __init__(self, most: int) -> None:
        """`most` bytes are kept waiting; a longer page passes as it is."""
        self._most = most
        self._body = bytearray()
        self._looks = 0
        self.passed = 0
        """How many of its first bytes have passed."""
        self.overgrown = False
        """Whether it became longer than what may wait: then all of it has passed, and none is kept."""

    def take(self, piece: bytes) -> bytes:
        """Add a piece of the page, and get what may pass now."""
        body = self._body
        if self.overgrown:
            return piece
        body += piece
        if len(body) > self._most:
            self.overgrown, self._body = True, bytearray()
            return bytes(body[self.passed :])
        if self._looks < _MOST_LOOKS and self.passed < _LONGEST and b">" in piece:
            self._looks += 1
            found = _HEAD.match(body, self.passed)
            end = found.end() if found else self.passed
            if end < len(body) and body[end] != ord("<"):
                self._looks = _MOST_LOOKS
        else:
            return b""
        passing = bytes(body[self.passed : end])
        self.passed = end
        return passing

    def whole(self) -> bytes:
        """All of it that has come, unless it has overgrown."""
        return bytes(self._body)

    def rest(self, page: bytes) -> bytes | None:
        """What of `page`, which takes its place, is still to pass; None where it begins otherwise than what has."""
        return page[self.passed :] if page.startswith(bytes(self._body[: self.passed])) else None
