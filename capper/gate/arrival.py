"""Why somebody looks at a body, as the request for it tells: what was searched for, which link was followed, which page asks.

Only what the request itself holds is read: its address, `Referer` and `Sec-Fetch-*`. Nothing is remembered from one to the next.
"""

import re
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from capper.domain.exchange import Request
from capper.recognise.credit import Frame, frame_of
from capper.recognise.credit.packs import Packs
from capper.recognise.credit.words import WORD, Token, fold
from capper.recognise.domains import registrable

_SEARCHED = frozenset(
    [
        "q",
        "qs",
        "query",
        "search",
        "s",
        "k",
        "kw",
        "keyword",
        "keywords",
        "term",
        "terms",
        "text",
        "searchterm",
        "zoek",
        "zoekterm",
        "zoekwoord",
        "suche",
        "suchbegriff",
        "suchwort",
        "recherche",
        "motcle",
        "mots",
        "buscar",
        "busca",
        "busqueda",
        "pesquisa",
        "sok",
        "sokord",
        "sog",
        "soeg",
        "haku",
        "hakusana",
        "cerca",
        "ricerca",
        "szukaj",
        "fraza",
    ]
)
"""Names of what somebody typed into a search field, in addresses."""
_LONGEST = 500
_WITHIN = frozenset(["empty", "iframe", "frame", "embed", "object"])
"""What a page asks for, as `Sec-Fetch-Dest` calls it."""


def purpose(packs: Packs, request: Request, *, document: bool) -> Frame:
    """Why she is where the request's answer will be seen; ANY where the request does not tell.

    `document`: the answer is of a kind that may be a page of its own.
    """
    url, referrer = request.url, _sound(request.headers.get("Referer"))
    kind = request.headers.get("Sec-Fetch-Dest")
    if kind in _WITHIN or not document:
        # It belongs to the page that asks, and is seen for what that page is.
        return frame_of(packs, referrer) if referrer and _site(referrer) == _site(url) else Frame.ANY
    if _seeks(packs, _searched(url)):
        return Frame.ASKED
    clicked = request.headers.get("Sec-Fetch-User") == "?1"
    if not clicked or not referrer:
        return Frame.ANY
    if _site(referrer) != _site(url):
        # Of another site's page the host is often all that is told.
        asked = _seeks(packs, f"{urlsplit(referrer).hostname or ''} {_path(referrer)} {_searched(referrer)}")
    else:
        # From a loan's page the way home or to her account is no further step towards it.
        asked = _path(url).strip("/").count("/") > 0 and _seeks(packs, _path(referrer))
        asked = asked or _seeks(packs, _searched(referrer))
    return Frame.ASKED if asked else Frame.ANY


def _seeks(packs: Packs, text: str) -> bool:
    """Whether words of an address, or typed into a search field, are about loans."""
    row = [Token(WORD, word) for word in re.findall(r"[^\W\d_]+", fold(text[:_LONGEST]))]
    return any(match.category == "loan" for match in packs.paths.match(row))


def _searched(url: str) -> str:
    query = urlsplit(url).query[:_LONGEST]
    try:
        fields = parse_qsl(query, max_num_fields=40, errors="replace")
    except ValueError:
        return ""
    return " ".join(value for name, value in fields if name.casefold() in _SEARCHED)


def _path(url: str) -> str:
    return unquote_plus(urlsplit(url).path[:_LONGEST])


def _sound(url: str) -> str:
    """An address if it is one."""
    try:
        return url if urlsplit(url).hostname else ""
    except ValueError:
        return ""


def _site(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return registrable(host) or host
