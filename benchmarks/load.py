"""Sends requests through a proxy over kept-alive connections and checks the answers; a process of its own.

    python -m benchmarks.load PROXY_PORT http|https HOST:PORT PATH COUNT CONNECTIONS CA [--new] [--from ADDRESS]

Prints how many were answered. `--new` opens a connection (and a TLS session) for each request; `--from` makes the client another
device, on loopback as 127.0.0.2.
"""

import argparse
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HEADERS = (
    "Host: {host}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36\r\n"
    "Accept: {accept}\r\nAccept-Language: en\r\nSec-Fetch-Dest: {dest}\r\nSec-Fetch-Mode: no-cors\r\n"
    "Referer: {referrer}/plain-page\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Client:
    """One who asks `target` (`host:port`) through the proxy on a port."""

    proxy: int
    scheme: str
    target: str
    tls: ssl.SSLContext
    source: str = ""
    """The address it comes from; "" leaves that to the system."""

    def connect(self) -> socket.socket:
        """A connection through the proxy, ready for requests."""
        sock = socket.create_connection(("127.0.0.1", self.proxy), source_address=(self.source, 0))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.scheme == "http":
            return sock
        sock.sendall(f"CONNECT {self.target} HTTP/1.1\r\nHost: {self.target}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += received(sock)
        if b" 200 " not in head.split(b"\r\n")[0] + b" ":
            raise SystemExit(f"CONNECT {self.target}: {head!r}")
        return self.tls.wrap_socket(sock, server_hostname=self.target.partition(":")[0])

    def request(self, path: str) -> bytes:
        """A GET as Chromium sends it."""
        dest, accept = destination(path)
        # Lists call a picture an ad where another site asks for it.
        referrer = f"{self.scheme}://{'news.example' if '/adbanners/' in path else self.target}"
        head = HEADERS.format(host=self.target, dest=dest, accept=accept, referrer=referrer)
        where = path if self.scheme == "https" else f"http://{self.target}{path}"
        return f"GET {where} HTTP/1.1\r\n{head}".encode()

    def ask(self, path: str, times: int, *, fresh: bool) -> int:
        """So many requests, one after the other, on one connection or each on its own; returns how many were answered."""
        request = self.request(path)
        # A connection that closes without a request would look like that of an app which refuses the certificate.
        for _ in range(times if fresh else 1):
            with self.connect() as sock:
                for _ in range(1 if fresh else times):
                    answered(sock, request)
        return times


def destination(path: str) -> tuple[str, str]:
    """The Fetch destination a browser would name for `path`, and what it would accept."""
    if path.endswith(".png"):
        return "image", "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"
    if "page" in path:
        return "document", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    return "empty", "*/*"


def received(sock: socket.socket) -> bytes:
    """What came, at least a byte."""
    data = sock.recv(262144)
    if not data:
        raise SystemExit("the proxy closed the connection in the middle of an answer")
    return data


def answered(sock: socket.socket, request: bytes) -> None:
    """One request and its whole answer."""
    sock.sendall(request)
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += received(sock)
    fields = data[:end].lower().split(b"\r\n")
    if b" 200" not in fields[0]:
        raise SystemExit(f"expected 200, received {fields[0]!r} {data[end : end + 300]!r}")
    length = next(int(field.partition(b":")[2]) for field in fields if field.startswith(b"content-length:"))
    got = len(data)
    while got < end + 4 + length:
        got += len(received(sock))


def client_tls(authority: Path) -> ssl.SSLContext:
    """Chromium's own offer, less HTTP/2, which this client does not speak."""
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["http/1.1"])
    return context


def main() -> None:
    """Send them, shared among the connections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proxy", type=int)
    parser.add_argument("scheme", choices=("http", "https"))
    parser.add_argument("target")
    parser.add_argument("path")
    parser.add_argument("count", type=int)
    parser.add_argument("connections", type=int)
    parser.add_argument("authority", type=Path)
    parser.add_argument("--new", action="store_true")
    parser.add_argument("--from", dest="source", default="", metavar="ADDRESS")
    given = parser.parse_args()
    client = Client(given.proxy, given.scheme, given.target, client_tls(given.authority), given.source)
    with ThreadPoolExecutor(given.connections) as threads:
        share = given.count // given.connections
        asked = [threads.submit(client.ask, given.path, share, fresh=given.new) for _ in range(given.connections)]
        print(sum(each.result() for each in asked))


if __name__ == "__main__":
    main()
