"""A crawl that OpenWPM 0.35 wrote (its SQLite file) as a HAR, so that whatever reads recordings reads crawls.

A visit is a page; browsers are told apart by `_viewer` (`browser 1`). OpenWPM keeps no bodies in this file: ads that are told by their
request, their address or a redirect are found, those that only a body shows are not.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from capper.domain.errors import ConfigError

MAGIC = b"SQLite format 3\0"
"""How every SQLite file begins."""
_QUERY = """
SELECT r.browser_id, r.visit_id, r.url, r.method, r.referrer, r.headers, r.resource_type, r.time_stamp, r.post_body,
       a.response_status, a.response_status_text, a.headers,
       m.response_status, m.response_status_text, m.headers, m.new_request_url
FROM http_requests AS r
LEFT JOIN http_responses AS a
    ON a.request_id = r.request_id AND a.visit_id = r.visit_id AND a.browser_id = r.browser_id AND a.url = r.url
LEFT JOIN http_redirects AS m
    ON m.old_request_id = r.request_id AND m.visit_id = r.visit_id AND m.browser_id = r.browser_id AND m.old_request_url = r.url
GROUP BY r.rowid ORDER BY r.rowid
"""


def crawl_as_har(path: Path, largest: int) -> bytes:
    """The crawl's requests as a HAR, in the order in which they were made.

    Raises:
        ConfigError: it is no crawl, is damaged, or is more than `largest` bytes as a HAR.
    """
    pieces, size = [], 0
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)) as file:
            # What a stranger's file says of itself is not run.
            file.execute("PRAGMA trusted_schema = OFF")
            file.text_factory = lambda data: data.decode("utf-8", "replace")
            for entry in _entries(file):
                pieces.append(json.dumps(entry).encode())
                size += len(pieces[-1])
                if size > largest:
                    raise ConfigError(f"{path} is larger than {largest // 1024**2} MB")
    except sqlite3.Error as exc:
        raise ConfigError(f"{path} is a SQLite file, but not a crawl that OpenWPM 0.35 wrote: {exc}") from exc
    head = b'{"log":{"version":"1.2","creator":{"name":"OpenWPM","version":""},"entries":[\n'
    return head + b",\n".join(pieces) + b"\n]}}\n"


def _entries(file: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    for row in file.execute(_QUERY):
        browser, visit, url, method, referrer, headers, kind, at, posted = row[:9]
        asked = _headers(headers)
        if referrer and not any(name.lower() == "referer" for name, _ in asked):
            asked.append(("Referer", str(referrer)))
        request: dict[str, Any] = {"method": str(method), "url": str(url), "headers": _fields(asked)}
        if isinstance(posted, str) and posted:
            request["postData"] = {"text": posted}
        entry = {
            "startedDateTime": str(at),
            "pageref": f"{browser}/{visit}",
            "_viewer": f"browser {browser}",
            "_resourceType": str(kind),
            "request": request,
        }
        if answer := _answer(row[9:12], None) or _answer(row[12:15], row[15]):
            entry["response"] = answer
        yield entry


def _answer(told: tuple[Any, ...], location: object) -> dict[str, Any] | None:
    """The response; None where none was recorded."""
    status, reason, headers = told
    if not isinstance(status, int) or not status:
        return None
    fields = _headers(headers)
    by_name = {name.lower(): value for name, value in fields}
    if location and "location" not in by_name:
        fields.append(("Location", str(location)))
    length = by_name.get("content-length", "")
    size = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else -1
    content = {"size": size, "mimeType": by_name.get("content-type", "")}
    return {"status": status, "statusText": str(reason or ""), "headers": _fields(fields), "content": content}


def _headers(text: object) -> list[tuple[str, str]]:
    """OpenWPM's list of pairs; none where it is damaged."""
    try:
        found = json.loads(text) if isinstance(text, str) else []
    except (ValueError, RecursionError):
        return []
    pairs = found if isinstance(found, list) else []
    return [
        (pair[0], pair[1])
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
    ]


def _fields(headers: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]
