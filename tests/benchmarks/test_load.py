"""The client that sends the load."""

import socket
import ssl

import pytest

from benchmarks.load import Client, answered, destination

CLIENT = Client(1, "http", "localhost:8000", ssl.create_default_context())


@pytest.fixture
def ends():
    """Both ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize(
    ("path", "dest"), [("/photo.png", "image"), ("/plain-page", "document"), ("/page", "document"), ("/1k", "empty")]
)
def test_requests_look_like_a_browsers(path, dest):
    """What a path is for, as Chromium would say it."""
    assert dest == destination(path)[0]
    assert f"Sec-Fetch-Dest: {dest}\r\n".encode() in CLIENT.request(path)


def test_a_plain_proxy_is_told_the_whole_address():
    """As browsers do it; inside TLS the path is enough."""
    inside = Client(1, "https", "localhost:8000", CLIENT.tls)

    assert CLIENT.request("/1k").startswith(b"GET http://localhost:8000/1k HTTP/1.1\r\n")
    assert inside.request("/1k").startswith(b"GET /1k HTTP/1.1\r\n")


def test_ads_are_asked_for_by_another_site():
    """Lists call a picture an ad where another site asks for it."""
    assert b"Referer: http://news.example/" in CLIENT.request("/adbanners/banner.png")


def test_an_answer_is_read_to_its_end(ends):
    """The next request on the connection meets nothing of it."""
    ours, theirs = ends
    theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    answered(ours, b"GET / HTTP/1.1\r\n\r\n")
    ours.settimeout(0)

    with pytest.raises(BlockingIOError):
        ours.recv(1)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
def test_anything_but_a_whole_answer_ends_the_run(ends, answer):
    """An error is quickly sent, and would count as speed."""
    ours, theirs = ends
    theirs.sendall(answer)
    theirs.shutdown(socket.SHUT_WR)

    with pytest.raises(SystemExit, match=r"expected 200|closed the connection"):
        answered(ours, b"GET / HTTP/1.1\r\n\r\n")
