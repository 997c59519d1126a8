"""The path of an exchange through the gate: find, claim, apply, on real engines, readers and rewriters."""

import asyncio
import gzip
from dataclasses import replace
from datetime import timedelta

import pytest
from blockbuster import blockbuster_ctx

from capper.assembly import warm
from capper.domain.cap import Cap
from capper.domain.exchange import Action
from capper.domain.identity import Viewer
from capper.domain.policy import Policy, Rule
from capper.gate import Gate, Limits
from capper.journal import Journal, ListSink
from capper.ledger.memory import MemoryLedger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.testing import NOON, FrozenClock, StubLedger, an_exchange

NEWS = "https://www.news.example/story"
CLICK = "https://adclick.g.doubleclick.net/pcs/click?xai=1&adurl=https%3A%2F%2Fwww.shoes.example%2Fsale"
BANNER = "https://ads.example/banners/shoes.png"
PAGE = f"""<!DOCTYPE html>\r\n<html lang=en><body><h1>News &amp; views</h1>\r\n<p>caf\xe9</p>
<div class=slot><a href="{CLICK.replace("&", "&amp;")}" target=_blank><img src="{BANNER}" width="300" height="250"></a></div>
<p>The end</p></body></html>""".encode("latin-1")
LISTS = [
    FilterList("ads", "||ads.example^\n||doubleclick.net^", ListKind.ADS),
    FilterList("trackers", "||stats.example^", ListKind.TRACKERS),
]
RECOGNISER = Recogniser(Engines.build(LISTS), AdReader(load_networks()))


@pytest.fixture(autouse=True)
def no_blocking():
    """A call that would hold up everybody's traffic fails the test."""
    warm(NOON)
    with blockbuster_ctx():
        yield


