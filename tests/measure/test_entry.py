"""HAR entries as exchanges and back: times, viewers, bodies, charsets, header fields."""

import base64
import copy
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.exchange import Action, Headers, Outcome, Response
from capper.domain.identity import Viewer
from capper.measure.entry import BEFORE_ALL, Unreadable, clock, delivered, moment, read
from capper.testing import NOON


def viewer(name: str | None) -> Viewer:
    return Viewer(name or "household")


def rewritten(entry, change, decisions=()):
    """The entry after `change` was made to its response."""
    recorded = read(entry, NOON, viewer)
    assert recorded is not None
    assert recorded.exchange.response is not None
    outcome = Outcome(Action.REWRITE, change(recorded.exchange.response))
    return delivered(entry, recorded, outcome, decisions)


def names(entry):
    return [field["name"] for field in entry["response"]["headers"]]


@pytest.mark.parametrize(
    ("started", "expected"),
    [
        ("2026-11-22T12:00:00Z", NOON),
        ("2026-11-22t12:00:00z", NOON),
        ("2026-11-22T13:00:00.000+01:00", NOON),
        ("2026-11-22T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        ("2026-11-22T12:00:00", NOON),
        ("2015-08-29T19:47:08.375+00:00", datetime(2015, 8, 29, 19, 47, 8, 375000, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("1969-12-31T23:59:59Z", None),
        ("2" * 1000, None),
        (1_795_348_800, None),
        (None, None),
        ({}, None),
    ],
)
def test_moment(started, expected):
    """A time is read with any offset and fraction; what is not a time of the web's is none."""
    assert moment(started) == expected


def test_clock():
    """An entry without a time has that of the entry before it, the first ones that of the first there is."""
    noon, later = "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"

    assert clock([None, noon, "?", later, None]) == [NOON, NOON, NOON, NOON.replace(hour=13), NOON.replace(hour=13)]
    assert clock([None, "?"]) == [BEFORE_ALL, BEFORE_ALL]


def test_exchange(builder):
    """An entry becomes the exchange a proxy would have seen, with the browser's own words for kind and page load."""
    entry = builder.add(
        "https://news.example/",
        "<p>hi",
        request={":method": "GET", "Referer": "https://a.example/"},
        headers={"Content-Encoding": "gzip", "Transfer-Encoding": "chunked", ":status": "200"},
        _viewer="anna",
        _device="phone",
        _resourceType="document",
        pageref="page_1",
    )
    recorded = read(entry, NOON, viewer)
    assert recorded is not None
    exchange = recorded.exchange
    assert exchange.response is not None

    assert exchange.request.headers == Headers([("Referer", "https://a.example/")])
    assert exchange.response.headers == Headers(
        [("Content-Type", "text/html; charset=utf-8"), ("Date", "Sun, 22 Nov 2026 12:00:00 GMT")]
    )
    assert exchange.response.body == b"<p>hi"
    assert (exchange.viewer.name, exchange.device, exchange.kind, exchange.page, exchange.at) == (
        "anna",
        "phone",
        "document",
        "page_1",
        NOON,
    )


def test_post_data_and_pairs(builder):
    """Posted text is the request's body, and header fields may be pairs, as Slack writes them."""
    entry = builder.add("https://news.example/", "x")
    entry["request"] |= {"method": "post", "postData": {"text": "a=é"}, "headers": [["X-A", "1"], ["B"], 5, None]}
    recorded = read(entry, NOON, viewer)
    assert recorded is not None

    assert recorded.exchange.request.method == "POST"
    assert recorded.exchange.request.body == "a=é".encode()
    assert recorded.exchange.request.headers == Headers([("X-A", "1")])


@pytest.mark.parametrize(
    "change",
    [
        {"response": None},
        {"response": {"status": 0}},
        {"response": {"status": -1}},
        {"response": {"status": float("inf")}},
        {"response": {"status": "200"}},
        {"request": {"url": "data:image/gif;base64,R0lG", "method": "GET"}},
        {"request": {"url": "chrome-extension://abc/x.js"}},
        {"request": {"url": ""}},
    ],
)
def test_what_no_proxy_saw(builder, change):
    """A request without an answer and a URL that needs no network are no exchanges."""
    assert read(builder.add("https://news.example/") | change, NOON, viewer) is None


@pytest.mark.parametrize(
    "change",
    [
        {"request": None},
        {"request": []},
        {"request": {}},
        {"request": {"url": 5}},
        {"request": {"url": "https://a.example/", "method": []}},
        {"response": []},
        {"response": {"status": 200, "content": {"text": 5}}},
        {"response": {"status": 200, "content": {"text": "a", "encoding": "rot13"}}},
        {"response": {"status": 200, "content": {"text": "a", "encoding": []}}},
    ],
)
def test_damaged_entries(builder, change):
    """A damaged entry is named so, without its URL."""
    with pytest.raises(Unreadable) as caught:
        read(builder.add("https://news.example/") | change, NOON, viewer)

    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200},
        {"status": 200, "headers": None, "content": None},
        {"status": 200.0, "headers": {"a": 1}, "content": []},
        {"status": 204, "headers": [{"name": 5, "value": None}, {"name": "A"}], "content": {"size": "much"}},
    ],
)
def test_what_may_be_missing(builder, answer):
    """Headers and content may be missing or of the wrong type: the rest of the entry is still an exchange."""
    recorded = read(builder.add("https://news.example/") | {"response": answer}, NOON, viewer)
    assert recorded is not None

    assert recorded.exchange.response == Response(int(answer["status"]))


