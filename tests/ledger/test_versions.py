"""The versions of the policy, whatever they are kept on."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from capper.domain.errors import LedgerUnavailable
from capper.domain.window import to_ms
from capper.ledger.base import STRANGERS
from capper.ledger.guard import GuardedLedger
from capper.ledger.keys import HOUSEHOLDS
from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.ledger.rights import acl_rights
from capper.ledger.secret import Secret
from capper.ledger.versions import ATTENDANCE, KEPT, LIFE, Version
from capper.testing import NOON

POLICY = '# caf\xe9\ncaps = ["3 per advertiser per day"]\n'


def a_version(number: int, text: str | None = POLICY) -> Version:
    return Version(number, NOON + timedelta(minutes=number), "anna@here", f"number {number}", text)


async def test_none_is_there_at_first(ledger):
    """Where no policy was ever applied there is no version."""
    versions = ledger.versions

    assert (await versions.newest(), await versions.all()) == (0, [])


async def test_a_version_comes_back_as_it_was(ledger):
    """Number, time, person, note and text; also of one without text."""
    added = [a_version(1), a_version(2, None)]
    for place, version in enumerate(added):
        assert await ledger.versions.add(version, place)

    assert (await ledger.versions.newest(), await ledger.versions.all()) == (2, added)


async def test_the_newest_fifteen_are_kept(ledger):
    """Of twenty the first five are gone."""
    for number in range(1, KEPT + 6):
        await ledger.versions.add(a_version(number), number - 1)

    assert [one.number for one in await ledger.versions.all()] == list(range(6, KEPT + 6))


async def test_old_versions_are_removed(ledger):
    """Those named go, the others stay, and a further one is added as ever."""
    for number in range(1, 5):
        await ledger.versions.add(a_version(number), number - 1)
    await ledger.versions.remove([1, 3])
    await ledger.versions.remove([])

    assert [2, 4] == [one.number for one in await ledger.versions.all()]
    assert await ledger.versions.add(a_version(5), 4)


async def test_a_household_with_another_secret_is_noticed(redis_server):
    """Two secrets on one server see nothing of each other but that; one that left, or was silent for a day, is not counted."""
    one, another = Secret(), Secret()
    ours, same, other = (RedisLedger(connect(redis_server.url), secret) for secret in (one, one, another))
    await ours.versions.attend(NOON)
    await same.versions.attend(NOON)
    alone = [await each.versions.strangers() for each in (ours, other)]
    await other.versions.attend(NOON)
    both = [await each.versions.strangers() for each in (ours, other)]
    told = await ours.health()
    await other.versions.attend(NOON, present=False)
    left = await ours.versions.strangers()
    await other.versions.attend(NOON)
    await ours.versions.attend(NOON + ATTENDANCE)
    silent = await ours.versions.strangers()
    await ours.link("UNLINK", HOUSEHOLDS)
    for each in (ours, same, other):
        await each.close()

    assert ([0, 1], [1, 1], 0, 0) == (alone, both, left, silent)
    assert (True, STRANGERS) == (told.ok, told.detail)


async def test_of_two_at_once_one_is_first(ledger):
    """Whoever made a version without having seen the newest is told so, and nothing is kept of it."""
    kept = await asyncio.gather(*(ledger.versions.add(a_version(1, f"# {n}"), 0) for n in range(5)))

    assert sorted(kept) == [False] * 4 + [True]
    assert [one.text for one in await ledger.versions.all()] == [f"# {kept.index(True)}"]


async def test_whoever_listens_hears_of_each(ledger):
    """True when listening begins, False after silence, True for a version added meanwhile."""
    async with contextlib.aclosing(ledger.versions.heard(0.05)) as heard:
        begun, silence = await anext(heard), await anext(heard)
        await ledger.versions.add(a_version(1), 0)

        assert (begun, silence, await anext(heard)) == (True, False, True)


async def test_forgetting_a_person_leaves_the_policy(ledger):
    """The versions are the household's, not a person's."""
    await ledger.versions.add(a_version(1), 0)
    for person in ("", "anna", "household"):
        await ledger.forget(person)

    assert await ledger.versions.all() == [a_version(1)]


async def test_behind_a_guard_they_are_the_ledgers(ledger):
    """The guard that answers claims in time leaves versions to the ledger."""
    assert GuardedLedger(ledger).versions is ledger.versions


async def test_another_process_hears_and_reads(redis_server, secret):
    """A second ledger with the same secret is told at once; one with another secret sees nothing."""
    ours, theirs, strangers = (RedisLedger(connect(redis_server.url), key) for key in (secret, secret, Secret()))
    async with contextlib.aclosing(theirs.versions.heard(10)) as heard:
        await anext(heard)
        await ours.versions.add(a_version(1), 0)
        told = await asyncio.wait_for(anext(heard), 1)

    assert (told, await theirs.versions.all(), await strangers.versions.all()) == (True, [a_version(1)], [])
    for ledger in (ours, theirs, strangers):
        await ledger.close()


async def test_what_the_server_holds(redis_ledger):
    """Every key expires, after LIFE at most, and no word of the policy, of who applied it or why can be read."""
    await redis_ledger.versions.add(a_version(1, "[people.annabel]\n"), 0)
    keys = [key async for found in redis_ledger.link.scan((await redis_ledger._keys(None)).pattern()) for key in found]
    values = await redis_ledger.link("MGET", *keys)
    ends = [await redis_ledger.link("PEXPIRETIME", key) for key in keys]
    [now] = {int((await redis_ledger.link("TIME"))[0]) * 1000}

    assert len(keys) == 2
    assert not [value for value in values if any(word in value for word in (b"people", b"annabel", b"here", b"number"))]
    assert all(0 < end - now <= to_ms(NOON + LIFE) - to_ms(NOON) + 2000 for end in ends)


async def test_what_is_no_longer_kept_is_gone(redis_ledger):
    """There is a key for each of the fifteen, and one for the newest's number."""
    for number in range(1, KEPT + 6):
        await redis_ledger.versions.add(a_version(number), number - 1)
    pattern = (await redis_ledger._keys(None)).pattern()

    assert len({key async for found in redis_ledger.link.scan(pattern) for key in found}) == KEPT + 1


