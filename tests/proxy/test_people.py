"""Who is behind a connection, what is remembered of strangers, and what is left alone while somebody pauses."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from mitmproxy.proxy import mode_specs

from capper.devices.strangers import strangers_file
from capper.domain.policy import Person, Policy
from capper.proxy.people import Keeping, People, Sources
from capper.proxy.testing import PassingGate, reply
from capper.settings import Settings
from capper.settings.pauses import pause, pauses_file
from capper.testing import FrozenClock

MAC = "de:ad:be:ef:00:01"
POLICY = Policy(
    people={"anna": Person("anna", (MAC, "user:anna", "wireguard:anna")), "ben": Person("ben", ("fd00::/64",), "nl")}
)


def client(address: str, mode: str = "regular") -> SimpleNamespace:
    return SimpleNamespace(peername=(address, 4321), proxy_mode=mode_specs.ProxyMode.parse(mode))


def name(people: People, who: SimpleNamespace) -> str:
    return people.viewer(people.caller(who)).name


def test_a_device_with_changing_addresses():
    """Whatever address a device takes, its MAC says whose it is; it stays one device."""
    asked = []

    def mac(address: bytes) -> str | None:
        asked.append(address)
        return MAC

    people = People(lambda: POLICY, sources=Sources(mac))
    callers = [people.caller(client(address)) for address in ("192.168.1.20", "::ffff:192.168.1.21", "2001:db8::9")]

    assert ["anna"] * 3 == [people.viewer(caller).name for caller in callers]
    assert 1 == len({caller.device("Firefox") for caller in callers})
    assert [4, 4, 16] == [len(address) for address in asked]


def test_one_listener_for_each_person():
    """Behind WireGuard all have the same address: the listener's file says who, and no MAC is asked for."""
    people = People(lambda: POLICY, sources=Sources(mac=pytest.fail))

    assert ["anna", "household"] == [
        name(people, client("10.0.0.1", f"wireguard:/keys/{who}.conf@51821")) for who in ("anna", "guest")
    ]


def test_nobody_asks_for_this_machines_own_mac():
    """Loopback has none, and what is no address has none either."""
    people = People(lambda: POLICY, sources=Sources(mac=pytest.fail))

    assert ["household", "household"] == [name(people, client(address)) for address in ("127.0.0.1", "pipe")]


def test_a_new_policy_is_heeded():
    """The people are those of the policy in force."""
    policies = [Policy(unknown_devices="ben"), POLICY]
    people = People(lambda: policies[0])
    before = name(people, client("fd00::1"))
    del policies[0]

    assert ["ben", "ben"] == [before, name(people, client("fd00::1"))]
    assert "household" == name(people, client("fd01::1"))
    assert "nl" == people.viewer(people.caller(client("fd00::1"))).language


def test_strangers_are_told_by_what_the_policy_would_call_them():
    """Only what is nobody's: by listener, user, MAC, else address."""
    told = []
    people = People(
        lambda: POLICY,
        lambda who: who.user,
        Sources({b"\x0a\x00\x00\x05": "aa:00:00:00:00:01"}.get, strange=told.append),
    )
    for who, user in (
        (client("10.0.0.1", "wireguard:guest.conf@1"), None),
        (client("10.0.0.5"), "guest"),
        (client("10.0.0.5"), None),
        (client("10.0.0.6"), None),
        (client("10.0.0.6"), "anna"),
        (client("fd00::6%eth0"), None),
    ):
        who.user = user
        name(people, who)

    assert ["wireguard:guest", "user:guest", "aa:00:00:00:00:01", "10.0.0.6"] == told


async def test_what_is_kept_beside_the_proxy(tmp_path):
    """Strangers are written down until they are somebody's; at journal level 0 none is remembered."""
    clock = FrozenClock()
    policy = Policy()
    for level, expected in ((1, [MAC, "user:guest"]), (0, []), (2, [MAC, "user:guest"])):
        keeping = Keeping.begin(Settings(state=tmp_path, journal_level=level), clock)
        strange = keeping.sources().strange
        strange(MAC)
        strange("user:guest")
        await keeping.write(lambda: policy)
        file = strangers_file(tmp_path)

        assert expected == (sorted(json.loads(file.read_text())["devices"]) if file.exists() else [])
    clock.forward(minutes=1)
    await keeping.write(lambda: POLICY)

    assert ["user:guest"] == list(json.loads(file.read_text())["devices"])


