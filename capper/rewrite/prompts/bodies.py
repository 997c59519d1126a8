"""The prompts of a body, whatever it is made of: a page, an answer, lines of text."""

from collections.abc import Sequence

from capper.domain.errors import Unrewritable
from capper.domain.prompt import Place, Prompt
from capper.jsontext import read
from capper.rewrite.charset import bytes_of, likely, text_of
from capper.rewrite.prompts import text as lines
from capper.rewrite.prompts.answer.strip import strip as strip_answer
from capper.rewrite.prompts.base import Found, Heat, Reader
from capper.rewrite.prompts.page.strip import Page, in_string, splice
from capper.rewrite.prompts.state import strip as state


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
    heat = Heat(hits or None)
    if mark:
        return _page(data, url, reader, charset, heat, mark=True) if media_type == "text/html" else (data, ())
    if media_type in ("text/html", ""):
        return _page(data, url, reader, charset, heat)
    begins = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if "json" in media_type or begins in (b"{", b"["):
        return _answer(data, reader, charset, heat)
    if begins == b"<":
        return _page(data, url, reader, charset, heat)
    return _text(data, reader, charset)


def _page(
    data: bytes, url: str, reader: Reader, charset: str, heat: Heat, *, mark: bool = False
) -> tuple[bytes, tuple[Prompt, ...]]:
    page = Page(data, url, reader, charset, heat)
    if mark:
        edits, prompts = page.edits(mark=True)
    else:
        # What is shown and what scripts know of it are to agree: they are compared when the scripts take over.
        held, found = state.find(data, reader, charset, heat, page.said())
        edits, prompts = page.edits(found.moved if held else None)
        edits, prompts = [*edits, *held], [*prompts, *found.prompts]
    return (splice(data, edits), tuple(prompts)) if edits else (data, ())


def _answer(data: bytes, reader: Reader, charset: str, heat: Heat) -> tuple[bytes, tuple[Prompt, ...]]:
    codec = likely(data, charset)
    try:
        # JSON is read as UTF-8, and written in what it came in.
        text = read(data if codec == "utf-8" else data.decode(codec).encode("utf-8"))
    except UnicodeDecodeError as exc:
        raise Unrewritable(f"the answer is not the {codec} it must be") from exc
    found = Found(Place.ANSWER)
    inner = heat.inside(0, data, text.source, codec)
    stripped = strip_answer(text, reader, found, lambda html: in_string(html, reader), inner)
    return (stripped.encode(codec), tuple(found.prompts)) if stripped is not text.source else (data, ())


def _text(data: bytes, reader: Reader, charset: str) -> tuple[bytes, tuple[Prompt, ...]]:
    codec = likely(data, charset)
    text = text_of(data, codec)
    if text is None:
        return data, ()
    found = Found(Place.TEXT)
    stripped = lines.strip(text, reader, found)
    return (bytes_of(stripped, codec), tuple(found.prompts)) if found.prompts else (data, ())
