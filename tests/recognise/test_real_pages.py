"""Real ads in pages, and real pages: how many are found and named rightly, and that nothing else is taken for an ad."""

import csv
import gzip
import html
import io
import re
import tarfile
from collections import Counter
from urllib.parse import unquote

import pytest

from capper.recognise.domains import registrable, site_of
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.lists import starter_lists
from capper.recognise.recogniser import Recogniser
from capper.rewrite.html.page import find

HEAD = (
    b"<!DOCTYPE html><html><head><title>News</title></head><body><header><h1>News</h1><nav><a href=/a>World</a><a href=/b>"
    b"Sport</a></nav></header><main><article><p>"
    + b"words and more words " * 300
    + b"</p></article></main><div class=rail>"
)
TAIL = (
    b"</div><footer><p>"
    + b"more words " * 50
    + b"</p><a href='https://www.facebook.com/us'>Follow</a></footer></body></html>"
)
SEEN = {
    # Each looked at: page, and how many ads stand in its markup, by the starter lists and with EasyList.
    "0b96fc66e2c94f45a1b923ec9a31fcf2": (1, 1),
    "SW1.News-Heimat": (0, 17),
    "archive.peptalks.de.schulnoten": (0, 1),
    "bbc-1": (9, 9),
    "berkutschi.com-willingen": (1, 1),
    "breitbart": (31, 32),
    "btv.de-spuren": (0, 1),
    "bug-1255978": (17, 17),
    "cnet": (4, 4),
    "cnn": (0, 1),
    "gmw": (1, 1),
    "heise": (10, 10),
    "liberation-1": (1, 1),
    "msn": (16, 16),
    "pcgamer.com.skyrim": (1, 1),
    "prensa.com-curata": (1, 1),
    "qq": (0, 3),
    "thenassauguardian.com-hikes": (0, 2),
    "ukbdnews.com.23646": (0, 2),
    "yahoo-1": (3, 3),
    "yahoo-2": (3, 3),
    "yahoo-3": (4, 4),
    "yahoo-4": (8, 8),
}
OWN_ADDRESS = re.compile(
    rb"<link[^>]+rel=[\"']?canonical[\"']?[^>]*href=[\"']?(https?:[^\"'\s>]+)"
    rb"|<link[^>]+href=[\"'](https?:[^\"']+)[\"'][^>]*rel=[\"']?canonical"
    rb"|property=[\"']og:url[\"'][^>]*content=[\"'](https?:[^\"']+)"
)


@pytest.fixture(scope="module", params=["starter", "easylist"])
def lists(request, shared_data, reader):
    """A recogniser, and which lists it goes by: those that travel with capper, alone and with EasyList."""
    used = starter_lists()
    if request.param == "easylist":
        text = gzip.decompress((shared_data / "lists" / "easylist-20260822.txt.gz").read_bytes()).decode()
        used = [*used, FilterList("easylist", text, ListKind.ADS)]
    return Recogniser(Engines.build(used), reader), request.param


def _subtrees(shared_data):
    pages = shared_data / "pages"
    with gzip.open(pages / "ad-markup-2020.csv.gz", "rt", encoding="utf-8") as file:
        rows = {row["ad_id"]: row for row in csv.DictReader(file)}
    archive = gzip.decompress((pages / "ad-markup-2020.tar.gz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            row = rows.get(member.name.rpartition("/")[2].removesuffix(".html"))
            if member.isfile() and row:
                yield row, tar.extractfile(member).read()


def _holds(markup, landing):
    text = markup.decode("utf-8", "replace")
    for _ in range(4):
        text = unquote(html.unescape(text))
    return bool(re.search(rf"(?<![\w-]){re.escape(landing)}(?![\w-])", text.lower()))


@pytest.mark.slow
def test_real_ads_in_pages(shared_data, lists):
    """Of real ads that hold their landing page, in a page, 19 in 20 are found and named by it, and none by another's."""
    recogniser, _ = lists
    outcomes = Counter()
    for row, markup in _subtrees(shared_data):
        url, landing = row["parent_url"], site_of(row["landing_url"])
        slots = find(HEAD + markup + TAIL, url, recogniser.page(url), "utf-8").slots
        named = {name for slot in slots for name in recogniser.read(slot.evidence).advertisers}
        domains = {registrable(name.partition("/")[0]) for name in named if not name.startswith("sponsor/")}
        assert site_of(url) not in domains
        if not landing or landing == site_of(url):
            continue
        held = "held" if _holds(markup, landing) else "not held"
        outcomes[held, "right" if domains == {landing} else "wrong" if domains else "unnamed"] += 1
    print(outcomes)

    assert outcomes["held", "wrong"] == 0
    assert outcomes["held", "right"] >= 0.95 * (outcomes["held", "right"] + outcomes["held", "unnamed"])
    # Their links say one place and the landing page is another: a redirect that is not in the markup.
    assert outcomes["not held", "wrong"] <= 3


@pytest.mark.slow
def test_every_ad_of_the_real_pages_was_looked_at(shared_data, lists, monkeypatch):
    """In 402 real pages nothing but ads is taken for one: each that is found was looked at, and no other is.

    What says of itself that it is paid for is looked at in a test of its own.
    """
    monkeypatch.setattr("capper.rewrite.html.candidates.labelled", lambda *_: ())
    recogniser, which = lists
    found = {}
    for file in sorted((shared_data / "pages").glob("*/*.html.gz")):
        data = gzip.decompress(file.read_bytes())
        match = OWN_ADDRESS.search(data)
        url = next(filter(None, match.groups())).decode("latin-1") if match else "https://publisher.example/story"
        slots = find(data, url, recogniser.page(url)).slots
        if slots:
            found[file.name.removesuffix(".html.gz")] = len(slots)

    assert found == {name: seen[which == "easylist"] for name, seen in SEEN.items() if seen[which == "easylist"]}
