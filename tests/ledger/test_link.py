"""The ways to a server: one connection for all, TLS, Sentinel, Cluster, limited users, and what happens when one breaks."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import socket
import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from capper.domain.cap import Cap
from capper.domain.decision import prepare
from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.domain.policy import Policy, Rule
from capper.ledger.cluster import ClusterLink
from capper.ledger.link import connect, redacted
from capper.ledger.redis import RedisLedger
from capper.ledger.rights import acl_rights
from capper.ledger.secret import Secret
from capper.testing import NOON, a_sighting

GAP = timedelta(minutes=30)
POLICY = Policy(Rule("caps", (Cap.parse("2 per advertiser per day"), Cap.parse("1 per creative per page"))))


async def use(ledger, viewer: str = "anna") -> list[bool]:
    """Three ads on three pages, and everything else a ledger does; which were shown."""
    claims = [prepare(POLICY, a_sighting(occasion=f"o{n}", page=f"p{n}"), NOON)[1] for n in range(3)]
    await ledger.peek(viewer, claims, NOON, GAP)
    shown = [answer.shown for answer in await ledger.claim(viewer, claims, NOON, GAP)]
    await ledger.note(viewer, [b"record"], NOON, GAP)
    assert [entry.name for entry in await ledger.entries(viewer, NOON)] == ["shoes.example"]
    assert await ledger.notes(viewer, NOON) == [b"record"]
    mute = Mute(Level.ADVERTISER, "shoes.example", Why.ASKED, NOON, NOON + timedelta(days=1))
    await ledger.mute(viewer, mute, NOON)
    await ledger.once(viewer, (mute.level, mute.name), NOON)
    assert await ledger.mutes(viewer, NOON) == [mute]
    again = prepare(POLICY, a_sighting(occasion="again"), NOON)[1]
    assert (await ledger.claim(viewer, [again], NOON, GAP))[0].shown
    assert (await ledger.peek(viewer, [again._replace(occasion="more")], NOON, GAP))[0].muted
    await ledger.unmute(viewer, (mute.level, mute.name), NOON)
    assert await ledger.mutes(viewer, NOON) == []
    return shown


def free_ports(count: int) -> list[int]:
    """Ports below 45,000, so that a cluster's second port, 10,000 higher, exists too."""
    found, candidate = [], 21_000 + hash(object()) // 16 % 20_000
    while len(found) < count:
        candidate += 7
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("127.0.0.1", candidate))
            second.bind(("127.0.0.1", candidate + 10_000))
            found.append(candidate)
    return found


