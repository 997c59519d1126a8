"""What is not opened goes through unseen: TLS of other hosts, WebSockets, anything that is not HTTP."""

import asyncio
import socket
import ssl

import httpx
import pytest

from capper.proxy.testing import LOOPBACK, PassingGate, reply


def issuer(writer) -> str:
    certificate = writer.get_extra_info("ssl_object").getpeercert()
    return dict(field[0] for field in certificate["issuer"])["commonName"]


async def test_opened_host_has_our_certificate(origin, proxy, tunnel):
    """An opened host shows a certificate of ours, for this host only."""
    site = await origin(tls=True)
    running = await proxy(secure={"ads.test": site})
    _, writer = await tunnel(running, "ads.test", tls=running.client_tls())
    certificate = writer.get_extra_info("ssl_object").getpeercert()

    assert issuer(writer) == "capper"
    assert certificate["subjectAltName"] == (("DNS", "ads.test"),)


async def test_unopened_host_keeps_its_own_certificate(origin, proxy, tunnel, authority_pem):
    """A host that is not opened shows its own certificate, and the gate sees nothing of it."""
    site = await origin(lambda _: reply(b"private", fields=[("Connection", "close")]), tls=True)
    gate = PassingGate(want=lambda _: True)
    running = await proxy(gate, secure={"bank.test": site}, opened=lambda host: host == "ads.test")
    tls = ssl.create_default_context(cafile=str(authority_pem))
    reader, writer = await tunnel(running, "bank.test", tls=tls)
    writer.write(b"GET / HTTP/1.1\r\nHost: bank.test\r\n\r\n")
    received = await reader.read(-1)

    assert issuer(writer) == "origins"
    assert received.endswith(b"private")
    assert gate.asked == []


def refuse_in_words(port: int, tls: ssl.SSLContext) -> None:
    """Shake hands as a browser does, which says with an alert that it does not know the authority."""
    with socket.create_connection((LOOPBACK, port)) as raw:
        raw.sendall(b"CONNECT ads.test:443 HTTP/1.1\r\nHost: ads.test:443\r\n\r\n")
        while not raw.recv(4096).endswith(b"\r\n\r\n"):
            pass
        with pytest.raises(ssl.SSLCertVerificationError):
            tls.wrap_socket(raw, server_hostname="ads.test")


async def test_client_that_refuses_our_certificate_is_let_through(origin, proxy, tunnel, authority_pem):
    """A client without our certificate fails once; from then on that host passes for it unopened."""
    site = await origin(tls=True)
    running = await proxy(secure={"ads.test": site})
    theirs = ssl.create_default_context(cafile=str(authority_pem))
    await asyncio.to_thread(refuse_in_words, running.port, theirs)
    _, writer = await tunnel(running, "ads.test", tls=theirs)

    assert issuer(writer) == "origins"


async def test_client_that_hangs_up_is_let_through(origin, proxy, tunnel, authority_pem):
    """A client that hangs up twice without a word is taken to refuse our certificate, too."""
    site = await origin(tls=True)
    running = await proxy(secure={"ads.test": site})
    theirs = ssl.create_default_context(cafile=str(authority_pem))
    for _ in range(2):
        with pytest.raises(ssl.SSLCertVerificationError):
            await tunnel(running, "ads.test", tls=theirs)
    _, writer = await tunnel(running, "ads.test", tls=theirs)

    assert issuer(writer) == "origins"


async def test_websocket_echo(origin, proxy, talk, dial):
    """After an upgrade bytes flow both ways as they are, frames or not."""

    async def upgrade(seen):
        async def run():
            yield b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Key: " + (
                seen.field("sec-websocket-key").encode() + b"\r\n\r\n"
            )
            yield b"\x82\x05hello"

        return run()

    site = await origin(upgrade)
    gate = PassingGate(want=lambda _: True, foresee=lambda _: False)
    running = await proxy(gate, names={"chat.test": site})
    reader, writer = await dial(running.port)
    writer.write(
        b"GET http://chat.test/ HTTP/1.1\r\nHost: chat.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    frame = await reader.readexactly(7)
    writer.write(b"GET /frame HTTP/1.1\r\n\r\n")
    await site.received(2)

    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"X-Key: dGhlIHNhbXBsZQ==" in head
    assert frame == b"\x82\x05hello"
    assert site.seen[1].target == "/frame"
    assert gate.asked == []


async def test_unknown_protocol_passes(proxy, stack, tunnel):
    """A protocol that is not HTTP goes through a tunnel as raw bytes, and nothing of it is kept."""

    async def shout(reader, writer):
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.close()

    server = await stack.enter_async_context(await asyncio.start_server(shout, LOOPBACK, 0))
    port = server.sockets[0].getsockname()[1]
    running = await proxy(resolve={("ssh.test", 22): (LOOPBACK, port)})
    reader, writer = await tunnel(running, "ssh.test", 22)
    writer.write(b"\x00\x01ssh\r\n")
    received = await reader.readexactly(7)
    writer.transport.abort()

    assert received == b"\x00\x01SSH\r\n"


async def test_plain_http_in_a_tunnel_is_seen(origin, proxy, tunnel):
    """Plain HTTP inside CONNECT is HTTP all the same."""
    site = await origin(lambda _: reply(b"x", fields=[("Connection", "close")]))
    gate = PassingGate(want=lambda _: True)
    running = await proxy(gate, names={"news.test": site})
    reader, writer = await tunnel(running, "news.test", 80)
    writer.write(b"GET /p HTTP/1.1\r\nHost: news.test\r\n\r\n")
    await reader.read(-1)

    assert [exchange.request.url for exchange in gate.asked] == ["http://news.test/p"]


async def test_host_header_does_not_rename_the_destination(origin, proxy, tunnel):
    """The URL the gate sees is where the connection goes, not what the Host header claims."""
    site = await origin(lambda _: reply(b"x", fields=[("Connection", "close")]))
    gate = PassingGate(want=lambda _: True)
    running = await proxy(gate, names={"news.test": site})
    reader, writer = await tunnel(running, "news.test", 80)
    writer.write(b"GET /p HTTP/1.1\r\nHost: bank.test\r\n\r\n")
    await reader.read(-1)

    assert [exchange.request.url for exchange in gate.asked] == ["http://news.test/p"]


async def test_unreachable_host_is_explained(proxy, client):
    """A tunnel that cannot be made says why, in a page of ours."""
    running = await proxy()
    http = await client(running)
    plain = await http.get("http://nowhere.invalid/")

    with pytest.raises(httpx.ProxyError, match="502"):
        await http.get("https://nowhere.invalid/")
    assert plain.status_code == 502
    assert "nowhere.invalid" in plain.text


async def test_upstream_proxy(origin, proxy, client):
    """Behind another proxy, which may well be on this machine, requests go through it and are judged all the same."""
    outer = await origin(lambda seen: reply(seen.target.encode()))
    gate = PassingGate(want=lambda _: True)
    inner = await proxy(gate, modes=(f"upstream:http://{LOOPBACK}:{outer.port}",))
    http = await client(inner)
    response = await http.get("http://news.test/a")

    assert response.text == "http://news.test/a"
    assert [exchange.request.url for exchange in gate.asked] == ["http://news.test/a"]
    assert (await http.get(f"http://{LOOPBACK}:{outer.port}/")).status_code == 403
