"""Writes tests/upgrade/states/VERSION as this checkout's capper leaves a household; run it before a version of the state ends.

    python tests/upgrade/make_state.py

Everything in it is synthetic. The ledger is written out entry by entry, because an append-only file would have expired.
"""

import asyncio
import base64
import json
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from capper.domain.decision import conclude, prepare
from capper.journal import Record
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.secret import Secret
from capper.packaged import packaged_config
from capper.recognise.filterlist import ListKind
from capper.recognise.lists import ListStore
from capper.settings.pauses import pause, pauses_file
from capper.settings.policy import parse_policy
from capper.settings.sites import sites_file, write_sites
from capper.settings.version import CURRENT, ready_state
from capper.testing import NOON, a_sighting, an_ad

POLICY = """\
# synthetic
version = 1
time_zone = "Europe/Amsterdam"
session_gap = "20 minutes"
retention = "35 days"
unknown_devices = "household"
credit_prompts = "mark"
caps = ["3 per advertiser per day", "9 per creative per week", "2 per campaign per session", "1 per creative per page"]

[people.anna]
devices = ["192.168.1.20", "user:anna", "wireguard:anna"]
language = "nl"
credit_prompts = "leave"

[[rules]]
name = "no shoes"
advertiser = ["boots.example"]
site = "news.example"
format = "video"
people = "anna"
caps = ["never"]

[[credit]]
site = "shop.example"
credit_prompts = "strip"
"""


async def count(folder: Path, secret: Secret, out: Path) -> None:
    """Anna is shown three ads for shoes and kept from a fourth, one for bikes; the household one for shoes."""
    policy, ledger = parse_policy(POLICY, "policy"), EmbeddedLedger(folder, secret)

    async def claim(viewer: str, advertiser: str, number: int, at: datetime, campaign: str):
        ad = an_ad(advertiser, f"ads.example/{number}", campaign)
        sighting = a_sighting(ad, viewer=viewer, occasion=f"{advertiser}-{number}", page=f"p{number}")
        rule, asked = prepare(policy, sighting, at)
        [answer] = await ledger.claim(viewer, [asked], at, policy.session_gap)
        return sighting, conclude(policy, sighting, rule, asked, answer, at)

    for number in range(3):
        await claim("anna", "shoes.example", number, NOON + timedelta(minutes=number), f"c{number}")
    await claim("anna", "bikes.example", 9, NOON, "b")
    await claim("household", "shoes.example", 1, NOON, "h")
    at = NOON + timedelta(minutes=3)
    sighting, decision = await claim("anna", "shoes.example", 7, at, "c7")
    await ledger.note("anna", [Record.of(decision, at, sighting).line()], at, timedelta(hours=24))
    secret.forget("carl")
    rows = []
    async for keys in ledger.link.scan(b"*"):
        for key, value in zip(keys, await ledger.link("MGET", *keys), strict=True):
            life = int(await ledger.link("PTTL", key))
            rows.append({"key": key.decode(), "value": base64.b64encode(value).decode(), "lives_ms": life})
    await ledger.close()
    text = "".join(json.dumps(row) + "\n" for row in sorted(rows, key=lambda row: row["key"]))
    await asyncio.to_thread(out.write_text, text)


def main() -> None:
    out = Path(__file__).parent / "states" / str(CURRENT)
    shutil.rmtree(out, ignore_errors=True)
    state = out / "state"
    ready_state(state)
    (out / "policy.toml").write_text(POLICY)
    shutil.copy(packaged_config() / "capper.toml", out)
    write_sites(sites_file(state), ["shop.example"])
    pause(pauses_file(state), "anna", NOON + timedelta(hours=2), NOON)
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "mine.txt"
        own.write_text("! Title: Mine\n! Expires: 4 days\n||ads.example^\n")
        ListStore(state).add(str(own), ListKind.ADS, NOON)
        listed = state / "lists" / "subscriptions.json"
        listed.write_text(listed.read_text().replace(str(own), "/home/anna/mine.txt"))
        (state / "lists" / ".lock").unlink()
        asyncio.run(count(Path(folder) / "l", Secret.load_or_create(state / "secret"), out / "ledger.jsonl"))


if __name__ == "__main__":
    main()
