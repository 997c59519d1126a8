"""What is private in a recording does not leave with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.measure.har import load, parse
from capper.measure.strip import stripped, without_values

SECRET = "hunter2"


def a_har(**request):
    """A recording of one exchange that has the secret wherever there is a place for one."""
    asked = {
        "method": "POST",
        "url": f"https://anna:{SECRET}@news.example/a?id={SECRET}&x#{SECRET}",
        "httpVersion": "h2",
        "cookies": [{"name": "sid", "value": SECRET}],
        "headers": [
            {"name": "Cookie", "value": f"sid={SECRET}"},
            {"name": "X-Auth-Token", "value": SECRET},
            {"name": "Authorization", "value": SECRET},
            {"name": "Referer", "value": f"https://shop.example/?q={SECRET}"},
            {"name": "Accept", "value": "text/html"},
        ],
        "queryString": [{"name": "id", "value": SECRET}],
        "postData": {"mimeType": "text/plain", "text": SECRET},
    }
    answer = {
        "status": 302,
        "cookies": [{"name": "sid", "value": SECRET}],
        "headers": [
            {"name": "Set-Cookie", "value": SECRET},
            {"name": "ETag", "value": SECRET},
            {"name": "Location", "value": f"/b?to={SECRET}"},
            {"name": "Content-Type", "value": "text/html"},
        ],
        "redirectURL": f"/b?to={SECRET}",
        "content": {"size": 7, "mimeType": "text/html", "text": SECRET, "comment": SECRET},
    }
    entry = {
        "startedDateTime": "2026-11-22T12:00:00Z",
        "request": asked | request,
        "response": answer,
        "_initiator": {"url": SECRET},
        "_resourceType": "document",
        "serverIPAddress": SECRET,
    }
    log = {"version": "1.2", "comment": SECRET, "pages": [{"title": SECRET}], "entries": [entry]}
    return parse(json.dumps({"log": log}).encode(), "a.har")


def test_nothing_private_stays():
    """Wherever it stood; what tells an ad's request apart does."""
    made = stripped(a_har())
    [entry] = json.loads(made)["log"]["entries"]

    assert SECRET.encode() not in made
    assert "https://news.example/a?id=" == entry["request"]["url"]
    assert [{"name": "id", "value": ""}] == entry["request"]["queryString"]
    assert {"name": "Accept", "value": "text/html"} in entry["request"]["headers"]
    assert {"name": "Referer", "value": "https://shop.example/?q="} in entry["request"]["headers"]
    assert {"size": 7, "mimeType": "text/html"} == entry["response"]["content"]
    assert "/b?to=" == entry["response"]["redirectURL"]


def test_what_is_stripped_can_be_read(shared_data):
    """A real recording has as many entries afterwards."""
    path = min((shared_data / "har").rglob("*.har.gz"), key=lambda path: path.stat().st_size)
    har = load(path)

    assert len(har) == len(parse(stripped(har), "stripped.har"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/p?a=1&b=2", "https://a.example/p?a=&b="),
        ("https://a.example/p?secret", "https://a.example/p"),
        ("https://a.example/p?a=1&secret&b=2", "https://a.example/p?a=&b="),
        ("data:text/plain,hello", "data:"),
        ("blob:https://a.example/1-2", "blob:"),
        ("https://[broken", ""),
        ("", ""),
    ],
)
def test_addresses_without_values(url, expected):
    """None is left."""
    assert expected == without_values(url)


@given(st.text(max_size=40))
def test_any_address_is_borne(text):
    """It is text that was found in a file."""
    assert isinstance(without_values(f"https://a.example/?{text}"), str)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)))
def test_damaged_fields_are_borne(value):
    """Whatever stands in their place."""
    assert stripped(a_har(headers=value, queryString=value, url=value))
