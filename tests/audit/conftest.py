"""Two publishers made for these tests, one respectful and one not, as their readers' browsers recorded them (all synthetic)."""

import base64
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest
from PIL import Image

from capper.audit.gathering import gather
from capper.audit.plan import Net
from capper.domain.cap import Cap
from capper.domain.policy import Policy, Rule
from capper.measure.har import parse
from capper.proxy.authority import Authority
from capper.proxy.testing import Origin, Seen, reply, resolving, server_tls
from capper.settings import Settings
from capper.testing import NOON

AD_LIST = "||ads.example^\n||doubleclick.net^\n"
PROMPT = (
    '<!doctype html><html lang="en"><body><main><h1>Welcome back, Anna</h1><p>Your last order is on its way.</p></main>'
    '<div class="offer"><h2>You have been pre-approved for a loan of &euro; 5,000</h2>'
    "<p>Borrow now and pay back in 48 monthly instalments. Apply today.</p><a href='/apply'>Apply now</a></div></body></html>"
)


def a_picture(*, frames: int = 1) -> bytes:
    """A GIF of 300x250; with several `frames` it moves."""
    pictures = [Image.new("RGB", (300, 250), colour) for colour in ("navy", "olive", "teal")[:frames]]
    file = BytesIO()
    pictures[0].save(file, "GIF", save_all=frames > 1, append_images=pictures[1:], duration=200)
    return file.getvalue()


class Recording:
    """What one or more readers' browsers loaded; `visit` a page, then the `ad`s on it."""

    def __init__(self, person: str = "anna") -> None:
        self.entries: list[dict] = []
        self.person, self.at, self.loads = person, NOON, 0
        self.url = ""

    def visit(self, url: str, body: str = "<p>News</p>", **later: float) -> None:
        """Load a page, by default a minute after the last."""
        self.at += timedelta(**(later or {"minutes": 1}))
        self.loads, self.url = self.loads + 1, url
        whole = body if body.startswith("<!doctype") else f"<!doctype html><html><body>{body}</body></html>"
        self._add(url, whole.encode(), "text/html; charset=utf-8", "document")

    def ad(self, advertiser: str, creative: str, *, picture: bytes = b"", inside: str = "", weight: int = 0) -> None:
        """A frame with an ad on the page at hand, and its picture."""
        frame = f"https://ads.example/frame/{creative}?load={self.loads}&n={len(self.entries)}"
        source = f"https://ads.example/pictures/{creative}.gif"
        click = f"https://ads.example/click?adurl=https%3A%2F%2Fwww.{advertiser}%2F"
        body = (
            f'<!doctype html><html><body><a href="{click}"><img src="{source}" width="300" height="250"></a>'
            f"{inside}</body></html>"
        )
        here = self.url
        self._add(frame, body.encode(), "text/html", "iframe", here)
        self._add(source, picture or a_picture(), "image/gif", "image", frame)
        if weight:
            self._add("https://ads.example/heavy.js", b"//" + b"x" * weight, "text/javascript", "script", frame)

    def auction(self, *bids: dict[str, object]) -> None:
        """An auction for a place on the page at hand; the page shows the best, and says so."""
        answer = orjson.dumps({"cur": "EUR", "seatbid": [{"bid": bids}]})
        self._add("https://ads.example/openrtb2/auction", answer, "application/json", "empty", self.url)
        best = max(bids, key=lambda each: each["price"])
        self._add(best["burl"], b"", "image/gif", "empty", self.url)

    def google(self, advertiser: str, token: str) -> None:
        """A frame of Google's with an ad on the page at hand."""
        click = f"https://googleads.g.doubleclick.net/aclk?sa=L&ai={token}&adurl=https://www.{advertiser}/"
        frame = f"https://googleads.g.doubleclick.net/pagead/ads?slot={len(self.entries)}"
        self._add(frame, f'<!doctype html><a href="{click}">{advertiser}</a>'.encode(), "text/html", "iframe", self.url)

    def refuse(self, token: str) -> None:
        """Say "stop seeing this ad" to one of Google's, as its menu does."""
        url = (
            f"https://googleads.g.doubleclick.net/pagead/interaction/?ai={token}&sigh=1&label=user_feedback_menu_option"
        )
        self._add(url, b"", "image/gif", "image", self.url)

    def _add(self, url: str, body: bytes, mime: str, destination: str, referer: str = "") -> None:
        self.at += timedelta(milliseconds=50)
        asked = [{"name": "Sec-Fetch-Dest", "value": destination}]
        asked += [{"name": "Referer", "value": referer}] if referer else []
        self.entries.append(
            {
                "startedDateTime": self.at.isoformat(),
                "_viewer": self.person,
                "pageref": f"page_{self.person}_{self.loads}",
                "request": {"method": "GET", "url": url, "headers": asked},
                "response": {
                    "status": 200,
                    "headers": [{"name": "Content-Type", "value": mime}],
                    "content": {
                        "size": len(body),
                        "mimeType": mime,
                        "text": base64.b64encode(body).decode(),
                        "encoding": "base64",
                    },
                },
            }
        )

    def bytes(self) -> bytes:
        """The HAR as a file holds it."""
        return orjson.dumps({"log": {"version": "1.2", "entries": self.entries}})


