"""`capper run` and the machine it runs on: folders, files, ports, signals, and what it refuses to connect to."""

import asyncio
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from capper.proxy.testing import LOOPBACK


def refused(capper, *options: str) -> tuple[int, str]:
    """Exit code and words of a `capper run` that cannot start."""
    process = capper.launch(*options)
    return process.wait(60), capper.errors()


def one_sentence(said: str) -> bool:
    return said.startswith("capper: ") and len(said.splitlines()) == 1


def test_state_in_a_file(household):
    """A state folder that is a file is one sentence and exit code 2."""
    capper = household()
    capper.state.write_text("")
    code, said = refused(capper)

    assert code == 2
    assert one_sentence(said), said
    assert str(capper.state) in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_state_not_writable(household):
    """So is one that cannot be written."""
    capper = household()
    capper.state.mkdir(mode=0o500)
    code, said = refused(capper)

    assert code == 2
    assert one_sentence(said), said


def test_state_where_nothing_can_be_made(household):
    """So is one in a place where nothing can be made, even by root."""
    capper = household()
    code, said = refused(capper, "--state", "/proc/self/capper")

    assert code == 2
    assert one_sentence(said), said


@pytest.mark.parametrize("file", ["secret", "ca/authority.pem"])
def test_a_secret_that_others_can_read(household, file):
    """A secret that others can read is closed to them, or refused with what to do."""
    capper = household().start("--ledger", "memory")
    assert capper.stop() == 0
    path = capper.state / file
    path.chmod(0o644)
    code = None
    process = capper.launch("--ledger", "memory")
    for _ in range(200):
        time.sleep(0.05)
        if "ready: " in capper.said() or process.poll() is not None:
            break
    code, said = process.poll(), capper.errors()

    if code is None:
        assert path.stat().st_mode & 0o077 == 0
    else:
        assert code == 2
        assert one_sentence(said), said
        assert "chmod 600" in said


@pytest.mark.parametrize("damage", [b"", b"{}", b"\0" * 100])
def test_a_damaged_secret(household, damage):
    """A secret that cannot be read is one sentence: nothing is counted under another unnoticed."""
    capper = household().start()
    assert capper.visit()
    assert capper.stop() == 0
    (capper.state / "secret").write_bytes(damage)
    code, said = refused(capper)

    assert code == 2
    assert one_sentence(said), said


def test_a_damaged_authority(household):
    """A certificate authority that cannot be read is one sentence that says what to do."""
    capper = household().start("--ledger", "memory")
    assert capper.stop() == 0
    (capper.state / "ca" / "authority.pem").write_text("nonsense")
    code, said = refused(capper, "--ledger", "memory")

    assert code == 2
    assert one_sentence(said), said


@pytest.mark.parametrize("options", [["--listen", "0.0.0.0:0"], ["--listen", "[::]:0"], ["--listen", "192.0.2.1:0"]])
def test_strangers_are_kept_out(household, options):
    """Listening for others needs a network or a password."""
    code, said = refused(household(), "--ledger", "memory", *options)

    assert code == 2
    assert "--lan" in said
    assert one_sentence(said), said


@pytest.mark.parametrize(
    "where",
    ["127.0.0.1:{own}", "localhost:{own}", "[::1]:{own}", "127.1:{own}", "0.0.0.0:{own}", "2130706433:{own}",
     "[::ffff:127.0.0.1]:{own}", "127.0.0.1:{web}", "localhost.:{web}", "169.254.169.254", "0x7f000001:{web}"],
)  # fmt: skip
def test_this_machine_is_out_of_reach(standing, head, where):
    """Neither itself nor anything else on this machine can be reached through the proxy, plainly or by a tunnel."""
    host = where.format(own=standing.port, web=standing.web.port)
    got = head(standing.port, f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    tunnel = host if ":" in host.rpartition("]")[2] else f"{host}:80"
    tunnelled = head(standing.port, f"CONNECT {tunnel} HTTP/1.1\r\nHost: {tunnel}\r\n\r\n".encode())

    assert got.split(b" ", 2)[1] in {b"403", b"502", b"400"}, got[:100]
    assert tunnelled.split(b" ", 2)[1] in {b"403", b"502", b"400"}, tunnelled[:100]
    assert standing.well()


def test_end_in_the_middle_of_a_download(household, web):
    """Told to end while a page is under way, it lets the page finish and ends with 0."""
    held, under_way = threading.Event(), threading.Event()

    async def slowly(_):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 2000000\r\n\r\n"
        yield b"a" * 1_000_000
        under_way.set()
        await asyncio.to_thread(held.wait)
        yield b"b" * 1_000_000

    web.answers["news.test/file.zip"] = slowly
    capper, received = household().start(), []

    def download():
        with capper.client() as client:
            received.append(len(client.get("http://news.test/file.zip").content))

    reader = threading.Thread(target=download)
    reader.start()
    assert under_way.wait(20)
    capper.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    held.set()
    reader.join()

    assert received == [2_000_000]
    assert capper.process.wait(30) == 0
    assert capper.errors() == ""


def test_end_though_a_download_never_does(household, web):
    """A download that never ends does not keep it from ending."""

    async def never(_):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 2000000\r\n\r\nx"
        await asyncio.sleep(600)

    web.answers["news.test/file.zip"] = never
    capper = household().start()
    with socket.create_connection((LOOPBACK, capper.port)) as client:
        client.sendall(b"GET http://news.test/file.zip HTTP/1.1\r\nHost: news.test\r\n\r\n")
        client.recv(100)
        begun = time.monotonic()

        assert capper.stop() == 0
    assert time.monotonic() - begun < 15


def test_hang_up(household):
    """SIGHUP, which a closing terminal sends, ends it as gently as SIGTERM: no ledger is left behind."""
    capper = household().start()
    capper.visit()
    server = capper.ledger_pid()

    assert capper.stop(signal.SIGHUP) == 0
    assert not Path(f"/proc/{server}").exists()


def test_a_port_that_is_taken(household, web):
    """A second capper on the port of the first is one sentence, with exit code 3."""
    first, second = household().start(), household(name="second")
    code, said = refused(second, "--ledger", "memory", "--listen", f"{LOOPBACK}:{first.port}")

    assert code == 3
    assert one_sentence(said), said
