"""What the ledger's data gives away: nothing a person could read, nothing that stays, nothing once the key is gone."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from functools import partial
from threading import Thread

import pytest

from capper.domain.cap import Cap
from capper.domain.daily import Addition, Daily, day_of
from capper.domain.decision import prepare
from capper.domain.identity import Ad, Level
from capper.domain.mute import Mute, Why
from capper.domain.policy import Policy, Rule
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret
from capper.ledger.versions import LIFE, Version
from capper.testing import NOON, a_sighting

GAP = timedelta(minutes=30)
SENTENCES = (
    "3 per creative per day",
    "5 per campaign per week",
    "5 per advertiser per day",
    "9 per category per 28 days",
    "1 per advertiser per page",
    "1 per creative per pod",
    "2 per advertiser per session",
    "at most every 2 seconds per category",
    "9 per creative for life",
)
POLICY = Policy(Rule("caps", tuple(map(Cap.parse, SENTENCES))))
READABLE = (
    b"quietshoes",
    b"adserver-xyz",
    b"summercampaign",
    b"footwearcategory",
    b"morningnews",
    b"annabel",
    b"192.168.77",
    b"auctiontoken",
    b"http",
    b"advertiser",
    b"creative",
    b"campaign",
)
"""Pieces of every name that goes in, and words that would tell what kind of thing a key is about."""


async def use(ledger) -> None:
    """Everything a ledger is used for, with names that would be recognised anywhere."""
    ad = Ad(
        ("quietshoes.example", "www.quietshoes.example"),
        "adserver-xyz.example/summercampaign",
        "https://adserver-xyz.example/creative/728x90.png",
        ("footwearcategory",),
    )
    for n in range(12):
        sighting = a_sighting(
            ad,
            viewer="annabel",
            occasion=f"auctiontoken-{n}",
            page=f"https://morningnews.example/{n}",
            pod=f"pod-morningnews-{n}",
            site="morningnews.example",
        )
        claim = prepare(POLICY, sighting, NOON)[1]
        await ledger.peek("annabel", [claim], NOON, GAP)
        await ledger.claim("annabel", [claim], NOON + n * timedelta(minutes=7), GAP)
    record = (
        b'{"viewer": "annabel", "device": "192.168.77.3", "url": "https://morningnews.example/", "ad": "quietshoes"}'
    )
    for level, name in ((Level.ADVERTISER, ad.advertisers[0]), (Level.CREATIVE, ad.creative)):
        mute = Mute(level, name, Why.CLICKED, NOON, NOON + timedelta(days=90))
        await ledger.mute("annabel", mute, NOON)
        await ledger.once("annabel", (level, name), NOON)
    await ledger.claim("annabel", [claim], NOON + timedelta(hours=3), GAP)
    await ledger.mutes("annabel", NOON)
    await ledger.note("annabel", [record], NOON, timedelta(hours=24))
    policy = (
        '[people.annabel]\ndevices = ["192.168.77.3"]\n[[rules]]\nadvertiser = "quietshoes.example"\ncaps = ["never"]'
    )
    seen = await ledger.versions.newest()
    await ledger.versions.add(Version(seen + 1, NOON, "annabel@morningnews", "no quietshoes", policy), seen)
    await ledger.versions.all()
    today = day_of(NOON, UTC)
    await ledger.tally(
        "annabel", [Addition("quietshoes.example", today, Daily(1), frozenset({"morningnews.example"}))], today
    )
    await ledger.followers("annabel", today)
    await ledger.entries("annabel", NOON)
    await ledger.notes("annabel", NOON)


@contextmanager
def monitored(path: str) -> Iterator[bytearray]:
    """Everything the server at `path` is asked meanwhile, as MONITOR shows it."""
    said = bytearray()
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(path)
        monitor.sendall(b"MONITOR\r\n")
        assert monitor.recv(5) == b"+OK\r\n"

        def listen() -> None:
            while piece := monitor.recv(1 << 16):
                said.extend(piece)

        listener = Thread(target=listen)
        listener.start()
        yield said
        monitor.shutdown(socket.SHUT_RD)
        listener.join(10)


def unescaped(monitor: bytes) -> bytes:
    """What MONITOR said, with its `\\xNN` as bytes, so that nothing hides behind an escape."""
    return monitor.decode("latin-1").encode().decode("unicode_escape").encode("latin-1", "replace")


def readable_in(data: bytes) -> list[bytes]:
    """The pieces of names that can be read in `data`, in either case."""
    return [piece for piece in READABLE if piece in data.lower()]


async def test_nothing_readable_reaches_a_redis_server(redis_server, redis_ledger):
    """Neither what the server is asked, nor its dump, nor its append-only file holds a piece of any name."""
    with monitored(redis_server.url.removeprefix("unix://")) as said:
        await use(redis_ledger)
    await redis_ledger.link("SAVE")
    dump = (redis_server.folder / "dump.rdb").read_bytes()
    appended = b"".join(path.read_bytes() for path in redis_server.folder.glob("appendonlydir/*"))
    # The script is code, the same for everyone; it is sent once to a server that does not know it.
    asked = b"\n".join(line for line in said.splitlines() if b'"EVAL"' not in line)

    assert b"EVALSHA" in asked
    assert readable_in(asked) == []
    assert readable_in(unescaped(asked)) == []
    assert readable_in(dump) == []
    assert readable_in(appended) == []
    assert len(dump) > 1000
    assert len(appended) > 1000


async def test_nothing_readable_is_on_the_embedded_servers_disk(tmp_path):
    """No file in the embedded server's folder holds a piece of any name, before and after the file is rewritten."""
    ledger = EmbeddedLedger(tmp_path / "l", Secret.load_or_create(tmp_path / "secret"))
    await use(ledger)  # the first record has the file rewritten
    await use(ledger)
    await ledger.close()
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert [path.name for path, data in files.items() if readable_in(data) and path.name != "server.conf"] == []
    assert any(b"cap{" in data for data in files.values())


