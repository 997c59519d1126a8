"""Proxy authentication: who has the password may pass, once per connection, and origins never see it."""

import asyncio
import base64

import bcrypt
import httpx
import pytest

from capper.domain.errors import ConfigError
from capper.domain.policy import Person, Policy
from capper.proxy.auth import parse_credentials
from capper.proxy.testing import LOOPBACK, PassingGate

ANNA = Policy(people={"anna": Person("anna", ("user:anna",))})


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def htpasswd(tmp_path):
    """A file as `htpasswd -B` writes it."""
    file = tmp_path / "people"
    file.write_bytes(b"# household\nanna:" + bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)) + b"\n")
    return f"@{file}"


@pytest.mark.parametrize("kind", ["given", "file"])
@pytest.mark.parametrize(
    ("user", "password", "right"),
    [
        ("anna", "s3cret", True),
        ("anna", "wrong", False),
        ("ben", "s3cret", False),
        ("", "", False),
        ("anna", "s3cret\0", False),
    ],
)
async def test_credentials(htpasswd, kind, user, password, right):
    """Only the right password of the right person is accepted, from the option and from a file, the first time and later."""
    credentials = parse_credentials("anna:s3cret" if kind == "given" else htpasswd)

    assert [await credentials.accepts(user, password) for _ in range(2)] == [right, right]


async def test_slow_hash_is_asked_once(htpasswd, monkeypatch):
    """A password that was right is not hashed slowly again."""
    asked = []
    check = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *args: asked.append(args) or check(*args))
    credentials = parse_credentials(htpasswd)
    for _ in range(3):
        await credentials.accepts("anna", "s3cret")

    assert len(asked) == 1


@pytest.mark.parametrize("text", ["", "anna", "anna:", ":x", "@/nowhere/at/all", "@"])
def test_bad_credentials_are_refused(text):
    """What is no user and password, or no file, is refused in one sentence."""
    with pytest.raises(ConfigError, match="--proxy-auth"):
        parse_credentials(text)


@pytest.mark.parametrize("content", ["", "anna", "anna:plain", "anna:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="])
def test_bad_files_are_refused(tmp_path, content):
    """A file without people, or with hashes that are none or weak, is refused without repeating them."""
    file = tmp_path / "people"
    file.write_text(content)

    with pytest.raises(ConfigError) as caught:
        parse_credentials(f"@{file}")
    assert "plain" not in str(caught.value)


async def test_password_is_asked_for(origin, proxy, client):
    """Without a password: 407 and a challenge, for plain requests and tunnels."""
    site = await origin()
    running = await proxy(names={"news.test": site}, auth=parse_credentials("anna:s3cret"))
    http = await client(running)
    response = await http.get("http://news.test/")

    assert response.status_code == 407
    assert response.headers["proxy-authenticate"].startswith("Basic ")
    with pytest.raises(httpx.ProxyError, match="407"):
        await http.get("https://news.test/")
    assert site.seen == []


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_password_opens_and_names(origin, proxy, client, scheme):
    """With it the page comes, the person is known, and the origin sees nothing of it."""
    plain, secure = await origin(), await origin(tls=True)
    gate = PassingGate(want=lambda _: True)
    running = await proxy(
        gate, names={"a.test": plain}, secure={"a.test": secure}, policy=ANNA, auth=parse_credentials("anna:s3cret")
    )
    http = await client(running, auth="anna:s3cret")
    responses = [await http.get(f"{scheme}://a.test/") for _ in range(2)]

    assert [response.text for response in responses] == ["hello", "hello"]
    assert [exchange.viewer.name for exchange in gate.asked] == ["anna", "anna"]
    assert "" in {seen.field("proxy-authorization") for seen in plain.seen + secure.seen}
    assert "proxy-authorization" not in gate.asked[0].request.headers


async def test_stray_password_is_taken_off(origin, proxy, talk):
    """A password nobody asked for does not reach the origin either."""
    site = await origin()
    running = await proxy(names={"news.test": site})
    sent = f"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\nProxy-Authorization: {basic('a', 'b')}\r\nConnection: close\r\n\r\n"
    await talk(running.port, sent.encode())

    assert site.seen[0].field("proxy-authorization") == ""


async def test_a_wrong_password_is_told(proxy, client, caplog):
    """That somebody tried, and not what."""
    running = await proxy(auth=parse_credentials("anna:s3cret"))
    answer = await (await client(running, auth="anna:guess")).get("http://news.test/")

    assert answer.status_code == 407
    assert ("refused: a user or a password" in caplog.text, "guess" in caplog.text) == (True, False)


@pytest.mark.parametrize(
    "value", ["", "Basic", "Basic !!!", "Basic /w==", "Bearer x", "basic YW5uYQ==", basic("anna", "no")]
)
async def test_wrong_headers(proxy, talk, value):
    """Whatever else stands in the header, the answer is 407."""
    running = await proxy(auth=parse_credentials("anna:s3cret"))
    sent = f"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\nProxy-Authorization: {value}\r\nConnection: close\r\n\r\n"

    assert (await talk(running.port, sent.encode())).startswith(b"HTTP/1.1 407 ")


async def socks(port: int, user: bytes, password: bytes, host: bytes):
    """Shake hands with a SOCKS5 proxy."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(b"\x05\x01\x02")
    assert await reader.readexactly(2) == b"\x05\x02"
    writer.write(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
    verdict = await reader.readexactly(2)
    writer.write(b"\x05\x01\x00\x03" + bytes([len(host)]) + host + b"\x00\x50")
    return reader, writer, verdict


async def test_socks_password(origin, proxy):
    """SOCKS5 clients show their password in the handshake, and are known by it."""
    site = await origin()
    gate = PassingGate(want=lambda _: True)
    running = await proxy(
        gate, names={"news.test": site}, modes=("socks5",), policy=ANNA, auth=parse_credentials("anna:s3cret")
    )
    reader, writer, verdict = await socks(running.port, b"anna", b"s3cret", b"news.test")
    answer = await reader.readexactly(10)
    writer.write(b"GET / HTTP/1.1\r\nHost: news.test\r\n\r\n")
    page = await reader.readuntil(b"hello")
    writer.transport.abort()
    _, other, refused = await socks(running.port, b"anna", b"wrong", b"news.test")
    other.transport.abort()

    assert (verdict, answer[:2], page[-5:], refused) == (b"\x01\x00", b"\x05\x00", b"hello", b"\x01\x01")
    assert [(exchange.viewer.name, exchange.request.url) for exchange in gate.asked] == [("anna", "http://news.test/")]
