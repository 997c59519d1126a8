"""Hosts and the domains people register: who a URL belongs to, by the Public Suffix List that travels with its package.

The registrable domain is asked several times for each request, of hosts that repeat: hence the cache.
"""

import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from publicsuffixlist import PublicSuffixList

from capper.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable

_HOST_LIMIT = 253
"""RFC 1035 section 3.1: the longest host name as text."""
_LONGEST_KEPT = 2_048
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_AUTHORITY = re.compile(
    r"\s*(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#\\]*@)?(\[[^\]/?#\\]*\]|[^/?#\\:]*)[^/?#\\]*", re.IGNORECASE
)
_SEPARATORS = re.compile(r"[\s,;|]+")


@cache
def _suffixes() -> PublicSuffixList:
    # Read on the first question: a tenth of a second and 3 MB that `capper --help` can do without.
    return PublicSuffixList()


def registrable(host: str) -> str | None:
    """The domain somebody registered (`shoes.co.uk`), lower-case and in IDNA's ASCII form; a port and a final dot may follow.

    None for addresses, single labels, public suffixes and whatever is not a host name.
    """
    # Longer ones are no hosts and must not fill the cache; 8 leaves room for a port and dots.
    return _registrable(host) if len(host) <= _HOST_LIMIT + 8 else None


@remembered(16_384)
def _registrable(host: str) -> str | None:
    name = _ascii(_bare(host))
    if name is None or _NUMBER.fullmatch(name.rpartition(".")[2]):
        return None
    found: str | None = _suffixes().privatesuffix(name)
    return found


def listed(host: str) -> str | None:
    """The registrable domain, only where the Public Suffix List names its suffix: for words that may be no host at all."""
    domain = registrable(host)
    return domain if domain and _suffixes().publicsuffix(domain, accept_unknown=False) else None


def site_of(url: str) -> str:
    """What makes two pages one site: the registrable domain of the URL's host, the host itself where it has none."""
    # A page is asked about once for each of its ads; longer addresses must not fill the cache.
    return _site_of(url) if len(url) <= _LONGEST_KEPT else _site(url)


def _site(url: str) -> str:
    host = host_of(url)
    return registrable(host) or host


_site_of = remembered(1_024)(_site)


def host_of(url: str) -> str:
    """The host of an absolute or scheme-relative URL, lower-case, without user, port and final dot; "" if it has none."""
    return parted(url)[0]


def parted(url: str) -> tuple[str, str]:
    """The host, as `host_of` reads it, and what follows it, which begins with `/`."""
    # A request asks a dozen times about its own address and its page's.
    return _parted_of(url) if len(url) <= _LONGEST_KEPT else _parted(url)


def _parted(url: str) -> tuple[str, str]:
    match = _AUTHORITY.match(url)
    if match is None:
        return "", "/"
    rest = url[match.end() :]
    return match[1].lower().strip().removesuffix("."), rest if rest[:1] == "/" else f"/{rest}"


_parted_of = remembered(1_024)(_parted)


def advertiser_domain(text: str) -> str | None:
    """The registrable domain in what an ad declares as its advertiser: a host or a URL, however it is written.

    None where that is no domain, as bidders' `huaweiads` or `ad-domain`.
    """
    return _declared(text) if len(text) <= _HOST_LIMIT else _declared_domain(text)


def _declared_domain(text: str) -> str | None:
    text = text.strip().strip("\"'<>()").lower()
    if "%" in text:
        text = unquote(text)
    if "//" not in text:
        text = f"//{text}"
    host = host_of(text)
    half = len(host) // 2
    if "." in host[:half] and host[:half] == host[half:]:
        host = host[:half]  # `adomain.comadomain.com`, as seen in the wild (adtech.md 3.1)
    return registrable(host)


_declared = remembered(8_192)(_declared_domain)


def advertiser_domains(declared: object) -> tuple[str, ...]:
    """Every distinct domain of a declaration, in its order: a list, one string, or several in one string."""
    if isinstance(declared, str):
        parts: Iterable[object] = _SEPARATORS.split(declared)
    elif isinstance(declared, list | tuple):
        parts = (part for item in declared if isinstance(item, str) for part in _SEPARATORS.split(item))
    else:
        return ()
    found = (advertiser_domain(part) for part in parts if isinstance(part, str) and part)
    return tuple(dict.fromkeys(domain for domain in found if domain))


def _bare(host: str) -> str:
    """The host without port, brackets' port and final dot, lower-case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].removesuffix(".")


def _ascii(host: str) -> str | None:
    """The host in IDNA's ASCII form; None if it cannot be one."""
    if len(host) > _HOST_LIMIT:
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return None
        if len(host) > _HOST_LIMIT:
            return None
    return host if _NAME.fullmatch(host) else None
