"""An origin that costs next to nothing: fixed answers over HTTP/1.1 keep-alive, plain and TLS, in a process of its own.

python benchmarks/origin.py CERTIFICATE     prints the two ports (plain, TLS) and serves until its stdin closes
"""

import asyncio
import ssl
import sys
from typing import ClassVar

import pages


class Origin(asyncio.Protocol):
    """Answers each request head with the fixed answer for its path; pipelined heads included."""

    answers: ClassVar[dict[bytes, bytes]] = {}

    def connection_made(self, transport):
        self.transport = transport
        self.waiting = b""

    def data_received(self, data):
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            path = self.waiting.split(b" ", 2)[1].split(b"?")[0]
            self.waiting = self.waiting[end + 4 :]
            self.transport.write(self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))


def answer(media_type, body):
    """A whole response for `body`."""
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nServer: origin\r\n"
        b"Cache-Control: no-cache\r\nContent-Length: %d\r\n\r\n" % (media_type.encode(), len(body))
    ) + body


async def main(certificate):
    Origin.answers = {path.encode(): answer(*content) for path, content in pages.content().items()}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(Origin, "127.0.0.1", 0)
    secure = await loop.create_server(Origin, "127.0.0.1", 0, ssl=context)
    print(plain.sockets[0].getsockname()[1], secure.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
