"""The gate in the stream of flows: what it wants is buffered and judged, what it says is done, its faults cost nothing."""

import asyncio
import logging
from dataclasses import replace

import pytest

from capper.domain.exchange import Action, Headers, Outcome, Response
from capper.domain.identity import Viewer
from capper.domain.policy import Person, Policy
from capper.proxy.testing import PassingGate, reply

SECRET = "http://secret.test/"
PAGE = Response(200, Headers([("Content-Type", "text/html"), ("X-Ours", "1")]), b"placeholder")
REWRITE = Outcome(Action.REWRITE, PAGE)
ANSWER = Outcome(Action.ANSWER, PAGE)


def rewriting(**more) -> PassingGate:
    return PassingGate(want=lambda _: True, decide=lambda exchange: REWRITE if exchange.response else Outcome(), **more)


def answering() -> PassingGate:
    return PassingGate(foresee=lambda _: True, decide=lambda _: ANSWER)


async def test_exchange_is_complete(origin, proxy, client):
    """The gate sees method, absolute URL, header fields, body as on the wire, the viewer and the device."""
    site = await origin(lambda _: reply(b"body", fields=[("X-A", "1"), ("X-A", "2")]))
    policy = Policy(people={"anna": Person("anna", ("127.0.0.1",), "nl")})
    gate = PassingGate(want=lambda _: True)
    http = await client(await proxy(gate, names={"news.test": site}, policy=policy))
    await http.get("http://news.test/p?q=1", headers={"User-Agent": "browser"})
    await http.get("http://news.test/p?q=2", headers={"User-Agent": "other"})
    one, two = gate.asked

    assert (one.request.method, one.request.url) == ("GET", "http://news.test/p?q=1")
    assert one.request.headers.get("user-agent") == "browser"
    assert one.viewer == Viewer("anna", "nl")
    assert one.response is not None
    assert (one.response.status, one.response.body, one.response.headers.get("x-a")) == (200, b"body", "1, 2")
    assert one.device != two.device


async def test_wants_sees_headers_without_body(origin, proxy, client):
    """`wants` is asked once per response, with its headers and no body."""
    asked = []
    site = await origin()
    http = await client(await proxy(PassingGate(want=lambda e: bool(asked.append(e))), names={"news.test": site}))
    await http.get("http://news.test/")

    assert [(e.response.status, e.response.body) for e in asked] == [(200, b"")]


@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
async def test_rewrite_is_framed_anew(origin, proxy, client, framing):
    """A rewritten response has the length of its new body, however the origin framed the old one."""
    answers = {
        "length": reply(b"an ad, and a long one at that", fields=[("Connection", "close")]),
        "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nan ad\r\n0\r\n\r\n",
        "until close": b"HTTP/1.0 200 OK\r\n\r\nan ad",
    }

    async def whole():
        yield answers[framing]
        if framing == "until close":
            for writer in tuple(site._writers):
                writer.transport.abort()

    site = await origin(lambda _: whole())
    http = await client(await proxy(rewriting(), names={"news.test": site}))
    response = await http.get("http://news.test/")

    assert response.content == b"placeholder"
    assert dict(response.headers) == {"content-type": "text/html", "x-ours": "1", "content-length": "11"}


async def test_answer_does_not_ask_the_origin(origin, proxy, client):
    """A foreseen request that is answered never reaches the origin."""
    site = await origin()
    http = await client(await proxy(answering(), names={"news.test": site}))
    response = await http.get("http://news.test/banner.gif")

    assert (response.status_code, response.content, response.headers["x-ours"]) == (200, b"placeholder", "1")
    assert site.seen == []


async def test_revalidation_is_answered_without_body(origin, proxy, client):
    """A 304 of ours has no body and no length."""
    outcome = Outcome(Action.ANSWER, Response(304, Headers([("ETag", '"1"')])))
    site = await origin()
    http = await client(
        await proxy(PassingGate(foresee=lambda _: True, decide=lambda _: outcome), names={"news.test": site})
    )
    response = await http.get("http://news.test/banner.gif")

    assert (response.status_code, dict(response.headers)) == (304, {"etag": '"1"'})