async def test_a_caller_who_gives_up_disturbs_nobody(redis_server, secret):
    """Of callers on one connection, those cancelled take nobody else's reply with them."""
    link = connect(redis_server.url)
    calls = [asyncio.create_task(link("ECHO", str(n))) for n in range(50)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    replies = await asyncio.gather(*calls, return_exceptions=True)
    after = await link("ECHO", "after")
    await link.close()

    assert replies[1::2] == [str(n).encode() for n in range(1, 50, 2)]
    assert after == b"after"


async def test_an_error_goes_to_the_one_who_made_it(redis_server):
    """A command the server refuses fails alone."""
    link = connect(redis_server.url)
    good, bad = await asyncio.gather(link("ECHO", "good"), link("NONSENSE"), return_exceptions=True)
    await link.close()

    assert good == b"good"
    assert isinstance(bad, LedgerUnavailable)
    assert "unknown command" in str(bad)


async def test_a_connection_the_server_closed_is_opened_again(redis_server, redis_ledger):
    """A claim that finds its connection closed is repeated on another, and counts once."""
    claim = prepare(POLICY, a_sighting(occasion="o1"), NOON)[1]
    await redis_ledger.claim("anna", [claim], NOON, GAP)
    await redis_ledger.link("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    other = connect(redis_server.url)
    await other("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await other.close()
    answers = await asyncio.gather(
        *(
            redis_ledger.claim("anna", [prepare(POLICY, a_sighting(occasion="o2"), NOON)[1]], NOON, GAP)
            for _ in range(9)
        )
    )

    assert sorted(answer.tallies[0].count for [answer] in answers) == [1] * 9


async def test_a_server_that_forgot_the_script_is_taught_again(redis_ledger):
    """After SCRIPT FLUSH the same claims are answered as before."""
    first = await use(redis_ledger)
    await redis_ledger.link("SCRIPT", "FLUSH")

    assert (first, await use(redis_ledger, "ben")) == ([True, True, False], [True, True, False])


async def test_a_server_that_says_nothing_is_given_up(secret):
    """A server that accepts and never answers: everyone waiting is told, and the next asks on a new connection."""
    met = []
    held = asyncio.Event()

    async def meet(reader, writer):
        met.append(writer)
        await held.wait()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = connect(f"redis://127.0.0.1:{port}", timeout=0.05)
    failed = await asyncio.gather(*(link("PING") for _ in range(3)), return_exceptions=True)
    again = await asyncio.gather(link("PING"), return_exceptions=True)
    await link.close()
    held.set()
    for writer in met:
        writer.close()
    server.close()

    assert {str(exc) for exc in [*failed, *again]} == {
        f"ask the ledger at redis://127.0.0.1:{port}: no connection in 0.05 s"
    }
    assert len(met) == 2


async def test_a_server_that_falls_silent_is_given_up(start_redis, secret):
    """A server that stops in the middle is hung up on, even when every caller has long gone; then it is asked anew."""
    with start_redis() as server:
        link = connect(server.url, timeout=0.2)
        await link("PING")
        server.process.send_signal(19)
        impatient = asyncio.create_task(link("PING"))
        await asyncio.sleep(0)
        impatient.cancel()
        waiting = await asyncio.gather(*(link("PING") for _ in range(2)), return_exceptions=True)
        server.process.send_signal(18)
        back = await link("PING")
        await link.close()

    assert [str(exc).rpartition(": ")[2] for exc in waiting] == ["no answer in 0.2 s"] * 2
    assert back == b"PONG"


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x01", b"*3\r\n", b""])
async def test_something_else_at_the_address_is_told(garbage):
    """A web server, a TLS server or a line of garbage where a Redis was expected gives one sentence."""

    async def meet(reader, writer):
        await reader.read(1)
        writer.write(garbage)
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    ledger = RedisLedger(connect(url, timeout=0.5), Secret())
    health = await ledger.health()
    await ledger.close()
    server.close()

    assert not health.ok
    assert health.detail.startswith(f"ask the ledger at {url}: ")


async def test_a_password_is_used_and_never_told(start_redis, secret):
    """The password in the address opens the server and appears in no message."""
    with start_redis("--requirepass", "pa:ss/wörd") as server:
        path = server.url.removeprefix("unix://")
        right = RedisLedger(connect(f"unix://:pa%3Ass%2Fw%C3%B6rd@{path}"), secret)
        wrong = RedisLedger(connect(f"unix://:guess-me@{path}"), secret)
        none = RedisLedger(connect(f"unix://{path}"), secret)
        shown, healths = await use(right), [await ledger.health() for ledger in (right, wrong, none)]
        for ledger in (right, wrong, none):
            await ledger.close()

    assert shown == [True, True, False]
    assert [health.ok for health in healths] == [True, False, False]
    assert "guess-me" not in str(healths)
    assert "rd@" not in str(healths)


async def test_a_user_with_the_documented_rights_can_do_everything(redis_server, redis_ledger, secret):
    """The rights that rights.py lists are enough, and let her touch no other key."""
    await redis_ledger.link("ACL", "SETUSER", "capper", "on", ">pw", *acl_rights().split())
    ledger = RedisLedger(connect(redis_server.url.replace("unix://", "unix://capper:pw@")), secret)
    await redis_ledger.link("SCRIPT", "FLUSH")
    shown, health = await use(ledger), await ledger.health()
    gone = await ledger.forget("anna")
    with pytest.raises(LedgerUnavailable, match="no permissions"):
        await ledger.link("SET", "other", "x")
    await ledger.close()

    assert (shown, health.ok) == ([True, True, False], True)
    assert gone > 5


async def test_a_server_that_may_evict_is_not_well(start_redis, secret):
    """A memory limit with an evicting policy could lose counts: health says so, and what to set."""
    with start_redis("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru") as server:
        ledger = RedisLedger(connect(server.url), secret)
        health = await ledger.health()
        await ledger.close()

    assert (health.ok, health.detail) == (
        False,
        "maxmemory-policy allkeys-lru may evict counts before they expire: set noeviction",
    )


async def test_a_full_server_counts_all_or_nothing(start_redis, secret):
    """A server out of memory refuses the whole claim; nothing of it is counted."""
    with start_redis() as server:
        ledger = RedisLedger(connect(server.url), secret)
        await ledger.link("CONFIG", "SET", "maxmemory", "1")
        claim = prepare(POLICY, a_sighting(), NOON)[1]
        with pytest.raises(LedgerUnavailable, match="maxmemory"):
            await ledger.claim("anna", [claim], NOON, GAP)
        await ledger.link("CONFIG", "SET", "maxmemory", "0")
        keys = await ledger.link("KEYS", "*")
        await ledger.close()

    assert keys == []


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of this test's own making, for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "capper test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return folder


async def test_tls_with_a_certificate_of_ones_own(start_redis, certificate, secret):
    """`rediss://` works with a CA named in the address, and refuses a server it does not know."""
    [port] = free_ports(1)
    cert, key = certificate / "cert.pem", certificate / "key.pem"
    options = ["--tls-port", str(port), "--tls-cert-file", str(cert), "--tls-key-file", str(key)]
    with start_redis(*options, "--tls-ca-cert-file", str(cert), "--tls-auth-clients", "no") as server:
        assert server
        known = RedisLedger(connect(f"rediss://127.0.0.1:{port}?ssl_ca_certs={cert}"), secret)
        stranger = RedisLedger(connect(f"rediss://127.0.0.1:{port}"), secret)
        shown, health = await use(known), await stranger.health()
        await known.close()
        await stranger.close()

    assert shown == [True, True, False]
    assert not health.ok
    assert "certificate" in health.detail.lower()


@pytest.fixture
def sentinel(start_redis, tmp_path):
    """A master called `counts` and a sentinel that knows it; the sentinel's port."""
    master, port = free_ports(2)
    config = tmp_path / "sentinel.conf"
    config.write_text(f"port {port}\nsentinel monitor counts 127.0.0.1 {master} 1\ndir {tmp_path}\n")
    with (
        start_redis("--port", str(master)),
        subprocess.Popen(["redis-server", str(config), "--sentinel"], stdout=subprocess.DEVNULL) as process,
    ):
        yield port
        process.terminate()


@pytest.mark.slow
async def test_a_master_found_by_sentinel(sentinel, secret):
    """`redis+sentinel://` finds the service's master by any sentinel that is there; an unknown service is told."""
    await until(lambda: connect(f"redis://127.0.0.1:{sentinel}"), "SENTINEL", "CKQUORUM", "counts")
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel}"
    ledger, unknown = (RedisLedger(connect(f"{url}/{service}"), secret) for service in ("counts", "other"))
    shown, health, missing = await use(ledger), await ledger.health(), await unknown.health()
    await ledger.close()
    await unknown.close()

    assert shown == [True, True, False]
    assert health.ok
    assert "No master found for 'other'" in missing.detail


async def until(make, *command: str) -> None:
    """Return once the command is answered on a link that `make` makes."""
    for _ in range(1000):
        link = make()
        with contextlib.suppress(LedgerUnavailable):
            await link(*command)
            await link.close()
            return
        await link.close()
        await asyncio.sleep(0.01)
    pytest.fail("no answer")


@pytest.mark.slow
async def test_a_cluster_of_three(start_redis, secret):
    """In a cluster every viewer's claim is one call in one slot, whichever node it is on; forgetting finds it there."""
    ports = free_ports(3)
    options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(start_redis(*options, "--port", str(port))) for port in ports]
        links = [connect(server.url) for server in servers]
        for link, (first, last) in zip(links, ((0, 5460), (5461, 10922), (10923, 16383)), strict=True):
            await link("CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
            await link("CLUSTER", "MEET", "127.0.0.1", str(ports[0]))
        for link in links:
            for _ in range(2000):
                if (
                    b"cluster_state:ok" in await link("CLUSTER", "INFO")
                    and (await link("CLUSTER", "NODES")).count(b"\n") == 3
                ):
                    break
                await asyncio.sleep(0.01)
        ledger = RedisLedger(connect(f"redis+cluster://127.0.0.1:{ports[1]}"), secret)
        viewers = [f"viewer {n}" for n in range(12)]
        shown = [await use(ledger, viewer) for viewer in viewers]
        sizes = [await link("DBSIZE") for link in links]
        health = await ledger.health()
        gone = [await ledger.forget(viewer) for viewer in viewers]
        left = [await link("DBSIZE") for link in links]
        await ledger.close()
        for link in links:
            await link.close()

    assert shown == [[True, True, False]] * 12
    assert all(sizes), "every node holds some viewer"
    assert (sum(gone), left) == (sum(sizes), [0, 0, 0])
    assert health.ok
    assert isinstance(ledger.link, ClusterLink)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://h/?foo=bar", "unexpected keyword argument 'foo'"),
        ("redis://h:port", "Port could not be cast"),
        ("redis://h:99999", "Port out of range"),
        ("redis://h?socket_timeout=soon", "socket_timeout"),
        ("redis+sentinel://h:1", "HOST:PORT,HOST:PORT/SERVICE is expected"),
        ("redis+sentinel://h:x/service", "invalid literal"),
        ("redis+sentinel:///service", "is expected"),
        ("redis+sentinel://h/service?foo=bar", "foo"),
        ("redis://[::1", "Invalid IPv6 URL"),
    ],
)
def test_an_address_that_cannot_be_understood_is_refused(url, says):
    """What is wrong with an address is said before anything is opened."""
    with pytest.raises(ConfigError, match="understand the ledger's address") as refused:
        connect(url)

    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:pa@ss@h:1/0?password=x", "redis://h:1/0"),
        ("unix:///run/s?password=x", "unix:///run/s"),
        ("unix://:pw@/run/s", "unix:///run/s"),
        ("redis+sentinel://u:p@a:1,b:2/s", "redis+sentinel://a:1,b:2/s"),
        ("nonsense", "nonsense"),
    ],
)
def test_addresses_are_told_without_passwords(url, shown):
    """Neither user nor password nor options of an address are ever shown."""
    assert redacted(url) == shown
