"""The dashboard of a running `capper run`: each person's through the proxy, the owner's on a port of its own."""

import json
import re
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx

POLICY = 'caps = ["1 per advertiser per day"]\n[people.anna]\ndevices = ["127.0.0.1"]\n'


def owner_of(capper) -> str:
    return re.search(r"^dashboard +(http://\S+)/ ", capper.said(), re.MULTILINE)[1]


def test_a_person_sees_what_was_withheld(household):
    """Two visits, one ad withheld: her page says so, over plain http too, from where nothing was proven."""
    running = household(POLICY).start()
    shown = [running.visit(), running.visit()]
    with running.client() as browser:
        decided = browser.get("http://capper.internal/decisions")
        until = time.monotonic() + 10
        while time.monotonic() < until:
            followers = browser.get("http://capper.internal/followers?days=1").text
            if "shoes.example" in followers:
                break

    assert [True, False] == shown
    assert "1 of 1 per 24 hours" in decided.text
    assert ["1", "1", "1"] == re.findall(
        r'<td class="number">(\d+)</td>', followers.partition("shoes.example</bdi>")[2]
    )


def test_the_owner_sees_how_it_is(household):
    """On a port of its own: pages, figures for who has the word, and health; the log is JSON if asked for."""
    running = household(POLICY).start("--dashboard", "127.0.0.1:0", "--log", "json")
    running.visit()
    word = (running.state / "metrics.token").read_text().strip()
    with httpx.Client(base_url=owner_of(running), trust_env=False) as browser:
        health, page = browser.get("/healthz"), browser.get("/")
        figures = browser.get("/metrics", headers={"Authorization": f"Bearer {word}"})
        refused = browser.get("/", headers={"Host": "evil.example"})
    code = running.stop()
    log = [json.loads(line) for line in running.errors().splitlines()]

    assert (200, 200, 421, 0) == (health.status_code, page.status_code, refused.status_code, code)
    assert 'capper_ads_total{outcome="shown"} 1.0' in figures.text
    assert ["warning"] == [row["level"] for row in log if "evil.example" in row["message"]]


def test_status_beside_a_running_capper(household):
    """Since when, where, and what happened today; when it has stopped, that it has."""
    running = household(POLICY).start("--dashboard", "127.0.0.1:0")
    where = ("--state", str(running.state), "--policy", str(running.policy))
    shown = [running.visit(), running.visit()]
    for _ in range(20):
        found = json.loads(running.run("status", "--json", *where).stdout)
        if found["today"]["withheld"]:
            break
    text = running.run("status", *where)
    running.stop()
    after = running.run("status", *where)

    assert [True, False] == shown
    assert {"shown": 1, "withheld": 1, "prompts": 0} == found["today"]
    assert owner_of(running) == found["running"]["dashboard"].rstrip("/")
    assert (0, 1) == (text.returncode, after.returncode)
    assert "1 ads shown, 1 withheld" in text.stdout
    assert "running      no" in after.stdout


def test_tail_beside_a_running_capper(household, tmp_path, wait_for):
    """What is decided comes within seconds, in sentences; to nobody else."""
    running = household(POLICY + "[people.ben]\ndevices = []\n").start()
    words = ("tail", "--state", str(running.state), "--policy", str(running.policy), "--person")
    said = {name: tmp_path / name for name in ("anna", "ben")}
    with ExitStack() as stack:
        for name, file in said.items():
            out = stack.enter_context(file.open("wb"))
            command = [sys.executable, "-c", "from capper.cli import main; main()", *words, name]
            process = stack.enter_context(subprocess.Popen(command, stdout=out, env=running.environ))
            stack.callback(process.kill)
        running.visit()
        wait_for(lambda: running.visit() or "Withheld: shoes.example" in said["anna"].read_text(), 40)

    assert "" == said["ben"].read_text()
