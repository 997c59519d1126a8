"""Which packs a text is to be read with."""

import re
from collections import Counter

from capper.recognise.credit.packs import Pack, Packs
from capper.recognise.credit.words import fold

_FEW, _MOST = 150, 1500
_LIKELY = 0.5
_BEGINNING = 20_000
_BETWEEN = str.maketrans({number: " " for number in range(128) if not chr(number).isalpha()})
_CODE = rb"([A-Za-z]{2}(?:[-_][A-Za-z]{2,4}){0,2})(?![\w-])"
_DECLARED = (
    re.compile(rb"<html[^>]{0,400}?\slang\s*=\s*[\"']?" + _CODE, re.IGNORECASE),
    re.compile(
        rb"<meta\s[^>]{0,100}?(?:og:locale|content-language)[\"'\s]{1,3}content\s*=\s*[\"']?" + _CODE, re.IGNORECASE
    ),
    re.compile(
        rb"[\s\"'{,](?:xml:|data-|in|page|user|site)?(?:lang(?:uage)?|locale)(?:_?code)?[\"']?\s{0,3}[:=]\s{0,3}[\"']"
        + _CODE
        + rb"[\"']",
        re.IGNORECASE,
    ),
)
"""Where a body says what it is written in: a page of itself, then any element or member of the name."""


def languages(packs: Packs, text: str, tag: str = "") -> tuple[Pack, ...]:
    """The packs a text may be in, the likeliest first, two at most; `tag` is what the document says of itself."""
    words = _words(fold(text))[:_MOST]
    told = packs.get(tag) if tag else None
    often = Counter(words)
    little = {pack: sum([often[word] for word in pack.common & often.keys()]) for pack in packs.packs}
    most = max(little.values(), default=0)
    counts = []
    for pack, found in little.items():
        # Of a long text the little words tell enough; in a short one words of credit help to tell the likely ones apart.
        asked = len(words) <= _FEW and found >= most * _LIKELY
        of_credit = sum(pack.lexicon.knows(word) for word in words) if asked else 0
        counts.append((found * 1.0 + of_credit * 0.7, pack))
    counts.sort(key=lambda pair: -pair[0])
    best = counts[0][0] if counts else 0
    if best <= 0:
        return (told,) if told else ()
    likely = [pack for count, pack in counts if count >= best * 0.75][:2]
    if told is not None and told not in likely:
        likely = [told, likely[0]]
    return tuple(likely)


def _words(folded: str) -> list[str]:
    """The words of folded text; ASCII is folded in lower case."""
    return folded.translate(_BETWEEN).split() if folded.isascii() else re.findall(r"[^\W\d_]+", folded)


def declared(data: bytes) -> str:
    """The tag of the language that a body says it is in, as `nl-BE`; "" where it says none."""
    for pattern in _DECLARED:
        match = pattern.search(data[:_BEGINNING])
        if match:
            return match[1].decode("ascii")
    return ""
