"""Two publishers on loopback, one respectful and one not, visited by a real Chromium: every planted fault is found, and no other."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from capper.assembly import RecogniserSource
from capper.audit.gathering import gather
from capper.audit.plan import Plan
from capper.audit.result import judge
from capper.audit.sheet import sheet
from capper.audit.visiting import pictures, visit, visited
from capper.audit.yardstick import yardstick
from capper.measure.har import load
from capper.settings.version import ready_state
from capper.testing import NOON

pytestmark = pytest.mark.timeout(240)


@pytest.mark.slow
async def test_a_browser_finds_what_was_planted(chromium, internet, tmp_path, settings, policy):
    """A visit to each publisher: the respectful one has all points; of the other, every planted fault is found and no other."""
    ready_state(settings.state)
    recogniser = RecogniserSource(settings, datetime.now(UTC)).current()
    found = {}
    async with internet(tmp_path) as (net, origin):
        for name, pages in (
            ("good", ("https://good.example/",)),
            (
                "bad",
                ("https://www.shoes.example/product/runner", "https://bad.example/", "https://bad.example/account") * 3,
            ),
        ):
            folder = tmp_path / name
            plan = Plan(pages, folder, NOON, 1, 1, 0 if name == "bad" else 1)
            recordings = await visit(plan, settings.state, recogniser, net, yardstick().marks)
            before = len(origin.seen)
            again = await visit(plan, settings.state, recogniser, net, yardstick().marks)
            assert (recordings, before) == (again, len(origin.seen))
            run = visited(plan).beside(await gather(settings, [load(path) for path in recordings], policy))
            found[name] = judge(run, yardstick(), NOON)
            (tmp_path / f"{name}.html").write_bytes(sheet(found[name], pictures(run, folder)))

    planted = {"repeat-advertiser", "twice-on-page", "heavy"}
    planted |= {"retargeted", "credit-prompt", "sound", "choices-dead"}
    assert ([], 100) == ([each.code for each in found["good"].findings], found["good"].score)
    assert planted == set(Counter(each.code for each in found["bad"].findings))
    assert found["bad"].score < 50
