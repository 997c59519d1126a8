"""Spans that are true to the byte, on every page there is and on markup made to mislead."""

import gzip
import itertools
import tarfile
import time
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.markup import DEEPEST, VOID, Span, join, parse, unique

PIECES = st.lists(
    st.sampled_from(
        [
            b"<div>",
            b"</div>",
            b"<p class=x>",
            b"</p>",
            b"<a href='/x'>",
            b"</a>",
            b"<b>",
            b"</b>",
            b"<img src=x>",
            b"<table>",
            b"<tr><td>",
            b"</table>",
            b"<form>",
            b"</form>",
            b"<!-- x -->",
            b"<script>a<b</script>",
            b"<svg><path/></svg>",
            b"\r\n",
            b"\r",
            b"\n",
            b"\x00",
            b"\x0c",
            b"\xef\xbb\xbf",
            b"\xe9",
            b"\x85",
            b"text",
            b"&amp;",
            b"<",
            b">",
            b"<select>",
            b"<IMG\r\nSRC=y>",
            b"<template>",
            b"</template>",
            b"<noscript>",
            b"</noscript>",
            b"<body>",
            b"</html>",
            b"<i\x00>",
        ]
    ),
    max_size=40,
).map(b"".join)


def check_spans(data):
    """Every span of every element begins with its name; elements nest by their bytes or lie apart."""
    spans = []
    for element in parse(data).select("*"):
        start, end = element.start_tag, element.end_tag
        if start is None:
            assert end is None
            continue
        name = element.tag.encode("latin-1", "replace").split(b"?")[0]
        written = data[start.start : start.end].lower()
        assert written.startswith((b"<" + name, b"<image" if name == b"img" else b"<" + name))
        assert written.endswith(b">")
        if end is not None:
            assert data[end.start : end.end].lower().startswith(b"</" + name)
            assert start.end <= end.start
            spans.append(element.span)
        elif element.span is not None:
            assert element.tag in VOID
    return spans


def check_pages(paths):
    return sum(len(check_spans(gzip.decompress(path.read_bytes()))) for path in paths)


def test_spans_of_real_pages(shared_data):
    """On real pages, in every charset and with every line end, spans slice the original bytes."""
    assert check_pages(sorted((shared_data / "pages").glob("*/*.gz"))[::6]) > 30_000


@pytest.mark.slow
def test_spans_of_every_real_page(shared_data):
    """The same on all of them."""
    assert check_pages((shared_data / "pages").glob("*/*.gz")) > 200_000


def test_spans_of_broken_markup(shared_data):
    """The same for the markup with which HTML parsers are tested."""
    with tarfile.open(shared_data / "pages" / "html5lib-tests.tar.gz") as archive:
        files = [archive.extractfile(member).read() for member in archive.getmembers() if member.name.endswith(".dat")]
    for case in itertools.chain.from_iterable(data.split(b"#data\n")[1:] for data in files):
        check_spans(case.split(b"\n#errors")[0])


@given(PIECES)
def test_spans_of_any_markup(data):
    """The same for anything thrown together."""
    check_spans(data)


@given(PIECES)
def test_sound_elements_can_go(data):
    """An element called sound can be emptied without any element around it noticing."""
    document = parse(data)
    for element in document.select("div, a, table, p, b, form, svg"):
        span = element.span
        if span is None or not element.sound(document):
            continue
        start, end = element.start_tag, element.end_tag
        emptied = data[: start.end] + data[end.start :]

        assert outside(parse(emptied), Span(start.start, start.end + 1)) == outside(document, span)


def outside(document, span):
    return [
        (each.tag, sum(1 for _ in each.ancestors()))
        for each in document.select("*")
        if (start := each.start_tag) and not span.start <= start.start < span.end
    ]


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        (b"<a href='/x?a=1&amp;b=2'>", "href", "/x?a=1&b=2"),
        (b"<a href=/x HREF=/y>", "href", "/x"),
        (b"<a HREF=/x>", "href", "/x"),
        (b"<a href>", "href", ""),
        (b"<a>", "href", ""),
        (b"<a class='x  y'>", "class", "x  y"),
    ],
)
def test_attributes(data, name, value):
    """Attributes come with references resolved, the first of two winning."""
    assert parse(data).select("a")[0].get(name) == value


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("utf-8", "Schön \u2013 日本".encode(), "Schön \u2013 日本"),
        ("utf-8", b"Sch&ouml;n &#8211; \xe2\x82\xac", "Schön \u2013 €"),
        ("", b"Sch\xf6n \x80", "Schön €"),
        ("cp1252", b"Sch\xf6n \x80 &#8364;", "Schön € €"),
        ("cp932", "表示 ソ".encode("cp932"), "表示 ソ"),
        ("gb18030", "广告".encode("gb18030"), "广告"),
        ("cp1251", "реклама".encode("cp1251"), "реклама"),
        ("utf-8", b"a \r\n b<script>x</script><style>y</style> c<!-- d -->", "a b c"),
    ],
)
def test_text(charset, data, text):
    """Text reads as a person would read it, in the document's charset, with references beside bytes."""
    document = parse(b"<p>" + data + b"</p>", charset=charset)

    assert document.text_of(document.select("p")[0]) == text


