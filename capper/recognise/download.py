"""Fetching a filter list over HTTPS, within limits of size and time; the only importer of `httpx` and of its retries."""

import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from capper.domain.errors import ConfigError

if TYPE_CHECKING:
    import httpx

MEGABYTE: Final = 1_000_000
MOST: Final = 20 * MEGABYTE
"""The largest list accepted; AdGuard's base list, the largest there is, has 7 MB."""

_REDIRECTS = 5
_PATIENCE, _TO_CONNECT = 20, 10
"""Seconds for each step of an answer, and to connect."""
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Download:
    """A list's bytes and what to say next time to hear only of changes; `body` is None when nothing has changed."""

    body: bytes | None
    etag: str = ""


class _Again(Exception):
    """What went wrong may be over in a moment."""


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches over HTTPS only, also where it is redirected.

    `verify` is httpx's: True for the usual authorities, or an SSL context. `deadline` is for one attempt, in seconds:
    a server that drips is given up. `pause` waits between attempts.
    """

    verify: ssl.SSLContext | bool = True
    most: int = MOST
    attempts: int = 3
    deadline: float = 120
    pause: Callable[[float], None] = time.sleep

    def __call__(self, url: str, etag: str = "") -> Download:
        """Fetch `url`, unless it still has this `etag`.

        Raises:
            ConfigError: why it could not be had, in one sentence.
        """
        # Imported with the first download: they are a fifth of the time it takes the proxy to start.
        import httpx  # noqa: PLC0415
        import tenacity  # noqa: PLC0415

        retry = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(self.attempts),
            wait=tenacity.wait_exponential_jitter(initial=1, max=15),
            sleep=self.pause,
            reraise=True,
        )
        try:
            wait = httpx.Timeout(_PATIENCE, connect=_TO_CONNECT)
            with httpx.Client(verify=self.verify, timeout=wait, follow_redirects=False) as client:
                return retry(self._follow, client, url, etag)
        except (_Again, httpx.HTTPError, httpx.InvalidURL) as exc:
            raise ConfigError(f"fetch {url}: {_reason(exc)}") from exc

    def _follow(self, client: "httpx.Client", url: str, etag: str) -> Download:
        import httpx  # noqa: PLC0415  as above

        until = time.monotonic() + self.deadline
        at = httpx.URL(require_https(url))
        for _ in range(_REDIRECTS + 1):
            try:
                answer = self._ask(client, at, etag, until)
            except httpx.TransportError as exc:
                raise _Again(_reason(exc)) from exc
            if isinstance(answer, Download):
                return answer
            if answer.scheme != "https":
                raise ConfigError(f"fetch {url}: it redirects to {answer}, and only https:// is accepted")
            at = answer
        raise ConfigError(f"fetch {url}: more than {_REDIRECTS} redirects")

    def _ask(self, client: "httpx.Client", url: "httpx.URL", etag: str, until: float) -> "Download | httpx.URL":
        """One request: a download, or where to ask instead."""
        # Only gzip, because it is the coding we can inflate in bounded steps: a small body may unpack to anything.
        headers = {"Accept": "text/plain, */*;q=0.5", "Accept-Encoding": "gzip"}
        if etag:
            headers["If-None-Match"] = etag
        with client.stream("GET", url, headers=headers) as response:
            status = response.status_code
            if status == HTTPStatus.NOT_MODIFIED and etag:
                return Download(None, etag)
            if response.has_redirect_location:
                return url.join(response.headers["Location"])
            if status >= 500 or status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS):
                raise _Again(f"the server answers {status}")
            if status != HTTPStatus.OK:
                raise ConfigError(f"fetch {url}: the server answers {status}")
            return Download(self._read(response, url, until), response.headers.get("ETag", ""))

    def _read(self, response: "httpx.Response", url: "httpx.URL", until: float) -> bytes:
        body = bytearray()
        for chunk in _decoded(response, url):
            body += chunk
            if len(body) > self.most:
                raise ConfigError(f"fetch {url}: it is larger than {self.most / MEGABYTE:g} MB")
            if time.monotonic() > until:
                raise _Again(f"it takes longer than {self.deadline:g} seconds")
        return bytes(body)


def require_https(url: str) -> str:
    """`url`, if it is an https:// address with a host.

    Raises:
        ConfigError: it is not.
    """
    if url[:7].lower() == "http://":
        raise ConfigError(f"{url}: over http:// anyone on the way could rewrite the list; use https:// or a file")
    if url[:8].lower() != "https://" or not url[8:].partition("/")[0]:
        raise ConfigError(f"{url!r} is neither an https:// address nor a file")
    return url


def _decoded(response: "httpx.Response", url: "httpx.URL") -> Iterator[bytes]:
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding in ("", "identity"):
        yield from response.iter_raw(_CHUNK)
        return
    if coding not in ("gzip", "x-gzip"):
        raise ConfigError(f"fetch {url}: it comes in the coding {coding!r}, which was not asked for")
    inflate = zlib.decompressobj(wbits=31)
    try:
        for raw in response.iter_raw(_CHUNK):
            out, piece = inflate.decompress(raw, _CHUNK), inflate.unconsumed_tail
            yield out
            while piece or len(out) == _CHUNK:
                out, piece = inflate.decompress(piece, _CHUNK), inflate.unconsumed_tail
                yield out
    except zlib.error as exc:
        raise _Again(f"its compression is damaged ({exc})") from exc
    if not inflate.eof:
        raise _Again("it ends in the middle")


def _reason(exc: BaseException) -> str:
    """What went wrong, for a person; some of httpx's exceptions have no text."""
    return str(exc) or type(exc).__name__