async def test_foreseen_request_brings_its_body(origin, proxy, client):
    """The body of a foreseen request is read, shown to the gate, and goes to the origin when it passes."""
    site = await origin()
    gate = PassingGate(foresee=lambda _: True)
    http = await client(await proxy(gate, names={"news.test": site}))
    await http.post("http://news.test/auction", content=b'{"imp":[]}')

    assert [exchange.request.body for exchange in gate.asked] == [b'{"imp":[]}']
    assert [seen.body for seen in site.seen] == [b'{"imp":[]}']


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_request_goes_on_as_another(origin, proxy, client, framing):
    """What the gate makes of a request is what the origin is asked: another query, another body, its length."""
    site = await origin()

    def forward(exchange):
        request = replace(exchange.request, url="http://news.test/auction?x=2", body=b'{"badv":["shoes.example"]}')
        return Outcome() if exchange.response else Outcome(Action.FORWARD, request=request)

    http = await client(await proxy(PassingGate(foresee=lambda _: True, decide=forward), names={"news.test": site}))

    async def pieces():
        yield b'{"imp'
        yield b'":[]}'

    await http.post("http://news.test/auction?x=1", content=pieces() if framing == "chunked" else b'{"imp":[]}')

    assert [("/auction?x=2", b'{"badv":["shoes.example"]}')] == [(seen.target, seen.body) for seen in site.seen]


async def test_foreseen_request_that_outgrows_the_limit_passes(origin, proxy, client):
    """A foreseen upload larger than the gate looks at streams to the origin, and nobody is asked."""
    site = await origin()
    gate = answering()
    gate.max_body = 1000
    http = await client(await proxy(gate, names={"news.test": site}))

    async def upload():
        for _ in range(8):
            yield b"x" * 500

    response = await http.post("http://news.test/", content=upload())

    assert response.content == b"hello"
    assert site.seen[0].body == b"x" * 4000
    assert gate.asked == []


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_response_that_outgrows_the_limit_passes(origin, proxy, client, framing):
    """A wanted body larger than the limit is delivered whole and untouched, and not judged."""
    body = b"y" * 5000
    answer = (
        reply(body)
        if framing == "length"
        else (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"%x\r\n%s\r\n" % (500, b"y" * 500) * 10
            + b"0\r\n\r\n"
        )
    )
    site = await origin(lambda _: answer)
    gate = rewriting(max_body=1000)
    http = await client(await proxy(gate, names={"news.test": site}))
    response = await http.get("http://news.test/")

    assert response.content == body
    assert gate.asked == []


async def _raise(_):
    raise RuntimeError(SECRET)


async def _hang(_):
    await asyncio.Event().wait()


def _broken(_):
    raise ValueError(SECRET)


@pytest.mark.parametrize(
    "gate",
    [
        PassingGate(want=_broken),
        PassingGate(foresee=_broken),
        PassingGate(want=lambda _: True, decide=_raise),
        PassingGate(foresee=lambda _: True, decide=_raise),
        PassingGate(want=lambda _: True, decide=_hang),
        PassingGate(foresee=lambda _: True, decide=_hang),
        PassingGate(want=lambda _: True, decide=lambda _: None),
        PassingGate(want=lambda _: True, decide=lambda _: Outcome(Action.REWRITE, None)),
        PassingGate(
            want=lambda _: True, decide=lambda _: Outcome(Action.REWRITE, Response(200, Headers([("X", "\ud800")])))
        ),
    ],
)
async def test_faults_fail_open(origin, proxy, client, caplog, gate):
    """Whatever the gate does wrong, pages pass untouched; the fault is told once, without the address it was about."""
    site = await origin()
    http = await client(await proxy(gate, names={"news.test": site}, deadline=0.05))
    with caplog.at_level(logging.ERROR):
        responses = [await http.get(f"http://news.test/{n}") for n in range(3)]

    assert [response.content for response in responses] == [b"hello"] * 3
    assert len([record for record in caplog.records if record.name == "capper.proxy.addon"]) <= 1
    assert SECRET not in caplog.text


