"""What a hostile page can do to whoever uses capper, and learn of her, by a real browser: nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from capper.demo.household import Household, running_household
from capper.demo.sites import SHOES
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.gateway.ours import HOST
from capper.testing import NOON, FrozenClock

pytestmark = pytest.mark.timeout(240)

POLICY = """
caps = ["2 per advertiser per day"]
[people.anna]
devices = ["127.0.0.2"]
"""
HOSTILE = f"www.{SHOES.domain}"
"""A site whose pages may load and send whatever they like: it sets no policy of its own."""
PROBES = """async host => {
    const told = {}
    const outcome = (tag, how, path) => new Promise(done => {
        const made = document.createElement(tag)
        made.rel = "stylesheet"
        made.onload = () => done("load")
        made.onerror = () => done("error")
        made[how] = `https://${host}${path}`
        document.body.append(made)
    })
    for (const path of ["/", "/followers", "/export.json"]) {
        for (const [tag, how] of [["img", "src"], ["script", "src"], ["link", "href"], ["object", "data"], ["embed", "src"],
            ["iframe", "src"], ["video", "src"]])
            told[tag + path] = await outcome(tag, how, path)
        for (const mode of ["no-cors", "cors"])
            told[mode + path] = await fetch(`https://${host}${path}`, {mode, credentials: "include", referrerPolicy: "no-referrer"})
                .then(answer => answer.type + answer.status, () => "error")
        told["socket" + path] = await new Promise(done => {
            const made = new WebSocket(`wss://${host}${path}`)
            made.onopen = () => done("open")
            made.onerror = () => done("error")
        })
    }
    told.frames = [...document.querySelectorAll("iframe")].map(one => [one.contentDocument === null, one.contentWindow.length]).join()
    told.sizes = performance.getEntriesByType("resource").filter(one => one.name.includes(host))
        .map(one => [one.initiatorType, one.transferSize, one.decodedBodySize, one.nextHopProtocol, one.responseStatus].join()).sort()
    return told
}"""
"""Everything by which a page could ask for one of another host, and what it hears of it."""
FORGERIES = """async host => {
    const deeds = {
        mute: {level: "advertiser", name: "coffee.example", days: "7"}, unmute: {level: "advertiser", name: "travel.example"},
        pause: {minutes: "30"}, forget: {sure: "yes"}, caps: {day: "21", week: "41"}, ad: {do: "never", about: "x"},
    }
    const framed = (inside, rights) => new Promise(done => {
        const made = document.createElement("iframe")
        if (rights) made.sandbox = rights
        made.onload = () => done()
        made.srcdoc = inside
        document.body.append(made)
    })
    for (const [path, fields] of Object.entries(deeds)) {
        const address = `https://${host}/${path}`, body = new URLSearchParams({seal: "0".repeat(36), ...fields})
        for (const how of [{}, {referrerPolicy: "no-referrer"}, {headers: {"Content-Type": "text/plain"}}, {keepalive: true}])
            await fetch(address, {method: "POST", mode: "no-cors", credentials: "include", body, ...how}).catch(() => 0)
        navigator.sendBeacon(address, body)
        const inputs = [...body].map(([name, value]) => `<input name="${name}" value="${value}">`).join("")
        const form = `<form method="post" action="${address}">${inputs}</form><script>document.forms[0].submit()</scr` + "ipt>"
        await framed(form, "")
        await framed(form, "allow-scripts allow-forms")
    }
}"""
"""Every deed of the dashboard, by everything a page can send without its reader's doing."""

FORM = """host => {
    document.body.innerHTML = `<form method="post" action="https://${host}/forget"><input name="sure" value="yes"></form>`
    document.forms[0].submit()
}"""
"""A form that takes its reader along."""


@pytest.fixture
async def household(tmp_path: Path) -> AsyncIterator[Household]:
    """The demo's world behind the real proxy, with the embedded ledger."""
    async with running_household(tmp_path, POLICY, {"laptop": "127.0.0.2"}, clock=FrozenClock()) as running:
        yield running


@pytest.fixture
async def laptop(household: Household, browser) -> Page:
    """Anna's browser, which trusts capper, on a hostile page."""
    context = await browser("laptop", household.door("laptop"), household.certificate)
    page = await context.new_page()
    await page.goto(f"https://{HOSTILE}/", wait_until="networkidle")
    return page


async def test_a_page_cannot_tell_that_capper_is_used(laptop: Page, caplog):
    """Whatever it asks of our host, it hears the same as of a host that does not exist."""
    ours = await laptop.evaluate(PROBES, HOST)
    await laptop.reload(wait_until="networkidle")
    nobodys = await laptop.evaluate(PROBES, "nobody.internal")

    assert nobodys == ours
    assert "refused: another site's page asks for '/followers'" in caplog.text


async def test_a_page_cannot_act_for_her(household: Household, laptop: Page, tmp_path: Path, caplog):
    """Forms, frames, beacons and scripts of another site change nothing of hers, and the log says that they tried."""
    ledger, mute = (
        household.assembly.ledger,
        Mute(Level.ADVERTISER, "travel.example", Why.ASKED, NOON, NOON.replace(month=12)),
    )
    await ledger.mute("anna", mute, NOON)
    await laptop.evaluate(FORGERIES, HOST)
    await laptop.wait_for_load_state("networkidle")
    await laptop.evaluate(FORM, HOST)
    await laptop.wait_for_url(f"https://{HOST}/forget")
    said = await laptop.inner_text("body")

    assert "Refused: the form is another site's." == said.strip()
    assert [mute] == await ledger.mutes("anna", NOON)
    assert (POLICY, False) == ((tmp_path / "policy.toml").read_text(), (tmp_path / "state" / "pauses.toml").exists())
    assert "refused: another site's page asks for '/mute'" in caplog.text
    assert "refused: POST '/forget': the form is another site's" in caplog.text
