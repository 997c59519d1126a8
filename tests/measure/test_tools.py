"""HARs as browsers and tools write them: what one leaves out another says elsewhere, and the ads are counted all the same."""

import base64
import gzip
import json
from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.measure.replay import replay
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.testing import NOON

LISTS = [FilterList("ads", "||ads.example^\n||doubleclick.net^", ListKind.ADS)]
CREATIVE = '<html><body><a href="https://ad.doubleclick.net/ddm/clk/1;2?https://www.shoes.example/"><p>Shoes</p></a></body></html>'
PAGE = "<html><body><h1>News</h1></body></html>"


async def replayed(har, *caps):
    recogniser = Recogniser(Engines.build(LISTS), AdReader(load_networks()))
    policy = Policy(Rule("caps", tuple(map(Cap.parse, caps or ("2 per advertiser per day",)))))
    journal = Journal(0)
    gate = Gate(lambda: recogniser, MemoryLedger(), lambda: policy, journal)
    found = await replay(har, gate, journal)
    counts = {
        name: (count.shown, count.withheld) for rows in found.summary.viewers.values() for name, count in rows.items()
    }
    return counts, {index: json.loads(entry) for index, entry in found.changes.items()}


def visits(builder, make):
    """Three page loads ten minutes apart; `make` adds the ad of each."""
    for number in range(3):
        at = NOON + timedelta(minutes=10 * number)
        builder.add(
            f"https://www.news{number}.example/", PAGE, at=at, pageref=f"page_{number}", _resourceType="document"
        )
        make(number, at + timedelta(seconds=2), f"page_{number}")
    return builder.har()


@pytest.mark.parametrize(
    "said",
    [
        {"_resourceType": "document", "_initiator": {"type": "parser", "url": "https://www.news.example/"}},
        {"_resourceType": "document"},
        {"_resourceType": "sub_frame"},
        {},
    ],
    ids=["chrome", "document", "firefox", "nothing"],
)
async def test_frames_without_referrer_and_fetch_metadata(builder, said):
    """A frame is known by its page, its initiator or its resource type where its own request tells nothing."""
    har = visits(
        builder, lambda n, at, page: builder.add(f"https://ads.example/f?{n}", CREATIVE, at=at, pageref=page, **said)
    )

    counts, changes = await replayed(har)

    assert {"shoes.example": (2, 1)} == counts
    assert [5] == list(changes)


async def test_pictures_whose_bodies_are_not_recorded(builder):
    """A picture known by its size in bytes is counted; withheld, that is said, and nothing is invented in its place."""

    def banner(_number, at, page):
        entry = builder.add(
            "https://ads.example/shoes.png", None, at=at, pageref=page, mime="image/png", _resourceType="image"
        )
        entry["response"]["content"]["size"] = 45_000

    counts, changes = await replayed(visits(builder, banner), "2 per creative per day")

    assert {"ads.example/shoes.png": (2, 1)} == counts
    assert [5] == list(changes)
    expected = {**builder.entries[5]}
    assert "withhold" == changes[5].pop("_capper")["decisions"][0]["verdict"]
    assert expected == changes[5]


@pytest.mark.parametrize("sizes", [{"size": 43}, {"size": 0}, {"size": -1}, {}, {"size": "9000"}, {"size": True}])
async def test_pixels_whose_bodies_are_not_recorded(builder, sizes):
    """A few bytes are a beacon, and what has no size may be one."""

    def pixel(_number, at, page):
        entry = builder.add(
            "https://ads.example/p.gif", None, at=at, pageref=page, mime="image/gif", _resourceType="image"
        )
        entry["response"]["content"] = {"mimeType": "image/gif", **sizes}
        entry["response"]["bodySize"] = -1

    counts, changes = await replayed(visits(builder, pixel), "1 per creative per day")

    assert ({}, {}) == (counts, changes)


async def test_sizes_in_other_places(builder):
    """Chrome's transfer size is taken where the content has none."""

    def banner(_number, at, page):
        entry = builder.add(
            "https://ads.example/shoes.png", None, at=at, pageref=page, mime="image/png", _resourceType="image"
        )
        entry["response"]["content"] = {"mimeType": "image/png", "size": -1}
        entry["response"] |= {"bodySize": -1, "_transferSize": 45_000}

    counts, _ = await replayed(visits(builder, banner), "2 per creative per day")

    assert {"ads.example/shoes.png": (2, 1)} == counts


async def test_bodies_left_in_their_coding(builder):
    """Some tools keep a gzip body as it came, as base64: it is read, and is a page again when it is changed."""
    packed = gzip.compress(CREATIVE.encode())
    har = visits(
        builder,
        lambda n, at, page: builder.add(
            f"https://ads.example/f?{n}",
            packed,
            at=at,
            pageref=page,
            _resourceType="iframe",
            headers={"Content-Encoding": "gzip"},
        ),
    )

    counts, changes = await replayed(har)

    assert {"shoes.example": (2, 1)} == counts
    content = changes[5]["response"]["content"]
    body = base64.b64decode(content["text"])
    assert b"<!DOCTYPE html>" in (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


async def test_text_as_base64(builder):
    """A text body may be base64 although nothing is coded."""
    har = visits(
        builder,
        lambda n, at, page: builder.add(
            f"https://ads.example/f?{n}", CREATIVE.encode(), at=at, pageref=page, _resourceType="iframe"
        ),
    )

    counts, changes = await replayed(har)

    assert {"shoes.example": (2, 1)} == counts
    assert "base64" == changes[5]["response"]["content"]["encoding"]


async def test_pseudo_headers_and_lower_case(builder):
    """HTTP/2's own fields are none, and names are known in any case."""
    request = {
        ":authority": "ads.example",
        ":method": "GET",
        "sec-fetch-dest": "iframe",
        "referer": "https://www.news0.example/",
    }
    har = visits(
        builder,
        lambda n, at, page: builder.add(
            f"https://ads.example/f?{n}", CREATIVE, at=at, request=request, headers={":status": "200"}
        ),
    )

    counts, changes = await replayed(har)

    assert {"shoes.example": (2, 1)} == counts
    assert [5] == list(changes)


async def test_entries_out_of_order_among_what_is_no_exchange(builder):
    """Frames before their pages, redirects, data: URLs, WebSocket messages and comments change nothing of the count."""
    visits(
        builder,
        lambda n, at, page: builder.add(
            f"https://ads.example/f?{n}", CREATIVE, at=at, pageref=page, _resourceType="iframe"
        ),
    )
    builder.add("data:image/gif;base64,R0lGOD", b"GIF89a", mime="image/gif")
    builder.add(
        "https://ads.example/r", "", status=302, headers={"Location": "https://ads.example/f?9"}, comment="moved"
    )
    builder.add(
        "wss://ads.example/s",
        None,
        status=101,
        _resourceType="websocket",
        _webSocketMessages=[{"type": "send", "data": "x"}],
    )
    builder.add("https://ads.example/failed", None, status=0)
    builder.entries.reverse()

    counts, changes = await replayed(builder.har())

    assert {"shoes.example": (2, 1)} == counts
    assert 1 == len(changes)
