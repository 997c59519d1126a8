"""Real clients, each with its own TLS stack, and what is learnt of each from how its handshakes end."""

import asyncio
import json
import shutil
import socket
import ssl
from datetime import UTC, datetime

import pytest

from capper.proxy import opening
from capper.proxy.authority import read_authority
from capper.proxy.testing import LOOPBACK, reply
from capper.proxy.trust import Reason, Standing
from capper.proxy.trustfile import TrustFile, trust_file

ANSWER = reply(b"hello", fields=[("Connection", "close")])

NODE = """
const [, proxy, host, ca] = process.argv;
require("http").request({host: "127.0.0.1", port: proxy, method: "CONNECT", path: `${host}:443`}).on("connect", (_, socket) => {
  const tls = require("tls").connect({socket, servername: host, ca: require("fs").readFileSync(ca)}, () => {
    tls.write(`GET / HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n`);
  });
  tls.on("data", (data) => process.stdout.write(data)).on("error", (error) => { console.error(error.message); process.exit(1); });
}).end();
"""

CLIENTS = {
    "openssl": lambda port, host, ca: [
        "openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", ca, "-servername", host,
        "-proxy", f"{LOOPBACK}:{port}", "-connect", f"{host}:443",
    ],
    "openssl TLS 1.2": lambda port, host, ca: [
        "openssl", "s_client", "-quiet", "-tls1_2", "-verify_return_error", "-CAfile", ca, "-servername", host,
        "-proxy", f"{LOOPBACK}:{port}", "-connect", f"{host}:443",
    ],
    "curl": lambda port, host, ca: [
        "curl", "-sS", "--noproxy", "", "--proxy", f"http://{LOOPBACK}:{port}", "--cacert", ca, f"https://{host}/",
    ],
    "wget": lambda port, host, ca: [
        "wget", "-q", "-O", "-", "-t", "1", "-e", f"https_proxy=http://{LOOPBACK}:{port}", f"--ca-certificate={ca}", f"https://{host}/",
    ],
    "node": lambda port, host, ca: ["node", "-e", NODE, "--", str(port), host, ca],
}  # fmt: skip


