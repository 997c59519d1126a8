"""The prompts of a body, whatever it is made of: a page, an answer, lines of text."""

from bisect import bisect_left
from collections.abc import Sequence

from capper.domain.errors import Unrewritable
from capper.domain.prompt import Place, Prompt
from capper.jsontext import read
from capper.rewrite.prompts import state
from capper.rewrite.prompts import text as lines
from capper.rewrite.prompts.answer.strip import strip as strip_answer
from capper.rewrite.prompts.base import Found, Reader
from capper.rewrite.prompts.page.strip import in_string
from capper.rewrite.prompts.page.strip import strip as strip_page


def strip(
    data: bytes,
    media_type: str,
    url: str,
    reader: Reader,
    charset: str = "",
    hits: Sequence[int] = (),
    *,
    mark: bool = False,
) -> tuple[bytes, tuple[Prompt, ...]]:
    """`data` without its prompts, and what they were; the very same object where there are none.

    With `mark` the prompts of a page stay and are outlined; an answer or a text cannot be marked and stays as it is.

    Raises:
        Unrewritable: it is of a kind that editing would cost too much, or damaged.
    """
    if mark:
        return strip_page(data, url, reader, charset, hits, mark=True) if media_type == "text/html" else (data, ())
    if media_type in ("text/html", ""):
        return _page(data, url, reader, charset, hits)
    begins = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if "json" in media_type or begins in (b"{", b"["):
        return _answer(data, reader)
    if begins == b"<":
        return _page(data, url, reader, charset, hits)
    return _text(data, reader, charset)


def _page(data: bytes, url: str, reader: Reader, charset: str, hits: Sequence[int]) -> tuple[bytes, tuple[Prompt, ...]]:
    def hot(start: int, end: int) -> bool:
        at = bisect_left(hits, start)
        return not hits or (at < len(hits) and hits[at] < end)

    # Scripts first: their places in the page are those the scan spoke of.
    edited, more = state.strip(data, reader, charset, hot)
    if more:
        hits = ()
    stripped, prompts = strip_page(edited, url, reader, charset, hits)
    return stripped, (*prompts, *more)


def _answer(data: bytes, reader: Reader) -> tuple[bytes, tuple[Prompt, ...]]:
    text = read(data)
    if text.codec != "utf-8":
        raise Unrewritable("an answer in no known charset")
    found = Found(Place.ANSWER)
    stripped = strip_answer(text, reader, found, lambda html: in_string(html, reader))
    return (text.encode(stripped), tuple(found.prompts)) if stripped is not text.source else (data, ())


def _text(data: bytes, reader: Reader, charset: str) -> tuple[bytes, tuple[Prompt, ...]]:
    try:
        text = data.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        return data, ()
    found = Found(Place.TEXT)
    stripped = lines.strip(text, reader, found)
    return (stripped.encode(charset or "utf-8"), tuple(found.prompts)) if found.prompts else (data, ())
