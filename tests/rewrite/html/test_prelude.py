"""What of a page passes before the rest of it is there: its head, as far as it holds nothing that may be edited."""

import gzip
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite.html.prelude import Prelude

HEAD = (
    b"<!DOCTYPE html>\n<!-- a - comment --><html lang=en><head><meta charset=utf-8><title>Town & river</title>"
    b"<link rel=stylesheet href='/a.css'><style>p > a {color: red}</style><script src=\"/a.js\" async></script>\n"
)
BODY = b"<script>var state = {}</script></head><body><p>Words</p></body></html>"


def passed(page: bytes, most: int = 10_000) -> bytes:
    return Prelude(most).take(page)


def test_head():
    """Of a head all passes but what scripts say in it, and what stands behind that."""

    assert passed(HEAD + BODY) == HEAD


@pytest.mark.parametrize(
    "page",
    [
        b"Words",
        b"<p>Words",
        b"<script>1</script>",
        b"<script data-src=/a.js>1</script>",
        b"<script src=/a.js>1</script>",
        b"<title>A<b></title>",
        b"<style><!-- </style>",
        b"<meta content='<p>'>",
        b'<meta content="a',
        b"<meta content=`>`>",
        b"<!--> <p> -->",
        b"<!-- a -- b --> <p>",
        b"<headline>",
        b"<noscript><img></noscript>",
        b"<body>",
        b"",
    ],
)
def test_waits(page):
    """Whatever is not surely of the head's own, or not whole yet, waits."""

    assert passed(page) == b""


def test_goes_on():
    """What was not whole passes once it is; what comes after the body has begun never does."""
    prelude = Prelude(10_000)
    pieces = [b"<html><he", b"ad>", b"<title>To", b"wn</title><p>", b"<meta>"]

    assert [prelude.take(piece) for piece in pieces] == [b"<html>", b"<head>", b"", b"<title>Town</title>", b""]


@given(st.lists(st.integers(1, len(HEAD + BODY)), max_size=8))
def test_in_pieces(cuts):
    """However a page is cut, what passes and what is left are the page, and no more passes than of the whole."""
    page, places = HEAD + BODY, sorted({0, len(HEAD + BODY), *cuts})
    prelude = Prelude(10_000)
    sent = b"".join(prelude.take(page[start:end]) for start, end in itertools.pairwise(places))

    assert (sent, prelude.whole()) == (HEAD, page)
    assert prelude.rest(page) == BODY


def test_rest():
    """A page that begins otherwise than what has passed cannot take its place."""
    prelude = Prelude(10_000)
    prelude.take(b"<html><p>Old")

    assert prelude.rest(b"<html><p>New") == b"<p>New"
    assert prelude.rest(b"<p>New") is None


def test_overgrown():
    """A page too long to wait passes as it is."""
    prelude = Prelude(20)
    pieces = [b"<html><p>Words", b" and more words", b" yet"]

    assert [prelude.take(piece) for piece in pieces] == [b"<html>", b"<p>Words and more words", b" yet"]
    assert prelude.overgrown
    assert b"" == prelude.whole()


def test_byte_by_byte_costs_little():
    """A head that comes in many pieces is looked at some of the times only, and waits after that."""
    prelude = Prelude(1_000_000)
    sent = b"".join(prelude.take(piece) for piece in [b"<html>", *[b"<!-- > "] * 10_000, b"--><meta>"])

    assert sent == b"<html>"


def test_real_pages(shared_data):
    """Of half the real pages some hundred bytes pass and more."""
    lengths = sorted(
        len(passed(gzip.decompress(file.read_bytes()), 1 << 24)) for file in shared_data.glob("pages/*/*.gz")
    )

    assert lengths[len(lengths) // 2] > 200
