"""What capper left on a machine in each version of its state goes on under this one: nothing is dropped, and counts count."""

import base64
import json
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest

from capper.domain.decision import prepare
from capper.domain.identity import HOUSEHOLD
from capper.journal import parse
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.entries import Stored, put
from capper.ledger.secret import Secret
from capper.recognise.lists import ListStore
from capper.settings import load_policy, load_settings
from capper.settings.pauses import pauses_file, read_pauses
from capper.settings.sites import read_sites, sites_file
from capper.settings.version import CURRENT, ready_state, state_version
from capper.testing import NOON, a_sighting, an_ad

STATES = Path(__file__).parent / "states"
VERSIONS = sorted(int(path.name) for path in STATES.iterdir())


@pytest.fixture(params=VERSIONS)
def household(request, tmp_path):
    """A machine as capper of that version left it."""
    shutil.copytree(STATES / str(request.param), tmp_path, dirs_exist_ok=True)
    (tmp_path / "state" / "secret").chmod(0o600)
    return tmp_path


@pytest.fixture
async def ledger(household):
    """The ledger as it was, on a server of this version, once the state has been brought up to date."""
    ready_state(household / "state")
    ledger = EmbeddedLedger(household / "l", Secret.load_or_create(household / "state" / "secret"))
    soon = int(time.time() * 1000)
    rows = map(json.loads, (household / "ledger.jsonl").read_text().splitlines())
    kept = [Stored(row["key"].encode(), base64.b64decode(row["value"]), soon + row["lives_ms"]) for row in rows]
    await put(ledger.link, kept, replace=True)
    yield ledger
    await ledger.close()


def test_every_version_is_among_them():
    """A version without a household of its own here could be broken without anybody noticing."""
    assert list(range(CURRENT + 1)) == VERSIONS


def test_every_file_is_kept(household):
    """Bringing the state up to date deletes nothing, and says the version from then on."""
    before = {path.relative_to(household) for path in household.rglob("*")}
    said = state_version(household / "state")
    ready_state(household / "state")
    after = {path.relative_to(household) for path in household.rglob("*")}

    assert before - after == set()
    assert state_version(household / "state") == CURRENT
    assert said in VERSIONS


async def test_counts_count(household, ledger):
    """Anna is over her cap for shoes and under it for bikes; the household has its own count."""
    policy, now = load_policy(household / "policy.toml"), NOON + timedelta(hours=1)

    async def see(viewer: str, advertiser: str, number: int):
        ad = an_ad(advertiser, f"ads.example/{number}", f"new-{number}")
        sighting = a_sighting(ad, viewer=viewer, occasion=f"{viewer} now {number}", page=f"now{number}")
        [answer] = await ledger.claim(viewer, [prepare(policy, sighting, now)[1]], now, policy.session_gap)
        return answer.shown, answer.tallies[0].count

    assert await see("anna", "shoes.example", 20) == (False, 3)
    assert await see("anna", "bikes.example", 21) == (True, 1)
    assert await see(HOUSEHOLD, "shoes.example", 22) == (True, 1)


async def test_a_repeated_occasion_is_known(household, ledger):
    """What was claimed before is not counted again."""
    policy, now = load_policy(household / "policy.toml"), NOON + timedelta(minutes=4)
    sighting = a_sighting(an_ad("shoes.example", "ads.example/2", "c2"), occasion="shoes.example-2", page="p2")
    [answer] = await ledger.claim("anna", [prepare(policy, sighting, now)[1]], now, policy.session_gap)

    assert (answer.shown, answer.repeated) == (True, True)


async def test_her_record_can_be_read(household, ledger):
    """Advertisers with their times, and the decisions of the day."""
    at = NOON + timedelta(minutes=5)
    entries = [(entry.name, len(entry.times), entry.times[0]) for entry in await ledger.entries("anna", at)]
    [record] = map(parse, await ledger.notes("anna", at))

    assert entries == [("shoes.example", 3, NOON + timedelta(minutes=2)), ("bikes.example", 1, NOON)]
    assert (record.verdict, record.advertisers, record.viewer) == ("withhold", ("shoes.example",), "anna")
    assert record.cap == "3 per advertiser per day"


def test_settings_and_policy_are_read(household):
    """The files as they were are understood, every key of them."""
    settings = load_settings(household / "capper.toml", environ={})
    policy = load_policy(household / "policy.toml")

    assert settings.ledger == "embedded"
    assert policy.people["anna"].devices == ("192.168.1.20", "user:anna", "wireguard:anna")
    assert policy.rules[0].advertiser == ("boots.example",)


def test_lists_sites_and_pauses_are_read(household):
    """Subscriptions with their last good copies, the sites of her own, and for how long she is left alone."""
    [kept] = ListStore(household / "state").lists()
    sites = read_sites(sites_file(household / "state"))
    pauses = read_pauses(pauses_file(household / "state"))

    assert kept.text.startswith("! Title: Mine")
    assert sites == (("shop.example",) if sites_file(household / "state").exists() else ())
    assert pauses == ({"anna": NOON + timedelta(hours=2)} if pauses_file(household / "state").exists() else {})
