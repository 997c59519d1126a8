"""Several cappers before a real cluster of three nodes, with no more rights than they need."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import prepare
from capper.domain.errors import LedgerUnavailable
from capper.domain.policy import Policy, Rule
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.entries import put, stored
from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.ledger.rights import acl_rights
from capper.ledger.secret import Secret
from capper.ledger.versions import Version
from capper.testing import a_sighting, an_ad

GAP = timedelta(minutes=30)
POLICY = Policy(Rule("caps", (Cap.parse("3 per advertiser per day"), Cap.parse("9 per creative per week"))))
VIEWERS = [f"person {number}" for number in range(24)]

pytestmark = pytest.mark.slow


def sighting(viewer: str, number: int):
    """The claim of one sighting of shoes."""
    seen = a_sighting(an_ad("shoes.example", f"ads.example/{number}"), viewer=viewer, occasion=f"{number}", page=None)
    return prepare(POLICY, seen, datetime.now(UTC))[1]


async def test_several_cappers_count_together(cluster):
    """Of claims made at once by three cappers, never more than the cap are shown, for any person on any node."""
    secret = Secret()
    cappers = [RedisLedger(connect(cluster.address), secret) for _ in range(3)]
    asked = [
        capper.claim(viewer, [sighting(viewer, 10 * number + place)], datetime.now(UTC), GAP)
        for viewer in VIEWERS
        for number in range(3)
        for place, capper in enumerate(cappers)
    ]
    answers = await asyncio.gather(*asked)
    shown = [sum(answer.shown for [answer] in answers[9 * n : 9 * n + 9]) for n in range(len(VIEWERS))]
    sizes = [await link("DBSIZE") for link in cluster.links]
    for capper in cappers:
        await capper.close()

    assert shown == [3] * len(VIEWERS)
    assert all(sizes), "every node holds some of them"


async def test_all_of_one_person_is_in_one_slot(cluster):
    """Session, occasions, counters and journal of a person share a slot; people are spread over many."""
    secret = Secret()
    capper = RedisLedger(connect(cluster.address), secret)
    slots = {}
    for viewer in VIEWERS:
        await capper.claim(viewer, [sighting(viewer, n) for n in range(5)], datetime.now(UTC), GAP)
        await capper.note(viewer, [b"record"], datetime.now(UTC), GAP)
        keys = [key async for keys in capper.link.scan(capper._keyring.of(viewer).pattern()) for key in keys]
        assert len(keys) > 8
        slots[viewer] = {await cluster.links[0]("CLUSTER", "KEYSLOT", key) for key in keys}
    await capper.close()

    assert {len(found) for found in slots.values()} == {1}
    assert len(set.union(*slots.values())) > len(VIEWERS) // 2


async def test_a_backup_into_a_cluster_and_out_of_it(cluster, tmp_path):
    """From an embedded ledger to the cluster and back, every entry with its value and its end."""
    secret = Secret()
    ledgers = [
        EmbeddedLedger(tmp_path / "a", secret),
        RedisLedger(connect(cluster.address), secret),
        EmbeddedLedger(tmp_path / "b", secret),
    ]
    async with contextlib.AsyncExitStack() as stack:
        for ledger in ledgers:
            stack.push_async_callback(ledger.close)
        for viewer in VIEWERS:
            await ledgers[0].claim(viewer, [sighting(viewer, n) for n in range(5)], datetime.now(UTC), GAP)
        for source, target in ((ledgers[0], ledgers[1]), (ledgers[1], ledgers[2])):
            async for entries in stored(source.link):
                assert await put(target.link, entries, replace=False) == len(entries)
        everything = [sorted([one async for found in stored(ledger.link) for one in found]) for ledger in ledgers]
        [again] = await ledgers[1].claim(VIEWERS[0], [sighting(VIEWERS[0], 99)], datetime.now(UTC), GAP)

    assert everything[0] == everything[1] == everything[2]
    assert len(everything[0]) > 8 * len(VIEWERS)
    assert not again.shown


async def test_a_node_that_is_lost_takes_nobody_elses_counts(cluster):
    """Where one of three nodes is gone, people on the others go on being counted; those on it are told of as unavailable."""
    secret = Secret()
    capper = RedisLedger(connect(cluster.address), secret)
    for link in cluster.links:
        await link("CONFIG", "SET", "cluster-require-full-coverage", "no")
    for viewer in VIEWERS:
        await capper.claim(viewer, [sighting(viewer, 1)], datetime.now(UTC), GAP)
    with contextlib.suppress(Exception):
        await cluster.links[2]("SHUTDOWN", "NOSAVE")
    asked = [capper.claim(viewer, [sighting(viewer, 2)], datetime.now(UTC), GAP) for viewer in VIEWERS]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    counted = [answer for answer in answers if not isinstance(answer, Exception)]
    await capper.close()

    assert 0 < len(counted) < len(VIEWERS)
    assert {answer.tallies[0].count for [answer] in counted} == {1}


async def test_counts_move_with_their_slot(cluster):
    """A slot that is moved to another node takes its person's counts along; a capper that runs finds them there."""
    secret = Secret()
    capper = RedisLedger(connect(cluster.address), secret)
    await capper.claim("anna", [sighting("anna", n) for n in range(5)], datetime.now(UTC), GAP)
    left = [left async for left in cluster.moving(capper._keyring.of("anna").session)]
    [answer] = await capper.claim("anna", [sighting("anna", 77)], datetime.now(UTC), GAP)
    await capper.close()

    assert len(left) > 8
    assert (answer.shown, answer.tallies[0].count) == (False, 3)


async def test_a_policy_is_heard_of_on_whichever_node(cluster):
    """Several cappers, each with a household of its own (so on other nodes): what one applies the other of that household hears."""
    for _ in range(4):
        secret = Secret()
        ours, theirs = (RedisLedger(connect(cluster.address), secret) for _ in range(2))
        async with contextlib.aclosing(theirs.versions.heard(10)) as heard:
            await anext(heard)
            assert await ours.versions.add(Version(1, datetime.now(UTC), "anna", "", "caps = []"), 0)
            assert await asyncio.wait_for(anext(heard), 2)

        assert [one.text for one in await theirs.versions.all()] == ["caps = []"]
        await ours.close()
        await theirs.close()


async def test_a_home_with_a_user_of_its_own_reaches_nobody_elses(cluster):
    """With rights on the keys of its own people alone it counts, shows a record and applies a policy, and is refused another home's."""
    ours, theirs = Secret(), Secret()
    everyones = RedisLedger(connect(cluster.address), ours)
    keys = [everyones._keyring.of(who).pattern().decode() for who in (None, "anna")]
    rights = [word for word in acl_rights(cluster=True).split() if word[0] not in "~&"]
    for link in cluster.links:
        await link("ACL", "SETUSER", "home7", "on", ">7", *rights, *(f"~{key}" for key in keys), f"&{keys[0]}")
    address = cluster.address.replace("capper:pw", "home7:7")
    home, other = (RedisLedger(connect(address), secret) for secret in (ours, theirs))
    [answer] = await home.claim("anna", [sighting("anna", 1)], datetime.now(UTC), GAP)
    found = await home.entries("anna", datetime.now(UTC))
    applied = await home.versions.add(Version(1, datetime.now(UTC), "anna", "", "caps = []"), 0)
    with pytest.raises(LedgerUnavailable, match="permission"):
        await other.claim("anna", [sighting("anna", 1)], datetime.now(UTC), GAP)
    for ledger in (everyones, home, other):
        await ledger.close()

    assert (answer.shown, [entry.name for entry in found], applied) == (True, ["shoes.example"], True)
