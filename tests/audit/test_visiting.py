"""Two publishers on loopback, one respectful and one not, visited by a real Chromium: every planted fault is found, and no other."""

import shutil
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from capper.assembly import RecogniserSource
from capper.audit.gathering import gather
from capper.audit.result import judge
from capper.audit.sheet import sheet
from capper.audit.visiting import Net, Plan, pictures, seen_too, visit
from capper.audit.yardstick import yardstick
from capper.measure.har import load
from capper.proxy.authority import Authority
from capper.proxy.testing import Origin, Seen, reply, resolving, server_tls
from capper.settings.version import ready_state
from capper.testing import NOON

pytestmark = pytest.mark.timeout(240)

HOSTS = ("good.example", "bad.example", "ads.example", "www.shoes.example", "youradchoices.com")
_CLICK = "https://ads.example/click?adurl=https%3A%2F%2Fwww."


def page(text: str, *frames: str) -> str:
    """A page with frames of ads of 300x250, each at some distance from the last."""
    inside = "".join(
        f'<p style="height:900px">{text}</p><iframe width="300" height="250" src="https://ads.example/{frame}"></iframe>'
        for frame in frames
    )
    return f'<!doctype html><html lang="en"><title>{text}</title><body><h1>{text}</h1>{inside}</body></html>'


PAGES = {
    ("good.example", "/"): page("Good news", "frame/coffee/coffee-1/i", "frame/tea/tea-1/i")
    + '<a href="/more">More</a>',
    ("good.example", "/more"): page("More of it", "frame/travel/travel-1/i"),
    ("bad.example", "/"): page("Bad news", "frame/bank/bank-1/dead", "frame/bank/bank-2", "frame/shoes/runner", "heavy")
    + '<video autoplay src="/film.mp4"></video><a href="/more">More</a>',
    ("www.shoes.example", "/product/runner"): page("Runner"),
}


@pytest.fixture
def chromium() -> str:
    """The system's Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium here (apt-get install chromium)")
    return found


def answered(picture: bytes, prompt: str):
    """What the hosts of this small world answer."""

    def respond(seen: Seen) -> bytes:
        path = seen.target.partition("?")[0]
        if (seen.host, path) in PAGES:
            return reply(PAGES[seen.host, path].encode(), kind="text/html; charset=utf-8")
        if path == "/account":
            return reply(prompt.encode(), kind="text/html; charset=utf-8")
        if seen.host != "ads.example":
            return reply(b"<!doctype html><h1>About this ad</h1>", 200 if seen.host == "youradchoices.com" else 404)
        if path.startswith("/frame/"):
            _, _, advertiser, creative, *mark = path.split("/")
            where = {"i": ' href="https://youradchoices.com/" target="_blank"', "dead": ""}
            shown = "".join(f'<a class="i"{where[each]} aria-label="About this ad">i</a>' for each in mark)
            body = (
                f'<!doctype html><body style="margin:0"><a href="{_CLICK}{advertiser}.example%2F">'
                f'<img src="/pictures/{creative}.gif" width="300" height="200"></a>{shown}</body>'
            )
            return reply(body.encode())
        if path == "/heavy":
            return reply(b'<!doctype html><script src="/heavy.js"></script>')
        if path == "/heavy.js":
            return reply(b"//" + b"x" * 1_500_000, kind="text/javascript")
        return reply(picture, kind="image/gif")

    return respond


@asynccontextmanager
async def world(folder: Path, picture: bytes, prompt: str):
    """The hosts over HTTPS, and how the proxy gets there."""
    authority = Authority.create(datetime.now(UTC), "The internet of this test")
    certificate = folder / "internet.pem"
    certificate.write_bytes(authority.pem())
    async with Origin(answered(picture, prompt), server_tls(authority, folder)) as secure:
        yield Net(resolving({}, secure=dict.fromkeys(HOSTS, secure.port)), certificate), secure


@pytest.mark.slow
async def test_a_browser_finds_what_was_planted(chromium, tmp_path, settings, policy, publishers):
    """A visit to each publisher: the respectful one has all points; of the other, every planted fault is found and no other."""
    ready_state(settings.state)
    recogniser = RecogniserSource(settings, datetime.now(UTC)).current()
    found = {}
    async with world(tmp_path, publishers.picture, publishers.prompt) as (net, origin):
        for name, pages in (
            ("good", ("https://good.example/",)),
            (
                "bad",
                ("https://www.shoes.example/product/runner", "https://bad.example/", "https://bad.example/account") * 3,
            ),
        ):
            folder = tmp_path / name
            plan = Plan(pages, folder, NOON, 1, 1, 0 if name == "bad" else 1, selectors=yardstick().marks)
            recordings = await visit(plan, settings.state, recogniser, net)
            before = len(origin.seen)
            again = await visit(plan, settings.state, recogniser, net)
            assert (recordings, before) == (again, len(origin.seen))
            run = seen_too(await gather(settings, [load(path) for path in recordings], policy), folder)
            found[name] = judge(run, yardstick(), NOON)
            (tmp_path / f"{name}.html").write_bytes(sheet(found[name], pictures(run, folder)))

    planted = {"repeat-advertiser", "twice-on-page", "heavy"}
    planted |= {"retargeted", "credit-prompt", "sound", "choices-dead"}
    assert ([], 100) == ([each.code for each in found["good"].findings], found["good"].score)
    assert planted == set(Counter(each.code for each in found["bad"].findings))
    assert found["bad"].score < 50
