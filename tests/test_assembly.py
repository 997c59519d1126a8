"""The parts put together as settings say, and lists that change while they are in use."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from capper.assembly import ClosedSource, RecogniserSource, assemble, household_ledger
from capper.domain.errors import ConfigError
from capper.domain.policy import Policy
from capper.journal import Level
from capper.ledger.memory import MemoryLedger
from capper.policies.enacting import enact
from capper.recognise.filterlist import ListKind
from capper.recognise.kind import Kind
from capper.recognise.lists import ListStore
from capper.remembered import Shelf
from capper.settings import Settings, watch
from capper.settings.closed import CLOSED_HEAD, closed_file
from capper.settings.sites import write_sites
from capper.testing import NOON

PAGE = "https://news.example/"


@pytest.fixture
def settings(tmp_path):
    """Settings with a state folder of the test's own and a ledger in memory."""
    return Settings(state=tmp_path, ledger="memory:")


def test_an_owners_own_list_is_used(settings, tmp_path):
    """A file named in the settings says what is an ad."""
    own = tmp_path / "own.txt"
    own.write_text("||odd.example^\n")

    source = RecogniserSource(replace(settings, lists=(own,)), NOON)

    assert source.current().is_ad("https://odd.example/a.png", PAGE, Kind.IMAGE)


def test_an_own_list_that_is_missing_is_an_error_in_one_sentence(settings, tmp_path):
    """The file is named and what is wrong with it."""
    with pytest.raises(ConfigError, match=r"lists: read .*gone\.txt: No such file"):
        RecogniserSource(replace(settings, lists=(tmp_path / "gone.txt",)), NOON)


def test_lists_are_swapped_whole_when_one_has_changed(settings, tmp_path):
    """A subscription made while the proxy runs is in force after the next look, and not before."""
    source = RecogniserSource(settings, NOON)
    before = source.current()
    (tmp_path / "new.txt").write_text("||odd.example^\n")
    ListStore(tmp_path).add(str(tmp_path / "new.txt"), ListKind.ADS, NOON)

    assert not source.current().is_ad("https://odd.example/a.png", PAGE, Kind.IMAGE)
    assert source.refresh(NOON)
    assert not source.refresh(NOON)
    assert source.current() is not before
    assert source.current().is_ad("https://odd.example/a.png", PAGE, Kind.IMAGE)


def test_a_subscription_that_is_due_is_fetched_again(settings, tmp_path):
    """Renewing asks for what is due by the list's own word."""
    file = tmp_path / "mine.txt"
    file.write_text("! Expires: 1 hour\n||one.example^\n")
    ListStore(tmp_path).add(str(file), ListKind.ADS, NOON)
    source = RecogniserSource(settings, NOON)
    file.write_text("! Expires: 1 hour\n||one.example^\n||two.example^\n")

    changed = source.renew(NOON.replace(year=2027))

    assert changed
    assert source.current().is_ad("https://two.example/a.png", PAGE, Kind.IMAGE)


async def test_an_assembly_is_what_the_settings_say(settings):
    """Level, limits and ledger come from the settings; closing lets go of everything."""
    assembly = await assemble(replace(settings, journal_level=1, max_body=4096))

    assert (Level.COUNTS, 4096) == (assembly.journal.level, assembly.gate.max_body)
    assert (await assembly.ledger.health()).ok
    await assembly.close()


def test_the_ledger_of_the_household_has_a_secret_of_its_own(settings):
    """Opening the ledger makes the secret, readable by its owner only."""
    household_ledger(settings)

    assert 0o600 == settings.secret_file.stat().st_mode & 0o777


async def test_the_state_folder_is_its_owners_alone(settings, tmp_path):
    """A folder that is made is closed to others."""
    assembly = await assemble(replace(settings, state=tmp_path / "new" / "state"))

    assert 0o700 == (tmp_path / "new" / "state").stat().st_mode & 0o777
    await assembly.close()


async def test_a_state_folder_that_cannot_be_made_is_an_error_in_one_sentence(settings, tmp_path):
    """A file in its place is named, with what is wrong."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match=r"make the state folder .*file/state: Not a directory"):
        await assemble(replace(settings, state=tmp_path / "file" / "state"))


def test_closed_hosts_come_from_everywhere(settings, tmp_path):
    """What travels with capper, the settings' own, a subscribed list and the household's file all close hosts, each at once."""
    banks = tmp_path / "banks.txt"
    banks.write_text("mybank.example\n")
    source = ClosedSource(replace(settings, closed=("mine.example",)))
    before = source.current()
    ListStore(tmp_path).add(str(banks), ListKind.CLOSED, NOON)
    source.refresh()
    after = source.current()

    assert ("banks", "yours", None) == tuple(
        closing and closing.source
        for closing in map(before.closing, ("www.ing.nl", "x.mine.example", "mybank.example"))
    )
    assert ("banks", "yours", "banks") == tuple(
        after.closing(host).source for host in ("www.ing.nl", "mine.example", "www.mybank.example")
    )


def test_a_host_closed_while_capper_runs(settings, tmp_path, monkeypatch):
    """The household's own file is looked at again; nothing is made anew while it stays the same."""
    monkeypatch.setattr(watch, "LOOK", timedelta(0))
    source = ClosedSource(settings)
    first = source.current()
    write_sites(closed_file(tmp_path), ["shop.example"], CLOSED_HEAD)
    second = source.current()

    assert first.closing("shop.example") is None
    assert "yours" == second.closing("ads.shop.example").source
    assert second is source.current()


def test_subscriptions_that_cannot_be_read(settings, tmp_path, caplog):
    """What travels with capper stays closed, whatever is wrong with the rest."""
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "subscriptions.json").write_text("{")

    assert ClosedSource(settings).current().closing("www.ing.nl")


async def test_a_policy_that_was_applied_before_the_start(settings, tmp_path):
    """It is in force from the first exchange on, in the file's place; an assembly of a policy of its own follows none."""
    ledger = MemoryLedger()
    await enact(ledger.versions, 'caps = ["7 per day"]', "anna", "", NOON, seen=0)
    assembly = await assemble(settings, ledger=ledger)
    own = await assemble(settings, ledger=ledger, policy=Policy)

    assert [str(cap) for cap in assembly.policy().default.caps] == ["7 per advertiser per day"]
    assert own.following is None
    await assembly.close()
    await own.close()


async def test_a_ledger_that_is_gone_at_the_start(settings, caplog):
    """The file is the policy until it answers, and that is said."""
    caplog.set_level("INFO")
    assembly = await assemble(replace(settings, ledger="unix:///nowhere/at/all"))

    assert assembly.following.source.version is None
    assert "whether a policy was applied is not known" in caplog.text
    await assembly.close()


async def test_what_is_remembered_of_addresses_is_forgotten(settings, monkeypatch):
    """Beside the traffic what was worked out from addresses is let go of, again and again."""
    monkeypatch.setattr("capper.assembly.FORGOTTEN_AFTER", timedelta(0))
    assembly = await assemble(settings)
    kept = Shelf(10)
    beside = asyncio.create_task(assembly.keep_watch())
    emptied = []
    for _ in range(2):
        kept["news.example"] = "read"
        for _ in range(10):
            await asyncio.sleep(0)
        emptied.append(len(kept) == 0)
    beside.cancel()
    await assembly.close()

    assert [True, True] == emptied
