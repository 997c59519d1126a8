"""Which pages are told that an ad was withheld: those she lets know, and of nothing that she could be counted by."""

from dataclasses import replace
from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.domain.policy import EVERYWHERE, Person, Rule
from capper.gate.telling import MOST_ANSWERS, VISIT

HER_VISIT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}
PAPER, OTHER = "https://www.paper.example/story", "https://other.example/"


@pytest.fixture
def housed(a_banner):
    """Makes a banner with a house ad beside it."""

    def make(name="shoes"):
        banner = a_banner(name, picture=f"https://ads.example/{name}.png").removesuffix("</div>")
        return f'{banner}<template data-capper-house><a href="/own">Ours</a></template></div>'

    return make


@pytest.fixture
def reader(person):
    """Makes anna, whose papers may be told, with these caps."""

    def make(*caps, **more):
        anna = person(*caps or ("1 per advertiser per day",))
        anna.policy = replace(anna.policy, **({"house_ads": ("paper.example",)} | more))
        return anna

    return make


async def looks(reader, url, *ads, request=None, **more):
    """What a page holds as it is delivered: of each withheld ad "ours" or "placeholder", in their order."""
    outcome = await reader.page(url, *ads, request=HER_VISIT if request is None else request, **more)
    text = outcome.response.body.decode() if outcome.response else ""
    parts = text.replace("<template", "\0").split("</template>")
    shown = [part.partition("\0")[0] for part in parts[:-1]]
    return [
        "ours" if 'data-capper="withheld"' in each else "placeholder"
        for each in shown
        if "<svg" in each or "data-capper=" in each
    ]


async def test_her_paper_shows_its_own(reader, housed):
    """What was withheld for what she saw elsewhere is known to the paper she named, at its first word of that ad."""
    anna = reader()
    await anna.page(OTHER, housed())

    assert ["ours"] == await looks(anna, PAPER, housed())
    assert ["ours"] == await looks(anna, PAPER, housed())


@pytest.mark.parametrize(
    ("more", "url", "expected"),
    [
        ({}, PAPER, "ours"),
        ({"house_ads": ()}, PAPER, "placeholder"),
        ({"house_ads": ("www.paper.example",)}, "https://paper.example/", "placeholder"),
        ({"house_ads": ("per.example",)}, PAPER, "placeholder"),
        ({"house_ads": (EVERYWHERE,)}, "https://any.example/", "ours"),
        ({"people": {"anna": Person("anna", house_ads=())}}, PAPER, "placeholder"),
        ({"people": {"anna": Person("anna", house_ads=("any.example",))}}, "https://any.example/", "ours"),
        ({"people": {"anna": Person("anna"), "ben": Person("ben", house_ads=())}}, PAPER, "ours"),
    ],
)
async def test_who_is_told_is_hers_to_say(reader, housed, more, url, expected):
    """Nobody, unless the household names the site; for her as she says herself."""
    anna = reader("never", **more)

    assert [expected] == await looks(anna, url, housed())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-User": "?1"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?0"},
    ],
)
async def test_what_a_page_loads_by_itself_tells_nothing(reader, housed, headers):
    """A refresh, an address that a script opens, a fetch: only a page that she went to herself is told."""
    assert ["placeholder"] == await looks(reader("never"), PAPER, housed(), request=headers)


async def test_a_frame_is_told_nothing(reader, housed):
    """Not even one of the very site, with her click behind it."""
    anna = reader("never")
    await anna.page(OTHER)
    outcome = await anna.frame("https://www.paper.example/frame", f"<body>{housed()}</body>", OTHER, request=HER_VISIT)

    assert "data-capper=" not in outcome.response.body.decode()
    assert "<svg" in outcome.response.body.decode()


async def test_reloads_do_not_count(reader, housed):
    """A site that shows her the ad itself does not learn after how many reloads it is over the cap, until she comes back."""
    anna = reader("3 per advertiser per day")
    await anna.page(OTHER, housed())

    assert [[], [], ["placeholder"], ["placeholder"]] == [await looks(anna, PAPER, housed()) for _ in range(4)]
    anna.clock.forward(minutes=VISIT / timedelta(minutes=1))
    assert ["ours"] == await looks(anna, PAPER, housed())


async def test_a_visit_lasts_as_long_as_pages_are_opened(reader, housed):
    """A page that reloads itself for hours stays within one visit, and so does one without a house ad."""
    anna = reader()
    await anna.page(PAPER, housed().replace("data-capper-house", ""))
    for _ in range(6):
        anna.clock.forward(minutes=25)
        await anna.page(PAPER, housed())

    assert ["placeholder"] == await looks(anna, PAPER, housed())


async def test_copies_on_a_page_do_not_count(reader, housed):
    """Five copies of an ad on one page do not tell how many of them are under the cap."""
    anna = reader("3 per advertiser per day")
    await anna.page(OTHER, housed())
    copies = [housed().replace("shoes.png", f"shoes.png?{n}") for n in range(5)]

    assert ["placeholder"] * 3 == await looks(anna, PAPER, *copies)


async def test_what_reopens_is_not_told_either(reader, housed):
    """A site that watches when the cap opens again sees the ad, and is then told nothing more of it."""
    anna = reader("1 per advertiser per 40 minutes")
    await anna.page(OTHER, housed())
    seen = [await looks(anna, PAPER, housed())]
    for _ in range(3):
        anna.clock.forward(minutes=20)
        seen.append(await looks(anna, PAPER, housed()))

    assert [["ours"], ["ours"], [], ["placeholder"]] == seen


async def test_a_site_does_not_try_out_many(reader, housed):
    """Of so many advertisers within a visit a site is told, and of no other."""
    anna = reader("never")
    names = [f"shop{number}" for number in range(MOST_ANSWERS + 5)]
    seen = [(await looks(anna, PAPER, housed(name)))[0] for name in names]

    assert ["ours"] * MOST_ANSWERS + ["placeholder"] * 5 == seen
    assert ["ours"] == await looks(anna, PAPER, housed(names[0]))


async def test_why_makes_no_difference(reader, housed):
    """Capped by whichever cap, muted or never by rule: the very same bytes, with nothing of whose ad it was."""
    capped, weekly = reader("1 per advertiser per day"), reader("1 per creative per calendar week")
    muted, never = reader(), reader()
    for anna in (capped, weekly):
        await anna.page(OTHER, housed())
    now = muted.clock()
    await muted.gate._asking.ledger.mute(
        "anna", Mute(Level.ADVERTISER, "shoes.example", Why.ASKED, now, now + timedelta(days=9)), now
    )
    never.policy = replace(never.policy, rules=(Rule("no shoes", (Cap(0),), advertiser=("shoes.example",)),))
    pages = [await anna.page(PAPER, housed(), request=HER_VISIT) for anna in (capped, weekly, muted, never)]

    assert 1 == len({page.response.body for page in pages})
    body = pages[0].response.body.decode()
    assert "capper.internal" not in body
    assert body.count("shoes") == 0
    assert '<div data-capper="withheld"><a href="/own">Ours</a></div>' in body
