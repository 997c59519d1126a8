"""Where mitmproxy's HTTP/1 reader would hang or err, the exchange goes on."""

from capper.proxy.mends import LARGEST_HEAD, mend
from capper.proxy.testing import PassingGate, reply

GET = b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\nConnection: close\r\n\r\n"


async def test_trailers_are_discarded(origin, proxy, client):
    """A chunked body with trailer fields arrives whole, and the connection can be used again."""
    chunks = b"4\r\nbody\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"
    site = await origin(lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" + chunks)
    http = await client(await proxy(names={"news.test": site}))
    responses = [await http.get("http://news.test/") for _ in range(2)]

    assert [response.content for response in responses] == [b"body", b"body"]
    assert site.connections == 1


async def test_request_trailers_are_discarded(origin, proxy, talk):
    """An upload with trailer fields reaches the origin."""
    site = await origin(lambda _: reply(b"ok", fields=[("Connection", "close")]))
    running = await proxy(names={"news.test": site})
    sent = b"POST http://news.test/ HTTP/1.1\r\nHost: news.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    received = await talk(running.port, sent + b"2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n")

    assert received.endswith(b"ok")
    assert site.seen[0].body == b"hi"


async def test_interim_responses_are_skipped(origin, proxy, talk):
    """Early hints and a 100 nobody asked for are not taken for the answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    answer = reply(b"the page", fields=[("Connection", "close")])
    site = await origin(lambda _: hints + answer)
    running = await proxy(PassingGate(want=lambda _: True), names={"news.test": site})

    assert await talk(running.port, GET) == answer


async def test_interim_response_in_pieces(origin, proxy, talk):
    """An interim response that arrives byte by byte is skipped too."""
    answer = reply(b"the page", fields=[("Connection", "close")])

    async def slowly():
        for byte in b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + answer:
            yield bytes([byte])

    site = await origin(lambda _: slowly())
    running = await proxy(names={"news.test": site})

    assert await talk(running.port, GET) == answer


async def test_endless_request_head_is_cut(proxy, talk):
    """A client whose header section does not end loses its connection, not our memory."""
    running = await proxy()
    sent = b"GET http://news.test/ HTTP/1.1\r\nX: " + b"a" * (LARGEST_HEAD + 100_000)

    assert await talk(running.port, sent) == b""


async def test_endless_response_head_is_cut(origin, proxy, talk):
    """An origin whose header section does not end becomes a 502."""
    site = await origin(lambda _: b"HTTP/1.1 200 OK\r\nX: " + b"a" * (LARGEST_HEAD + 100_000))
    running = await proxy(names={"news.test": site})

    assert (await talk(running.port, GET)).startswith(b"HTTP/1.1 502 ")


def test_mending_twice_is_mending_once():
    """A second call changes nothing."""
    from mitmproxy.proxy.layers.http._http1 import Http1Client

    mend()
    once = Http1Client.read_headers
    mend()

    assert Http1Client.read_headers is once
