"""TLS in fewer records, and nothing of it lost."""

import contextlib
import ssl

import pytest
from mitmproxy.connection import ConnectionState
from mitmproxy.options import Options
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.tls import ClientTLSLayer
from mitmproxy.proxy.tunnel import TunnelState
from mitmproxy.test import tflow
from OpenSSL import SSL

from capper.proxy.records import join_records
from capper.proxy.testing import reply

APPLICATION_DATA = 23


def records(sent: bytes) -> list[int]:
    """The types of the TLS records in what was sent."""
    found = []
    while sent:
        found.append(sent[0])
        sent = sent[5 + int.from_bytes(sent[3:5]) :]
    return found


async def asked(reader, writer, client, incoming, outgoing, request: bytes) -> tuple[bytes, list[int]]:
    """The answer to a request, and the records it came in."""
    client.write(request)
    writer.write(outgoing.read())
    came, answer = b"", b""
    while not answer.endswith(b"the end"):
        data = await reader.read(65536)
        came += data
        incoming.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            while piece := client.read(65536):
                answer += piece
    return answer, records(came)


async def test_an_answer_in_one_record(origin, proxy, tunnel):
    """A small answer's head and body come in one record; a large one loses nothing."""
    small, large = reply(b"the end", kind="text/css"), reply(b"a" * 300_000 + b"the end", kind="text/css")
    site = await origin(lambda request: large if request.target == "/large" else small, tls=True)
    running = await proxy(secure={"news.test": site})
    reader, writer = await tunnel(running, "news.test")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = running.client_tls().wrap_bio(incoming, outgoing, server_hostname="news.test")
    while True:
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            writer.write(outgoing.read())
            incoming.write(await reader.read(65536))
    about = reader, writer, client, incoming, outgoing
    # The tickets of TLS 1.3 come before the first answer.
    await asked(*about, b"GET / HTTP/1.1\r\nHost: news.test\r\n\r\n")
    answer = await asked(*about, b"GET / HTTP/1.1\r\nHost: news.test\r\n\r\n")
    long, _ = await asked(*about, b"GET /large HTTP/1.1\r\nHost: news.test\r\n\r\n")

    assert (small, [APPLICATION_DATA]) == answer
    assert long == large


@pytest.fixture
def shaken(authority):
    """A client's TLS layer after its handshake, and the client."""
    join_records()
    serving = SSL.Context(SSL.TLS_SERVER_METHOD)
    serving.use_privatekey(authority.key)
    serving.use_certificate(authority.certificate)
    server, client = SSL.Connection(serving), SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD))
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(3):
        for one, other in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                one.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65536))
    context = Context(tflow.tclient_conn(), Options())
    context.layers.append(None)  # it looks at who is around it
    layer = ClientTLSLayer(context)
    layer.tls, layer.tunnel_state = server, TunnelState.OPEN
    layer.conn.state = ConnectionState.OPEN
    return layer, client


class Child:
    """What is inside of TLS: it answers what it hears."""

    def __init__(self, layer, *answers) -> None:
        self.heard, self.layer, self.answers = [], layer, answers

    def handle_event(self, event):
        self.heard.append(event.data if isinstance(event, events.DataReceived) else type(event))
        for answer in self.answers:
            yield commands.SendData(self.layer.conn, answer) if isinstance(answer, bytes) else answer


def received(layer, client) -> list[commands.Command]:
    return [*layer.handle_event(events.DataReceived(layer.tunnel_connection, client.bio_read(65536)))]


def test_order(shaken):
    """What is sent before something else is on its way before it."""
    layer, client = shaken
    between = commands.Log("between")
    layer.child_layer = Child(layer, b"one", b"two", between, b"three")
    client.sendall(b"hello")
    told = received(layer, client)
    read = []
    for command in told:
        if command is not between:
            client.bio_write(command.data)
            read.append(client.recv(100))

    assert layer.child_layer.heard == [b"hello"]
    assert (told[1], read) == (between, [b"onetwo", b"three"])


def test_an_alert_after_the_handshake_is_kept(shaken):
    """What a client says only once it has shaken hands is kept with the connection."""
    layer, _ = shaken
    layer.child_layer = Child(layer)
    data = b"\x17\x03\x03\x00\x20" + bytes(32)
    told = [*layer.handle_event(events.DataReceived(layer.tunnel_connection, data))]

    assert any(isinstance(command, commands.Log) and command.message == layer.conn.error for command in told)
    assert layer.conn.error.startswith("TLS Error: ")
    assert layer.child_layer.heard == []


def test_goodbye(shaken):
    """A client that says goodbye in the same breath as something else has said both."""
    layer, client = shaken
    layer.child_layer = Child(layer)
    client.sendall(b"bye")
    client.shutdown()
    received(layer, client)

    assert layer.child_layer.heard == [b"bye", events.ConnectionClosed]
    assert not layer.conn.state & ConnectionState.CAN_READ
