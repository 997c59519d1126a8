"""The key of an advertiser that is known by its name alone: `sponsor/shoe house`, a key space of its own."""

import re
from collections.abc import Iterable

from capper.recognise.domains import listed

_LONGEST = 120
_WHOLE = re.compile(r"[^\s\x00-\x1f\ud800-\udfff][^\x00-\x1f\ud800-\udfff]*")
_UNFILLED = re.compile(r"\$?\{[^}]*\}|%%\w+%%|\[[A-Z_]+\]")
_BY = re.compile(
    r"^(?:(?:sponsored|presented|promoted|powered|advertisement|ad|ads)\s+(?:by|from)|by)\s*:?\s+", re.IGNORECASE
)
_TAG = re.compile(r"<[^<>]{0,200}>")
"""Some widgets escape a name's markup once too often."""
_AROUND = " ()<>\"'\u2018\u2019\u201c\u201d«»:·|-\u2013\u2014"
_NO_NAME = frozenset(
    {
        *("", "0", "-1", "null", "undefined", "none", "nan", "unknown", "n/a"),
        *("ad", "ads", "advertisement", "sponsored", "promoted", "test"),
    }
)


def sponsor_key(names: Iterable[str]) -> str | None:
    """The first name that is one, as a key: a domain where it is written as one (`Prebid.org`)."""
    for text in names:
        name = _BY.sub("", " ".join(_TAG.sub(" ", text).split())).strip(_AROUND).casefold()[:_LONGEST].strip()
        if name in _NO_NAME or _UNFILLED.search(text) or not _WHOLE.fullmatch(name):
            continue
        domain = listed(name) if "." in name and " " not in name else None
        return domain or f"sponsor/{name}"
    return None
