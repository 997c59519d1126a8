"""Which pictures of a page are looked at closely: those that links, files, scripts or styles give away, and no others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.markup import parse
from capper.rewrite.html.hiding import Values
from capper.rewrite.html.nearby import Nearby

URL = "https://news.example/a/b"
_TELLING = re.compile(
    # What `_telling` finds in three quick passes, as one pattern.
    r"(?<![a-z])(?:ad(?:s|v|vert\w*|server|image|img|pic|s?\d+)?(?![a-z])|aff(?![a-z]))|webad|textad|annons|anzeige|affil"
    r"|banner|spons|promo|reklam|werbung|publicit|campa[gi]|mainos|(?:728|300|160|320|970|468|336|980)x\d",
    re.IGNORECASE,
)
PIECES = ["/", "a", "ad", "Ads", "adv", "aff", "affil", "webad", "banner", "BANNER", "load", "er", "1", "300", "x", "250", "campa", "gn", "-", ".jpg"]  # fmt: skip


class SiteJudge:
    def is_elsewhere(self, url):
        return "//news.example/" not in url


def nearby_of(body, judge):
    document = parse(body.encode(), URL)
    return Nearby(document, judge, Values(document))


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map(lambda pieces: re.sub("/+", "/", "".join(pieces)))))
def test_telling_words(files):
    """Addresses on the page's own site are told by their words, each by itself."""
    search = nearby_of("", SiteJudge())

    assert search._telling(set(files)) == {file for file in files if _TELLING.search(file)}


@pytest.mark.parametrize(
    "picture",
    [
        '<img id=x src="//cdn.example/1.jpg">',
        '<img id=x src="/banner.jpg">',
        '<img id=x data-src="https://cdn.example/1.jpg" src="/1.gif">',
        '<input id=x type=IMAGE src="/ads/1.gif">',
        '<a href="https://shop.example/"><b><img id=x src="/1.jpg"></b></a>',
        '<a href="/out?to=https%3A%2F%2Fshop.example"><img id=x src="/1.jpg"></a>',
        '<a href="/out?u=aHR0cHM6Ly9zaG9wLmV4YW1wbGU"><img id=x src="/1.jpg"></a>',
        '<div onclick="go()"><img id=x src="/1.jpg"></div>',
        '<img id=x onclick="go()" src="/1.jpg">',
        '<img id=x style="background:url(/1.jpg)">',
        '<picture><source srcset="//cdn.example/1.webp"><img id=x src="/1.jpg"></picture>',
        '<video id=x><source src="/promo.mp4"></video>',
        '<object id=x data="/ad.swf"></object>',
        '<IMG ID=x SRCSET="//cdn.example/1.jpg 2x" src="/1.jpg">',
        '<img id=x Data-Lazy="//cdn.example/1.jpg">',
        '<a href="https://shop.example/"><table><tr><td><a href="/"><img id=x></a></td></tr></table></a>',
    ],
)
def test_looked_at_closely(picture):
    """Whatever may be an ad by what is written in the page."""
    found = list(nearby_of(f"<p>{picture}</p>", SiteJudge()).promising())

    assert [each.get("id") for each in found] == ["x"]


@pytest.mark.parametrize(
    "picture",
    [
        '<img src="/uploads/head.jpg">',
        '<a href="/story"><img src="/1.jpg" data-src="/2.jpg"></a>',
        '<a href="https://news.example/story"><img src="https://news.example/1.jpg"></a>',
        '<script src="https://cdn.example/1.js"></script><picture><img src="/1.jpg"></picture><video src="/1.mp4"></video>',
        '<input src="/ads/1.gif"><link href="https://cdn.example/ads.css"><iframe src="//ads.example/"></iframe>',
    ],
)
def test_left_alone(picture):
    """A picture of the page's own, linked to the page's own site; and what is no picture."""
    assert list(nearby_of(f"<p>{picture}</p>", SiteJudge()).promising()) == []
