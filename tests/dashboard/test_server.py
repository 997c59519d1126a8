"""The server of the owner's pages: nobody holds it up by being slow, and nobody takes all of its connections."""

import asyncio
import socket

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from capper.dashboard import server

ASKED = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def greet(scope, receive, send):
    """Reads what is sent, and answers."""
    async for _ in Request(scope, receive).stream():
        pass
    await PlainTextResponse("hello")(scope, receive, send)


@pytest.fixture
async def port():
    """Where an application that answers everything is served."""
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve(greet, listener))
    yield listener.getsockname()[1]
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    listener.close()


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HT", ASKED, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"],
    ids=["nothing", "half a line", "a request and no more", "half a form"],
)
async def test_nobody_holds_a_connection(port, monkeypatch, sent):
    """Whatever part of a request was sent, the connection ends."""
    monkeypatch.setattr(server, "PATIENCE", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    received = await _all(reader)
    writer.close()

    assert (b"hello" in received) == (sent == ASKED)


async def test_nobody_takes_all_connections(port, monkeypatch):
    """More than the server answers are told so, and more than that are not taken; once they are gone it answers again."""
    monkeypatch.setattr(server, "PATIENCE", 60.0)
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * server._MOST)]
    for _, writer in held:
        writer.write(ASKED[:4])
    beyond, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ASKED)
    refused = await _all(beyond)
    for _, one in (*held, (beyond, writer)):
        one.transport.abort()
    for one, _ in held:
        await _all(one)
    answers = []
    while not answers or b"hello" not in answers[-1]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answers.append(await _all(reader))
        writer.close()

    assert b"" == refused
    assert b"hello" in answers[-1]


async def _all(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""