def test_body_not_recorded(builder):
    """A body that the recording does not hold, or that somebody took out of it, is missing; an empty one is not."""
    missing, removed, empty = (builder.add(f"https://a.example/{number}") for number in range(3))
    missing["response"]["content"]["size"] = 5000
    removed["response"]["content"] |= {"size": 5000, "text": "REMOVED", "encoding": "base64"}
    found = [read(entry, NOON, viewer) for entry in (missing, removed, empty)]

    assert [recorded.missing for recorded in found if recorded] == [True, True, False]


@pytest.mark.parametrize(
    ("mime", "text", "body", "said"),
    [
        ("text/html; charset=windows-1252", "é “x”", b"\xe9 \x93x\x94", "text/html; charset=windows-1252"),
        ("text/html; charset=ISO-8859-1", "é “x”", b"\xe9 \x93x\x94", "text/html; charset=ISO-8859-1"),
        ('text/html; charset="shift_jis"', "日本", "日本".encode("cp932"), 'text/html; charset="shift_jis"'),
        ("text/html; charset=utf-8", "日本", "日本".encode(), "text/html; charset=utf-8"),
        ("text/html; charset=windows-1252", "日本", "日本".encode(), "text/html; charset=utf-8"),
        ("text/html", "<p>é", "<p>é".encode(), "text/html; charset=utf-8"),
        ("text/html", "<meta charset=windows-1252>é", b"<meta charset=windows-1252>\xe9", "text/html"),
        ("text/html; charset=idna", "é", "é".encode(), "text/html; charset=idna"),
        ("text/html; charset=utf-16", "é", "é".encode(), "text/html; charset=utf-16"),
        ("text/html; charset=\0", "é", "é".encode(), "text/html; charset=\0"),
        ("text/html", "<p>e", b"<p>e", "text/html"),
        ("application/json", '{"é": 1}', '{"é": 1}'.encode(), "application/json"),
        ("text/html; charset=utf-8", "half \ud800", b"half \xed\xa0\x80", "text/html; charset=utf-8"),
    ],
)
def test_charsets(builder, mime, text, body, said):
    """A text has the bytes it came in; where its charset cannot hold it, it is UTF-8 and says so; and it comes back whole."""
    entry = builder.add("https://news.example/", text, mime=mime)
    before = copy.deepcopy(entry)
    recorded = read(entry, NOON, viewer)
    assert recorded is not None
    assert recorded.exchange.response is not None
    after = rewritten(entry, lambda response: replace(response, body=response.body + b"!"))

    assert recorded.exchange.response.body == body
    assert recorded.exchange.response.headers.get("content-type") == said
    assert after["response"]["content"]["text"] == text + "!"
    assert after["response"]["headers"] == before["response"]["headers"]
    assert after["response"]["content"]["mimeType"] == mime


def test_type_from_mime(builder):
    """Where a recording was stripped of header fields, its `mimeType` says what the body is, and no field is added."""
    entry = builder.add("https://news.example/", "<p>é", mime="text/html")
    entry["response"]["headers"] = []
    recorded = read(entry, NOON, viewer)
    assert recorded is not None
    assert recorded.exchange.response is not None
    after = rewritten(entry, lambda response: replace(response, body=b"<p>x"))

    assert recorded.exchange.response.headers.get("content-type") == "text/html; charset=utf-8"
    assert after["response"]["headers"] == []


def test_nothing_changed(builder):
    """An outcome that leaves the response as it was leaves the entry as it was."""
    entry = builder.add("https://news.example/", "<p>hi")
    before = copy.deepcopy(entry)

    assert rewritten(entry, lambda response: response) is None
    assert entry == before


def test_changed_text(builder):
    """A changed entry has the text, sizes and `_capper`; all else of it stays."""
    entry = builder.add("https://news.example/", "<p>hi", comment="mine", _x={"y": 1})
    entry["response"]["content"] |= {"compression": 3, "comment": "c"}
    before = copy.deepcopy(entry)
    after = rewritten(entry, lambda response: replace(response, body=b"<p>hello"), [{"verdict": "withhold"}])
    content = after["response"]["content"]

    assert content == {"size": 8, "mimeType": "text/html; charset=utf-8", "text": "<p>hello", "comment": "c"}
    assert after["response"]["bodySize"] == 8
    assert after["_capper"] == {"action": "rewrite", "decisions": [{"verdict": "withhold"}]}
    assert {key: value for key, value in after.items() if key not in {"response", "_capper"}} == {
        key: value for key, value in before.items() if key != "response"
    }