async def test_every_key_expires(redis_server, redis_ledger):
    """Every key has a time to live, at most that of the longest window that needs it, or of the mute or the policy it is."""
    await redis_ledger.link("FLUSHALL")
    await use(redis_ledger)
    keys = await redis_ledger.link("KEYS", "*")
    lives = {key: await redis_ledger.link("PTTL", key) for key in keys}

    assert len(lives) > 20
    longest = {"m": POLICY.mute_for, "v": LIFE}
    kinds = {key: chr(key[key.index(b"}") + 1]) for key in lives}
    assert all(
        0 < life <= longest.get(kinds[key], POLICY.retention) // timedelta(milliseconds=1)
        for key, life in lives.items()
    )


async def test_a_life_is_never_shortened(redis_ledger):
    """A policy with shorter windows does not cut the life a counter was given by the one before."""
    long, short = (
        Policy(Rule("caps", (Cap.parse(cap),))) for cap in ("1 per advertiser per week", "5 per advertiser per hour")
    )
    for n, policy in enumerate((long, short)):
        claim = prepare(policy, a_sighting(occasion=f"o{n}"), NOON)[1]
        await redis_ledger.claim("anna", [claim], NOON, GAP)
    [key] = [
        key
        async for keys in redis_ledger.link.scan(b"cap{*}A*")
        for key in keys
        if key in await of(redis_ledger, "anna")
    ]

    assert await redis_ledger.link("PTTL", key) > timedelta(days=6) // timedelta(milliseconds=1)


async def of(ledger: RedisLedger, viewer: str) -> list[bytes]:
    """The viewer's own keys."""
    return [key async for keys in ledger.link.scan(ledger._keyring.of(viewer).pattern()) for key in keys]


async def dump(ledger: RedisLedger, viewer: str) -> dict[bytes, bytes]:
    """A copy of all that is kept of a viewer."""
    keys = await of(ledger, viewer)
    return dict(zip(keys, await ledger.link("MGET", *keys), strict=True))


