"""Which packs a text is to be read with."""

import re
from collections import Counter
from itertools import filterfalse

from capper.recognise.credit.packs import Pack, Packs
from capper.recognise.credit.words import LONGEST, fold

_FEW = 150
_LIKELY = 0.5
_BEGINNING = 20_000
_SMALL = bytes(byte if byte > 127 else ord(chr(byte).lower() if chr(byte).isalpha() else " ") for byte in range(256))
"""ASCII in lower case, a blank for what is no letter; the bytes of other letters as they are."""
_LETTERS = re.compile(r"[^\W\d_]+")
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
    words = _words(text[:LONGEST])
    told = packs.get(tag) if tag else None
    known, little = packs.common, dict.fromkeys(packs.packs, 0)
    for word, often in Counter(filter(known.__contains__, words)).items():
        for pack in known[word]:
            little[pack] += often
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


def _words(text: str) -> list[str]:
    """The folded words of a text, those that need more than lower case last."""
    pieces = text.encode("utf-8", "surrogatepass").translate(_SMALL).decode("utf-8", "surrogatepass").split()
    if text.isascii():
        return pieces
    odd = fold(" ".join(filterfalse(str.isascii, pieces)))
    return [*filter(str.isascii, pieces), *_LETTERS.findall(odd)]


def declared(data: bytes) -> str:
    """The tag of the language that a body says it is in, as `nl-BE`; "" where it says none."""
    for pattern in _DECLARED:
        match = pattern.search(data[:_BEGINNING])
        if match:
            return match[1].decode("ascii")
    return ""
