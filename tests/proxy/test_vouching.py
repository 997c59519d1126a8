"""A host's own bad certificate reaches the client as it is: capper never puts a good one over it."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from mitmproxy.proxy.layers.tls import ClientTLSLayer

from capper.proxy.authority import Authority
from capper.proxy.testing import LOOPBACK, Origin, reply
from capper.proxy.vouching import LONGEST_HELLO, vouch


def issuer(writer) -> str:
    certificate = writer.get_extra_info("ssl_object").getpeercert()
    return dict(field[0] for field in certificate["issuer"])["commonName"]


def anybody() -> ssl.SSLContext:
    """A client that takes whatever it is shown, and can say what that was."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shown(writer) -> bytes:
    """The certificate a client was shown."""
    return writer.get_extra_info("ssl_object").getpeercert(binary_form=True)


def serving(leaf: Authority, file) -> ssl.SSLContext:
    """A server with this certificate."""
    file.write_bytes(leaf.secret_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def certificate(authority: Authority, fault: str) -> Authority:
    """A certificate for ads.test that has a fault."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    if fault == "self-signed":
        return Authority.create(now, "ads.test")
    signer = Authority.create(now, "stranger") if fault == "unknown authority" else authority
    host = "other.test" if fault == "another host" else "ads.test"
    begun = {"expired": now - timedelta(days=200), "not yet": now + timedelta(days=30)}.get(fault, now)
    return Authority(signer.leaf(host, key.public_key(), begun), key)


@pytest.fixture
def faulty(stack, authority, tmp_path):
    """Start an origin whose certificate has a fault: `await faulty("expired")`."""

    async def start(fault: str) -> Origin:
        answer = reply(b"hello", fields=[("Connection", "close")])
        return await stack.enter_async_context(
            Origin(lambda _: answer, serving(certificate(authority, fault), tmp_path / "faulty.pem"))
        )

    return start


FAULTS = ["unknown authority", "another host", "expired", "not yet", "self-signed"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_bad_certificate_reaches_the_client(faulty, proxy, tunnel, fault, tmp_path):
    """The first connection already shows the host's own certificate, and what is said over it is between client and host."""
    site = await faulty(fault)
    running = await proxy(secure={"ads.test": site})
    reader, writer = await tunnel(running, "ads.test", tls=anybody())
    writer.write(b"GET / HTTP/1.1\r\nHost: ads.test\r\n\r\n")
    received = await reader.read(-1)

    assert ssl.DER_cert_to_PEM_cert(shown(writer)) in (tmp_path / "faulty.pem").read_text()
    assert received.endswith(b"hello")


async def test_the_next_connection_passes_at_once(faulty, proxy, tunnel):
    """The host is asked by nobody but the client from then on, for an hour."""
    site = await faulty("expired")
    running = await proxy(secure={"ads.test": site})
    await tunnel(running, "ads.test", tls=anybody())
    before = site.connections
    await tunnel(running, "ads.test", tls=anybody())

    assert 1 == site.connections - before


async def test_a_client_that_trusts_us_is_warned_too(faulty, proxy, client):
    """A client with our certificate refuses the host's bad one, as it would without us."""
    running = await proxy(secure={"ads.test": await faulty("expired")})
    browser = await client(running)

    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        await browser.get("https://ads.test/")


async def test_a_good_certificate_is_vouched_for(origin, proxy, tunnel):
    """With a good one of its own the host is opened."""
    running = await proxy(secure={"ads.test": await origin(tls=True)})
    _, writer = await tunnel(running, "ads.test", tls=running.client_tls())

    assert "capper" == issuer(writer)


async def test_a_host_that_cannot_be_reached(proxy, talk):
    """What does not answer is no case for a certificate: the tunnel is refused in words."""
    with contextlib.closing(await asyncio.start_server(lambda *_: None, LOOPBACK, 0)) as server:
        port = server.sockets[0].getsockname()[1]
    running = await proxy(resolve={("ads.test", 443): (LOOPBACK, port)})
    received = await talk(
        running.port, b"CONNECT ads.test:443 HTTP/1.1\r\nHost: ads.test:443\r\nConnection: close\r\n\r\n"
    )

    assert received.startswith(b"HTTP/1.1 502 ")


async def test_a_host_that_speaks_no_tls(proxy, tunnel, stack):
    """A host that is not what it should be answers the client itself."""

    async def greet(_reader, writer):
        writer.write(b"220 hello\r\n")
        writer.close()

    server = await stack.enter_async_context(await asyncio.start_server(greet, LOOPBACK, 0))
    running = await proxy(resolve={("ads.test", 443): (LOOPBACK, server.sockets[0].getsockname()[1])})

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await tunnel(running, "ads.test", tls=anybody())


async def outer_proxy(stack, site: Origin) -> tuple[int, list[bytes]]:
    """A proxy that only knows CONNECT and leads everywhere to `site`: its port, and the heads it was sent."""
    heads = []

    async def pump(reader, writer) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader, writer) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        onward = await asyncio.open_connection(LOOPBACK, site.port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(pump(reader, onward[1]), pump(onward[0], writer))

    server = await stack.enter_async_context(await asyncio.start_server(serve, LOOPBACK, 0))
    return server.sockets[0].getsockname()[1], heads


async def test_behind_another_proxy(faulty, proxy, tunnel, stack, tmp_path):
    """With a proxy between us and the host the bad certificate reaches the client as well, through that proxy."""
    port, heads = await outer_proxy(stack, await faulty("unknown authority"))
    running = await proxy(modes=(f"upstream:http://{LOOPBACK}:{port}",))
    reader, writer = await tunnel(running, "ads.test", tls=anybody())
    writer.write(b"GET / HTTP/1.1\r\nHost: ads.test\r\n\r\n")
    received = await reader.read(-1)

    assert ssl.DER_cert_to_PEM_cert(shown(writer)) in (tmp_path / "faulty.pem").read_text()
    assert received.endswith(b"hello")
    assert [b"CONNECT ads.test:443"] * 2 == [head.partition(b" HTTP")[0] for head in heads]


async def test_a_certificate_that_goes_bad_between_two_requests(proxy, tunnel, stack, authority, tmp_path):
    """Where a bad certificate is found under a connection that is open already, capper hangs up: no page of ours explains it away."""
    good = serving(certificate(authority, ""), tmp_path / "good.pem")
    bad = serving(certificate(authority, "expired"), tmp_path / "bad.pem")
    served = [good, bad]
    good.sni_callback = lambda connection, *_: setattr(connection, "context", served.pop(0))

    async def once():
        yield reply(b"hello")
        raise ConnectionResetError  # so that the next request needs a connection of its own

    site = await stack.enter_async_context(Origin(lambda _: once(), good))
    running = await proxy(secure={"ads.test": site})
    reader, writer = await tunnel(running, "ads.test", tls=running.client_tls())
    request = b"GET / HTTP/1.1\r\nHost: ads.test\r\n\r\n"
    writer.write(request)
    first = await reader.readuntil(b"hello")
    writer.write(request)
    second = await reader.read(-1)

    assert first.startswith(b"HTTP/1.1 200 ")
    assert (b"", []) == (second, served)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
        b"\x16\x03\x01\x02\x00" + b"\x01\x00\x01\xfc" + b"\xff" * 508,
        b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + b"\x00" * (LONGEST_HELLO + 100),
    ],
    ids=["too short", "garbage", "endless"],
)
async def test_a_first_message_that_cannot_be_read(proxy, stack, dial, sent):
    """What looks like TLS and cannot be read passes through as it came, rather than being hung up on."""
    got = asyncio.get_running_loop().create_future()

    async def listen(reader, writer):
        got.set_result(await reader.readexactly(len(sent)))
        writer.close()

    server = await stack.enter_async_context(await asyncio.start_server(listen, LOOPBACK, 0))
    running = await proxy(resolve={("odd.test", 443): (LOOPBACK, server.sockets[0].getsockname()[1])})
    reader, writer = await dial(running.port)
    writer.write(b"CONNECT odd.test:443 HTTP/1.1\r\nHost: odd.test:443\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(sent)

    assert sent == await asyncio.wait_for(got, 20)


async def test_a_first_message_in_small_pieces(origin, proxy, dial, authority_pem):
    """A message that comes byte by byte is read like any other."""
    running = await proxy(secure={"ads.test": await origin(tls=True)})
    reader, writer = await dial(running.port)
    writer.write(b"CONNECT ads.test:443 HTTP/1.1\r\nHost: ads.test:443\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = running.client_tls().wrap_bio(incoming, outgoing, server_hostname="ads.test")
    while True:
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            for byte in outgoing.read():
                writer.write(bytes([byte]))
                await writer.drain()
            incoming.write(await reader.read(65536))

    assert (("DNS", "ads.test"),) == client.getpeercert()["subjectAltName"]


def test_it_takes_effect_once():
    """Asked again it does nothing."""
    before = ClientTLSLayer.receive_handshake_data
    vouch()

    assert before is ClientTLSLayer.receive_handshake_data
