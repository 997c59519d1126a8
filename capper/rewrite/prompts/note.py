"""The note that a page lost credit prompts, for those who want to know."""

import re
from html import escape

from capper.rewrite.wording import removed

_WHOLE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<!--.{0,2000}?-->\s*+){0,5}(?:<!doctype\s+html\b|<html\b)", re.IGNORECASE | re.DOTALL
)
"""How a page begins; what begins otherwise is a piece that a script puts into one."""
_END = re.compile(rb"</body\s*>\s*(?:<!--[^<>]{0,500}-->\s*)?(?:</html\s*>)?\s*\Z", re.IGNORECASE)
_STYLE = (
    # Out of the flow, so that nothing moves, and out of the pointer's way.
    "position:fixed;left:0;bottom:0;z-index:2147483647;margin:0;padding:2px 8px;border:0;pointer-events:none;"
    "font:11px/1.5 system-ui,sans-serif;color:#444;background:#fffd"
)


def noted(data: bytes, count: int, language: str) -> bytes:
    """A whole page that says it lost `count` prompts; the same object where `data` is only a piece of one.

    The note stands last in the body: no script that takes over a page minds what is there.
    """
    if not count or not _WHOLE.match(data):
        return data
    said = escape(removed(count, language)).encode("ascii", "xmlcharrefreplace")
    note = b'<aside lang="%s" style="%s">%s</aside>' % (language.encode(), _STYLE.encode(), said)
    end = _END.search(data, max(len(data) - 2_000, 0))
    at = end.start() if end else len(data)
    return data[:at] + note + data[at:]