@pytest.mark.parametrize("change", ["forget", "rotate"])
async def test_old_records_cannot_be_read_once_the_key_is_gone(redis_server, tmp_path, change):
    """Put back from a backup after forget or rotate, nothing is found, nothing opens, and nothing counts."""
    secret = Secret.load_or_create(tmp_path / "secret")
    ledger = RedisLedger(connect(redis_server.url), secret)
    await use(ledger)
    backup = await dump(ledger, "annabel")
    if change == "forget":
        await ledger.forget("annabel")
    else:
        secret.rotate()
    for key, value in backup.items():
        await ledger.link("SET", key, value, "PX", "100000")
    again = prepare(POLICY, a_sighting(Ad(("quietshoes.example",)), viewer="annabel"), NOON)[1]
    [answer] = await ledger.claim("annabel", [again], NOON, GAP)
    keys = ledger._keyring.of("annabel")
    opened = [
        name
        for key, value in backup.items()
        for sealed in (value[7:], value[7 : 7 + 16 * value[0]], value[1 : 1 + 16 * value[0]], value[20:])
        for named in (
            keys.tally,
            partial(keys.counter, Level.ADVERTISER),
            lambda name: keys.mute((Level.ADVERTISER, name)),
        )
        if (name := keys.open_name(sealed, key, named))
    ]
    opened += [note for key, value in backup.items() if (note := keys.open_note(value[6:], key))]
    entries, notes = await ledger.entries("annabel", NOON), await ledger.notes("annabel", NOON)
    mutes = await ledger.mutes("annabel", NOON)
    await ledger.close()

    assert len(backup) > 20
    assert (mutes, answer.muted) == ([], None)
    assert [tally.count for tally in answer.tallies] == [0] * len(answer.tallies)
    assert ([entry.name for entry in entries], notes) == (["quietshoes.example"], [])
    assert opened == []


async def test_what_is_counted_before_a_forgetting_is_noticed_goes_too(redis_server, tmp_path, monkeypatch):
    """What another process counts until it sees that a viewer was forgotten is deleted with the rest."""
    path = tmp_path / "secret"
    here, there = (RedisLedger(connect(redis_server.url), Secret.load_or_create(path)) for _ in range(2))
    tag = there._keyring.of("anna").tag
    left = []

    async def meanwhile():
        await there.claim("anna", [prepare(POLICY, a_sighting(occasion="o2"), NOON)[1]], NOON, GAP)
        left.extend(await here.link("KEYS", f"*{tag}*"))

    monkeypatch.setattr("capper.ledger.redis._until_noticed", meanwhile)
    gone = await here.forget("anna")
    after = await here.link("KEYS", f"*{tag}*")
    for ledger in (here, there):
        await ledger.close()

    assert left
    assert (gone, after) == (len(left), [])


@pytest.fixture
async def forgotten_elsewhere(redis_server, tmp_path):
    """A ledger that runs and has counted a claim of a viewer whom another process has forgotten since, and that claim."""
    path = tmp_path / "secret"
    ledger = RedisLedger(connect(redis_server.url), Secret.load_or_create(path))
    claim = prepare(POLICY, a_sighting(occasion="o1"), NOON)[1]
    await ledger.claim("anna", [claim], NOON, GAP)
    await asyncio.to_thread(Secret.load_or_create(path).forget, "anna")
    yield ledger, claim
    await ledger.close()


async def test_nobody_goes_by_keys_that_are_being_looked_at(forgotten_elsewhere, monkeypatch):
    """Of two who ask at the same time neither uses the keys of before, once another process has changed them."""
    ledger, claim = forgotten_elsewhere
    monkeypatch.setattr("capper.ledger.redis._REFRESH", 60)
    ledger._refreshed -= 61
    looked = await asyncio.gather(*(ledger.peek("anna", [claim], NOON, GAP) for _ in range(2)))

    assert [False, False] == [answer.repeated for [answer] in looked]


async def test_another_processs_forgetting_is_noticed(forgotten_elsewhere, monkeypatch):
    """A ledger that runs uses the new keys soon after another process has forgotten a viewer."""
    ledger, claim = forgotten_elsewhere
    monkeypatch.setattr("capper.ledger.redis._REFRESH", -1)
    [answer] = await ledger.claim("anna", [claim], NOON, GAP)

    assert not answer.repeated