async def test_keeping_ends_when_it_is_cancelled(tmp_path, monkeypatch):
    """It reads leases again and again, and stops with the proxy."""
    leases = tmp_path / "dhcp.leases"
    monkeypatch.setattr("capper.proxy.people.EVERY", 0.001)
    keeping = Keeping.begin(Settings(state=tmp_path, leases=(leases,)))
    leases.write_text(f"2000000000 {MAC} 192.168.1.20 laptop *\n")
    read = asyncio.Event()

    def policy() -> Policy:
        if keeping.leases.now.macs:
            read.set()
        return POLICY

    task = asyncio.create_task(keeping.keep(policy))
    await asyncio.wait_for(read.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert MAC == keeping.sources().mac(bytes([192, 168, 1, 20]))


@pytest.fixture
def paused(tmp_path):
    """A clock, a switch for anna's pause, and the sources that heed it."""
    clock = FrozenClock()
    file = pauses_file(tmp_path / "pauses")
    keeping = Keeping.begin(Settings(state=file.parent), clock)

    def set_pause(*, on: bool) -> None:
        pause(file, "anna", clock().replace(hour=13) if on else None, clock())
        clock.forward(seconds=1)

    return SimpleNamespace(clock=clock, set=set_pause, sources=keeping.sources())


HERS = Policy(people={"anna": Person("anna", ("127.0.0.1",))})
PLAIN = reply(b"the origin's", fields=[("Alt-Svc", 'h3=":443"'), ("X-Odd", "a"), ("x-odd", "b")])


async def test_while_paused_nothing_is_judged_or_changed(origin, proxy, client, paused):
    """No hook of the gate's is asked, and headers pass as they are; when the pause ends all is as before, by itself."""
    site = await origin(lambda _: PLAIN, tls=True)
    asked = []
    gate = PassingGate(want=lambda e: bool(asked.append(e)), foresee=lambda e: bool(asked.append(e)))
    running = await proxy(gate, secure={"ads.test": site}, policy=HERS, sources=paused.sources)
    http = await client(running)
    before = await http.get("https://ads.test/")
    paused.set(on=True)
    during = await http.get("https://ads.test/")
    count = len(asked)
    paused.clock.forward(hours=1)
    after = await http.get("https://ads.test/")

    assert [False, True, False] == ["alt-svc" in answer.headers for answer in (before, during, after)]
    assert (2, 4) == (count, len(asked))
    assert b"the origin's" == during.content


async def test_while_paused_nothing_is_opened(origin, proxy, tunnel, authority_pem, paused):
    """A new connection keeps the origin's own certificate; after the pause the next one is opened again."""
    site = await origin(tls=True)
    running = await proxy(secure={"ads.test": site}, policy=HERS, sources=paused.sources)
    both = running.client_tls(authority_pem)
    issuers = []
    for on in (True, False):
        paused.set(on=on)
        _, writer = await tunnel(running, "ads.test", tls=both)
        certificate = writer.get_extra_info("ssl_object").getpeercert()
        issuers.append(dict(part[0] for part in certificate["issuer"])["commonName"])

    assert ["origins", "capper"] == issuers


async def test_somebody_elses_pause(origin, proxy, client, paused):
    """What others see is judged as ever."""
    site = await origin()
    gate = PassingGate(want=lambda _: True)
    paused.set(on=True)
    http = await client(await proxy(gate, names={"news.test": site}, sources=paused.sources))
    await http.get("http://news.test/")

    assert ["household"] == [exchange.viewer.name for exchange in gate.asked]


async def test_devices_that_are_left_alone(origin, proxy, client, tunnel, authority_pem):
    """Where the policy leaves unknown devices alone nothing of theirs is judged or opened, and they are taken note of."""
    told = []
    site = await origin(lambda _: PLAIN, tls=True)
    gate = PassingGate(want=lambda _: True)
    policy = Policy(unknown_devices="leave")
    running = await proxy(gate, secure={"ads.test": site}, policy=policy, sources=Sources(strange=told.append))  # fmt: skip
    _, writer = await tunnel(running, "ads.test", tls=running.client_tls(authority_pem))
    issuer = dict(part[0] for part in writer.get_extra_info("ssl_object").getpeercert()["issuer"])["commonName"]

    assert "origins" == issuer
    assert [] == gate.asked
    assert {"127.0.0.1"} == set(told)
