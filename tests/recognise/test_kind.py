"""Resource kinds, prefetching and the page that asks."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.exchange import Exchange, Headers, Request, Response
from capper.domain.identity import Viewer
from capper.recognise.kind import UNKNOWN_SOURCE, Kind, is_prefetch, kind_of, source_of
from capper.testing import NOON, an_exchange


def kind(url="https://ads.example/x", browser=None, request=None, response=None):
    exchange = an_exchange(url, request=request, response=response)
    return kind_of(Exchange(exchange.request, exchange.viewer, exchange.at, exchange.response, kind=browser))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("document", Kind.DOCUMENT),
        ("stylesheet", Kind.STYLESHEET),
        ("Image", Kind.IMAGE),
        ("media", Kind.MEDIA),
        ("font", Kind.FONT),
        ("script", Kind.SCRIPT),
        ("texttrack", Kind.MEDIA),
        ("xhr", Kind.XHR),
        ("fetch", Kind.XHR),
        ("eventsource", Kind.XHR),
        ("prefetch", Kind.OTHER),
        ("websocket", Kind.WEBSOCKET),
        ("manifest", Kind.OTHER),
        ("ping", Kind.PING),
        ("beacon", Kind.PING),
        ("preflight", Kind.OTHER),
        ("sub_frame", Kind.SUBDOCUMENT),
        ("imageset", Kind.IMAGE),
    ],
)
def test_browser_words(word, expected):
    """Whatever Chrome or Firefox call a resource in a HAR has one kind."""

    assert kind(browser=word) == expected


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("audio", Kind.MEDIA),
        ("audioworklet", Kind.SCRIPT),
        ("document", Kind.DOCUMENT),
        ("embed", Kind.OBJECT),
        ("empty", Kind.XHR),
        ("fencedframe", Kind.SUBDOCUMENT),
        ("font", Kind.FONT),
        ("frame", Kind.SUBDOCUMENT),
        ("iframe", Kind.SUBDOCUMENT),
        ("image", Kind.IMAGE),
        ("json", Kind.XHR),
        ("manifest", Kind.OTHER),
        ("object", Kind.OBJECT),
        ("paintworklet", Kind.SCRIPT),
        ("report", Kind.OTHER),
        ("script", Kind.SCRIPT),
        ("serviceworker", Kind.SCRIPT),
        ("sharedworker", Kind.SCRIPT),
        ("speculationrules", Kind.OTHER),
        ("style", Kind.STYLESHEET),
        ("text", Kind.XHR),
        ("track", Kind.MEDIA),
        ("video", Kind.MEDIA),
        ("webidentity", Kind.OTHER),
        ("websocket", Kind.WEBSOCKET),
        ("worker", Kind.SCRIPT),
        ("xslt", Kind.STYLESHEET),
    ],
)
def test_fetch_destinations(destination, expected):
    """Every destination of the Fetch standard has a kind, and it outweighs the media type."""

    assert kind(request={"Sec-Fetch-Dest": destination}, response={"Content-Type": "text/html"}) == expected


@pytest.mark.parametrize(
    ("url", "request_fields", "response_fields", "expected"),
    [
        ("https://a.example/x", {"Accept": "text/css,*/*;q=0.1"}, None, Kind.STYLESHEET),
        (
            "https://a.example/x",
            {"Accept": "image/avif,image/webp,*/*;q=0.8"},
            {"Content-Type": "text/html"},
            Kind.IMAGE,
        ),
        ("https://a.example/x", {"Accept": "*/*"}, {"Content-Type": "image/gif"}, Kind.IMAGE),
        ("https://a.example/x", {}, {"Content-Type": "Text/JavaScript; charset=utf-8"}, Kind.SCRIPT),
        ("https://a.example/x", {}, {"Content-Type": "application/vast+xml"}, Kind.XHR),
        ("https://a.example/x.js?y=z.png", {}, {"Content-Type": "text/plain"}, Kind.SCRIPT),
        ("https://a.example/b.WEBP#x", {}, None, Kind.IMAGE),
        ("https://a.example", {}, None, Kind.OTHER),
        ("https://example.js", {}, None, Kind.OTHER),
        ("wss://a.example/live", {}, None, Kind.WEBSOCKET),
        ("https://a.example/live", {"Upgrade": "websocket"}, None, Kind.WEBSOCKET),
        ("https://a.example/p", {"Ping-To": "https://b.example/", "Sec-Fetch-Dest": "empty"}, None, Kind.PING),
        ("https://a.example/x.png", {"X-Requested-With": "XMLHttpRequest"}, None, Kind.XHR),
        ("https://a.example/x", {"X-Requested-With": "com.example.app"}, None, Kind.OTHER),
        ("https://a.example/x", {"Sec-Fetch-Dest": "no such"}, {"Content-Type": "font/woff2"}, Kind.FONT),
    ],
)
def test_kinds_without_fetch_metadata(url, request_fields, response_fields, expected):
    """Old browsers and plain HTTP leave media types and names to go by."""

    assert kind(url, request=request_fields, response=response_fields) == expected


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ({"Referer": "https://news.example/"}, Kind.SUBDOCUMENT),
        ({"Referer": "https://ads.example/"}, Kind.DOCUMENT),
        ({}, Kind.DOCUMENT),
    ],
)
def test_page_of_another_host_is_a_frame(referrer, expected):
    """Without Fetch metadata a page that a page of another host asked for is a frame, for Chrome's `document` too."""

    assert kind(request=referrer, response={"Content-Type": "text/html"}) == expected
    assert kind(browser="document", request=referrer) == expected


