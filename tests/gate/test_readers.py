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
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Referer": "https://news.example/"}, True),
        ({"Referer": "http://ads.example/"}, True),
        ({"Referer": "https://news.example/", "Origin": "https://news.example"}, False),
        ({"Referer": "https://ads.example/other"}, False),
        ({"Referer": "https://["}, True),
        ({}, False),
    ],
)
def test_who_reads(headers, expected):
    """Only what another origin shows without CORS is between capper and her; where nothing is told, a page may read it."""
    assert hers_alone(Request("GET", AD, Headers(headers.items()))) is expected
