"""Bodies decoded, edited and encoded again, and which responses may be edited at all."""

import gzip as gzip_module

import pytest

from capper.domain.errors import Unrewritable
from capper.domain.exchange import Headers, Request, Response
from capper.rewrite.body import Body, decode, editable, encode, foretold
from capper.rewrite.coding import put_on
from capper.rewrite.html import page

HTML = {"Content-Type": "text/html; charset=utf-8"}


def request(method="GET", **headers):
    return Request(
        method, "https://news.example/", Headers((name.replace("_", "-"), value) for name, value in headers.items())
    )


def response(status=200, body=b"<p>", **headers):
    fields = {**HTML, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Response(status, Headers(fields.items()), body)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (request(), response()),
        (request("POST"), response()),
        (request(), response(203)),
        (request(), response(Content_Type="TEXT/HTML")),
        (request(), response(Content_Type="image/webp")),
        (request(), response(Content_Disposition="inline; filename=x.html")),
        (request(), response(Cache_Control="no-transform")),
    ],
)
def test_editable(asked, answer):
    """Whole pages and pictures may be edited."""
    assert editable(asked, answer)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (request(), response(206)),
        (request(), response(304)),
        (request(), response(404)),
        (request("HEAD"), response()),
        (request("PUT"), response()),
        (request(Range="bytes=0-"), response()),
        (request(), response(Content_Range="bytes 0-1/2")),
        (request(), response(Content_Disposition=' Attachment; filename="x"')),
        (request(), response(Content_Type="multipart/x-mixed-replace")),
        (request(), response(Content_Type="application/xhtml+xml")),
        (request(), response(Content_Type="text/htmlx")),
        (request(), response(Content_Type="application/pdf")),
        (request(), response(Content_Type="")),
    ],
)
def test_not_editable(asked, answer):
    """Parts, downloads, errors and other types may not."""
    assert not editable(asked, answer)


@pytest.mark.parametrize("coding", ["", "identity", "gzip", "br", "zstd", "deflate", "gzip, br"])
def test_edited_in_its_coding(coding):
    """A page comes back in the coding it came in, and its headers speak of the new bytes."""
    codings = tuple(name for name in coding.split(", ") if name not in ("", "identity"))
    original = response(
        body=put_on(codings, b"<p>old</p>"), Content_Encoding=coding, ETag='"1"', Transfer_Encoding="chunked"
    )
    body = decode(original.headers, original.body, 1000)
    edited = encode(body, original, b"<p>new</p>")

    assert decode(edited.headers, edited.body, 1000).data == b"<p>new</p>"
    assert edited.headers.get("content-length") == str(len(edited.body))
    assert edited.headers.get("content-encoding") == coding
    assert edited.headers.get("cache-control") == "no-store"
    assert "etag" not in edited.headers
    assert "transfer-encoding" not in edited.headers


def test_headers_that_stay():
    """What the site says of security stays to the letter and in its place."""
    policy = "default-src 'self'; script-src 'nonce-x'"
    original = response(
        Content_Security_Policy=policy, Set_Cookie="a=b", Last_Modified="x", Content_MD5="x", Digest="x", Repr_Digest="x",
        Accept_Ranges="bytes", Expires="x", Cache_Control="public, max-age=600", X_Frame_Options="DENY",
    )  # fmt: skip
    edited = encode(Body(original.body), original, b"<b>")

    assert list(edited.headers) == [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("Set-Cookie", "a=b"),
        ("X-Frame-Options", "DENY"),
        ("Content-Length", "3"),
        ("Cache-Control", "no-store"),
    ]


def test_nothing_changed_is_the_same_response():
    """An edit that changed nothing gives back the response itself."""
    original = response(body=put_on(("br",), b"<p>"), Content_Encoding="br")
    body = decode(original.headers, original.body, 100)

    assert encode(body, original, bytes(bytearray(body.data))) is original


def test_too_large_on_the_wire():
    """A body beyond the limit is not even looked at."""
    with pytest.raises(Unrewritable):
        decode(Headers(), bytes(200 * 1024 * 1024), 16 * 1024 * 1024)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
def test_real_pages_through_every_coding(shared_data, word_judge, coding):
    """Decoded, searched and encoded with nothing withheld, a real page leaves as the very bytes that came."""
    judge = word_judge(ads=["ad"], hide=[".ad"])
    for path in sorted((shared_data / "pages").glob("*/*.gz"))[::12]:
        data = gzip_module.decompress(path.read_bytes())
        original = Response(
            200, Headers({"Content-Encoding": coding, "Content-Type": "text/html"}.items()), put_on((coding,), data)
        )
        body = decode(original.headers, original.body, 16 * 1024 * 1024)
        page.find(body.data, "https://news.example/", judge, body.charset)

        assert body.data == data, path.name
        assert encode(body, original, page.apply(body.data, [])) is original, path.name


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ([], True),
        ([("Transfer-Encoding", "chunked"), ("Set-Cookie", "a=b")], True),
        ([("Cache-Control", "private, no-store"), ("Expires", "0"), ("Pragma", "no-cache")], True),
        ([("Cache-Control", "No-Cache")], True),
        ([("Content-Length", "10")], False),
        ([("Content-Encoding", "gzip")], False),
        ([("ETag", '"1"')], False),
        ([("Last-Modified", "Sun, 22 Nov 2026 12:00:00 GMT")], False),
        ([("Cache-Control", "max-age=60")], False),
        ([("Expires", "Sun, 22 Nov 2026 12:00:00 GMT")], False),
        ([("Digest", "sha-256=x")], False),
    ],
)
def test_foretold(fields, holds):
    """Headers may go first only if none of them says how long, how coded or how lasting the body is."""

    assert foretold(Response(200, Headers(fields))) is holds