async def test_rewrite_cannot_smuggle_headers(origin, proxy, client):
    """A header value with a line break is left out."""
    fields = Headers([("X-Bad", "1\r\nSet-Cookie: a=b"), ("X-Good", "1")])
    outcome = Outcome(Action.REWRITE, Response(200, fields, b"ours"))
    site = await origin()
    http = await client(
        await proxy(PassingGate(want=lambda _: True, decide=lambda _: outcome), names={"news.test": site})
    )
    response = await http.get("http://news.test/")

    assert dict(response.headers) == {"x-good": "1", "content-length": "4"}


async def test_alt_svc_is_dropped_only_where_tls_is_opened(origin, proxy, client):
    """An opened host does not invite the browser to HTTP/3; on plain HTTP the field stays."""
    answer = reply(b"", fields=[("Alt-Svc", 'h3=":443"'), ("X", "1")])
    plain, secure = await origin(lambda _: answer), await origin(lambda _: answer, tls=True)
    http = await client(await proxy(names={"a.test": plain}, secure={"a.test": secure}))

    assert "alt-svc" in (await http.get("http://a.test/")).headers
    response = await http.get("https://a.test/")
    assert ("alt-svc" in response.headers, response.headers["x"]) == (False, "1")


async def test_origin_that_dies_in_mid_body(origin, proxy, talk):
    """A streamed body that ends early ends early here too; a wanted one becomes a 502, never half a page as a whole."""

    async def dying():
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
        for writer in tuple(site._writers):
            writer.transport.abort()

    site = await origin(lambda _: dying())
    gate = PassingGate(want=lambda exchange: exchange.request.url.endswith("wanted"))
    running = await proxy(gate, names={"news.test": site})
    streamed = await talk(running.port, b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\n\r\n")
    wanted = await talk(running.port, b"GET http://news.test/wanted HTTP/1.1\r\nHost: news.test\r\n\r\n")

    assert streamed == b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    assert wanted.startswith(b"HTTP/1.1 502 ")
    assert gate.asked == []


async def test_what_a_start_still_loads_is_waited_for(origin, proxy, client):
    """A page waits for it, for longer than it may be judged; what needs no judging does not wait."""
    loaded = asyncio.Event()
    gate = PassingGate(
        want=lambda exchange: exchange.request.url.endswith("page"), decide=lambda _: REWRITE, load=loaded.wait
    )
    site = await origin()
    http = await client(await proxy(gate, names={"news.test": site}, deadline=0))
    page = asyncio.create_task(http.get("http://news.test/page"))
    small = await http.get("http://news.test/small")
    before = [*gate.asked]
    loaded.set()

    assert (200, []) == (small.status_code, before)
    assert b"placeholder" == (await page).content


async def test_client_that_dies_while_judged(origin, proxy, dial):
    """A client that leaves while its page is being judged harms nothing, and the next one is served."""
    judged, go = asyncio.Event(), asyncio.Event()

    async def decide(_):
        judged.set()
        await go.wait()
        return REWRITE

    site = await origin()
    running = await proxy(PassingGate(want=lambda _: True, decide=decide), names={"news.test": site})
    _, writer = await dial(running.port)
    writer.write(b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\n\r\n")
    await judged.wait()
    writer.transport.abort()
    go.set()
    reader, writer = await dial(running.port)
    writer.write(b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\nConnection: close\r\n\r\n")
    received = await reader.read(-1)
    writer.transport.abort()

    assert received.endswith(b"placeholder")


async def test_client_that_dies_in_a_stream(origin, proxy, dial):
    """When a client leaves in the middle of a stream, the origin is let go of as well."""
    gone = asyncio.Event()

    async def endless():
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        try:
            while True:
                yield b"x" * 65536
        finally:
            gone.set()

    site = await origin(lambda _: endless())
    running = await proxy(names={"news.test": site})
    reader, writer = await dial(running.port)
    writer.write(b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\n\r\n")
    await reader.readexactly(100_000)
    writer.transport.abort()

    await asyncio.wait_for(gone.wait(), 10)


async def test_http2_end_to_end(h2_origin, proxy, client):
    """HTTP/2 both ways: parallel streams, lower-case names in rewritten headers, no fields HTTP/2 forbids."""
    fields = Headers([("Content-Type", "text/html"), ("Connection", "close"), ("X-Ours", "1")])
    outcome = Outcome(Action.REWRITE, Response(200, fields, b"ours"))
    gate = PassingGate(
        want=lambda exchange: "/ad" in exchange.request.url,
        decide=lambda _: outcome,
    )
    site = await h2_origin(lambda fields, _: ([(":status", "200"), ("x-path", fields[":path"])], b"z" * 100_000))
    http = await client(await proxy(gate, secure={"news.test": site}), http2=True)
    responses = await asyncio.gather(*(http.get(f"https://news.test/{n}") for n in range(60)))
    ad = await http.get("https://news.test/ad")

    assert {response.http_version for response in responses} == {"HTTP/2"}
    assert [response.headers["x-path"] for response in responses] == [f"/{n}" for n in range(60)]
    assert {response.content for response in responses} == {b"z" * 100_000}
    assert (dict(ad.headers), ad.content) == (
        {"content-type": "text/html", "x-ours": "1", "content-length": "4"},
        b"ours",
    )
    assert gate.asked[0].request.url == "https://news.test/ad"


async def test_http2_answer(h2_origin, proxy, client):
    """A request answered by us over HTTP/2 does not reach the origin."""
    site = await h2_origin(lambda *_: ([(":status", "200")], b"theirs"))
    http = await client(await proxy(answering(), secure={"news.test": site}), http2=True)
    response = await http.get("https://news.test/")

    assert (response.http_version, response.content, site.seen) == ("HTTP/2", b"placeholder", [])


async def test_http2_trailers_and_early_hints(h2_origin, proxy, client):
    """Trailers and a 103 before the answer do not get in the way over HTTP/2."""
    site = await h2_origin(
        lambda *_: ([(":status", "200")], b"body"),
        trailers=[("x-sum", "1")],
        interim=[(":status", "103"), ("link", "</a.css>")],
    )
    http = await client(await proxy(PassingGate(want=lambda _: True), secure={"news.test": site}), http2=True)
    response = await http.get("https://news.test/")

    assert (response.status_code, response.content) == (200, b"body")


MADE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\n"
SENT = b"<html><p>an ad"


def made(more: asyncio.Event, last: bytes = b"8\r\n<p>an ad\r\n0\r\n\r\n"):
    """An origin that sends the rest of a page once it is told to."""

    async def pieces():
        yield MADE
        await more.wait()
        yield last

    return lambda _: pieces()


def beginning(decided: Outcome | Exception) -> PassingGate:
    """A gate that lets a page begin and then decides so."""

    def decide(_):
        if isinstance(decided, Exception):
            raise decided
        return decided

    return PassingGate(want=lambda _: True, begin=lambda _: True, decide=decide)


@pytest.mark.parametrize(
    ("decided", "whole"),
    [
        (Outcome(), SENT),
        (Outcome(Action.REWRITE, replace(PAGE, body=b"<html><p>placeholder")), b"<html><p>placeholder"),
        (Outcome(Action.REWRITE, replace(PAGE, body=b"<html>")), b"<html>"),
        (REWRITE, SENT),
        (ValueError(SECRET), SENT),
    ],
    ids=["passes", "is rewritten", "loses its rest", "would begin otherwise", "fault"],
)
async def test_page_begins_before_it_is_whole(origin, proxy, client, decided, whole):
    """The head of a page arrives while the origin still makes the rest, which then comes as it was decided."""
    more = asyncio.Event()
    gate = beginning(decided)
    site = await origin(made(more))
    http = await client(await proxy(gate, names={"news.test": site}))
    async with http.stream("GET", "http://news.test/") as response:
        pieces = response.aiter_raw()
        first = await anext(pieces)
        asked = len(gate.asked)
        more.set()
        rest = b"".join([piece async for piece in pieces])

    assert (first, asked) == (b"<html>", 0)
    assert first + rest == whole
    assert [exchange.response.body for exchange in gate.asked] == [SENT]


async def test_page_too_long_to_wait(origin, proxy, client):
    """A page that outgrows the limit while it arrives passes unjudged."""
    more = asyncio.Event()
    more.set()
    gate = replace(beginning(REWRITE), max_body=10)
    http = await client(await proxy(gate, names={"news.test": await origin(made(more))}))
    response = await http.get("http://news.test/")

    assert (response.content, gate.asked) == (SENT, [])
