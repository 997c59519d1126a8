"""The far ends of the namespace tests, run inside a namespace: `serve` is the whole web, `ask` is somebody's browser.

`serve FOLDER ADDRESS...`: HTTP, HTTPS and UDP 443 at each address, with certificates of FOLDER's authority.
`ask` reads requests as lines of JSON from standard input, and writes an answer of JSON for each:
`{"host", "path", "resolver", "version", "authority", "headers", "source"}`, and `{"udp": true, "host", ...}`; with `at` no
resolver is asked, with `type` nothing but the resolver, and with `seconds` the answer is read that long and thrown away.
"""

import asyncio
import http.client
import json
import os
import secrets
import socket
import ssl
import struct
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

AD = (
    b'<!DOCTYPE html><html><body><a href="https://ads.test/click?adurl=https%3A%2F%2Fwww.shoes.example%2Fsale">'
    b'<img src="https://ads.test/shoes.png" width="300" height="250"></a></body></html>'
)

STORY = b'<!DOCTYPE html><html><body><h1>News</h1><iframe src="https://ads.test/frame" width=300 height=250></iframe></body></html>'
PIECE = b"x" * 1_000_000
BEGINNING = 0.03
"""Seconds in which a connection finds its speed."""


async def serve(folder: Path, addresses: list[str]) -> None:
    """Answer everything until killed; says `ready` first."""
    from capper.proxy.authority import load_authority
    from capper.proxy.testing import server_tls

    tls = server_tls(load_authority(folder, datetime.now(UTC)), folder)
    loop = asyncio.get_running_loop()
    for address in addresses:
        for port, context in ((80, None), (443, tls)):
            await asyncio.start_server(answer, address, port, ssl=context)
        await loop.create_datagram_endpoint(Echo, local_addr=(address, 443))
    print("ready", flush=True)
    await asyncio.Event().wait()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request for each connection: the ad's document, a body without end, or who asked for what."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = head.split(" ", 2)[1].partition("?")[0]
        came_from = writer.get_extra_info("peername")[0]
        body = {"/frame": AD, "/story": STORY, "/endless": b""}.get(path, f"asked by {came_from}".encode())
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store\r\nConnection: close\r\n"
            + (b"\r\n" if path == "/endless" else b"Content-Length: %d\r\n\r\n" % len(body))
        )
        writer.write(body)
        await writer.drain()
        while path == "/endless":
            writer.write(PIECE)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError, IndexError):
        pass
    finally:
        writer.close()


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(data, addr)


def ask(request: dict) -> dict:
    """What came of one request."""
    try:
        found = (
            [request["at"]]
            if "at" in request
            else look_up(request["resolver"], request["host"], request.get("version", 4), request.get("type"))
        )
        if "type" in request:
            return {"records": found}
        if not found:
            return {"error": "no address"}
        return (udp if request.get("udp") else fetch)(request, found[0])
    except (OSError, http.client.HTTPException) as exc:
        return {"error": f"{type(exc).__name__}: {exc}"}


def fetch(request: dict, address: str) -> dict:
    context = ssl.create_default_context(cafile=request["authority"]) if request.get("authority") else None
    port = request.get("port", 443 if context else 80)
    source = (request["source"], 0) if "source" in request else None
    with socket.create_connection((address, port), timeout=request.get("timeout", 10), source_address=source) as raw:
        stream = context.wrap_socket(raw, server_hostname=request["host"]) if context else raw
        with stream:
            path, headers = request.get("path", "/"), request.get("headers", {})
            fields = {"Host": request["host"], "Connection": "close", "User-Agent": "tests", **headers}
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            stream.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
            reply = http.client.HTTPResponse(stream)
            reply.begin()
            if "seconds" in request:
                return pulled(reply, request["seconds"])
            body = reply.read()
            issuer = dict(part[0] for part in stream.getpeercert()["issuer"]) if context else {}
    return {
        "status": reply.status,
        "size": len(body),
        "body": body[:4000].decode("utf-8", "replace"),
        "headers": {name.lower(): value for name, value in reply.getheaders()},
        "issuer": issuer.get("commonName"),
        "address": address,
    }


def pulled(reply: http.client.HTTPResponse, seconds: float) -> dict:
    """How much of a body comes in so many seconds."""
    size, buffer = 0, bytearray(1 << 20)
    began = time.perf_counter()
    while time.perf_counter() < began + BEGINNING:
        reply.readinto(buffer)
    began = time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        size += reply.readinto(buffer)
    return {"speed": size / took}


def udp(request: dict, address: str) -> dict:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(3)
        one.connect((address, 443))
        one.send(b"hello")
        return {"echo": one.recv(100).decode()}


def look_up(resolver: str, host: str, version: int, kind: int | None) -> list[str]:
    """The addresses of a host, or its records of another type in hex, from this resolver and no other."""
    kind = kind or {4: 1, 6: 28}[version]
    name = b"".join(bytes([len(part)]) + part.encode() for part in host.split(".")) + b"\0"
    number = secrets.token_bytes(2)
    with socket.socket(socket.AF_INET6 if ":" in resolver else socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(5)
        one.connect((resolver, 53))
        one.send(number + struct.pack("!5H", 0x0100, 1, 0, 0, 0) + name + struct.pack("!2H", kind, 1))
        reply = one.recv(4096)
    assert reply[:2] == number
    found, at = [], 12 + len(name) + 4
    for _ in range(struct.unpack_from("!H", reply, 6)[0]):
        while reply[at] and reply[at] < 192:
            at += reply[at] + 1
        at += 2 if reply[at] >= 192 else 1
        this, _, _, length = struct.unpack_from("!2HIH", reply, at)
        raw = reply[at + 10 : at + 10 + length]
        at += 10 + length
        if this == kind:
            family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
            found.append(socket.inet_ntop(family, raw) if family else raw.hex())
    return found


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        Path(sys.argv[2]).mkdir(exist_ok=True)
        asyncio.run(serve(Path(sys.argv[2]), sys.argv[3:]))
    else:
        for line in sys.stdin:
            print(json.dumps(ask(json.loads(line))), flush=True)
        os._exit(0)
