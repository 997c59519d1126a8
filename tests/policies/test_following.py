"""Following the versions of the policy."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.ledger.versions import MemoryVersions, Version
from capper.policies import following
from capper.policies.enacting import Overtaken, carry, enact, in_force
from capper.policies.following import ATTEND, RENEW, Following
from capper.settings import PolicySource
from capper.testing import NOON, FrozenClock


def caps(number: int) -> str:
    return f'caps = ["{number} per advertiser per day"]\n'


BAD = 'caps = ["3 per advertisr per day"]\n'


class Worker:
    """One capper: its file, and what it follows."""

    def __init__(self, folder, versions, name="a"):
        self.file = folder / f"{name}.toml"
        self.file.write_text(caps(1))
        self.clock = FrozenClock()
        self.source = PolicySource(self.file, self.clock)
        self.following = Following(versions, self.source, self.clock)

    @property
    def says(self) -> str:
        return str(self.source.current().default.caps[0]).partition(" ")[0]


class Counted(MemoryVersions):
    """Versions that count how often they are renewed, and may lose messages or be gone."""

    def __init__(self):
        super().__init__()
        self.renewed, self.attended, self.deaf, self.gone, self.begun = 0, 0, False, None, 0

    async def newest(self):
        if self.gone:
            raise self.gone
        return await super().newest()

    async def attend(self, now, *, present=True):
        self.attended += 1
        await super().attend(now, present=present)

    async def renew(self):
        self.renewed += 1

    async def heard(self, every):
        self.begun += 1
        async with contextlib.aclosing(super().heard(every)) as heard:
            async for each in heard:
                if self.gone:
                    raise self.gone
                if not each or not self.deaf or self.begun > 1:
                    yield each


@pytest.fixture
def versions():
    return Counted()


@pytest.fixture
def worker(tmp_path, versions):
    return Worker(tmp_path, versions)


@pytest.fixture
async def kept(worker, monkeypatch):
    """The worker follows, in a hurry."""
    monkeypatch.setattr(following, "POLL", 0.02)
    monkeypatch.setattr(following, "AGAIN", 0.01)
    task = asyncio.create_task(worker.following.keep())
    await asyncio.sleep(0)
    yield worker
    task.cancel()


async def until(so):
    async with asyncio.timeout(5):
        while not so():  # noqa: ASYNC110  what is waited for tells nobody
            await asyncio.sleep(0.001)


async def put(versions, text, seen=0):
    return await enact(versions, text, "anna@here", "", NOON, seen=seen)


async def test_one_who_comes_later_takes_what_is_in_force(worker, versions):
    """The first look finds the newest version; a second one finds nothing new."""
    await put(versions, caps(2))

    assert (await worker.following.look(), await worker.following.look(), worker.says) == (True, False, "2")


async def test_without_a_version_the_file_is_the_policy(worker):
    """Nothing was applied, so nothing changes."""
    assert (await worker.following.look(), worker.says, worker.source.version) == (False, "1", None)


async def test_all_who_follow_hear_of_it(kept, tmp_path, versions):
    """A version is in force as soon as it is announced, and the next one too."""
    await put(versions, caps(2))
    await until(lambda: kept.says == "2")
    await put(versions, caps(3), 1)
    await until(lambda: kept.says == "3")


async def test_an_announcement_that_was_lost(kept, versions):
    """The poll finds what was not heard of, and listening begins anew."""
    versions.deaf = True
    await put(versions, caps(2))
    await until(lambda: kept.says == "2")
    await until(lambda: versions.begun > 1)


@pytest.mark.parametrize("fault", [LedgerUnavailable("gone"), ConfigError("its folder cannot be used")])
async def test_a_ledger_that_is_gone_for_a_while(kept, versions, fault):
    """What is in force stays; what was applied meanwhile is in force when the ledger is back."""
    await put(versions, caps(2))
    await until(lambda: kept.says == "2")
    versions.gone = fault
    await asyncio.sleep(0.05)
    meanwhile = kept.says
    versions.gone = None
    await put(versions, caps(3), 1)
    await until(lambda: kept.says == "3")

    assert meanwhile == "2"


async def test_a_version_of_another_capper_s(tmp_path, versions):
    """One that this capper cannot use never gets in force: who has a policy keeps it, who comes later takes the newest usable."""
    early, late = Worker(tmp_path, versions), Worker(tmp_path, versions, "b")
    await put(versions, caps(2))
    await early.following.look()
    await versions.add(Version(2, NOON, "a newer capper", "", "keys_of_tomorrow = 1\n" + caps(9)), 1)
    await early.following.look()
    await late.following.look()

    assert (early.says, late.says, early.source.version, late.source.version) == ("2", "2", 1, 1)
    assert (await in_force(versions)).number == 1


async def test_what_is_in_force_is_not_taken_again(tmp_path, versions, caplog):
    """Where the newest cannot be used, the one in force stays without another word about it."""
    caplog.set_level("INFO")
    worker = Worker(tmp_path, versions)
    await put(versions, caps(2))
    await worker.following.look()
    await versions.add(Version(2, NOON, "a newer capper", "", BAD), 1)
    await worker.following.look()

    assert [line for line in caplog.messages if "version 1 of" in line] == ["policy reloaded: version 1 of the policy"]


async def test_a_ledger_that_lost_its_versions(tmp_path, versions):
    """It gets the one in force back from whoever follows, so that who comes later goes by it as well."""
    worker, late = Worker(tmp_path, versions), Worker(tmp_path, versions, "b")
    for number in (1, 2):
        await put(versions, caps(number + 1), number - 1)
    await worker.following.look()
    versions._versions = []
    await worker.following.look()
    await late.following.look()

    assert (worker.says, late.says, await versions.newest()) == ("3", "3", 2)


async def test_the_file_of_each_host_again(worker, versions):
    """A version without text lets each host's file be the policy."""
    await put(versions, caps(2))
    await worker.following.look()
    await put(versions, None, 1)
    await worker.following.look()

    assert (worker.says, await in_force(versions)) == ("1", None)