def test_fetch_metadata_tells_chromes_frames_from_pages():
    """Chrome's `document` is a frame where the request says `iframe`, and a page where it says `document`."""

    assert kind(browser="document", request={"Sec-Fetch-Dest": "iframe"}) == Kind.SUBDOCUMENT
    assert (
        kind(browser="document", request={"Sec-Fetch-Dest": "document", "Referer": "https://x.example/"})
        == Kind.DOCUMENT
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Sec-Purpose": "prefetch;prerender"}, True),
        ({"Sec-Purpose": "prefetch;anonymous-client-ip"}, True),
        ({"Purpose": "prefetch"}, True),
        ({"X-Moz": "prefetch"}, True),
        ({"X-Purpose": "preview"}, True),
        ({"Sec-Fetch-Dest": "image"}, False),
        ({}, False),
    ],
)
def test_prefetch(fields, expected):
    """A request that says it runs ahead of the person is a prefetch."""

    assert is_prefetch(Request("GET", "https://a.example/", Headers(fields.items()))) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Referer": "https://news.example/a", "Origin": "https://other.example"}, "https://news.example/a"),
        ({"Referer": "about:blank", "Origin": "https://news.example"}, "https://news.example"),
        ({"Origin": "null"}, UNKNOWN_SOURCE),
        ({"Referer": "https://"}, UNKNOWN_SOURCE),
        ({"Referer": "android-app://com.example"}, UNKNOWN_SOURCE),
        ({"Referer": ""}, UNKNOWN_SOURCE),
        ({}, UNKNOWN_SOURCE),
    ],
)
def test_source(fields, expected):
    """The source is the referring page, else the origin, else a host that no rule names; never empty."""

    assert source_of(an_exchange("https://ads.example/", request=fields)) == expected


text = st.text(max_size=60)


@given(
    url=text,
    name=st.sampled_from(["Referer", "Origin", "Accept", "Sec-Fetch-Dest", "Sec-Purpose"]),
    value=text,
    sent=text,
)
def test_hostile_fields(url, name, value, sent):
    """No URL and no field value, however odd, makes reading a request fail."""
    request = Request("GET", url, Headers([(name, value)]))
    exchange = Exchange(request, Viewer(), NOON, Response(200, Headers([("Content-Type", sent)])), kind=value)

    assert kind_of(exchange) in Kind
    assert source_of(exchange).startswith(("http://", "https://", "HTTP", "Http"))
    assert is_prefetch(request) in (True, False)


def test_kinds_of_a_real_page_load(shared_data):
    """Of a real page load's requests, media types and names alone tell the browser's own kind for nine in ten."""
    with gzip.open(shared_data / "har" / "ferguson.com-2022.har.gz") as file:
        entries = json.load(file)["log"]["entries"]
    right = total = 0
    for entry in entries:
        word = entry.get("_resourceType")
        if not word:
            continue
        request = Headers((field["name"], field["value"]) for field in entry["request"]["headers"])
        answer = Headers((field["name"], field["value"]) for field in entry["response"]["headers"])
        bare = request.without("Sec-Fetch-Dest")
        told = Exchange(
            Request("GET", entry["request"]["url"], request), Viewer(), NOON, Response(200, answer), kind=word
        )
        guessed = Exchange(Request("GET", entry["request"]["url"], bare), Viewer(), NOON, Response(200, answer))
        total += 1
        right += kind_of(told) is kind_of(guessed)

    assert total > 100
    assert right / total > 0.9
