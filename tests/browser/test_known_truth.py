"""What capper measures of people in real browsers is what the ad world behind it says it did."""

from collections import Counter
from contextlib import asynccontextmanager

import pytest

from tables.known_truth import Size, rows, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SIZE = Size(blocks=6, days=3, pages=4)
BANNERS = "all => all.filter(one => one.complete && one.naturalWidth > 0).length"


async def test_what_is_measured_is_what_happened(tmp_path, windows):
    """Exposures, sites, lags, half-life and the effect of opting out; and shown is what is seen on the screen."""
    seen = Counter()

    @asynccontextmanager
    async def browsing(household, people):
        async with windows(household) as pages:

            async def go(person, url):
                await pages[person].goto(url, wait_until="load")
                for frame in pages[person].frames[1:]:
                    seen[person] += await frame.locator("img[alt]").evaluate_all(BANNERS)

            yield go

    found = await run(tmp_path, SIZE, 1, browsing, "embedded")
    shown = found.exposures.person.codes[found.exposures.shown]
    recorded = Counter(found.exposures.person.names[code] for code in shown)

    assert [] == [row for row in rows(found, 1) if not row.passed]
    assert {found.names[person]: number for person, number in seen.items()} == recorded
    assert recorded.total() < len(found.exposures)