async def test_what_is_in_force_is_renewed_now_and_then(kept, versions):
    """At the beginning, and when a while has passed."""
    await until(lambda: versions.renewed == 1)
    kept.clock.forward(seconds=(RENEW - timedelta(seconds=1)).total_seconds())
    await asyncio.sleep(0.05)
    before = versions.renewed
    kept.clock.forward(seconds=1)
    await until(lambda: versions.renewed == 2)

    assert before == 1


async def test_a_household_says_each_hour_that_it_goes_by_this_ledger(kept, versions):
    """At the beginning, and when an hour has passed."""
    await until(lambda: versions.attended == 1)
    kept.clock.forward(seconds=ATTEND.total_seconds())
    await until(lambda: versions.attended == 2)

    assert versions.renewed == 1


@pytest.mark.parametrize("text", [BAD, "", "caps = [", "x" * 300_000])
async def test_a_bad_policy_is_not_stored(versions, text):
    """It is refused with what is wrong, before any capper could see it."""
    with pytest.raises(ConfigError):
        await put(versions, text)

    assert await versions.newest() == 0


async def test_versions_are_carried_to_where_there_are_none(versions):
    """All of them, with their numbers; where somebody was faster, that one stays."""
    kept = [Version(number, NOON, "anna", "", caps(number)) for number in (4, 5, 6)]
    await carry(versions, kept)
    again = MemoryVersions()
    await put(again, caps(9))
    await carry(again, kept)

    assert (await versions.all(), [one.number for one in await again.all()]) == (kept, [1])


async def test_whoever_comes_second_is_told(versions):
    """A version made without having seen the one in force is refused."""
    await put(versions, caps(2))
    with pytest.raises(Overtaken, match="capper policy history"):
        await put(versions, caps(3))

    assert (await in_force(versions)).text == caps(2)
