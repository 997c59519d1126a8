"""What the proxy does not touch arrives as it was sent: bytes, order, case, timing and size."""

import asyncio
import gzip
import hashlib
import resource
import sys
from pathlib import Path

import brotli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capper.proxy.testing import PassingGate, reply

WANTED = PassingGate(want=lambda _: True)


def chunked(*pieces: bytes, trailer: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailer + b"\r\n"


def request(target: str, *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join(
        [f"{method} {target} HTTP/1.1", "Host: news.test", *fields, "Connection: close", "", ""]
    ).encode()


@pytest.fixture(params=["streamed", "wanted and passed"])
def gate(request) -> PassingGate:
    """Both ways a body can pass: never buffered, or buffered, judged and left alone."""
    return PassingGate(want=lambda _: request.param != "streamed")


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("identity", "plain Ünïcode".encode()),
        ("gzip", gzip.compress(b"zipped" * 500, mtime=0)),
        ("br", brotli.compress(b"brotli" * 500)),
        ("x-unheard-of", bytes(range(256)) * 4),
        ("gzip", b"\x1f\x8b not gzip at all"),
    ],
)
async def test_body_and_head_are_identical(gate, origin, proxy, talk, coding, body):
    """A response passes byte for byte, its header fields in their order and case, whatever the coding claims."""
    answer = reply(
        body, fields=[("X-MiXed", "a  b"), ("x-mixed", "2"), ("Content-Encoding", coding), ("Connection", "close")]
    )
    site = await origin(lambda _: answer)
    running = await proxy(gate, names={"news.test": site})

    received = await talk(running.port, request("http://news.test/"))

    assert received == answer


async def test_chunked_body_is_identical(gate, origin, proxy, client):
    """A chunked body arrives whole; where its chunks end is no part of the message."""
    pieces = (b"one", b"two" * 1000, b"\x00\xff")
    site = await origin(lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(*pieces))
    running = await proxy(gate, names={"news.test": site})

    response = await (await client(running)).get("http://news.test/")

    assert response.content == b"".join(pieces)
    assert response.headers.raw == [(b"Transfer-Encoding", b"chunked")]


async def test_request_is_identical(gate, origin, proxy, talk):
    """The origin sees the header fields as the client sent them, and the body."""
    site = await origin(lambda _: reply(b"", fields=[("Connection", "close")]))
    running = await proxy(gate, names={"news.test": site})
    fields = [("Host", "news.test"), ("X-oDD", "v"), ("cookie", "a=1"), ("Cookie", "b=2"), ("Content-Length", "4")]
    head = "\r\n".join(["POST http://news.test/p?q=%20 HTTP/1.1", *(f"{n}: {v}" for n, v in fields), "", ""])

    await talk(running.port, head.encode() + b"\x00\xffAB")
    (seen,) = site.seen

    assert (seen.method, seen.target, seen.body) == ("POST", "/p?q=%20", b"\x00\xffAB")
    assert list(seen.fields) == [(n.encode(), v.encode()) for n, v in fields]


async def test_invalid_bytes_pass(gate, origin, proxy, tunnel):
    """Invalid UTF-8 in a URL and in header values reaches the other side as it is, both ways."""
    answer = b"HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe\xc3\x28\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    site = await origin(lambda _: answer)
    running = await proxy(gate, names={"news.test": site})
    reader, writer = await tunnel(running, "news.test", 80)
    writer.write(b"GET /\xff\xc3( HTTP/1.1\r\nHost: news.test\r\nReferer: \xfe\xff\r\nConnection: close\r\n\r\n")

    received = await reader.read(-1)

    assert received == answer
    assert site.seen[0].target.encode("latin-1") == b"/\xff\xc3("
    assert (b"Referer", b"\xfe\xff") in site.seen[0].fields


async def test_invalid_bytes_in_a_proxy_request_are_refused(proxy, talk):
    """A request line for a proxy that is not ASCII gets a plain 400, and the proxy goes on."""
    running = await proxy()

    received = await talk(running.port, b"GET http://news.test/\xff HTTP/1.1\r\nHost: news.test\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 400 ")


async def test_ten_thousand_headers(gate, origin, proxy, talk):
    """Ten thousand header fields pass, in order."""
    fields = [(f"X-{n}", str(n)) for n in range(10_000)]
    answer = reply(b"ok", fields=[*fields, ("Connection", "close")])
    site = await origin(lambda _: answer)
    running = await proxy(gate, names={"news.test": site})

    received = await talk(running.port, request("http://news.test/", *(f"{n}: {v}" for n, v in fields)))

    assert received == answer
    assert len(site.seen[0].fields) == 10_002