def test_base64_stays_base64(builder):
    """An image is base64 before and after, also where the placeholder is text."""
    entry = builder.add("https://ads.example/1.png", b"\x89PNG", mime="image/png")
    svg = Response(200, Headers([("Content-Type", "image/svg+xml")]), b"<svg/>")
    after = rewritten(entry, lambda _: svg)
    content = after["response"]["content"]

    assert content["encoding"] == "base64"
    assert base64.b64decode(content["text"]) == b"<svg/>"
    assert content["mimeType"] == "image/svg+xml"
    assert names(after) == ["Content-Type"]


def test_bytes_for_text(builder):
    """A text that gives way to bytes that are no text becomes base64, and says so."""
    entry = builder.add("https://ads.example/1", "text", mime="text/html")
    after = rewritten(entry, lambda _: Response(200, Headers([("Content-Type", "image/png")]), b"\x89PNG\xff"))

    assert after["response"]["content"]["encoding"] == "base64"


def test_coded_pages_keep_their_fields(builder):
    """A page that came compressed is delivered compressed: its coding returns to its place, and no length is made up."""
    entry = builder.add(
        "https://news.example/",
        "<p>hi",
        headers={"Content-Encoding": "br", "Transfer-Encoding": "chunked", "ETag": "1", "X-A": "1"},
    )

    def change(response):
        headers = response.headers.without("ETag").with_("Content-Length", "8").with_("X-New", "n")
        return Response(200, headers, b"<p>hello")

    after = rewritten(entry, change)

    assert names(after) == ["Content-Type", "Date", "Content-Encoding", "X-A", "X-New"]
    assert after["response"]["bodySize"] == -1
    assert after["response"]["content"]["size"] == 8


def test_headers_only(builder):
    """Where only header fields change, the body and its sizes stay, and unchanged fields keep their comments."""
    entry = builder.add(
        "https://ads.example/1.png", b"\x89PNG", mime="image/png", headers={"Cache-Control": "max-age=60", "X-A": "1"}
    )
    entry["response"]["headers"][3]["comment"] = "mine"
    before = copy.deepcopy(entry)
    after = rewritten(
        entry, lambda response: replace(response, headers=response.headers.with_("Cache-Control", "no-cache"))
    )

    assert [(field["name"], field["value"]) for field in after["response"]["headers"]] == [
        ("Content-Type", "image/png"),
        ("Date", "Sun, 22 Nov 2026 12:00:00 GMT"),
        ("Cache-Control", "no-cache"),
        ("X-A", "1"),
    ]
    assert after["response"]["headers"][3]["comment"] == "mine"
    assert after["response"]["content"] == before["response"]["content"]
    assert after["response"]["bodySize"] == before["response"]["bodySize"]


def test_answer(builder):
    """An answer of ours replaces status, fields and body, and says that the origin was not asked."""
    entry = builder.add("https://ads.example/f", "<p>ad", status=302, headers={"Content-Encoding": "gzip"})
    recorded = read(entry, NOON, viewer)
    assert recorded is not None
    ours = Response(200, Headers([("Content-Type", "text/html; charset=utf-8")]), "<p>därför".encode())
    after = delivered(entry, recorded, Outcome(Action.ANSWER, ours, note="n"), [])
    assert after is not None

    assert (after["response"]["status"], after["response"]["statusText"]) == (200, "OK")
    assert names(after) == ["Content-Type"]
    assert after["response"]["content"]["text"] == "<p>därför"
    assert after["response"]["bodySize"] == len("<p>därför".encode())
    assert after["_capper"] == {"action": "answer", "decisions": [], "note": "n"}


def test_not_modified_keeps_the_copy(builder):
    """A 304 of ours means the browser shows its copy: the recording keeps it."""
    entry = builder.add("https://ads.example/1.png", b"\x89PNG", mime="image/png")
    recorded = read(entry, NOON, viewer)
    assert recorded is not None
    after = delivered(entry, recorded, Outcome(Action.ANSWER, Response(304, Headers([("ETag", '"1"')]))), [])
    assert after is not None

    assert after["response"]["status"] == 304
    assert base64.b64decode(after["response"]["content"]["text"]) == b"\x89PNG"


@given(st.text(), st.sampled_from(["utf-8", "windows-1252", "iso-8859-15", "shift_jis", "gbk", "utf-16", "x-none", ""]))
def test_any_text(text, charset):
    """Any text in any declared charset is read, and comes back whole after an edit that changes nothing but its length."""
    content_type = f"text/html; charset={charset}"
    entry = {
        "request": {"method": "GET", "url": "https://a.example/"},
        "response": {
            "status": 200,
            "headers": [{"name": "content-type", "value": content_type}],
            "content": {"text": text},
        },
    }
    recorded = read(entry, NOON, viewer)
    assert recorded is not None
    assert recorded.exchange.response is not None
    tail = "!".encode(recorded.codec or "utf-8").removeprefix(b"\xff\xfe")
    after = rewritten(entry, lambda response: replace(response, body=response.body + tail))

    assert after["response"]["content"]["text"] == text + "!"
