"""Sends requests through a proxy over kept-alive connections and counts the answers; a process of its own.

    python benchmarks/load.py PROXY_PORT http|https HOST:PORT PATH COUNT CONNECTIONS CA [--new]

Prints seconds and bytes received. `--new` opens a connection (and a TLS session) for each request.
"""

import socket
import ssl
import sys
import threading
import time

HEADERS = (
    "Host: {host}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36\r\n"
    "Accept: {accept}\r\nAccept-Language: en\r\nSec-Fetch-Dest: {dest}\r\nSec-Fetch-Mode: no-cors\r\n"
    "Referer: {referrer}/plain-page\r\n\r\n"
)


def destination(path):
    """The Fetch destination a browser would name for `path`, and what it would accept."""
    if path.endswith(".png"):
        return "image", "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"
    if "page" in path:
        return "document", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    return "empty", "*/*"


def connect(proxy, scheme, target, context):
    """A connection through the proxy, ready for requests."""
    sock = socket.create_connection(("127.0.0.1", proxy))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if scheme == "https":
        sock.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += received(sock)
        if b" 200 " not in head.split(b"\r\n")[0] + b" ":
            raise SystemExit(f"CONNECT {target}: {head!r}")
        sock = context.wrap_socket(sock, server_hostname=target.partition(":")[0])
    return sock


def received(sock):
    data = sock.recv(262144)
    if not data:
        raise SystemExit("the proxy closed the connection in the middle of an answer")
    return data


def ask(sock, head):
    """One request and its whole answer; returns the bytes of the answer."""
    sock.sendall(head)
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
    return got


def main(proxy, scheme, target, path, count, connections, authority, fresh=None):
    context = ssl.create_default_context(cafile=authority)
    # Chromium's own offer, less HTTP/2, which this client does not speak.
    context.set_alpn_protocols(["http/1.1"])
    dest, accept = destination(path)
    # Lists call a picture an ad where another site asks for it.
    referrer = f"{scheme}://news.example" if "/adbanners/" in path else f"{scheme}://{target}"
    head = HEADERS.format(host=target, dest=dest, accept=accept, referrer=referrer)
    where = path if scheme == "https" else f"http://{target}{path}"
    request = f"GET {where} HTTP/1.1\r\n{head}".encode()
    total = [0] * int(connections)
    share = int(count) // int(connections)

    failures = []

    def work(number):
        try:
            send(number)
        except (SystemExit, OSError) as reason:
            failures.append(reason)

    def send(number):
        sock = None
        for _ in range(share):
            if sock is None:
                sock = connect(int(proxy), scheme, target, context)
            total[number] += ask(sock, request)
            if fresh:
                sock.close()
                sock = None

    threads = [threading.Thread(target=work, args=(number,)) for number in range(int(connections))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(str(failures[0]))
    print(time.perf_counter() - start, sum(total), share * int(connections))


if __name__ == "__main__":
    main(*sys.argv[1:])
