"""From a flow to an exchange and back: nothing raises, nothing is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import connection, http

from capper.domain.exchange import Headers, Response
from capper.domain.identity import Viewer
from capper.proxy import flows
from capper.testing import NOON


def a_flow(
    host: str = "news.test", port: int = 80, path: bytes = b"/", fields=(), *, scheme="http", version="HTTP/1.1"
):
    client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0)
    flow = http.HTTPFlow(client, connection.Server(address=(host, port)))
    headers = http.Headers(fields)
    flow.request = http.Request(
        host, port, b"GET", scheme.encode(), b"", path, version.encode(), headers, b"", None, 0, 0
    )
    return flow


@pytest.mark.parametrize(
    ("flow", "url"),
    [
        (a_flow("News.Test"), "http://news.test/"),
        (a_flow(port=8080), "http://news.test:8080/"),
        (a_flow(port=443, scheme="https"), "https://news.test/"),
        (a_flow(port=80, scheme="https"), "https://news.test:80/"),
        (a_flow(path=b"*"), "http://news.test/"),
        (a_flow(path=b"/\xff?q=\xc3\xa9"), "http://news.test/\udcff?q=é"),
        (a_flow(fields=[(b"Host", b"evil.test")]), "http://news.test/"),
        (a_flow("203.0.113.1", fields=[(b"Host", b"news.test:80")]), "http://news.test/"),
        (a_flow("203.0.113.1", fields=[(b"Host", b"a b\xff")]), "http://203.0.113.1/"),
        (a_flow("2001:db8::1", 8080), "http://[2001:db8::1]:8080/"),
    ],
)
def test_url(flow, url):
    """The URL names where the request goes; the Host header only where that is a bare address."""
    assert flows.url_of(flow) == url


def test_tls_name_stands_in_for_an_address():
    """In transparent mode without a Host header the TLS name says which site."""
    flow = a_flow("203.0.113.1", 443, scheme="https")
    flow.client_conn.sni = "news.test"

    assert flows.url_of(flow) == "https://news.test/"


RAW = st.lists(st.tuples(st.binary(min_size=1, max_size=12), st.binary(max_size=20)), max_size=8)


@given(RAW, st.binary(max_size=30))
def test_any_bytes_become_an_exchange(fields, path):
    """No header and no path is so broken that it raises, and text turns back into the same bytes."""
    flow = a_flow(path=path, fields=fields)
    exchange = flows.exchange_of(flow, Viewer(), NOON)
    back = [
        (n.encode("utf-8", "surrogateescape"), v.encode("utf-8", "surrogateescape"))
        for n, v in exchange.request.headers
    ]

    assert back == fields


@given(
    RAW, st.binary(max_size=50), st.sampled_from([200, 204, 304, 404, 599]), st.sampled_from(["HTTP/1.1", "HTTP/2.0"])
)
def test_any_response_can_be_given(fields, body, status, version):
    """Whatever response we give, it is framed by its own length and holds no line break in a header."""
    flow = a_flow(version=version)
    headers = Headers((n.decode("utf-8", "surrogateescape"), v.decode("utf-8", "surrogateescape")) for n, v in fields)
    flows.answer(flow, Response(status, headers, body))
    lengths = flow.response.headers.get_all("content-length")

    assert flow.response.raw_content == body
    if status not in {204, 304}:
        assert lengths == [str(len(body))]
    assert not any(set(b"\r\n\0") & set(name + value) for name, value in flow.response.headers.fields)
    if version == "HTTP/2.0":
        assert not any(name != name.lower() for name, _ in flow.response.headers.fields)


def test_dropping_nothing_changes_nothing():
    """Leaving out a field that is not there leaves the very same fields."""
    flow = a_flow(fields=[(b"X", b"1")])
    before = flow.request.headers.fields
    flows.drop_header(flow.request, b"alt-svc")

    assert flow.request.headers.fields is before
