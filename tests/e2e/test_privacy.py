"""What can be read of a person's day in all that `capper run` leaves behind or says: nothing."""

import contextlib
import gzip
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from capper.proxy.testing import LOOPBACK, reply

CLINIC = "quietclinic-news.test"
TRACES = (
    b"quietclinic",
    b"private-path",
    b"secret-query",
    b"gentleshoes",
    b"darkbanners",
    b"unfindable",
    b"cookie-of-anna",
    b"agent-of-anna",
    b"password-of-anna",
)
"""Pieces of every host, address, field and advertiser of the day below."""

ADVERTISED = (
    '<a href="http://darkbanners.test/c?adurl=https%3A%2F%2Fwww.gentleshoes.example%2F">'
    '<img src="http://darkbanners.test/b.gif" width=300 height=250></a>'
)
POLICY = """
caps = ["2 per creative per day", "2 per advertiser per day", "1 per advertiser per page", "2 per campaign per session"]
[people.annabel]
devices = ["user:annabel"]
"""


def a_day(capper, web) -> None:
    """Pages, ads shown and withheld, and everything that goes wrong on the web."""
    html = f"<!DOCTYPE html><p>News</p>{ADVERTISED}".encode()
    web.answers[f"{CLINIC}/private-path"] = reply(html, fields=[("Set-Cookie", "id=cookie-of-anna")])
    web.answers[f"{CLINIC}/private-path/damaged"] = reply(
        gzip.compress(html)[:50], fields=[("Content-Encoding", "gzip")]
    )
    web.answers[f"{CLINIC}/private-path/nonsense"] = b"HTTP/1.1 private-path secret-query\r\n\r\n"
    web.answers[f"{CLINIC}/private-path/cut"] = reply(html, fields=[("Connection", "close")]).replace(
        b"Length: ", b"Length: 9"
    )
    web.answers[f"{CLINIC}/private-path/odd"] = reply(html, kind="text/html; charset=secret-query")
    web.answers["darkbanners.test/b.gif"] = reply(b"GIF89a private-path", kind="image/gif")
    web.answers["darkbanners.test/frame"] = reply(html)
    fields = {"User-Agent": "agent-of-anna", "Cookie": "cookie-of-anna", "Sec-Fetch-Dest": "document"}
    proxy = httpx.Proxy(f"http://{LOOPBACK}:{capper.port}", auth=("annabel", "password-of-anna"))
    with httpx.Client(proxy=proxy, trust_env=False, headers=fields, timeout=20) as client:
        for _ in range(4):
            assert client.get(f"http://{CLINIC}/private-path?secret-query").status_code == 200
        for path in ("damaged", "nonsense", "cut", "odd"):
            with contextlib.suppress(httpx.HTTPError):
                client.get(f"http://{CLINIC}/private-path/{path}?secret-query")
        for url in (
            "http://darkbanners.test/b.gif?secret-query",
            "http://darkbanners.test/frame?secret-query",
            "http://unfindable-host.test/private-path",
            "https://unfindable-host.test/private-path",
            f"https://{CLINIC}/private-path",
            "http://127.0.0.1/private-path",
        ):
            with contextlib.suppress(httpx.HTTPError):
                client.get(url, headers={"Referer": f"http://{CLINIC}/private-path", "Sec-Fetch-Dest": "iframe"})
    for line in (
        b"GET http://quietclinic-news.test/private-path\xff HTTP/1.1\r\nSecret-Query\r\n\r\n",
        b"private-path secret-query\r\n\r\n",
        b"CONNECT quietclinic-news.test:secret-query HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01private-path",
    ):
        with socket.create_connection((LOOPBACK, capper.port), timeout=5) as connection, contextlib.suppress(OSError):
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1000)


def each_file(capper, read):
    """What `read` makes of every file that is there; listed anew where the running ledger has replaced one meanwhile."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return {path: read(path) for path in capper.state.rglob("*") if path.is_file()}


def leftovers(capper) -> dict[str, bytes]:
    """Everything that was written: the whole state folder, and both outputs."""
    outputs = (capper.folder / "out", capper.folder / "err")
    kept = each_file(capper, Path.read_bytes) | {path: path.read_bytes() for path in outputs}
    return {str(path): content for path, content in kept.items()}


@pytest.mark.parametrize("level", ["0", "2", "3"])
def test_nothing_can_be_read(household, web, level):
    """Neither while it runs, nor after a crash of the ledger, nor at the end; whatever the journal keeps is sealed."""
    capper = household(POLICY, CAPPER_JOURNAL_LEVEL=level)
    capper.hosts = (CLINIC, "darkbanners.test")
    (capper.folder / "ads.txt").write_text("||darkbanners.test^\n")
    capper.start("--proxy-auth", "annabel:password-of-anna")
    capper.environ["CAPPER_LISTS"] = ""

    a_day(capper, web)
    running = leftovers(capper)
    os.kill(capper.ledger_pid(), signal.SIGKILL)
    a_day(capper, web)
    shown = capper.run(
        "ledger", "show", "--person", "annabel", "--state", str(capper.state), "--policy", str(capper.policy)
    )
    assert capper.stop() == 0
    ended = leftovers(capper)

    own = {str(capper.folder / "ads.txt")}
    for files in (running, ended):
        read = {
            (Path(name).name, trace) for name, content in files.items() for trace in TRACES if trace in content.lower()
        }
        assert read - {("engines.bin", b"darkbanners")} == set()
        assert own.isdisjoint(files)
        assert all(b"annabel" not in content for content in files.values())
    assert "gentleshoes.example" in shown.stdout
    assert any(name.endswith(".aof") and content for name, content in ended.items())


def test_what_is_kept_is_kept_from_others(household):
    """The state folder is its owner's alone; and so are, for themselves, the counts, the secret and the authority's key."""
    capper = household().start()
    capper.visit()
    modes = each_file(capper, lambda path: path.stat().st_mode)
    kept = [path for path in modes if path.name.startswith(("secret", "authority.pem", "appendonly"))]
    open_to_others = [path for path in kept if modes[path] & 0o077]

    assert len(kept) >= 4
    assert capper.state.stat().st_mode & 0o077 == 0
    assert open_to_others == []