def png(width: int, height: int) -> bytes:
    """The head of a PNG of this size, which is all that is read of it."""
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes((x * 7 + y * 3) % 256 for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


IMAGE = png(300, 250)


class Visit:
    """A person with a browser in front of the gate; the clock moves on a minute with each page."""

    def __init__(self, *caps: str, ledger=None, rules=(), viewer="anna", limits=None):
        self.policy = Policy(Rule("caps", tuple(map(Cap.parse, caps))), tuple(rules))
        self.ledger = ledger or MemoryLedger()
        self.sink = ListSink()
        self.journal = Journal(sink=self.sink)
        self.gate = Gate(lambda: RECOGNISER, self.ledger, lambda: self.policy, self.journal, limits=limits or Limits())
        self.clock = FrozenClock()
        self.viewer = viewer

    async def get(
        self, url, body, *, kind, media_type, referrer=None, viewer=None, request=None, response=None, status=200
    ):
        """One exchange as a proxy leads it through the gate; (outcome before the origin, outcome after or None)."""
        fields = {"Sec-Fetch-Dest": kind, "Accept-Language": "en"} | ({"Referer": referrer} if referrer else {})
        exchange = an_exchange(
            url,
            viewer=viewer or self.viewer,
            at=self.clock(),
            request=fields | (request or {}),
            response={"Content-Type": media_type} | (response or {}),
            body=body,
            status=status,
        )
        asked = replace(exchange, response=None)
        before = await self.gate.admit(asked)
        if before.action is Action.ANSWER:
            return before
        return await self.gate.admit(exchange)

    async def page(self, url=NEWS, body=PAGE, **more):
        """Load a page, a minute after the last."""
        self.clock.forward(minutes=1)
        return await self.get(url, body, kind="document", media_type="text/html; charset=iso-8859-1", **more)

    async def image(self, url=BANNER, body=IMAGE, referrer=NEWS, **more):
        """Load a picture that the page at `referrer` asks for."""
        return await self.get(url, body, kind="image", media_type="image/png", referrer=referrer, **more)

    async def frame(self, url, body, referrer=NEWS, **more):
        """Load the document of a frame in the page at `referrer`."""
        return await self.get(url, body, kind="iframe", media_type="text/html", referrer=referrer, **more)


def verdicts(outcome):
    return [str(decision.verdict) for decision in outcome.decisions]


async def test_a_banner_in_a_page_is_replaced_once_the_cap_is_reached():
    """Under the cap the page passes as it came; over it only the ad's own element changes."""
    anna = Visit("2 per advertiser per day")

    first, second, third = [await anna.page() for _ in range(3)]

    assert [Action.PASS, Action.PASS, Action.REWRITE] == [first.action, second.action, third.action]
    assert ["withhold"] == verdicts(third)
    assert ("shoes.example",) == third.decisions[0].ad.advertisers
    start, end = PAGE.index(b"<a href"), PAGE.index(b"</div>")
    body = third.response.body
    assert body.startswith(PAGE[:start])
    assert body.endswith(PAGE[end:])
    assert b"shoes.png" not in body
    assert b"adclick" not in body


@pytest.mark.parametrize("caps", [["never"], ["1 per advertiser per day"]])
@pytest.mark.parametrize("body", [PAGE, b"<p>No ads</p>"])
async def test_a_packed_page_is_told_as_it_was_read(caps, body):
    """Its outcome has the page that is delivered without its coding, for whoever looks at it next."""
    visit, packed = Visit(*caps), gzip.compress(body)
    outcome = await visit.page(body=packed, response={"Content-Encoding": "gzip"})

    assert gzip.decompress(outcome.response.body if outcome.response else packed) == outcome.read


async def test_each_person_has_counts_of_her_own():
    """What anna has seen too often is still new to ben."""
    anna = Visit("1 per advertiser per day")
    await anna.page()
    over = await anna.page()

    ben = await anna.page(viewer="ben")

    assert ["withhold"] == verdicts(over)
    assert ["show"] == verdicts(ben)


async def test_the_picture_of_a_counted_banner_counts_no_second_time():
    """Element and picture are one occasion."""
    anna = Visit("2 per advertiser per day")

    for _ in range(2):
        await anna.page()
        picture = await anna.image()

        assert picture.decisions[0].repeated
        assert ["show"] == verdicts(picture)


class Slow(MemoryLedger):
    """A ledger that answers once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def claim(self, *args):
        self.asked.set()
        await self.let.wait()
        return await super().claim(*args)


async def test_what_named_a_picture_after_its_head_came_is_what_it_is_part_of():
    """The head of an ad's picture, a file met before, comes while its page is being judged, its body afterwards: one occasion."""
    anna, ledger = Visit("5 per creative per day"), Slow()
    gate = Gate(lambda: RECOGNISER, ledger, lambda: anna.policy, anna.journal)
    page = an_exchange(NEWS, request={"Sec-Fetch-Dest": "document"}, response={"Content-Type": "text/html"}, body=PAGE)
    request = {"Sec-Fetch-Dest": "image", "Referer": NEWS}
    picture = an_exchange(BANNER, request=request, response={"Content-Type": "image/png"}, body=IMAGE)
    ledger.let.set()
    await gate.admit(replace(picture, viewer=Viewer("ben")))
    ledger.let.clear()
    ledger.asked.clear()

    judging = asyncio.create_task(gate.admit(page))
    await ledger.asked.wait()
    wanted = gate.wants(picture)
    ledger.let.set()
    await judging
    shown = await gate.admit(picture)

    assert (True, True) == (wanted, shown.decisions[0].repeated)


async def test_an_ad_picture_on_its_own_is_capped_as_a_creative():
    """A picture that only an ad list names is counted by its file, and its placeholder has its size."""
    anna = Visit("2 per creative per day")
    plain = PAGE.replace(b"<a href", b"<b title").replace(b"<img", b"<i")

    outcomes = []
    for _ in range(3):
        await anna.page(body=plain)
        outcomes.append(await anna.image())

    assert [["show"], ["show"], ["withhold"]] == [verdicts(outcome) for outcome in outcomes]
    svg = outcomes[2].response
    assert "image/svg+xml" == svg.headers.get("content-type").partition(";")[0]
    assert b'width="300"' in svg.body
    assert b'height="250"' in svg.body
    assert "no-store" in svg.headers.get("cache-control")


async def test_a_pixel_is_no_sighting():
    """A picture of 1x1 from an ad server is a beacon."""
    anna = Visit("1 per creative per day")

    outcomes = [await anna.image(body=png(1, 1)) for _ in range(3)]

    assert [(), (), ()] == [outcome.decisions for outcome in outcomes]


@pytest.mark.parametrize(
    "field", [("Sec-Purpose", "prefetch"), ("Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender")]
)
async def test_a_prefetch_is_no_sighting(field):
    """What is fetched on suspicion has not been shown to anyone."""
    anna = Visit("1 per creative per day")

    outcomes = [await anna.image(request=dict([field])) for _ in range(3)]

    assert [(), (), ()] == [outcome.decisions for outcome in outcomes]


async def test_a_tracker_is_no_sighting():
    """A picture that only a tracker list names passes unseen."""
    anna = Visit("1 per creative per day")

    outcome = await anna.image("https://stats.example/a.png")

    assert Action.PASS is outcome.action
    assert () == outcome.decisions


FRAME_URL = "https://ads.example/frame?slot=3"
FRAME = f'<!DOCTYPE html><body><a href="{CLICK}"><img src="{BANNER}" width=300 height=250></a></body>'.encode()


async def test_a_creative_document_is_replaced_whole():
    """Over the cap a frame gets a document of ours in the ad's place; the page around it is not touched."""
    anna = Visit("2 per advertiser per day")
    outcomes = []
    for _ in range(3):
        await anna.page(body=b"<p>no ads here</p>")
        outcomes.append(await anna.frame(FRAME_URL, FRAME))

    assert [["show"], ["show"], ["withhold"]] == [verdicts(outcome) for outcome in outcomes]
    assert b"shoes.example" in outcomes[2].response.body
    assert b"adclick" not in outcomes[2].response.body
    assert "text/html" == outcomes[2].response.headers.get("content-type").partition(";")[0]


async def test_a_frame_that_another_advertiser_stands_in_now_is_that_ones():
    """An ad server that rotates ads at one address is taken at each document's word, not at the last one's."""
    anna = Visit("9 per advertiser per day")
    found = []
    for body in (FRAME, FRAME.replace(b"shoes.example", b"coffee.example")):
        await anna.page(body=b"<p>no ads here</p>")
        found += (await anna.frame(FRAME_URL, body)).decisions

    assert [("shoes.example",), ("coffee.example",)] == [each.ad.advertisers for each in found]


async def test_what_a_counted_frame_is_made_of_counts_no_second_time():
    """The picture inside a frame belongs to the frame's occasion."""
    anna = Visit("1 per advertiser per day", "1 per creative per day")
    await anna.page(body=b"<p>no ads here</p>")
    await anna.frame(FRAME_URL, FRAME)

    picture = await anna.image(referrer=FRAME_URL)

    assert picture.decisions[0].repeated
    assert ["show"] == verdicts(picture)


async def test_what_a_withheld_frame_is_made_of_is_no_ad_of_its_own():
    """A recording goes on with what the frame asked for, which nobody would have: it counts neither as shown nor as withheld."""
    anna = Visit("1 per advertiser per day")
    await anna.page(body=PAGE)
    await anna.page(body=b"<p>no ads here</p>")
    await anna.frame(FRAME_URL, FRAME.replace(BANNER.encode(), b"https://ads.example/other.png"))

    picture = await anna.image("https://ads.example/other.png", referrer=FRAME_URL)

    assert [True] == [decision.repeated for decision in picture.decisions]
    assert ["withhold"] == verdicts(picture)


async def test_a_second_banner_of_one_advertiser_on_a_page_is_withheld():
    """`per page` counts within one load of a page, and anew in the next."""
    other = PAGE.replace(
        b"<p>The end</p>", PAGE[PAGE.index(b"<div") : PAGE.index(b"</div>") + 6].replace(b"shoes.png", b"b.png")
    )
    anna = Visit("1 per advertiser per page")

    for _ in range(2):
        outcome = await anna.page(body=other)

        assert ["show", "withhold"] == verdicts(outcome)
        assert b"shoes.png" in outcome.response.body
        assert b"b.png" not in outcome.response.body


CACHEABLE = {"Cache-Control": "public, max-age=3600", "ETag": '"v1"'}


async def test_a_cached_banner_is_asked_for_counted_and_answered_here():
    """A creative that may be cached becomes no-cache; the browser's question is counted and answered without the origin."""
    anna = Visit("3 per creative per day")
    plain = b"<p>no ads here</p>"
    await anna.page(body=plain)
    first = await anna.image(response=CACHEABLE)
    assert Action.REWRITE is first.action
    assert "no-cache" == first.response.headers.get("cache-control")
    assert IMAGE == first.response.body

    again = []
    for _ in range(3):
        await anna.page(body=plain)
        again.append(await anna.image(body=None, request={"If-None-Match": '"v1"'}))

    assert [304, 304, 200] == [outcome.response.status for outcome in again]
    assert [Action.ANSWER] * 3 == [outcome.action for outcome in again]
    assert [["show"], ["show"], ["withhold"]] == [verdicts(outcome) for outcome in again]
    assert b'width="300"' in again[2].response.body


async def test_a_known_creative_over_the_cap_is_withheld_before_its_origin_is_asked():
    """The ad server learns nothing of an ad that is not shown."""
    anna = Visit("1 per creative per day")
    await anna.image(response=CACHEABLE)
    anna.clock.forward(minutes=20)
    await anna.page(body=b"<p>no ads here</p>")

    outcome = await anna.image(body=None)

    assert Action.ANSWER is outcome.action
    assert ["withhold"] == verdicts(outcome)


async def test_the_origins_own_304_is_counted():
    """Once the origin's lifetime is over it is asked; that its copy is still good is a sighting like any other."""
    anna = Visit("2 per creative per day")
    await anna.image(response=CACHEABLE)

    outcomes = []
    for _ in range(2):
        anna.clock.forward(hours=2)
        await anna.page(body=b"<p>no ads here</p>")
        asked = {"If-None-Match": '"v1"'}
        outcomes.append(await anna.image(body=b"", status=304, request=asked, response={"ETag": '"v1"'}))

    assert [["show"], ["withhold"]] == [verdicts(outcome) for outcome in outcomes]
    assert 200 == outcomes[1].response.status
    assert b"<svg" in outcomes[1].response.body


async def test_the_ad_returns_when_the_window_has_passed():
    """A rolling day after the first sighting there is room for one more."""
    anna = Visit("1 per advertiser per day")
    await anna.page()
    over = await anna.page()
    anna.clock.now = over.decisions[0].reopens - timedelta(minutes=1)

    back = await anna.page()

    assert ["show"] == verdicts(back)


async def test_an_unidentified_ad_is_never_capped_by_guess():
    """A frame that nothing identifies passes however often it comes."""
    anna = Visit("1 per creative per day", "1 per advertiser per day", "1 per campaign per day")

    outcomes = [await anna.frame("https://ads.example/frame", b"<script src=/x.js></script>") for _ in range(3)]

    assert [Action.PASS] * 3 == [outcome.action for outcome in outcomes]


async def test_never_means_never():
    """A rule of 0 withholds the first sighting, and the ledger has nothing to say about it."""
    never = Rule("no shoes", (Cap.parse("never"),), advertiser=("shoes.example",))
    anna = Visit("9 per advertiser per day", rules=[never])

    outcome = await anna.page()

    assert ["withhold"] == verdicts(outcome)
    assert "no shoes" == outcome.decisions[0].rule


async def test_no_cap_means_unlimited():
    """Without caps nothing is withheld; the ledger is asked only whether it is muted."""
    anna = Visit(ledger=StubLedger())

    outcomes = [await anna.page() for _ in range(5)]

    assert [["show"]] * 5 == [verdicts(outcome) for outcome in outcomes]


async def test_without_a_ledger_the_page_passes_and_the_journal_says_why():
    """Fail open: an answer that does not come costs a count, never a page."""
    anna = Visit("1 per advertiser per day", ledger=StubLedger(gone=True))

    outcome = await anna.page()

    assert Action.PASS is outcome.action
    assert "ledger" in outcome.note
    await anna.journal.drain()
    assert [outcome.note] == [record.note for record in anna.sink.records]


async def test_a_page_that_cannot_be_decoded_passes_untouched():
    """An unknown coding is no error to the person who reads the page."""
    anna = Visit("1 per advertiser per day")

    outcome = await anna.page(response={"Content-Encoding": "snappy"})

    assert Action.PASS is outcome.action


async def test_every_decision_is_written_down_with_its_reason():
    """The journal can answer `why` from one record."""
    anna = Visit("1 per advertiser per day")
    await anna.page()
    await anna.page()

    await anna.journal.drain()

    last = anna.sink.records[-1]
    assert ("withhold", ("shoes.example",), "caps", "1 per advertiser per day", 1) == (
        str(last.verdict),
        last.advertisers,
        last.rule,
        last.cap,
        last.count,
    )
    assert last.site is None


async def test_a_fault_of_ours_costs_nobody_her_page(caplog):
    """An exception inside the gate is logged and the page passes."""
    anna = Visit("1 per advertiser per day")
    anna.policy = None

    outcome = await anna.page()

    assert Action.PASS is outcome.action
    assert "unexpected" in outcome.note
    assert "judge an exchange" in caplog.text


@pytest.mark.parametrize(
    ("kind", "fields", "begins"),
    [("document", {}, True), ("document", {"ETag": '"1"'}, False), ("iframe", {"Transfer-Encoding": "chunked"}, False)],
)
def test_what_may_begin_before_it_was_judged(kind, fields, begins):
    """A page may whose headers hold for whatever becomes of it; a frame may be an ad as a whole."""
    exchange = an_exchange(
        NEWS, request={"Sec-Fetch-Dest": kind}, response={"Content-Type": "text/html"} | fields, body=b""
    )

    assert begins == Visit("1 per advertiser per day").gate.begins(exchange)
