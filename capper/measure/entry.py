"""One HAR entry as an Exchange, and what was delivered instead of it as an entry again.

A HAR holds bodies decoded: as text, or as base64. The exchange therefore has no content coding; the header fields that
are taken away for that stand in the changed entry as they stood in the recording.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from http import HTTPStatus
from typing import Any

from capper.domain.exchange import Action, Exchange, Headers, Outcome, Request, Response
from capper.domain.identity import Viewer

BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
"""The time of a recording that says none."""
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_HIDDEN = {"content-encoding", "transfer-encoding"}
_TEXTUAL = re.compile(
    r"\s*(?:text/|image/svg\+xml|application/(?:[\w.+-]*(?:json|xml|javascript|ecmascript)))", re.IGNORECASE
)
_META = re.compile(r"""<meta[^>]+?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_META_REACH = 2048
# The Encoding Standard's reading of labels, as far as it differs from Python's.
_AS_BROWSERS_DO = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
                   "shift_jis": "cp932", "euc_kr": "cp949", "iso8859-11": "cp874", "tis-620": "cp874"}  # fmt: skip
_CHARSETS = re.compile(r"utf-(?:8|16(?:-[lb]e)?)|cp(?:125\d|866|874|932|949)|iso8859-\d+|koi8-[ru]|gb18030|big5|euc_jp|"
                       r"iso2022_jp|mac-(?:roman|cyrillic)")  # fmt: skip


class Unreadable(Exception):  # noqa: N818  like Unrewritable: it is not an error, the entry passes
    """An entry that is damaged; its text says how, without a site or URL."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry read: the exchange, and what must be known to write it back.

    `fields` are the entry's header objects that the exchange's response fields came from, in the same order. `codec` is
    the text encoding of the body, None where the entry holds base64 or nothing.
    """

    exchange: Exchange
    fields: tuple[Any, ...] = ()
    codec: str | None = None
    missing: bool = False
    """The response had a body that the recording does not hold."""


def moment(started: object) -> datetime | None:
    """The time that a `startedDateTime` says (RFC 3339; without an offset, UTC); None where it says none."""
    if not isinstance(started, str) or len(started) > 64:
        return None
    try:
        when = datetime.fromisoformat(started.strip().upper())
        when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return when if _EARLIEST <= when < _LATEST else None


def clock(started: Sequence[object]) -> list[datetime]:
    """The time of every entry: its own, else that of the entry before it, else the first that there is."""
    own = [moment(value) for value in started]
    last = next((when for when in own if when), BEFORE_ALL)
    times = []
    for when in own:
        last = when or last
        times.append(last)
    return times


def read(entry: Mapping[str, Any], at: datetime, viewer: Callable[[str | None], Viewer]) -> Recorded | None:
    """The exchange that `entry` recorded; None for what never passed a proxy (`data:` URLs, requests without an answer).

    Args:
        viewer: the viewer of the name in `_viewer`, or of None where the entry names none.

    Raises:
        Unreadable: the entry is damaged.
    """
    request, answer = _request(_mapping(entry, "request")), entry.get("response")
    if request is None or answer is None:
        return None
    response = _mapping(entry, "response")
    if not _status(response):
        return None
    exchange = Exchange(
        request=request,
        viewer=viewer(_text(entry.get("_viewer")) or None),
        at=at,
        device=_text(entry.get("_device")),
        kind=_text(entry.get("_resourceType")) or None,
        page=_text(entry.get("pageref")) or None,
    )
    return _with_response(exchange, response)


def _with_response(exchange: Exchange, answer: Mapping[str, Any]) -> Recorded:
    content = answer.get("content")
    content = content if isinstance(content, dict) else {}
    rows = [(pair, field) for field in _list(answer.get("headers")) if (pair := _pair(field))]
    rows = [row for row in rows if row[0][0].lower() not in _HIDDEN]
    content_type = Headers(pair for pair, _ in rows).get("content-type")
    declared = content_type or _text(content.get("mimeType"))
    body, codec, charset = _body(content, declared)
    if charset:
        declared = f"{declared.partition(';')[0].strip()}; charset={charset}"
    if declared != content_type:
        rows = _declaring(rows, declared)
    size = content.get("size")
    missing = not body and isinstance(size, int | float) and size > 0
    response = Response(_status(answer), Headers(pair for pair, _ in rows), body)
    return Recorded(replace(exchange, response=response), tuple(field for _, field in rows), codec, missing)


