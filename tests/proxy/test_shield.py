"""Nobody uses the proxy to reach the machine it runs on, and no stranger uses it at all."""

import asyncio
import ipaddress
import socket

import httpx
import pytest

from capper.domain.errors import ConfigError
from capper.proxy import resolving
from capper.proxy.addresses import Reach, is_own, literal, reach
from capper.proxy.shield import Boundary, check_listener, parse_lan, parse_resolve
from capper.proxy.testing import LOOPBACK, PassingGate

HOME = (ipaddress.ip_network("192.168.0.0/16"),)
SELF = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "127.0.0.1.",
    "0.0.0.0",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::7f00:1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "224.0.0.1",
    "255.255.255.255",
]


@pytest.mark.parametrize("host", SELF)
async def test_this_machine_is_refused(proxy, talk, caplog, host):
    """However this machine, the link or the cloud's metadata is written, the answer is 403 and says why; the log says what was tried."""
    running = await proxy()
    plain = await talk(running.port, f"GET http://{host}:9/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    tunnel = await talk(running.port, f"CONNECT {host}:9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    for received in (plain, tunnel):
        assert received.split(b" ")[1] in {b"403", b"400"}
        assert b"200 OK" not in received
    if not host.startswith("["):
        assert b"does not go there" in plain
        assert "refused: a way to " in caplog.text
        assert f"{host}:" not in caplog.text


async def test_the_proxy_itself_is_refused(proxy, talk):
    """The proxy does not proxy to itself, neither by address nor when it is used as if it were a web server."""
    running = await proxy()
    by_address = f"GET http://127.0.0.1:{running.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    as_server = f"GET / HTTP/1.1\r\nHost: localhost:{running.port}\r\nConnection: close\r\n\r\n"

    for sent in (by_address, as_server):
        assert (await talk(running.port, sent.encode())).startswith(b"HTTP/1.1 403 ")


@pytest.fixture
def dns(monkeypatch):
    """Decide what names resolve to; the test says `dns[name] = [addresses]`."""
    answers: dict[str, list[str]] = {}

    async def look_up(host, port):
        if host not in answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in answers[host]
        ]

    monkeypatch.setattr(resolving, "look_up", look_up)
    return answers


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.169.254"])
async def test_rebound_name_is_refused(origin, proxy, client, dns, caplog, address):
    """A name that resolves to this machine is refused, by the very addresses that would be connected to; the log leaves it out."""
    site = await origin()
    dns["rebound.test"] = [address]
    http = await client(await proxy())
    response = await http.get(f"http://rebound.test:{site.port}/")

    assert response.status_code == 502
    assert "does not go there" in response.text
    assert site.connections == 0
    assert ("refused: a way to " in caplog.text, "rebound.test" in caplog.text) == (True, False)


async def test_what_a_name_server_blocks_is_no_attack(proxy, client, dns, caplog):
    """Where ads' names lead to nowhere or to loopback, each of them is refused, and none told."""
    dns["ads.test"] = ["0.0.0.0"]
    response = await (await client(await proxy())).get("http://ads.test/")

    assert (response.status_code, "refused" in caplog.text) == (502, False)


async def test_name_is_looked_up_once(origin, proxy, client, dns, monkeypatch):
    """Between the check and the connection nobody can change what a name means: it is not looked up again."""
    site = await origin()
    dns["public.test"] = ["203.0.113.7", LOOPBACK]
    tried = []
    loop = asyncio.get_running_loop()

    async def sock_connect(sock, address):
        tried.append(address)
        raise ConnectionRefusedError(111, "refused")

    http = await client(await proxy())
    with monkeypatch.context() as patch:
        real = loop.sock_connect

        async def only_upstream(sock, address):
            return await (sock_connect(sock, address) if address[0] == "203.0.113.7" else real(sock, address))

        patch.setattr(loop, "sock_connect", only_upstream)
        response = await http.get(f"http://public.test:{site.port}/")

    assert response.status_code == 502
    assert tried == [("203.0.113.7", site.port)]
    assert site.connections == 0


async def test_named_hosts_may_be_on_loopback(origin, proxy, client):
    """Only a host and port named beforehand leads to loopback."""
    site = await origin()
    http = await client(await proxy(names={"news.test": site}))

    assert (await http.get("http://news.test/")).text == "hello"
    assert (await http.get("http://news.test:81/")).status_code == 502


