"""One HAR entry as an Exchange, and what was delivered instead of it as an entry again.

A HAR holds bodies decoded: as text, or as base64. The exchange therefore has no content coding; the header fields that
are taken away for that stand in the changed entry as they stood in the recording. (Some tools leave base64 in its coding;
that is seen by its bytes.)
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from http import HTTPStatus
from typing import Any

from capper.domain.exchange import Action, Exchange, Headers, Outcome, Request, Response
from capper.domain.identity import Viewer
from capper.measure.forwarded import put_request
from capper.rewrite.charset import CODECS

BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
"""The time of a recording that says none."""
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_LARGEST = 2**53
_HIDDEN = {"content-encoding", "transfer-encoding"}
_TEXTUAL = re.compile(
    r"\s*(?:text/|image/svg\+xml|application/(?:[\w.+-]*(?:json|xml|javascript|ecmascript)))", re.IGNORECASE
)
_META = re.compile(r"""<meta[\s/][^>]*?charset\s*=\s*["']?\s*([^\s"'/>;]+)""", re.IGNORECASE)
_META_REACH = 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_PERISHABLE = frozenset(
    [
        "content-length",
        "etag",
        "last-modified",
        "cache-control",
        "expires",
        "pragma",
        "age",
        "accept-ranges",
        "digest",
        "content-digest",
    ]
)
"""What an edited response of the origin's may lack or say otherwise; all its other fields stay."""


class Unreadable(Exception):
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
        kind=_kind(entry),
        page=_text(entry.get("pageref")) or None,
    )
    return _with_response(exchange, response)


def _kind(entry: Mapping[str, Any]) -> str | None:
    """The browser's own word for the resource type. Chrome calls a frame a document, and says that a page's parser asked."""
    kind = _text(entry.get("_resourceType")) or None
    initiator = entry.get("_initiator")
    asked = initiator.get("type") if isinstance(initiator, dict) else None
    return "sub_frame" if kind == "document" and asked == "parser" else kind


def _with_response(exchange: Exchange, answer: Mapping[str, Any]) -> Recorded:
    content = answer.get("content")
    content = content if isinstance(content, dict) else {}
    rows = [(pair, field) for field in _list(answer.get("headers")) if (pair := _pair(field))]
    content_type = Headers(pair for pair, _ in rows).get("content-type")
    declared = content_type or _text(content.get("mimeType"))
    body, codec, charset = _body(content, declared)
    hidden = _HIDDEN - {"content-encoding"} if codec is None and _is_coded(body, declared) else _HIDDEN
    rows = [row for row in rows if row[0][0].lower() not in hidden]
    if charset:
        declared = f"{declared.partition(';')[0].strip()}; charset={charset}"
    if declared != content_type:
        rows = _declaring(rows, declared)
    unrecorded = 0 if body else _size(answer, content)
    response = Response(_status(answer), Headers(pair for pair, _ in rows), body, unrecorded)
    return Recorded(replace(exchange, response=response), tuple(field for _, field in rows), codec, unrecorded > 0)


def _size(answer: Mapping[str, Any], content: Mapping[str, Any]) -> int:
    """The body's size in bytes as the recording tells it, the surest word first; 0 where none does (-1: not known)."""
    told = (content.get("size"), answer.get("bodySize"), answer.get("_transferSize"))
    return next((int(size) for size in told if isinstance(size, int | float) and 0 <= size < _LARGEST), 0)


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
    # As with responses, a recording holds the body without its coding.
    headers = Headers(pairs).without("content-encoding") if body else Headers(pairs)
    return Request(method.upper(), url, headers, body.encode("utf-8", "surrogatepass"))


def _pair(field: object) -> tuple[str, str] | None:
    """A header field: `{"name": ..., "value": ...}`, or (Slack's HARs) `[name, value]`. HTTP/2's `:status` is none."""
    match field:
        case {"name": str(name), "value": str(value)} | [str(name), str(value)]:
            return None if name.startswith(":") else (name, value)
    return None