def _declaring(rows: list[tuple[tuple[str, str], Any]], declared: str) -> list[tuple[tuple[str, str], Any]]:
    """The fields with this one Content-Type, which stands for the first there was."""
    kept = []
    for (name, value), field in rows:
        if name.lower() != "content-type":
            kept.append(((name, value), field))
        elif declared:
            kept.append(((name, declared), field))
            declared = ""
    return [*kept, (("Content-Type", declared), None)] if declared else kept


def _request(raw: Mapping[str, Any]) -> Request | None:
    url, method = raw.get("url"), raw.get("method", "GET")
    if not isinstance(url, str) or not isinstance(method, str):
        raise Unreadable("the request's `url` or `method` is not text")
    if not url.lower().startswith(("http://", "https://", "ws://", "wss://")):
        return None
    pairs = [pair for pair in map(_pair, _list(raw.get("headers"))) if pair]
    post = raw.get("postData")
    body = _text(post.get("text")) if isinstance(post, dict) else ""
    return Request(method.upper(), url, Headers(pairs), body.encode("utf-8", "surrogatepass"))


def _pair(field: object) -> tuple[str, str] | None:
    """A header field: `{"name": ..., "value": ...}`, or (Slack's HARs) `[name, value]`. HTTP/2's `:status` is none."""
    match field:
        case {"name": str(name), "value": str(value)} | [str(name), str(value)]:
            return None if name.startswith(":") else (name, value)
    return None