def respectful() -> Recording:
    """Five pages in a session: each with two advertisers, of whom each rests for a page; and a page the next day."""
    taken = [
        ("coffee.example", "tea.example"),
        ("travel.example", "books.example"),
        ("coffee.example", "tea.example"),
        ("travel.example", "books.example"),
        ("coffee.example", "bikes.example"),
    ]
    found = Recording()
    for number, advertisers in enumerate(taken):
        found.visit(f"https://good.example/story-{number}", '<video muted autoplay src="/film.mp4"></video><p>News</p>')
        for advertiser in advertisers:
            found.ad(advertiser, f"{advertiser.partition('.')[0]}-{number % 2}")
    found.visit("https://good.example/", days=1)
    found.ad("coffee.example", "coffee-0")
    return found


def disrespectful() -> Recording:
    """The same number of pages, with every fault there is in a recording."""
    found = Recording()
    found.visit("https://www.shoes.example/product/runner-7", "<h1>Runner 7</h1>")
    for number in range(6):
        body = '<video autoplay src="/film.mp4"></video>' if number == 2 else "<p>News</p>"
        found.visit(f"https://bad.example/story-{number}", body)
        found.ad("bank.example", "bank-always")
        if number == 1:
            found.ad("shoes.example", "runner-7")
        if number == 3:
            found.ad("cars.example", "cars-1", picture=a_picture(frames=3))
            found.ad("cars.example", "cars-2", weight=1_500_000)
    found.visit("https://bad.example/account", PROMPT)
    return found