async def test_a_version_in_another_capper_s_way(redis_ledger):
    """It keeps its number, so that a further one can be added, and its text is no policy that anybody could go by."""
    await redis_ledger.versions.add(a_version(1), 0)
    keys = await redis_ledger._keys(None)
    for record in (b"\x00", b"[]", b'{"policy": 2}', b'{"at": "now", "who": 1, "note": 2, "text": ""}'):
        sealed = keys.seal_note(record, keys.version(1))
        await redis_ledger.link("SET", keys.version(1), sealed, "PX", "60000")

        assert [(one.number, one.text) for one in await redis_ledger.versions.all()] == [(1, "")]
    assert await redis_ledger.versions.add(a_version(2), 1)


async def test_the_one_in_force_is_renewed(redis_ledger):
    """Renewing gives the newest version, and what names it, another LIFE."""
    for number in (1, 2):
        await redis_ledger.versions.add(a_version(number), number - 1)
    keys = await redis_ledger._keys(None)
    names = (keys.newest_version, keys.version(1), keys.version(2))
    for name in names:
        await redis_ledger.link("PEXPIRE", name, "60000")
    await redis_ledger.versions.renew()
    left = [await redis_ledger.link("PTTL", name) for name in names]

    assert [one > 60_000 for one in left] == [True, False, True]


async def test_versions_end_with_their_secret(redis_ledger):
    """After a rotation nothing of them is found, and whoever listens begins again on the new channel."""
    await redis_ledger.versions.add(a_version(1), 0)
    async with contextlib.aclosing(redis_ledger.versions.heard(0.01)) as heard:
        await anext(heard)
        redis_ledger._keyring.secret.rotate()
        rest = [each async for each in heard]

    assert (rest, await redis_ledger.versions.all()) == ([], [])


async def test_without_the_right_to_publish(start_redis):
    """A user who may not publish keeps versions all the same; one who may not subscribe is refused in so many words."""
    with start_redis() as server:
        admin = connect(server.url)
        await admin("ACL", "SETUSER", "mute", "on", ">pw", *acl_rights().split(), "-publish", "-subscribe")
        await admin.close()
        ledger = RedisLedger(connect(server.url.replace("unix://", "unix://mute:pw@")), Secret())

        assert await ledger.versions.add(a_version(1), 0)
        assert await ledger.versions.newest() == 1
        with pytest.raises(LedgerUnavailable, match=r"(?i)permission"):
            await anext(ledger.versions.heard(1))
        await ledger.close()


async def test_listening_ends_with_the_server(start_redis):
    """When the connection is lost that is said, so that another can be opened."""
    with start_redis() as server:
        ledger = RedisLedger(connect(server.url), Secret())
        heard = ledger.versions.heard(10)
        await anext(heard)
        server.process.terminate()
        with pytest.raises(LedgerUnavailable, match="ask the ledger at"):
            await anext(heard)
        await ledger.close()
