"""Which hosts are opened for whom, as handshakes go well or not."""

import ssl
from itertools import permutations
from types import SimpleNamespace

import pytest
from mitmproxy import tls

from capper.proxy.opening import INVALID_FOR, Handshake, Opening, _host, kind_of
from capper.proxy.trust import Client


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


PHONE = Client("phone", "browser")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opening(clock):
    return Opening(lambda host: host.endswith("ads.test"), ticks=clock)


def test_only_ad_hosts_are_opened(opening):
    """What the predicate names is opened, and nothing else."""
    assert opening.opens(PHONE, "x.ads.test")
    assert not opening.opens(PHONE, "bank.test")


def test_a_bad_certificate_of_the_hosts_own(opening, clock):
    """A host whose own certificate is bad passes through for an hour, for everybody."""
    opening.invalid("ads.test")

    assert not opening.opens(PHONE, "ads.test")
    assert opening.opens(PHONE, "x.ads.test")
    clock.now = INVALID_FOR
    assert opening.opens(PHONE, "ads.test")


def test_bad_hosts_are_bounded(opening):
    """However many hosts have bad certificates, only the newest are kept."""
    for number in range(1_050):
        opening.invalid(f"{number}.ads.test")

    assert len(opening._invalid) == 1_000
    assert not opening.opens(PHONE, "1049.ads.test")


@pytest.mark.parametrize(
    ("sni", "address", "host"),
    [
        ("Ads.Test.", "203.0.113.1", "ads.test"),
        (None, "ads.test", "ads.test"),
        (None, "203.0.113.1", None),
        ("203.0.113.1", "ads.test", None),
    ],
)
def test_host_of_a_connection(sni, address, host):
    """The TLS name says which host, else the name that was asked for; a bare address is nobody's."""
    assert _host(sni, address) == host


def hello(host: str, **options) -> tls.ClientHello:
    """The first message of a real client."""
    context = ssl.create_default_context()
    for name, value in options.items():
        getattr(context, name)(value)
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=host)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return tls.ClientHello(out.read()[9:])


def test_kind_is_the_stack_s():
    """One stack's connections are of one kind, whatever host and protocol they are for; another stack's of another."""
    first = kind_of(hello("ads.test"))

    assert first == kind_of(hello("a-much-longer-name.news.test", set_alpn_protocols=["h2", "http/1.1"]))
    assert first != kind_of(hello("ads.test", set_ciphers="ECDHE+AESGCM"))


def test_grease_does_not_change_the_kind():
    """Values that browsers throw in by chance (RFC 8701) do not make another stack of one."""
    kinds = {
        kind_of(
            SimpleNamespace(
                cipher_suites=[grease, 0x1301, 0x1302],
                extensions=[(grease, b""), (10, b"\0\6" + grease.to_bytes(2) + b"\0\x1d\0\x17"), (13, b"\0\2\4\3")],
            )
        )
        for grease in (0x0A0A, 0x1A1A, 0xFAFA)
    }

    assert 1 == len(kinds)


def test_shuffling_does_not_change_the_kind():
    """A browser that sends its extensions in another order each time is one stack."""
    extensions = [(0, b""), (10, b"\0\4\0\x1d\0\x17"), (13, b"\0\2\4\3")]
    kinds = {
        kind_of(SimpleNamespace(cipher_suites=[0x1301], extensions=list(order))) for order in permutations(extensions)
    }

    assert 1 == len(kinds)


@pytest.mark.parametrize(
    ("error", "lasted", "opens"),
    [
        ("TLS Error: [('SSL routines', '', 'tlsv1 alert unknown ca')]", 60.0, False),
        ("TLS Error: [('SSL routines', '', 'unexpected eof while reading')]", 60.0, True),
        (None, 0.5, True),
        (None, 60.0, True),
    ],
)
def test_a_connection_that_ends_unused(opening, clock, error, lasted, opens):
    """An alert after the handshake is a refusal; one end without a word is none, and a long wait without a request never is."""
    client = SimpleNamespace(id="1", peername=("10.0.0.2", 1), error=None)
    opening.trust.proven(PHONE)
    opening._handshakes["1"] = Handshake(PHONE, "ads.test")
    opening.tls_established_client(SimpleNamespace(context=SimpleNamespace(client=client)))
    clock.now += lasted
    client.error = error
    opening.client_disconnected(client)

    assert opens == opening.opens(PHONE, "ads.test")
    assert {} == opening._handshakes
