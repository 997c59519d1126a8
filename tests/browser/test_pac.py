"""A real Chromium with a PAC file: ten thousand hosts, each by the way the set of hosts says; all of them when capper is down."""

import random
import string

import pytest
from playwright.async_api import async_playwright

from capper.gateway.pac import CONTENT_TYPE, pac_file
from capper.proxy.testing import LOOPBACK, Origin, reply
from capper.recognise.hosts import HostSet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FETCH = """
async hosts => {
  const ask = host => fetch(`http://${host}/a`, {mode: "no-cors"}).catch(() => 0);
  const lanes = Array.from({length: 40}, async () => { while (hosts.length) await ask(hosts.pop()); });
  await Promise.all(lanes);
}
"""


def some_hosts(count: int) -> list[str]:
    dice = random.Random(5)
    return [
        "".join(dice.choices(string.ascii_lowercase, k=dice.randint(6, 12))) + dice.choice([".com", ".test", ".co.uk"])
        for _ in range(count)
    ]


@pytest.fixture
async def visit(chromium, tmp_path):
    """Fetch from hosts with a PAC file; gives those that the proxy was asked for, and those asked for without it."""

    async def visit(chosen: HostSet, hosts: list[str], *, alive: bool = True) -> tuple[set[str], set[str]]:
        cors = [("Access-Control-Allow-Origin", "*")]
        pac = ""
        async with (
            Origin(lambda _: reply(b"proxy", fields=cors)) as proxy,
            Origin(lambda _: reply(b"direct", fields=cors)) as web,
            Origin(lambda _: reply(pac.encode(), kind=CONTENT_TYPE)) as files,
            async_playwright() as driver,
        ):
            # Nothing listens at port 1.
            pac = pac_file(chosen, [f"{LOOPBACK}:{proxy.port if alive else 1}"])
            context = await driver.chromium.launch_persistent_context(
                tmp_path / "profile",
                executable_path=chromium,
                args=[
                    "--no-sandbox",
                    "--disable-background-networking",
                    "--disable-component-update",
                    f"--proxy-pac-url=http://{LOOPBACK}:{files.port}/proxy.pac",
                    f"--host-resolver-rules=MAP *:80 {LOOPBACK}:{web.port}, EXCLUDE {LOOPBACK}",
                ],
            )
            page = context.pages[0]
            await page.goto("http://start.test/")
            await page.evaluate(FETCH, hosts)
            await context.close()
            asked = set(hosts)
            return (
                {seen.target.partition("://")[2].partition("/")[0] for seen in proxy.seen} & asked,
                {seen.host for seen in web.seen} & asked,
            )

    return visit


async def test_ten_thousand_hosts(visit):
    """Chosen hosts come through the proxy and no other does, with a hundred thousand hosts in the file."""
    named = some_hosts(105_000)
    chosen = HostSet(named[:100_000])
    hosts = list(dict.fromkeys([*named[:3000], *(f"cdn.{host}" for host in named[3000:5000]), *named[100_000:]]))
    through, straight = await visit(chosen, list(hosts))

    assert {host for host in hosts if chosen.covers(host)} == through
    assert {host for host in hosts if not chosen.covers(host)} == straight


async def test_capper_is_down(visit):
    """When nothing listens where the file says, every host is reached without it."""
    hosts = ["ads.test", "news.test", "cdn.ads.test"]
    through, straight = await visit(HostSet(["ads.test"]), list(hosts), alive=False)

    assert (set(), set(hosts)) == (through, straight)