def _mapping(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    if not isinstance(value, dict):
        raise Unreadable(f"its `{name}` is missing or not an object")
    return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _status(answer: Mapping[str, Any]) -> int:
    """The status; 0 (blocked, failed, still under way) where there was none."""
    value = answer.get("status")
    return int(value) if isinstance(value, int | float) and 100 <= value <= 999 else 0


# Bodies


def _body(content: Mapping[str, Any], content_type: str) -> tuple[bytes, str | None, str | None]:
    """The body's bytes, the codec of a text, and the charset that must be declared for it if another."""
    text = content.get("text")
    if text is None:
        return b"", None, None
    if not isinstance(text, str):
        raise Unreadable("its body is not text")
    coding = content.get("encoding")
    if coding == "base64":
        try:
            return base64.b64decode(text), None, None
        except (binascii.Error, ValueError):
            # People who publish recordings write `removed` there.
            return b"", None, None
    if coding not in {None, "", "utf-8", "UTF-8"}:
        raise Unreadable("its body is in an encoding that HAR does not know")
    return _encoded(text, content_type)


def _encoded(text: str, content_type: str) -> tuple[bytes, str, str | None]:
    """The text in the charset it was sent in; where that cannot hold it, in UTF-8, and said to be so."""
    label = _parameter(content_type, "charset")
    if not label and "html" in content_type.lower():
        meta = _META.search(text, 0, _META_REACH)
        label = meta[1] if meta else ""
    codec = _codec(label)
    if codec:
        try:
            data = text.encode(codec)
            if data.decode(codec) == text:
                return data, codec, None
        except UnicodeError:
            pass
    data = text.encode("utf-8", "surrogatepass")
    # JSON is UTF-8 by definition, and scripts take the page's: only what would be guessed at must say so.
    return data, "utf-8", "utf-8" if label or content_type.strip().lower().startswith("text/") else None


def _parameter(content_type: str, name: str) -> str:
    if name not in content_type.lower():
        return ""
    message = Message()
    message["Content-Type"] = " ".join(content_type.split())
    value = message.get_param(name)
    return value.strip() if isinstance(value, str) else ""


def _codec(label: str) -> str | None:
    """Python's codec for a charset that the web knows; None for any other."""
    if not re.fullmatch(r"[\w.:-]{2,40}", label, re.ASCII):
        return None
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    name = _AS_BROWSERS_DO.get(name, name)
    return name if _CHARSETS.fullmatch(name) else None


# The way back


def delivered(
    entry: dict[str, Any], recorded: Recorded, outcome: Outcome, decisions: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The entry as the person would have got it, `_capper` in it; None where that is what was recorded.

    `entry` is changed in place. What capper says nothing about stays: timings, cookies of the request, unknown names.
    """
    was, now = recorded.exchange.response, outcome.response
    if now is None or was is None or now == was:
        return None
    answer = entry["response"]
    content = answer["content"] if isinstance(answer.get("content"), dict) else {}
    if now.status != was.status:
        answer["status"], answer["statusText"] = now.status, _reason(now.status)
        answer["redirectURL"] = now.headers.get("location")
    # A 304 brings no body: what the browser shows is the copy that the recording has.
    edited = now.body != was.body and now.status != HTTPStatus.NOT_MODIFIED
    coded = False
    if outcome.action is Action.ANSWER:
        answer["headers"] = [{"name": name, "value": value} for name, value in now.headers]
        answer["headersSize"], answer["cookies"] = -1, []
    elif now.headers != was.headers or edited:
        answer["headers"], coded = _fields(_list(answer.get("headers")), recorded, now.headers, edited=edited)
        answer["headersSize"] = -1
    if edited:
        _put_body(content, recorded, now)
        answer["bodySize"] = -1 if coded else len(now.body)
    answer["content"] = content
    capper: dict[str, Any] = {"action": outcome.action.value, "decisions": list(decisions)}
    if outcome.note:
        capper["note"] = outcome.note
    entry["_capper"] = capper
    return entry


def _fields(listed: list[Any], recorded: Recorded, headers: Headers, *, edited: bool) -> tuple[list[Any], bool]:
    """The header fields as delivered, and whether the body is in a content coding whose size is not known.

    Fields that stayed keep their own objects and places. Those hidden from the exchange return to theirs if the
    response is still the origin's, that is if at least half of its fields are.
    """
    was = recorded.exchange.response
    assert was is not None
    places = {id(field): place for place, field in enumerate(listed)}
    left = list(zip(was.headers, recorded.fields, strict=True))
    found: list[tuple[int, Any]] = []
    at = -1
    for name, value in headers:
        row = next((row for row in left if row[0] == (name, value)), None)
        if row is None:
            found.append((at, {"name": name, "value": value}))
            continue
        left.remove(row)
        if row[1] is not None:
            at = places[id(row[1])]
            found.append((at, row[1]))
    if 2 * len(left) > len(recorded.fields):
        return [field for _, field in found], False
    shown = {id(field) for field in recorded.fields}
    hidden = [(place, field) for place, field in enumerate(listed) if id(field) not in shown]
    coded = edited and any((_pair(field) or ("", ""))[0].lower() == "content-encoding" for _, field in hidden)
    fields = [field for _, field in sorted([*found, *hidden], key=lambda row: row[0])]
    if coded:
        fields = [field for field in fields if (_pair(field) or ("", ""))[0].lower() != "content-length"]
    return fields, coded


def _put_body(content: dict[str, Any], recorded: Recorded, now: Response) -> None:
    kind = now.headers.get("content-type")
    text = _decoded(now.body, recorded, kind) if _as_text(content, kind) else None
    if text is None:
        content["text"], content["encoding"] = base64.b64encode(now.body).decode(), "base64"
    else:
        content["text"] = text
        content.pop("encoding", None)
    content["size"] = len(now.body)
    content.pop("compression", None)
    was = recorded.exchange.response
    if was is None or kind != was.headers.get("content-type"):
        content["mimeType"] = kind


def _as_text(content: Mapping[str, Any], content_type: str) -> bool:
    """Text stays text and base64 stays base64; a body that was not recorded is what its type says."""
    if "text" in content:
        return content.get("encoding") != "base64"
    return bool(_TEXTUAL.match(content_type))


def _decoded(body: bytes, recorded: Recorded, content_type: str) -> str | None:
    declared = _codec(_parameter(content_type, "charset"))
    for codec in (declared, recorded.codec, "utf-8"):
        if codec is None:
            continue
        try:
            return body.decode(codec, "surrogatepass" if codec == "utf-8" else "strict")
        except UnicodeError:
            continue
    return None


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
