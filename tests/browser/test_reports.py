"""An audit's page and that of `capper whatif` in a real Chromium: at a phone's and a desktop's width, dark, and on paper."""

from datetime import timedelta
from pathlib import Path

import pytest

from capper.audit.browser import chromium as started
from capper.audit.met import Choice, Load, Look, Meeting, Notice, Run
from capper.audit.result import judge
from capper.audit.sheet import sheet
from capper.audit.yardstick import yardstick
from capper.measure.replay import Count, Summary
from capper.measure.report import report
from capper.measure.whatif import of_replays
from capper.testing import NOON, an_ad

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

AXE = Path(__file__).parent / "clients" / "node_modules" / "axe-core" / "axe.min.js"
LONG = "a-very-long-name-of-an-advertiser-that-goes-on-and-on.shop.example.co.uk"
OUTSIDE = """() => [...document.querySelectorAll('body *')].filter(each => !each.closest('.wide, svg') || each.matches('.wide, svg'))
    .filter(each => each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 80))"""
PAPER = "() => getComputedStyle(document.body).backgroundColor"


def audited() -> bytes:
    """An audit with findings, marks, refusals and a picture."""
    look = Look(
        1280,
        800,
        4000,
        3,
        0.4,
        (Notice("ads.example", works=False), Notice(LONG, works=True, came=f"https://{LONG}/x")),
        "1.jpg",
    )
    loads = tuple(
        Load(f"https://news.example/{LONG}/{n}", "anna", "", NOON + timedelta(minutes=n), look=look) for n in range(9)
    )
    meetings = tuple(Meeting(n, 1, an_ad(LONG, "c"), site="news.example") for n in range(9))
    run = Run(
        ("a",),
        loads,
        meetings,
        choices=(Choice("anna", LONG, LONG, "Hide ad", 2, 3),),
        missed=(f"https://{LONG}/: 404",),
    )
    return sheet(judge(run, yardstick(), NOON), {"1.jpg": b"\xff\xd8\xff"})


def compared() -> bytes:
    """Two policies over three people's recordings."""

    def met(shown: int) -> Summary:
        return Summary(viewers={name: {LONG: Count(shown, 9 - shown), "tea.example": Count(2)} for name in "abc"})

    return report(of_replays([met(7)], [met(2)]), "old.toml", "new.toml", "a week", ["A note."], NOON)


@pytest.mark.parametrize("made", [audited, compared])
async def test_it_stands_alone_fits_and_prints(chromium, tmp_path, artifacts, made):
    """Nothing is asked for, nothing stands outside of the page but what scrolls, on paper all is ink on white and nothing scrolls; axe, where it is, finds nothing."""
    path = tmp_path / "page.html"
    path.write_bytes(made())
    asked, outside, papers = [], [], []
    async with started() as browser:
        for width, scheme, medium in ((360, "dark", "screen"), (1280, "light", "screen"), (700, "dark", "print")):
            page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            await page.emulate_media(media=medium)
            page.on("request", lambda request: asked.append(request.url))
            await page.goto(path.as_uri())
            outside += await page.evaluate(OUTSIDE)
            papers.append(await page.evaluate(PAPER))
            await page.screenshot(path=artifacts / f"{made.__name__}-{width}-{medium}.png", full_page=True)
            if medium == "print":
                outside += await page.evaluate(
                    "() => [...document.querySelectorAll('.wide')].filter(each => each.scrollWidth > each.clientWidth)"
                )
            if AXE.exists():
                await page.evaluate(AXE.read_text())
                outside += [each["id"] for each in (await page.evaluate("axe.run()"))["violations"]]
            await page.close()

    assert [] == outside
    assert {path.as_uri()} == {each for each in asked if not each.startswith("data:")}
    assert ["rgb(21, 25, 29)", "rgb(255, 255, 255)", "rgb(255, 255, 255)"] == papers
