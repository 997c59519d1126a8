"""Makes a browser ask again for an ad it has cached, so that a repeat can be counted and capped.

A banner with `max-age` is fetched once in five page loads, with `no-cache` five times: the four repeats are invisible.
RFC 9111 is followed for what is cacheable; the answer to the revalidation costs no upstream traffic.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b

from capper.domain.exchange import Headers, Response

HEURISTIC_SHARE = 10
"""RFC 9111 section 4.2.2: a tenth of the time since the last change."""
LONGEST = timedelta(days=7)
"""No answer of ours vouches for a copy older than this."""
_KEEPING = ("cache-control", "expires", "last-modified")
"""Where none of these is, a browser asks every time."""
_STALENESS = ("Expires", "Pragma", "Age", "Surrogate-Control", "CDN-Cache-Control")


@dataclass(frozen=True, slots=True)
class Validator:
    """What a cached copy is known by, and until when the origin would have let it be used unasked."""

    etag: str
    modified: str
    fresh_until: datetime

    def fields(self) -> list[tuple[str, str]]:
        """The validator as header fields."""
        return [field for field in (("ETag", self.etag), ("Last-Modified", self.modified)) if field[1]]

    def vouches(self, request: Headers, now: datetime) -> bool:
        """Whether `request` asks about the copy we know, and it is still fresh."""
        if now >= self.fresh_until or "no-cache" in request.get("cache-control"):
            return False
        if "if-none-match" in request:
            # Weak comparison, RFC 9110 section 13.1.2.
            tags = {tag.strip().removeprefix("W/") for tag in request.get("if-none-match").split(",")}
            return bool(self.etag) and self.etag.removeprefix("W/") in tags
        return bool(self.modified) and request.get("if-modified-since") == self.modified


def lifetime(headers: Headers, now: datetime) -> timedelta:
    """How long a browser would use the response unasked; zero where it must ask or may not keep it."""
    if not headers.has_any(_KEEPING):
        return timedelta(0)
    rules = _directives(headers.get("cache-control"))
    if rules.keys() & {"no-store", "no-cache"}:
        return timedelta(0)
    if "max-age" in rules:
        return _seconds(rules["max-age"]) - _seconds(headers.get("age"))
    date = _date(headers.get("date")) or now
    if "expires" in headers:
        expires = _date(headers.get("expires"))
        return expires - date if expires else timedelta(0)
    modified = _date(headers.get("last-modified"))
    return (date - modified) / HEURISTIC_SHARE if modified and modified < date else timedelta(0)


def revalidated(response: Response, now: datetime) -> tuple[Response, Validator] | None:
    """The response made `no-cache`, with a validator; None where the browser asks every time as it is.

    The body stays as it is. An origin that sends no validator gets one made of the body's digest.
    """
    life = min(lifetime(response.headers, now), LONGEST)
    if life <= timedelta(0):
        return None
    etag, modified = response.headers.get("etag"), response.headers.get("last-modified")
    headers = response.headers.without(*_STALENESS).with_("Cache-Control", _no_cache(response.headers))
    if not etag and not modified:
        etag = f'"{blake2b(response.body, digest_size=12).hexdigest()}"'
        headers = headers.with_("ETag", etag)
    return response.carrying(response.body, headers), Validator(etag, modified, now + life)


def not_modified(validator: Validator) -> Response:
    """Our answer to a browser that asks about a copy we vouch for."""
    return Response(304, Headers([("Cache-Control", "no-cache"), *validator.fields()]))


def _no_cache(headers: Headers) -> str:
    kept = [name for name in ("private", "no-transform") if name in _directives(headers.get("cache-control"))]
    return ", ".join(["no-cache", *kept])


def _directives(text: str) -> dict[str, str]:
    pairs = re.findall(r"([\w-]+)(?:\s*=\s*\"?([^\",]*)\"?)?", text.lower())
    return dict(pairs)


def _seconds(text: str) -> timedelta:
    text = text.strip()
    return timedelta(seconds=min(int(text), 2**31)) if text.isascii() and text.isdigit() else timedelta(0)


def _date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
