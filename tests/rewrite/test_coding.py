"""Content codings: there and back, and every way a stream can be wrong."""

import gzip
import time
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.rewrite.coding import codings_of, put_on, take_off

LIMIT = 1 << 20
TEXT = b"<p>shoes</p>" * 500
NAMES = ["gzip", "x-gzip", "deflate", "br", "zstd"]


def raw_deflate(data):
    deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


@given(st.binary(max_size=5000), st.lists(st.sampled_from(NAMES), max_size=3))
def test_there_and_back(data, names):
    """Whatever is put on, in whatever order, comes off again."""
    assert take_off(tuple(names), put_on(tuple(names), data), LIMIT) == data


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", ()),
        ("identity", ()),
        ("GZIP", ("gzip",)),
        ("gzip, br", ("gzip", "br")),
        (" gzip ,, identity,br ", ("gzip", "br")),
        ("x-gzip", ("x-gzip",)),
    ],
)
def test_codings_of(header, codings):
    """A Content-Encoding names codings in any case, with spaces and gaps."""
    assert codings_of(header) == codings


@pytest.mark.parametrize(
    "header", ["compress", "gzip, aws-chunked", "exi", "dcb", "gzip\x00", "br, br, br, br", "gzip;q=1"]
)
def test_unknown_codings(header):
    """A coding that is unknown, or a pile of them, is refused."""
    with pytest.raises(Unrewritable):
        codings_of(header)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", gzip.compress(TEXT[:6]) + gzip.compress(TEXT[6:])),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("zstd", zstandard.compress(TEXT[:6]) + b"\x52\x2a\x4d\x18\x03\x00\x00\x00abc" + zstandard.compress(TEXT[6:])),
        ("zstd", zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(TEXT)),
        ("br", brotli.compress(TEXT, quality=11)),
    ],
    ids=["two members", "zlib", "raw", "frames and a skippable one", "checksum, no size", "br"],
)
def test_forms_of_a_stream(name, data):
    """All forms that servers send are understood."""
    assert take_off((name,), data, LIMIT) == TEXT


STREAMS = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress(TEXT),
}


@pytest.mark.parametrize("name", STREAMS)
def test_truncated_anywhere(name):
    """A stream cut at any byte is refused, never half a page."""
    stream = STREAMS[name]
    for end in range(1, len(stream)):
        with pytest.raises(Unrewritable):
            take_off((name,), stream[:end], LIMIT)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("garbage", [b"\x00", b"garbage", b"\r\n", b"<html>"])
def test_trailing_garbage(name, garbage):
    """What follows a stream and is none is refused."""
    with pytest.raises(Unrewritable):
        take_off((name,), STREAMS[name] + garbage, LIMIT)


@pytest.mark.parametrize("name", STREAMS)
@given(st.data())
def test_damaged(name, data):
    """A stream with a byte changed gives some bytes or a refusal, nothing else."""
    at = data.draw(st.integers(0, len(STREAMS[name]) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    try:
        found = take_off((name,), STREAMS[name][:at] + byte + STREAMS[name][at + 1 :], LIMIT)
    except Unrewritable:
        found = b""

    assert len(found) <= LIMIT


@pytest.mark.parametrize("name", NAMES)
@given(st.binary(max_size=300))
def test_not_a_stream_at_all(name, data):
    """Random bytes give some bytes or a refusal, nothing else."""
    try:
        found = take_off((name,), data, LIMIT)
    except Unrewritable:
        found = b""

    assert len(found) <= LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_body_is_empty(name):
    """No bytes are no stream: a HEAD's or a 204's."""
    assert take_off((name,), b"", LIMIT) == b""


@pytest.mark.parametrize("name", NAMES)
def test_the_limit_is_exact(name):
    """A body of just the limit is taken, one byte more is refused."""
    assert len(take_off((name,), put_on((name,), bytes(1000)), 1000)) == 1000
    with pytest.raises(Unrewritable):
        take_off((name,), put_on((name,), bytes(1001)), 1000)


def gzip_bomb():
    member = gzip.compress(bytes(64 << 20), 9)
    return member * 160


def zstd_bomb():
    return zstandard.ZstdCompressor(level=1).compress(bytes(64 << 20)) * 160


def deflate_bomb():
    return zlib.compress(bytes(256 << 20), 9)


def brotli_bomb():
    compressor = brotli.Compressor(quality=1)
    return b"".join(compressor.process(bytes(1 << 20)) for _ in range(256)) + compressor.finish()


@pytest.mark.parametrize(
    ("names", "bomb"),
    [
        (("gzip",), gzip_bomb),
        (("zstd",), zstd_bomb),
        (("deflate",), deflate_bomb),
        (("br",), brotli_bomb),
        (("gzip", "gzip"), lambda: gzip.compress(gzip_bomb())),
    ],
    ids=["gzip 10 GB", "zstd 10 GB", "deflate", "br", "gzip in gzip"],
)
def test_bombs(names, bomb):
    """Gigabytes of zeros stop at the limit: quickly, and in memory that the limit bounds."""
    data = bomb()
    began = time.process_time()
    with pytest.raises(Unrewritable):
        take_off(names, data, 16 << 20)
    spent = time.process_time() - began
    tracemalloc.start()
    with pytest.raises(Unrewritable):
        take_off(names, data, 16 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert spent < 2
    assert peak < (16 << 20) * 4 + 2 * len(data)


def test_a_zstd_window_larger_than_browsers_take():
    """A frame that wants more memory than RFC 9659 allows is refused."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = stream.compress(bytes(9 << 20)) + stream.flush()
    with pytest.raises(Unrewritable):
        take_off(("zstd",), data, 16 << 20)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", gzip.compress(b"") * 300),
        ("zstd", b"\x28\xb5\x2f\xfd\x00\x58" + b"\x00\x00\x00" * 200_000 + b"\x01\x00\x00"),
    ],
)
def test_streams_cut_too_fine(name, data):
    """Streams of endless empty pieces are refused before they are walked."""
    with pytest.raises(Unrewritable):
        take_off((name,), data, LIMIT)
