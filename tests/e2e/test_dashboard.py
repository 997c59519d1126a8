"""The dashboard of a running `capper run`: each person's through the proxy, the owner's on a port of its own."""

import json
import re

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
        for _ in range(50):
            followers = browser.get("http://capper.internal/followers?days=1").text
            if "shoes.example" in followers:
                break

    assert [True, False] == shown
    assert "1 of 1 per 24 hours" in decided.text
    assert re.search(r"shoes\.example</bdi></th>\s*<td[^>]*>1</td>\s*<td[^>]*>1</td>\s*<td[^>]*>1</td>", followers)


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
