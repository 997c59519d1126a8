"""An origin that costs next to nothing: fixed answers over HTTP/1.1 keep-alive, plain and TLS, in a process of its own.

python -m benchmarks.origin CERTIFICATE     prints the two ports (plain, TLS) and serves until its stdin closes
"""

import asyncio
import itertools
import ssl
import sys
from typing import ClassVar

from benchmarks import pages

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
THINKS, PIECES, EVERY = 0.1, 20, 0.05
"""Of the page that trickles in: seconds until its first byte, the pieces it comes in, and the seconds between two."""


class Origin(asyncio.Protocol):
    """Answers each request head with what its path has; pipelined heads included, except beside a page that trickles in."""

    answers: ClassVar[dict[bytes, bytes]] = {}
    trickling: ClassVar[bytes] = b""
    serial: ClassVar["itertools.count[int]"] = itertools.count()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.waiting = b""

    def data_received(self, data: bytes) -> None:
        """Answer whatever is whole by now."""
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            path = self.waiting.split(b" ", 2)[1].split(b"?")[0]
            self.waiting = self.waiting[end + 4 :]
            if path == b"/trickling-page":
                self.task = asyncio.create_task(self._trickle())
                continue
            found = self.answers.get(path, NOT_FOUND)
            self.transport.write(found.replace(pages.SERIAL, b"%07d" % next(self.serial)))

    async def _trickle(self) -> None:
        """A page in pieces, as a server sends what it is still making."""
        await asyncio.sleep(THINKS)
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
        size = -(-len(self.trickling) // PIECES)
        for first in range(0, len(self.trickling), size):
            piece = self.trickling[first : first + size]
            self.transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await asyncio.sleep(EVERY)
        self.transport.write(b"0\r\n\r\n")


def answer(media_type: str, body: bytes) -> bytes:
    """A whole response for `body`."""
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nServer: origin\r\n"
        b"Cache-Control: no-cache\r\nContent-Length: %d\r\n\r\n" % (media_type.encode(), len(body))
    ) + body


async def main(certificate: str) -> None:
    """Serve."""
    Origin.answers = {path.encode(): answer(*content) for path, content in pages.content().items()}
    Origin.trickling = pages.page(2_000_000)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    plain = await loop.create_server(Origin, "127.0.0.1", 0)
    secure = await loop.create_server(Origin, "127.0.0.1", 0, ssl=context)
    print(plain.sockets[0].getsockname()[1], secure.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