@pytest.mark.parametrize("status", [204, 304])
async def test_bodiless_statuses(gate, origin, proxy, talk, status):
    """204 and 304 have no body, whatever their fields say, and the connection goes on."""
    length = "" if status == 204 else "Content-Length: 999\r\n"
    answer = f"HTTP/1.1 {status} Nothing\r\n{length}ETag: x\r\n\r\n".encode()
    site = await origin(lambda seen: answer if seen.target == "/1" else reply(b"2", fields=[("Connection", "close")]))
    running = await proxy(gate, names={"news.test": site})
    first = b"GET http://news.test/1 HTTP/1.1\r\nHost: news.test\r\n\r\n"

    received = await talk(running.port, first + request("http://news.test/2"))

    assert received == answer + reply(b"2", fields=[("Connection", "close")])


async def test_head(gate, origin, proxy, talk):
    """HEAD keeps the length of the body that is not there."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nConnection: close\r\n\r\n"
    site = await origin(lambda _: answer)
    running = await proxy(gate, names={"news.test": site})

    received = await talk(running.port, request("http://news.test/", method="HEAD"))

    assert received == answer


async def test_slow_trickle_is_prompt(origin, proxy, dial):
    """Each piece of a streamed body arrives before the origin sends the next."""
    arrived = asyncio.Event()

    async def trickle():
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        for piece in (b"one;", b"two;", b"three;"):
            yield piece
            await asyncio.wait_for(arrived.wait(), 10)
            arrived.clear()

    site = await origin(lambda _: trickle())
    running = await proxy(names={"news.test": site})
    reader, writer = await dial(running.port)
    writer.write(request("http://news.test/"))
    pieces = []
    await reader.readuntil(b"\r\n\r\n")
    while not pieces or not pieces[-1].startswith(b"three"):
        pieces.append(await reader.readuntil(b";"))
        arrived.set()

    assert pieces == [b"one;", b"two;", b"three;"]


def peak_memory() -> int:
    """The largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
async def test_huge_body_passes_in_bounded_memory(gate, origin, proxy, framing, dial):
    """A body of 200 MB, wanted or not and however framed, is delivered whole without being kept."""
    piece, count = bytes(range(256)) * 4096, 200
    heads = {
        "length": f"Content-Length: {len(piece) * count}\r\n",
        "chunked": "Transfer-Encoding: chunked\r\n",
        "until close": "",
    }

    async def flood():
        yield f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{heads[framing]}Connection: close\r\n\r\n".encode()
        for _ in range(count):
            yield b"%x\r\n%s\r\n" % (len(piece), piece) if framing == "chunked" else piece
        if framing == "chunked":
            yield b"0\r\n\r\n"

    site = await origin(lambda _: flood())
    gate.max_body = 4 * 1024 * 1024
    running = await proxy(gate, names={"news.test": site})
    site._respond = _closing(site, flood)
    before = peak_memory()
    reader, writer = await dial(running.port)
    writer.write(request("http://news.test/"))
    await reader.readuntil(b"\r\n\r\n")
    digest, size = hashlib.sha256(), 0
    if framing == "chunked":
        while length := int(await reader.readline(), 16):
            digest.update(await reader.readexactly(length))
            await reader.readline()
            size += length
    else:
        while data := await reader.read(1 << 20):
            digest.update(data)
            size += len(data)

    expected = hashlib.sha256()
    for _ in range(count):
        expected.update(piece)

    assert size == len(piece) * count
    assert digest.digest() == expected.digest()
    assert gate.asked == []
    assert peak_memory() - before < 64 * 1024 * 1024


def _closing(site, pieces):
    async def respond(_):
        async def run():
            async for piece in pieces():
                yield piece
            for writer in tuple(site._writers):
                writer.close()

        return run()

    return respond


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_any_response_passes_unchanged(data, stack, tmp_path_factory, talk):
    """Whatever header values and body an origin sends, they arrive unchanged, streamed or judged."""
    from capper.proxy.testing import Origin, resolving, running_proxy

    value = st.binary(max_size=40).map(lambda raw: bytes(b for b in raw if b > 32 and b != 127))
    values = data.draw(st.lists(value, max_size=6))
    body = data.draw(st.binary(max_size=2000))
    head = b"".join(b"X-Field: %s\r\n" % value for value in values)
    answer = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (head, len(body), body)
    wanted = data.draw(st.booleans())
    state = Path(tmp_path_factory.getbasetemp()) / "any"
    async with Origin(lambda _: answer) as site:
        where = resolving({"news.test": site.port})
        async with running_proxy(state, PassingGate(want=lambda _: wanted), resolve=where) as running:
            received = await talk(running.port, request("http://news.test/"))

    assert received == answer