@pytest.mark.parametrize(
    ("url", "joined"),
    [
        ("https://x.example/a", "https://x.example/a"),
        ("HTTP://x.example/a", "HTTP://x.example/a"),
        ("//x.example/a", "https://x.example/a"),
        ("/a", "https://news.example/a"),
        ("  a?b \n", "https://news.example/p/a?b"),
        ("https://x.example/ \na \n/b", "https://x.example/a/b"),
        ("#top", ""),
        ("", ""),
        ("javascript:void(0)", ""),
        ("data:image/gif;base64,R0", ""),
        ("mailto:a@x.example", ""),
        ("http://[::1", "http://[::1"),
        ("//[::1", ""),
    ],
)
def test_join(url, joined):
    """Only addresses that a browser would ask a server for are kept."""
    assert join("https://news.example/p/q", url) == joined


def test_unique():
    """The first few different values, none of them empty."""
    assert unique(["", "a", "b", "a", "c"], 2) == ("a", "b")


@pytest.mark.parametrize(
    "data",
    [
        b"<div>" * 100_000,
        b"<p>x" * 2_500_000,
        b"<p>" + b"".join(b"<b x=%d>" % n for n in range(20_000)) + b"</p>" + b"<p>x</p>" * 20_000,
        b"<p>" + b"".join(b'<b x=\'"\' y="> %d">' % n for n in range(20_000)) + b"</p>" + b"<p>x</p>" * 20_000,
    ],
    ids=["deep", "many", "clones", "hidden clones"],
)
def test_documents_that_cost_too_much(data):
    """Depth, number and multiplication of elements are refused before they cost."""
    began = time.process_time()
    with pytest.raises(Unrewritable):
        parse(data)

    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"<",
        b"<!--",
        b"<script>",
        b"<a href='",
        b"<!DOCTYPE",
        b"\xff\xfe",
        b"</",
        b"<plaintext><a>",
        b"<a " * 5000,
    ],
)
def test_unfinished_documents(data):
    """Documents that end anywhere are parsed to what there is."""
    assert isinstance(parse(data).select("a"), list)


def test_holding():
    """Elements by the value of an attribute, in document order."""
    document = parse(
        b'<a href=1 id=x><b href="2"><i href=1 class="p  q"></i></b></a><template><a href=1 id=y></template>'
    )

    assert [element.tag for element in document.holding("href", {"1"})] == ["a", "i", "a"]
    assert document.holding("href", ()) == document.holding("src", {"1"}) == []
    assert document.values("href") == ["1", "2", "1", "1"]
    assert document.names("class") == {"p", "q"}


@pytest.mark.parametrize("depth", [511, 512, 513, 2000])
def test_depth(depth):
    """A document of many tags may be as deep as browsers make it and no deeper: html and body are two of the elements."""
    data = b"<div>" * (depth - 2) + b"</div>" * (depth - 2) + b"<p></p>" * 1000

    if depth <= DEEPEST:
        assert parse(data).select("p")
    else:
        with pytest.raises(Unrewritable):
            parse(data)


def test_a_selector_that_cannot_be_read_fits_nothing():
    """Lists hold selectors that only one browser knows."""
    assert parse(b"<a>").select("a:has-text(/x/)[") == []


def test_an_element_that_leaves_a_link_open_is_not_sound():
    """A link the source never closed is taken up again behind the element; without it the page would be another one."""
    document = parse(b"<body><div><aside><p><a href=/x>ad</p></aside><p>text</p><div>more</div></div>")

    assert not document.select("aside")[0].sound(document)
    assert document.select("div div")[0].tag == "div"


def test_an_element_is_one_object():
    """However a document is asked for an element it is the same object, so that what is known of it is known once."""
    document = parse(b"<div><p id=a>x<b>y</b></p></div>")
    paragraph = document.select("#a")[0]

    bold = document.select("b")[0]
    assert bold.parent is paragraph
    assert [paragraph] == document.holding("id", {"a"})
    assert next(bold.ancestors()) is paragraph
    assert paragraph is bold.closest("p")
    assert document.select("div")[0].children()[0] is paragraph


def test_a_page_is_let_go_with_its_document():
    """What is known of a page's elements goes with its document, and does not wait for the garbage collector."""
    document = parse(b"<div><p>x</p></div>")
    paragraph = weakref.ref(document.select("p")[0])
    assert paragraph() is not None

    del document

    assert paragraph() is None


def test_what_stands_beside_it():
    """Elements of the same name are found before and after, as far as told, whatever stands between."""
    document = parse(b"<ul><li id=a>1</li> <!-- --><li id=b>2<li id=c>3</li><p>4</p> <li id=d>5</li></ul>")
    item = document.select("#c")[0]

    assert ["b", "a", "d"] == [each.get("id") for each in item.alike(4)]
    assert ["b"] == [each.get("id") for each in item.alike(1)]


@given(
    st.lists(st.sampled_from(["a b", "<script>no</script>", "<i>c  d</i>", "&nbsp;", " \n ", "x" * 30]), max_size=12)
)
def test_a_text_does_not_hang_on_what_was_asked_before(parts):
    """A text of a limit is the same, whatever limits it was asked for with before."""
    source = f"<div>{''.join(parts)}</div>".encode()
    limits = (3, 200, 20, 3, 60)
    document = parse(source)
    element = document.select("div")[0]
    fresh = [(other := parse(source)).text_of(other.select("div")[0], limit) for limit in limits]

    assert fresh == [document.text_of(element, limit) for limit in limits]
