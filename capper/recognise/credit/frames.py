"""Why a person is on a page, by its address, title and main heading."""

import re
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from capper.recognise.credit.packs import Pack, Packs
from capper.recognise.credit.words import WORD, Token, fold


class Frame(StrEnum):
    """Why a person is on a page, where its address, title or main heading tells."""

    ANY = "any"
    ASKED = "asked"
    """She went there for it: a loan."""
    READING = "reading"
    """She went there to read: news, help, the law, vacancies. Only what is labelled as an advertisement there is none of it."""
    HERS = "hers"
    """Her own figures: a statement, a contract, settings."""
    OWN = "own"
    """Her own money: a gift card, a refund, points, benefits, what a prepaid account holds."""
    ELSEWHERE = "elsewhere"
    """What has nothing to do with credit, though sums and approvals occur: insurance, a competition, something for sale."""
    TOLD = "told"
    """A page of running text: somebody tells of something."""
    PAYING = "paying"
    LANDING = "landing"
    """Where whoever logs in arrives: nobody there asked for anything."""


WARILY = frozenset([Frame.HERS, Frame.OWN, Frame.ELSEWHERE, Frame.TOLD])
"""Where it takes more for a piece to be a prompt."""
UNTOLD = frozenset([Frame.ANY, Frame.LANDING])
"""Where nothing tells of anything a person came for."""


def frame_of(packs: Packs, url: str, title: str = "", heading: str = "", languages_: Sequence[Pack] = ()) -> Frame:
    """Why a person is on a page: the words of its address, then of its title and main heading."""
    path = unquote(urlsplit(url).path)[:500] if url else ""
    row = [Token(WORD, word) for word in re.findall(r"[^\W\d_]+", fold(path))]
    named = {match.category for match in packs.paths.match(row)}
    for frame, kinds in _FRAMES:
        if named & kinds:
            return frame
    told = fold(f"{title}\n{heading}")
    if told.strip():
        pages = [packs.pages, *(pack.pages for pack in languages_)]
        for frame, kinds in _FRAMES:
            for kind in kinds:
                phrases = (phrase for each in pages for phrase in each.get(kind, ()) if phrase in told)
                if kind in _TOLD and any(phrase_in(phrase, told, begins=kind == "help") for phrase in phrases):
                    return frame
    return Frame.LANDING if _lands(packs, path) else Frame.ANY


def _lands(packs: Packs, path: str) -> bool:
    """Whether an address ends in what the page is called where one arrives, and in nothing else."""
    steps = [step for step in fold(path).split("/") if step and not _VERSION.fullmatch(step)]
    row = [Token(WORD, word) for word in re.findall(r"[^\W\d_]+", steps[-1].partition(".")[0])] if steps else []
    return any(
        match.category == "landing" and match.start == 0 and match.end == len(row) for match in packs.paths.match(row)
    )


_VERSION = re.compile(r"v?\d+|[a-z]{2}(?:-[a-z]{2})?")
"""A step that says which version of an address it is, or in which language."""


_FRAMES = (
    (Frame.ASKED, frozenset(["loan"])),
    (Frame.READING, frozenset(["help", "news", "jobs", "legal"])),
    (Frame.OWN, frozenset(["own"])),
    (Frame.HERS, frozenset(["statement", "settings"])),
    (Frame.ELSEWHERE, frozenset(["elsewhere"])),
    (Frame.PAYING, frozenset(["checkout"])),
)
_TOLD = frozenset(["loan", "help", "jobs", "legal", "own", "statement", "settings", "elsewhere"])
"""Of a title or heading `news` may be what a shop calls its own."""


def phrase_in(phrase: str, text: str, *, begins: bool = False) -> bool:
    """Whether a phrase stands in a text at the beginning of a word; `begins`: at the beginning of a line."""
    if begins:
        return any(line.strip().startswith(phrase) for line in text.splitlines())
    at = text.find(phrase)
    while at > 0 and phrase[:1].isalnum() and text[at - 1].isalnum():
        at = text.find(phrase, at + 1)
    return at >= 0