async def test_strangers_are_turned_away(proxy, talk, monkeypatch, caplog):
    """A client that is in none of the networks served gets no word, and the log says that one came."""
    running = await proxy(PassingGate(), lan=HOME)
    monkeypatch.setattr(Boundary, "admits", lambda self, client: False)
    try:
        received = await talk(running.port, b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\n\r\n")
    except ConnectionError:
        received = b""

    assert received == b""
    assert "refused: a client that is not of a network this proxy serves" in caplog.text


@pytest.mark.parametrize(
    ("client", "lan", "admitted", "near"),
    [
        ("127.0.0.1", (), True, True),
        ("127.0.0.1", HOME, True, True),
        ("192.168.1.5", HOME, True, True),
        ("203.0.113.9", HOME, False, False),
        ("203.0.113.9", (), True, False),
    ],
)
def test_boundary(client, lan, admitted, near):
    """Loopback and the networks named are near; with a password alone one may come but is not near."""
    boundary, address = Boundary(lan), ipaddress.ip_address(client)

    assert (boundary.admits(address), boundary.near(address)) == (admitted, near)


@pytest.mark.parametrize("address", ["192.168.1.1", "10.0.0.1", "100.64.0.1", "fd12::1", "::ffff:10.1.1.1"])
def test_private_addresses_are_for_neighbours(address):
    """A private address may be asked for from nearby, and not by somebody who has only a password."""
    boundary, at = Boundary(), ipaddress.ip_address(address)

    assert boundary.objection("router.test", 80, at, near=True) is None
    assert "private" in boundary.objection("router.test", 80, at, near=False).what


@pytest.mark.parametrize("address", ["203.0.113.7", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_public(address):
    """The rest of the internet is open to everyone."""
    assert reach(ipaddress.ip_address(address), lambda _: False)[0] is Reach.PUBLIC


def test_own_addresses_are_recognised():
    """An address of an interface is our own; one of the documentation's is not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9)) if has_route() else probe.bind((LOOPBACK, 0))
        own = probe.getsockname()[0]

    assert is_own(ipaddress.ip_address(own))
    assert not is_own(ipaddress.ip_address("198.51.100.1"))
    assert not is_own(ipaddress.ip_address("2001:db8::1"))


def has_route() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return False
    return True


@pytest.mark.parametrize("host", ["news.test", "1e100.net", "face", "abc.def", "1.2.3.4.5", "0x", "", "xn--a", "ffff"])
def test_names_are_not_addresses(host):
    """A name is not taken for an address, however hexadecimal it looks."""
    assert literal(host) is None


@pytest.mark.parametrize(
    ("host", "modes", "lan", "auth"),
    [
        ("127.0.0.1", ["regular"], False, False),
        ("::1", ["regular"], False, False),
        ("localhost", ["socks5"], False, False),
        ("0.0.0.0", ["regular"], True, False),
        ("", ["regular"], False, True),
        ("", ["wireguard:/etc/anna.conf@51821"], False, False),
        ("127.0.0.1", ["regular", "upstream:http://proxy.test:3128@8081"], False, False),
    ],
)
def test_listeners_that_are_safe(host, modes, lan, auth):
    """Loopback, named networks, a password or a key: each is enough."""
    check_listener(host, modes, lan=lan, auth=auth)


@pytest.mark.parametrize(
    ("host", "modes", "auth", "said"),
    [
        ("0.0.0.0", ["regular"], False, "--lan"),
        ("", ["regular"], False, "every address"),
        ("192.168.1.2", ["regular"], False, "--proxy-auth"),
        ("::", ["socks5"], False, "--lan"),
        ("proxy.test", ["regular"], False, "--lan"),
        ("127.0.0.1", ["regular@0.0.0.0:8081"], False, "0.0.0.0"),
        ("0.0.0.0", ["transparent"], True, "--lan"),
        ("127.0.0.1", ["reverse:http://a.test"], False, "serves"),
        ("127.0.0.1", ["dns"], False, "serves"),
        ("127.0.0.1", ["sideways"], False, "unknown mode"),
        ("127.0.0.1", ["upstream:"], False, "mode"),
    ],
)
def test_listeners_that_are_not(host, modes, auth, said):
    """A listener open to everybody is refused, with what to do about it."""
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")):
        check_listener(host, modes, lan=False, auth=auth)


@pytest.mark.parametrize("text", ["", "0.0.0.0/0", "::/0", "home", "192.168.1.0/33"])
def test_lan_must_be_a_network(text):
    """`--lan` takes a network, and not all of them."""
    with pytest.raises(ConfigError, match="--lan"):
        parse_lan(text)


def test_resolve_is_read():
    """`--resolve` maps a host and port to an address and port, IPv6 in brackets."""
    assert parse_resolve("News.Test.:80=127.0.0.1:8001") == (("news.test", 80), ("127.0.0.1", 8001))
    assert parse_resolve("a.test:443=[::1]:8443") == (("a.test", 443), ("::1", 8443))


@pytest.mark.parametrize(
    "text", ["", "a.test=127.0.0.1", "a.test:80=b.test:80", "127.0.0.1:80=127.0.0.1:81", "a:80=1.2.3.4"]
)
def test_resolve_must_be_complete(text):
    """Anything else is refused with an example."""
    with pytest.raises(ConfigError, match="HOST:PORT=ADDRESS:PORT"):
        parse_resolve(text)


async def test_smuggled_upload_is_cut_off(proxy, talk):
    """A refused request with a huge body loses its connection instead of being read to its end."""
    running = await proxy()
    sent = b"POST http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 100_000

    assert await talk(running.port, sent) == b""


async def test_refused_http2_request(h2_origin, proxy, client):
    """Over HTTP/2 too, a request to this machine is refused."""
    site = await h2_origin(lambda *_: ([(":status", "200")], b"body"))
    http = await client(await proxy(secure={"news.test": site}), http2=True)
    response = await http.get("https://news.test/")

    with pytest.raises(httpx.ProxyError, match="403"):
        await http.get("https://127.0.0.1/")
    assert response.text == "body"
