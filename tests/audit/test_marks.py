"""The "i" of an ad, clicked in a real Chromium."""

import pytest

from capper.audit import browser
from capper.audit.marks import tried, words

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
SELECTORS = ("[aria-label='About this ad']",)
REFUSALS = words(["Stop seeing this ad"])
LATE = 3_000
"""Milliseconds that an ad of a slow server takes to answer a click."""


@pytest.fixture
async def marks(chromium):
    """What comes of the marks of a page that has this markup."""
    async with browser.chromium() as started:
        page = await started.new_page()

        async def of(markup: str):
            await page.set_content(markup)
            return await tried(page, SELECTORS, REFUSALS, 12)

        yield of


async def test_one_that_answers_late_works(marks):
    """The reader on a slow machine waits for what she asked for, and can refuse the ad by it."""
    [mark] = await marks(
        f'<a aria-label="About this ad" onclick="setTimeout(() => menu.hidden = false, {LATE})">i</a>'
        '<button id="menu" hidden>Stop seeing this ad</button>'
    )

    assert (True, "Stop seeing this ad") == (mark.works, mark.said)


async def test_one_that_does_nothing_is_dead(marks):
    """However long one waits."""
    [mark] = await marks('<a aria-label="About this ad">i</a>')

    assert (False, "") == (mark.works, mark.said)