@pytest.fixture(params=list(CLIENTS))
def ask(request):
    """Ask for a host with a real client: `await ask(proxy, host, authority)`; what it got."""
    make = CLIENTS[request.param]
    if not shutil.which(request.param.partition(" ")[0]):
        pytest.skip(f"no {request.param} here")

    async def ask(proxy, host: str, authority) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *make(proxy.port, host, str(authority)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        words = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() if "openssl" in request.param else None
        process.stdin.write(words or b"")
        out = await asyncio.wait_for(process.stdout.read(), 30)
        process.stdin.close()
        await process.wait()
        return out

    return ask


def standings(proxy) -> list[Standing]:
    return [row.standing for row in proxy.master.opening.trust.book.clients.values()]


def reasons(proxy) -> list[Reason]:
    return [row.reason for row in proxy.master.opening.trust.book.refusals.values()]


@pytest.fixture
def sites(origin):
    """Five ad hosts at one origin."""

    async def start():
        site = await origin(lambda _: ANSWER, tls=True)
        return site, {f"ads{number}.test": site for number in range(5)}

    return start


async def test_a_client_that_trusts_us(ask, sites, proxy):
    """It is opened, and known to trust us from then on."""
    _, hosts = await sites()
    running = await proxy(secure=hosts)

    assert (await ask(running, "ads0.test", running.certificate)).count(b"hello") == 1
    assert [Standing.PROVEN] == standings(running)


async def test_a_client_that_does_not(ask, sites, proxy, authority_pem):
    """Its first refusal in words, or its second in silence, is the last: every other host is reached with its own certificate."""
    _, hosts = await sites()
    running = await proxy(secure=hosts)
    answers = [(await ask(running, f"ads{number}.test", authority_pem)).count(b"hello") for number in range(4)]

    assert answers in ([0, 1, 1, 1], [0, 0, 1, 1])
    assert [Standing.WITHDRAWN] == standings(running)


async def test_a_client_that_is_pinned_at_one_host(ask, sites, proxy, authority_pem):
    """A client that trusts us elsewhere gets the host it refuses us at untouched, and goes on being opened."""
    _, hosts = await sites()
    running = await proxy(secure=hosts)
    elsewhere = await ask(running, "ads0.test", running.certificate)
    pinned = [(await ask(running, "ads1.test", authority_pem)).count(b"hello") for _ in range(4)]
    after = await ask(running, "ads2.test", running.certificate)

    assert elsewhere.count(b"hello") == after.count(b"hello") == 1
    assert (pinned, reasons(running)) in (
        ([0, 1, 1, 1], [Reason.PINNED]),
        ([0, 0, 1, 1], [Reason.SILENT]),
        ([0, 0, 0, 1], [Reason.MUTE]),
    )
    assert [Standing.PROVEN] == standings(running)


async def test_two_stacks_of_one_device(sites, proxy, tunnel, authority_pem):
    """A browser that trusts us is not held back by an app beside it that does not."""
    _, hosts = await sites()
    running = await proxy(secure=hosts)
    app = ssl.create_default_context(cafile=str(authority_pem))
    app.set_ciphers("ECDHE+AESGCM")
    await asyncio.to_thread(refuse, running.port, app, "ads0.test")
    _, browser = await tunnel(running, "ads0.test", tls=running.client_tls())
    _, passed = await tunnel(running, "ads0.test", tls=app)

    assert ["capper", "origins"] == [issuer(writer) for writer in (browser, passed)]


def issuer(writer) -> str:
    certificate = writer.get_extra_info("ssl_object").getpeercert()
    return dict(field[0] for field in certificate["issuer"])["commonName"]


def refuse(port: int, tls: ssl.SSLContext, host: str) -> None:
    """Shake hands as a program does that says with an alert that it does not know the authority."""
    with socket.create_connection((LOOPBACK, port)) as raw:
        raw.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        while not raw.recv(4096).endswith(b"\r\n\r\n"):
            pass
        with pytest.raises(ssl.SSLCertVerificationError):
            tls.wrap_socket(raw, server_hostname=host)


async def test_an_app_that_looks_at_the_certificate_itself(sites, proxy, tunnel, monkeypatch):
    """Some shake hands, see whose certificate it is, and hang up without a word: after two times everything passes through."""
    _, hosts = await sites()
    running = await proxy(secure=hosts)
    seen = []
    for _ in range(4):
        reader, writer = await tunnel(running, "ads0.test", tls=anybody())
        seen.append(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.close()
        await reader.read(-1)
        await settled(running)

    assert [True, True, False, False] == [b"capper" in certificate for certificate in seen]


def anybody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def settled(running) -> None:
    """Wait until the proxy has noticed that the client is gone."""
    await until(lambda: not running.master.opening._handshakes)


async def until(what) -> None:
    """Look again and again, for twenty seconds at most."""
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110  the other side tells nobody
            await asyncio.sleep(0.01)


async def test_what_is_learnt_outlives_a_restart(sites, proxy, tunnel, authority_pem, tmp_path):
    """A proxy that is started again knows who does not trust it, and the file says nothing of hosts."""
    _, hosts = await sites()
    first = await proxy(secure=hosts)
    theirs = ssl.create_default_context(cafile=str(authority_pem))
    await asyncio.to_thread(refuse, first.port, theirs, "ads0.test")
    await until(lambda: first.master.opening.trust.book.clients)
    await first.master.stop()
    again = await proxy(secure=hosts)
    _, writer = await tunnel(again, "ads1.test", tls=theirs)
    data = json.loads(trust_file(tmp_path / "state").read_text())

    assert "origins" == issuer(writer)
    assert 1 == len(data["clients"])
    assert "ads" not in trust_file(tmp_path / "state").read_text()


async def test_what_another_process_forgets(sites, proxy, tunnel, authority_pem, tmp_path, monkeypatch):
    """When somebody forgets what was learnt, the running proxy tries again."""
    monkeypatch.setattr(opening, "LOOK", 0.02)
    _, hosts = await sites()
    running = await proxy(secure=hosts)
    theirs = ssl.create_default_context(cafile=str(authority_pem))
    await asyncio.to_thread(refuse, running.port, theirs, "ads0.test")
    await until(trust_file(tmp_path / "state").exists)
    file = TrustFile(tmp_path / "state", read_authority(tmp_path / "state").fingerprint())
    theirs_too = file.load()
    for key in list(theirs_too.clients):
        theirs_too.drop(key)
    file.save(theirs_too, datetime.now(UTC))
    await until(lambda: not running.master.opening.trust.book.clients)
    _, writer = await tunnel(running, "ads0.test", tls=running.client_tls())

    assert "capper" == issuer(writer)


async def test_nothing_is_opened_once_our_certificate_has_ended(sites, proxy, tunnel, authority_pem):
    """After its last day everything passes through."""
    _, hosts = await sites()
    running = await proxy(secure=hosts)
    running.master.opening._ends = datetime.now(UTC)
    _, writer = await tunnel(running, "ads0.test", tls=ssl.create_default_context(cafile=str(authority_pem)))

    assert "origins" == issuer(writer)
