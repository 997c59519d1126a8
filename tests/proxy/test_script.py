"""`mitmdump -s addons/cap_ads.py`: the same gate for people who already run mitmproxy."""

import io
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from PIL import Image

from capper.proxy.testing import LOOPBACK, reply
from capper.settings.pauses import pause, pauses_file

SCRIPT = Path(__file__).parents[2] / "addons" / "cap_ads.py"


def a_picture() -> bytes:
    """A banner of 300 by 250 pixels."""
    file = io.BytesIO()
    Image.new("P", (300, 250)).save(file, "GIF")
    return file.getvalue()


GIF = a_picture()


@pytest.fixture
def mitmdump(tmp_path):
    """Start mitmdump with the script and a policy; gives the process once it listens or has ended."""
    (tmp_path / "ads.txt").write_text("||banners.test^\n")
    policy = tmp_path / "policy.toml"
    started = []

    def start(text: str) -> subprocess.Popen:
        policy.write_text(text)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CAPPER_")}
        chosen = {"capper_policy": policy, "capper_ledger": "memory", "capper_state": tmp_path / "state"}
        options = [part for name, value in chosen.items() for part in ("--set", f"{name}={value}")]
        code = "from mitmproxy.tools.main import mitmdump; mitmdump()"
        options += ["--listen-host", LOOPBACK, "-p", "0", "--set", f"confdir={tmp_path / 'mitmproxy'}"]
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", code, "-s", str(SCRIPT), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment | {"HOME": str(tmp_path), "CAPPER_LISTS": str(tmp_path / "ads.txt")},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def port_of(process: subprocess.Popen) -> int:
    for line in process.stdout:
        if found := re.search(r"listening at 127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("mitmdump ended")


async def test_ads_are_capped(mitmdump, origin):
    """A banner that the policy never wants is replaced; a picture that is no ad is not."""
    site = await origin(lambda _: reply(GIF, kind="image/gif"))
    port = port_of(mitmdump('caps = ["never"]\n'))
    url = f"http://{LOOPBACK}:{site.port}/b.gif"
    async with httpx.AsyncClient(proxy=f"http://{LOOPBACK}:{port}", trust_env=False, timeout=20) as client:
        fields = {"Referer": "https://news.test/", "Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"}
        ad, other = [
            await client.get(url, headers=fields | {"Host": f"{host}:{site.port}"})
            for host in ("banners.test", "pictures.test")
        ]

    assert other.content == GIF
    assert (ad.status_code, ad.content != GIF) == (200, True)


async def test_a_pause(mitmdump, origin, tmp_path):
    """Whom `capper people pause` leaves alone is left alone here too."""
    site = await origin(lambda _: reply(GIF, kind="image/gif"))
    now = datetime.now(UTC)
    pause(pauses_file(tmp_path / "state"), "household", now + timedelta(minutes=10), now)
    port = port_of(mitmdump('caps = ["never"]\n'))
    async with httpx.AsyncClient(proxy=f"http://{LOOPBACK}:{port}", trust_env=False, timeout=20) as client:
        fields = {"Referer": "https://news.test/", "Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"}
        fields["Host"] = f"banners.test:{site.port}"
        ad = await client.get(f"http://{LOOPBACK}:{site.port}/b.gif", headers=fields)

    assert GIF == ad.content


def test_bad_policy_is_told(mitmdump):
    """A policy that cannot be used ends mitmdump with the sentence that says why."""
    said, _ = mitmdump('caps = ["3 per moon"]\n').communicate(timeout=60)

    assert "capper: " in said
    assert "policy.toml" in said