def _name(field: object) -> str:
    pair = _pair(field)
    return pair[0].lower() if pair else ""


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
    if coding not in (None, "", "utf-8", "UTF-8"):
        raise Unreadable("its body is in an encoding that HAR does not know")
    return _encoded(text, content_type)


def _is_coded(body: bytes, content_type: str) -> bool:
    """Whether a text is still in its content coding, as some tools leave it: no text has such bytes."""
    return bool(_TEXTUAL.match(content_type)) and _CONTROL.search(body, 0, _META_REACH) is not None


def _encoded(text: str, content_type: str) -> tuple[bytes, str, str | None]:
    """The text in the charset it was sent in; where that cannot hold it, in UTF-8, and said to be so."""
    label = _label(content_type)
    if not label and "html" in content_type.lower():
        meta = _META.search(text, 0, _META_REACH)
        label = meta[1].lower() if meta else ""
    codec = CODECS.get(label)
    if codec:
        try:
            data = text.encode(codec)
            if data.decode(codec) == text:
                return data, codec, None
        except UnicodeError:
            pass
    # JSON is UTF-8 by definition, and a charset that nobody may edit stays as it is: the gate must see it too.
    guessed = codec or (not label and content_type.strip().lower().startswith("text/") and not text.isascii())
    return text.encode("utf-8", "surrogatepass"), "utf-8", "utf-8" if guessed else None


def _label(content_type: str) -> str:
    """The charset that a Content-Type names, in lower case; "" where it names none."""
    if "charset" not in content_type.lower():
        return ""
    message = Message()
    message["Content-Type"] = " ".join(content_type.split())
    value = message.get_param("charset")
    return value.strip().lower() if isinstance(value, str) else ""


# The way back


def delivered(
    entry: dict[str, Any], recorded: Recorded, outcome: Outcome, decisions: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The entry as the person would have got it, `_capper` in it; None where that is what was recorded.

    `entry` is changed in place. What capper says nothing about stays: timings, cookies of the request, unknown names.
    """
    if outcome.request is not None:
        put_request(entry, recorded.exchange.request, outcome.request)
    edited = _put_response(entry, recorded, outcome)
    if not edited and outcome.request is None:
        return None
    capper: dict[str, Any] = {"action": outcome.action.value, "decisions": list(decisions)}
    if outcome.note:
        capper["note"] = outcome.note
    entry["_capper"] = capper
    return entry


def _put_response(entry: dict[str, Any], recorded: Recorded, outcome: Outcome) -> bool:
    """Change the entry's response in place; whether it is another now."""
    was, now = recorded.exchange.response, outcome.response
    withheld = any(decision.withheld for decision in outcome.decisions)
    if now is None or was is None or (now == was and not (was.unrecorded and withheld)):
        return False
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
    if edited or "content" in answer:
        answer["content"] = content
    return True


def _fields(listed: list[Any], recorded: Recorded, headers: Headers, *, edited: bool) -> tuple[list[Any], bool]:
    """The header fields as delivered, and whether the body is in a content coding whose size is not known.

    Fields that stayed keep their own objects and places. Those hidden from the exchange return to theirs if the
    response is still the origin's: if at least half of its lasting fields are there.
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
    lasting = sum(name.lower() not in _PERISHABLE for name, _ in was.headers)
    if 2 * sum(pair[0].lower() not in _PERISHABLE for pair, _ in left) > lasting:
        return [field for _, field in found], False
    shown = {id(field) for field in recorded.fields}
    hidden = [(place, field) for place, field in enumerate(listed) if id(field) not in shown]
    fields = [field for _, field in sorted([*found, *hidden], key=lambda row: row[0])]
    coded = edited and any(_name(field) == "content-encoding" for _, field in hidden)
    # The edited body is sent in one piece, in its old coding, and is as long as the compressor makes it.
    gone = {"transfer-encoding", "content-length" if coded else ""} if edited else set()
    return [field for field in fields if _name(field) not in gone], coded


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
    declared = CODECS.get(_label(content_type))
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
