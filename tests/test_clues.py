"""What an element gives away about the ad it is."""

import csv
import gzip
import io
import tarfile
from urllib.parse import unquote, urlsplit

import pytest

from capper.clues import evidence_of, evidence_of_document
from capper.markup import parse

PAGE = "https://news.example/today/"


def evidence(markup, selector="body > *"):
    document = parse(markup.encode(), PAGE, "utf-8")
    return evidence_of(document, document.select(selector)[0], PAGE)


@pytest.mark.parametrize(
    ("markup", "clicks"),
    [
        ("<a href='https://x.example/?a&amp;b'>", ("https://x.example/?a&b",)),
        ("<div><a href='#'></a><a href='javascript:go()'></a></div>", ()),
        ("<map><area href='/out'></map>", ("https://news.example/out",)),
        ("<div data-href='https://x.example/'></div>", ("https://x.example/",)),
        ("<div data-click-url='//x.example/c'></div>", ("https://x.example/c",)),
        ("<amp-ad data-landing-page='https://x.example/l'></amp-ad>", ("https://x.example/l",)),
        ("<div data-url='relative'></div>", ()),
        ("<div onclick=\"window.open('https:\\/\\/x.example\\/y','_blank')\"></div>", ("https://x.example/y",)),
        ("<div><noscript><a href='https://x.example/n'><img src=a></a></noscript></div>", ("https://x.example/n",)),
        (
            "<div><noscript>&lt;a href='https://x.example/n?a&amp;amp;b'&gt;</noscript></div>",
            ("https://x.example/n?a&b",),
        ),
        ("<a href='https://x.example/1'><a href='https://x.example/1'>", ("https://x.example/1",)),
        ("<a href='http://[bad'>x</a>", ("http://[bad",)),
    ],
)
def test_clicks(markup, clicks):
    """A click leads where links, data attributes and handlers say, with scripts or without."""
    assert evidence(markup).clicks == clicks


@pytest.mark.parametrize(
    ("markup", "resources"),
    [
        ("<img src='/a.jpg' srcset='/b.jpg 1x, /c,d.jpg 2x'>", ("a.jpg", "b.jpg", "c,d.jpg")),
        ("<img data-src='/a.jpg' src='data:image/gif;base64,R0'>", ("a.jpg",)),
        ("<video poster='/p.jpg'><source src='/v.mp4'></video>", ("p.jpg", "v.mp4")),
        ("<div style=\"background:url('/b.png') , URL( /c.png )\"></div>", ("b.png", "c.png")),
        (
            "<object data='/o.swf'><param name=movie value='/m.swf'><embed src='/e.swf'></object>",
            ("o.swf", "m.swf", "e.swf"),
        ),
        ("<div><iframe src='/f.html'></iframe><script src='/s.js'></script></div>", ("f.html", "s.js")),
        ("<input type=image src='/i.png'>", ("i.png",)),
        ("<table background='/t.gif'></table>", ("t.gif",)),
        ("<svg><image href='/s.png'/></svg>", ("s.png",)),
        ("<a href='/x'></a>", ()),
    ],
)
def test_resources(markup, resources):
    """An ad is made of pictures, frames, scripts and media, wherever they are named."""
    assert evidence(markup).resources == tuple(f"https://news.example/{name}" for name in resources)


def test_attributes_and_text():
    """Ids, classes and data are kept in order; handlers and addresses are not among them."""
    found = evidence(
        '<div id=a class="b c" data-dcm-placement="N1/2" onclick="x()" style="x"><img alt="Sch&ouml;n" src=x> Hi </div>'
    )

    assert found.attributes == (("id", "a"), ("class", "b c"), ("data-dcm-placement", "N1/2"), ("alt", "Schön"))
    assert found.text == "Hi"
    assert found.page == PAGE


def test_large_evidence_is_bounded():
    """However much an element holds, evidence stays small."""
    found = evidence(
        "<div>"
        + "".join(f"<a href='https://x.example/{n}' id=i{n}><img src=/{n}></a>words " for n in range(5000))
        + "</div>"
    )

    assert len(found.clicks) == 60
    assert len(found.resources) == 60
    assert len(found.attributes) == 200
    assert len(found.text) <= 2000


def test_real_ads(shared_data):
    """Of ads collected in the wild, those that are no mere frame have a click, half of them one that names where it lands."""
    pages = shared_data / "pages"
    rows = csv.DictReader(io.StringIO(gzip.decompress((pages / "ad-markup-2020.csv.gz").read_bytes()).decode()))
    landing = {row["ad_id"]: urlsplit(row["landing_url"]).hostname or "" for row in rows}
    clicked = named = total = 0
    with tarfile.open(pages / "ad-markup-2020.tar.gz") as archive:
        for member in filter(tarfile.TarInfo.isfile, archive.getmembers()):
            data = archive.extractfile(member).read()
            if b"<iframe" in data:
                continue
            clicks = evidence_of_document(parse(data, PAGE, "utf-8"), PAGE).clicks
            host = landing.get(member.name.rpartition("/")[2].partition(".")[0], "").removeprefix("www.")
            total += 1
            clicked += bool(clicks)
            named += bool(host) and any(host in unquote(unquote(click)) for click in clicks)

    assert total > 500
    assert clicked / total > 0.95
    assert named / total > 0.5


def test_who_pays():
    """The words that a network's markup says are the name of who pays, each selector's first."""
    document = parse(
        b"<div id=x><b class=by>  Shoe\n House</b><b class=by>Other</b><i class=from></i></div><b class=by>No</b>"
    )
    found = evidence_of(document, document.select("#x")[0], PAGE, (".from", ".by", ".none"))

    assert found.sponsors == ("Shoe House",)


def test_letters_whose_bytes_look_like_blanks():
    """The second half of an `à` is no white space, in text and in attributes."""
    document = parse('<div id=x title="voilà  tout"><b>  Voilà\n  déjà </b>\u00a0là</div>'.encode())
    found = evidence_of(document, document.select("#x")[0], PAGE)

    assert found.text == "Voilà déjà là"
    assert ("title", "voilà tout") in found.attributes


def test_indented_text_is_text():
    """White space between elements is not counted as text when only a little text is asked for."""
    document = parse(f"<div id=x>{' ' * 500}<b>{' ' * 90}Warm</b>{' ' * 500}<i>shoes</i></div>".encode())

    assert document.text_of(document.select("#x")[0], 10) == "Warm shoes"
