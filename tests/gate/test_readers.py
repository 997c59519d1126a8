"""Which answers a page's scripts can read."""

import pytest

from capper.domain.exchange import Headers, Request
from capper.gate.readers import hers_alone

AD = "https://ads.example/frame"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, True),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, True),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "empty"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({}, False),
    ],
)
def test_who_reads(headers, expected):
    """Only what another origin shows without CORS is between capper and her; where nothing is told, a page may read it."""
    assert hers_alone(Request("GET", AD, Headers(headers.items()))) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Referer": "https://news.example/"}, True),
        ({"Referer": "https://ads.example/"}, True),
        ({"Referer": "http://news.example/", "Origin": "http://news.example"}, False),
        ({"Referer": "http://ads.example/other"}, False),
        ({"Referer": "https://["}, True),
        ({}, False),
    ],
)
def test_who_reads_what_came_over_http(headers, expected):
    """There browsers tell no more than where it is asked for from; over https one that tells no more may have a service worker."""
    fields = Headers(headers.items())

    assert hers_alone(Request("GET", AD.replace("https", "http"), fields)) is expected
    assert not hers_alone(Request("GET", AD, fields))