@pytest.fixture
def publishers() -> SimpleNamespace:
    """Both, and what is planted in the second: the code of each finding, and of what it is."""
    planted = [
        ("repeat-creative", "ads.example/pictures/bank-always.gif"),
        ("twice-on-page", "cars.example"),
        ("retargeted", "shoes.example"),
        ("credit-prompt", "loan offered"),
        ("sound", "bad.example"),
        ("motion", "ads.example"),
        ("heavy", "ads"),
    ]
    return SimpleNamespace(
        respectful=respectful,
        disrespectful=disrespectful,
        planted=planted,
        Recording=Recording,
        bid=bid,
    )


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A state folder of these tests' own, and the list that knows the publishers' ad server."""
    folder = tmp_path_factory.mktemp("audit")
    lists = folder / "ads.txt"
    lists.write_text(AD_LIST)
    return Settings(state=folder / "state", lists=(lists,), ledger="memory")


@pytest.fixture
def policy() -> Policy:
    """Two a day of each advertiser."""
    return Policy(Rule("caps", (Cap.parse("2 per advertiser per day"),)))


@pytest.fixture
def audited(settings, policy):
    """Gathers what recordings hold."""

    async def gathered(*recordings: Recording):
        hars = [parse(each.bytes(), f"{number}.har") for number, each in enumerate(recordings)]
        return await gather(settings, hars, policy)

    return gathered


# The same as a small internet, for a browser


HOSTS = ("good.example", "bad.example", "paper.example", "ads.example", "www.shoes.example", "youradchoices.com")
CLICK = "https://ads.example/click?adurl=https%3A%2F%2Fwww."
MARKS = {
    "i": '<a href="https://youradchoices.com/" target="_blank" aria-label="About this ad">i</a>',
    "lost": '<a href="https://youradchoices.com/gone" target="_blank" aria-label="About this ad">i</a>',
    "dead": '<a aria-label="About this ad">i</a>',
    "menu": '<a aria-label="About this ad" onclick="menu.hidden = false">i</a>'
    '<button id="menu" hidden onclick="fetch(`/refuse/` + location.pathname)">Stop seeing this ad</button>',
}
AUCTION = """<p id="slot"></p><script>
fetch("https://ads.example/openrtb2/auction", {method: "POST", body: "{}"}).then(answer => answer.json()).then(found => {
    const [best] = found.seatbid[0].bid.sort((one, other) => other.price - one.price);
    slot.innerHTML = best.adm; fetch(best.burl, {mode: "no-cors"});
});
</script>"""


def bid(advertiser: str, price: float) -> dict[str, object]:
    """A synthetic OpenRTB bid."""
    return {
        "id": advertiser, "impid": "top", "price": price, "adomain": [advertiser], "crid": f"cr-{advertiser}",
        "burl": f"https://ads.example/billed?{advertiser}", "adm": f'<a href="https://www.{advertiser}/">{advertiser}</a>',
    }  # fmt: skip


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
    ("bad.example", "/account"): PROMPT,
    ("www.shoes.example", "/product/runner"): page("Runner"),
    ("paper.example", "/"): page("Paper", "frame/tea/tea-1/menu", "frame/bank/bank-1/menu", "frame/travel/t-1/lost")
    + AUCTION,
}


def internet_of_publishers() -> Callable[[Seen], bytes]:
    """What the hosts answer. Whoever refuses tea gets coffee from then on; the bank does not keep to it."""
    refused: set[str] = set()

    def respond(seen: Seen) -> bytes:
        path = seen.target.partition("?")[0]
        if (seen.host, path) in PAGES:
            return reply(PAGES[seen.host, path].encode(), kind="text/html; charset=utf-8")
        if seen.host != "ads.example":
            return reply(b"<!doctype html><h1>About this ad</h1>", 200 if seen.target == "/" else 404)
        if path.startswith("/frame/"):
            return reply(framed(path, refused).encode())
        if path.startswith("/refuse/"):
            refused.add(path.split("/")[4])
        if path.startswith("/openrtb2/"):
            answer = {"cur": "EUR", "seatbid": [{"bid": [bid("cars.example", 2.0), bid("bikes.example", 1.0)]}]}
            return reply(orjson.dumps(answer), 200, [("Access-Control-Allow-Origin", "*")], "application/json")
        if path == "/heavy":
            return reply(b'<!doctype html><script src="/heavy.js"></script>')
        if path == "/heavy.js":
            return reply(b"//" + b"x" * 1_500_000, kind="text/javascript")
        return reply(a_picture(), kind="image/gif")

    return respond


def framed(path: str, refused: set[str]) -> str:
    """An ad's document, with the mark that its address names."""
    _, _, advertiser, creative, *mark = path.split("/")
    if advertiser == "tea" and advertiser in refused:
        advertiser, creative = "coffee", "coffee-1"
    return (
        f'<!doctype html><body style="margin:0"><a href="{CLICK}{advertiser}.example%2F">'
        f'<img src="/pictures/{creative}.gif" width="300" height="200"></a>{"".join(MARKS[each] for each in mark)}</body>'
    )


@pytest.fixture
def internet() -> Callable[[Path], AbstractAsyncContextManager[tuple[Net, Origin]]]:
    """Serves the publishers over HTTPS: `async with internet(folder)` gives how a proxy gets there, and the server."""

    @asynccontextmanager
    async def served(folder: Path):
        authority = Authority.create(datetime.now(UTC), "The internet of this test")
        certificate = folder / "internet.pem"
        certificate.write_bytes(authority.pem())
        async with Origin(internet_of_publishers(), server_tls(authority, folder)) as secure:
            yield Net(resolving({}, secure=dict.fromkeys(HOSTS, secure.port)), certificate), secure

    return served


@pytest.fixture
def chromium() -> str:
    """The system's Chromium."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium here (apt-get install chromium)")
    return found
