"""Two publishers made for these tests, one respectful and one not, as their readers' browsers recorded them (all synthetic)."""

import base64
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace

import orjson
import pytest
from PIL import Image

from capper.audit.gathering import gather
from capper.domain.cap import Cap
from capper.domain.policy import Policy, Rule
from capper.measure.har import parse
from capper.settings import Settings
from capper.testing import NOON

AD_LIST = "||ads.example^\n"
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
        picture=a_picture(),
        prompt=PROMPT,
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
