"""Forgetting a person whole: what goes of the policy's versions, and what stays."""

from datetime import timedelta

import pytest

from capper.domain.identity import HOUSEHOLD
from capper.ledger.memory import MemoryLedger
from capper.ledger.versions import Version
from capper.policies.forgetting import forget, mentions
from capper.testing import NOON

CAPS = 'caps = ["3 per advertiser per day"]\n'
WITH_ANNA = f'{CAPS}[people.anna]\ndevices = ["192.168.1.20"]\n'


async def a_ledger(*versions: tuple[str | None, str, str]) -> MemoryLedger:
    """One that keeps these versions: text, who, note."""
    ledger = MemoryLedger()
    for number, (text, who, note) in enumerate(versions, 1):
        await ledger.versions.add(Version(number, NOON, who, note, text), number - 1)
    await ledger.note("anna", [b"record"], NOON, timedelta(hours=1))
    return ledger


async def test_old_versions_that_name_her_go():
    """Of somebody who has left the policy nothing is told by the versions before; the others stay."""
    ledger = await a_ledger((CAPS, "ben", ""), (WITH_ANNA, "ben", ""), (CAPS, "ben", "quieter"))
    gone = await forget(ledger, "anna", NOON)

    assert (1, (2,), None) == (gone.records, gone.versions, gone.still)
    assert [1, 3] == [one.number for one in await ledger.versions.all()]


@pytest.mark.parametrize(("who", "note"), [("anna@laptop", ""), ("ben", "people remove anna")])
async def test_the_version_in_force_goes_on_without_her(who, note):
    """Where only who applied it or why is about her, the same text stays in force under a number of its own."""
    ledger = await a_ledger((WITH_ANNA, "ben", ""), (CAPS, who, note))
    gone = await forget(ledger, "anna", NOON)
    (left,) = await ledger.versions.all()

    assert (1, 2) == gone.versions
    assert (3, CAPS, "capper", "") == (left.number, left.text, left.who, left.note)


async def test_while_the_policy_names_her_versions_stay():
    """As long as the one in force names her nothing would be gained; which that is, is told."""
    ledger = await a_ledger((WITH_ANNA, "ben", ""), (WITH_ANNA, "ben", ""))
    gone = await forget(ledger, "anna", NOON)

    assert (1, (), 2) == (gone.records, gone.versions, gone.still)
    assert 2 == len(await ledger.versions.all())


async def test_a_newer_version_that_cannot_be_used_is_not_taken_for_the_one_in_force():
    """The version by which this capper goes stays too, though another host's newer one does not name her."""
    ledger = await a_ledger((WITH_ANNA, "ben", ""), ("caps = 3", "ben", ""))

    assert 1 == (await forget(ledger, "anna", NOON)).still


async def test_the_household_is_no_name():
    """What is nobody's in particular is forgotten; a policy that says `household` is no trace of anybody."""
    ledger = await a_ledger((f'{CAPS}unknown_devices = "household"\n', "ben", ""), (CAPS, "ben", ""))
    await forget(ledger, HOUSEHOLD, NOON)

    assert 2 == len(await ledger.versions.all())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# anna's phone", True),
        ('people = "anna"', True),
        ("[people.annabel]", False),
        ("anna-maria", False),
        (None, False),
    ],
)
def test_a_name_is_a_word(text, found):
    """A name within another is not hers; one in a comment is."""
    assert found == mentions(text, "anna")
