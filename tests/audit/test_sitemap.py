"""Which pages a sitemap names, also through an index, packed, damaged, or written to do harm."""

import gzip
from collections import Counter

import pytest

from capper.audit import sitemap
from capper.audit.sitemap import Pages, is_sitemap, pages_of
from capper.domain.errors import ConfigError

SITE = "https://paper.example/sitemap.xml"
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="http://www.google.com/schemas/sitemap-image/1.1"'


def listing(kind: str, *urls: str, more: str = "") -> bytes:
    """A sitemap (`url`) or an index of sitemaps (`sitemap`)."""
    outer = {"url": "urlset", "sitemap": "sitemapindex"}[kind]
    rows = "".join(f"<{kind}><loc>\n {url} </loc>{more}</{kind}>" for url in urls)
    return f'<?xml version="1.0" encoding="UTF-8"?><{outer} {SPACE}>{rows}</{outer}>'.encode()


def pages(files: dict[str, bytes], start: str = SITE) -> Pages:
    """What is found from `start` on."""
    return pages_of(start, files.__getitem__)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (SITE, True),
        ("https://paper.example/map.xml.gz?x=1", True),
        ("pages.XML", True),
        ("week.har", False),
        ("https://xml/", False),
    ],
)
def test_a_sitemap_is_known_by_its_name(target, expected):
    """Before anything is fetched."""
    assert expected == is_sitemap(target)


def test_pages_are_in_their_order_and_each_once():
    """Entities and sections of characters are read as XML has them; a picture's address is no page."""
    picture = "<i:image><i:loc>https://paper.example/1.jpg</i:loc></i:image>"
    data = listing(
        "url",
        "https://paper.example/b?x=1&amp;y=2",
        "<![CDATA[https://www.paper.example/a]]>",
        "https://paper.example/b?x=1&amp;y=2",
        more=picture,
    )

    assert Pages(("https://paper.example/b?x=1&y=2", "https://www.paper.example/a")) == pages({SITE: data})


def test_an_index_leads_to_its_sitemaps_also_packed_and_also_in_a_circle():
    """Each is fetched once."""
    packed, asked = "https://paper.example/2.xml.gz", Counter()
    files = {
        SITE: listing("sitemap", packed, "https://paper.example/index.xml"),
        "https://paper.example/index.xml": listing("sitemap", SITE, "https://paper.example/3.xml"),
        packed: gzip.compress(listing("url", "https://paper.example/2")),
        "https://paper.example/3.xml": listing("url", "https://paper.example/3"),
    }

    def fetch(url: str) -> bytes:
        asked[url] += 1
        return files[url]

    assert ("https://paper.example/2", "https://paper.example/3") == pages_of(SITE, fetch).urls
    assert dict.fromkeys(files, 1) == asked


def test_no_more_sitemaps_are_fetched_than_the_most(monkeypatch):
    """However many an index names."""
    monkeypatch.setattr(sitemap, "MOST_SITEMAPS", 3)
    files = {f"https://paper.example/{n}.xml": listing("url", f"https://paper.example/{n}") for n in range(9)}

    assert 3 == len(pages({SITE: listing("sitemap", *files)} | files).urls)


def test_what_is_of_another_site_is_left_out_and_counted():
    """A sitemap on the web speaks for its own site; a file of one's own for all that it names."""
    data = listing("url", "https://paper.example/", "https://other.example/")

    assert Pages(("https://paper.example/",), 1) == pages({SITE: data})


def test_a_file_speaks_for_all_that_it_names(tmp_path):
    """Whoever wrote it means it."""
    path = tmp_path / "pages.xml"
    path.write_bytes(listing("url", "https://paper.example/", "https://other.example/"))

    assert 2 == len(pages_of(str(path), {}.__getitem__).urls)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!doctype html><html><p>Not found</html>", "no sitemap"),
        (b"", "no sitemap"),
        (listing("url"), "names no page"),
        (listing("url", "https://other.example/"), "of other sites"),
        (listing("url", "javascript:alert(1)", "file:///etc/passwd"), "names no page"),
        (
            b'<!DOCTYPE x [<!ENTITY a "aaaa">]><urlset><url><loc>https://paper.example/&a;</loc></url></urlset>',
            "entities",
        ),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset>&a;</urlset>', "entities"),
        (gzip.compress(listing("url", "https://paper.example/"))[:40], "no sitemap"),
        (b"\x1f\x8b" + b"x" * 40, "cannot be unpacked"),
        (gzip.compress(b" " * 60_000_000, 1), "unpacks to more"),
        (b"<a>" * 100_000, "no sitemap"),
    ],
    ids=["html", "empty", "no page", "elsewhere", "other schemes", "entity", "file", "cut", "damaged", "bomb", "deep"],
)
def test_what_is_no_sitemap_is_told(data, words):
    """In a sentence that says why."""
    with pytest.raises(ConfigError, match=words):
        pages({SITE: data})


def test_those_that_are_drawn_are_the_same_for_a_seed():
    """In their order; all of them where there are few."""
    many = Pages(tuple(map(str, range(100))))

    assert many.drawn(5, 1) == many.drawn(5, 1) != many.drawn(5, 2)
    assert 5 == len(many.drawn(5, 1).urls)
    assert [*map(int, many.drawn(5, 1).urls)] == sorted(map(int, many.drawn(5, 1).urls))
    assert many is many.drawn(100, 1)
