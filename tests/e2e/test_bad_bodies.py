"""Damaged, bombed and enormous answers of sites and ad servers: the page comes as it is, and the proxy goes on."""

import gzip
import struct
import zlib
from pathlib import Path

import brotli
import httpx
import pytest
import zstandard

from capper.proxy.testing import reply

FRAME_PAGE = '<!DOCTYPE html><body><iframe src="http://ads.test/frame" width=300 height=250></iframe></body>'
MEGABYTE = 1 << 20
PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=1),
    "zstd": zstandard.ZstdCompressor().compress,
}
PLACES = {"page": ("http://news.test/bad", "document"), "frame": ("http://ads.test/frame", "iframe")}


def fetch(capper, url, kind, **headers):
    """The bytes as they came over the wire."""
    asked = {
        "Sec-Fetch-Dest": kind,
        "Referer": "http://news.test/",
        "Accept-Encoding": "gzip, br, zstd, deflate",
    } | headers
    with capper.client() as client, client.stream("GET", url, headers=asked) as answer:
        return answer.status_code, b"".join(answer.iter_raw())


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("coding", PACK)
def test_truncated(standing, coding, place):
    """A body that ends in the middle of its coding arrives just as far."""
    url, kind = PLACES[place]
    text = f"<p>News</p><a href='http://ads.test/c?adurl=https://shoes.example'>{'ad ' * 20_000}</a>".encode()
    sent = PACK[coding](text + bytes(range(256)) * 64)
    sent = sent[: len(sent) // 2]
    standing.web.answers[url.removeprefix("http://")] = reply(sent, fields=[("Content-Encoding", coding)])

    assert fetch(standing, url, kind) == (200, sent)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("coding", PACK)
def test_bomb(standing, coding, place):
    """A body that would unpack to 200 MB is not unpacked; it passes as it is."""
    url, kind = PLACES[place]
    sent = PACK[coding](bytes(200 * MEGABYTE))
    standing.web.answers[url.removeprefix("http://")] = reply(sent, fields=[("Content-Encoding", coding)])
    before = memory_of(standing)

    assert fetch(standing, url, kind) == (200, sent)
    assert memory_of(standing) - before < 64 * MEGABYTE


def memory_of(capper) -> int:
    """The most memory the process ever held."""
    status = Path(f"/proc/{capper.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("length", [True, False])
def test_200_megabytes(standing, place, length):
    """A body of 200 MB streams through, with and without a length, and never stands in memory as a whole."""
    url, kind = PLACES[place]

    async def answer(_):
        size = f"Content-Length: {200 * MEGABYTE}" if length else "Transfer-Encoding: chunked"
        yield f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{size}\r\n\r\n".encode()
        for _ in range(200):
            yield b"x" * MEGABYTE if length else b"100000\r\n" + b"x" * MEGABYTE + b"\r\n"
        yield b"" if length else b"0\r\n\r\n"

    standing.web.answers[url.removeprefix("http://")] = answer
    before, received = memory_of(standing), 0
    asked = {"Sec-Fetch-Dest": kind, "Referer": "http://news.test/"}
    with standing.client() as client, client.stream("GET", url, headers=asked) as got:
        for piece in got.iter_raw():
            received += len(piece)

    assert received == 200 * MEGABYTE
    assert memory_of(standing) - before < 100 * MEGABYTE


@pytest.mark.parametrize("count", [1000, 10_000])
def test_many_headers(standing, count):
    """Thousands of header fields arrive, or are refused in HTTP's own words; the proxy goes on."""
    fields = [(f"X-Field-{number}", "value") for number in range(count)]
    standing.web.answers["news.test/headers"] = reply(b"<p>News</p>", fields=fields)
    with standing.client() as client:
        try:
            answered = client.get("http://news.test/headers")
        except httpx.RemoteProtocolError:
            status, seen = 0, 0  # this client itself reads no more than 100 kB of header
        else:
            status, seen = answered.status_code, sum(name.startswith("x-field") for name in answered.headers)

    assert (status, seen) in {(200, count), (502, 0), (0, 0)}
    assert standing.well()


def test_many_request_headers(standing, talk):
    """The same from a browser."""
    fields = "".join(f"X-{number}: v\r\n" for number in range(10_000))
    told = talk(
        standing.port,
        f"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\nConnection: close\r\n{fields}\r\n".encode(),
    )

    assert told.split(b" ")[1] in {b"200", b"400", b"431"}
    assert standing.well()


@pytest.mark.parametrize(
    "target", [b"/\xff\xfe?\x80", b"/%ff%fe?%80", b"/%", b"/%zz?=&&=", b"/\xc3\xa9", b"//[", b"/a b"]
)
def test_addresses_that_are_no_text(standing, talk, target):
    """Bytes in an address that are no UTF-8, and percent signs that mean nothing, reach the site as they are or are refused."""
    told = talk(
        standing.port, b"GET http://news.test" + target + b" HTTP/1.1\r\nHost: news.test\r\nConnection: close\r\n\r\n"
    )

    assert told.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert standing.well()


def test_nested_100_000_deep(standing):
    """A page nested without end comes as it is."""
    sent = (
        b"<!DOCTYPE html><body>"
        + b"<div>" * 100_000
        + b'<a href="http://ads.test/c?adurl=https://shoes.example"><img src="http://ads.test/b.png">'
    )
    standing.web.answers["news.test/deep"] = reply(sent)

    assert fetch(standing, "http://news.test/deep", "document") == (200, sent)


@pytest.mark.parametrize("tag", [b"<b>", b"<table>", b"<svg>", b"<template>", b"<select>", b"<p><i><u>"])
def test_nested_otherwise(standing, tag):
    """So does one nested in elements that parsers treat in ways of their own, and soon."""
    sent = b"<!DOCTYPE html><body>" + tag * 60_000 + b'<img src="http://ads.test/b.png">'
    standing.web.answers["news.test/deep"] = reply(sent)

    assert fetch(standing, "http://news.test/deep", "document") == (200, sent)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, pixels: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


LIARS = {
    "huge": png(2**31 - 1, 2**31 - 1, b"\0"),
    "bomb": png(15_000, 15_000, bytes(64 * MEGABYTE)),
    "short": png(300, 250, b"\0\0\0"),
    "none": png(0, 0, b""),
    "gif": b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\xf7\0\0" + b"\xff" * 10,
    "jpeg": b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xd9",
    "webp": b"RIFF\xff\xff\xff\xffWEBPVP8X\x0a\0\0\0\x10\0\0\0\xff\xff\xff\xff\xff\xff",
    "avif": b"\0\0\0\x1cftypavif\0\0\0\0" + b"\xff" * 200,
    "ico": b"\0\0\1\0\xff\xff" + b"\xff" * 64,
    "text": b"<html>not a picture at all</html>",
    "empty": b"",
}


@pytest.mark.parametrize("liar", LIARS)
def test_pictures_that_lie(standing, liar):
    """A picture that claims a size it has not, or pixels beyond measure, is delivered and not decoded."""
    standing.web.answers["ads.test/liar.png"] = reply(LIARS[liar], kind="image/png")
    before = memory_of(standing)

    assert fetch(standing, "http://ads.test/liar.png", "image") == (200, LIARS[liar])
    assert memory_of(standing) - before < 64 * MEGABYTE
