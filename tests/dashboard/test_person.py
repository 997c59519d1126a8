"""A person's pages: her own record and nobody else's, and what she does holds."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from capper.domain.daily import EVERYBODY, Addition, Daily
from capper.domain.decision import Verdict, prepare
from capper.domain.errors import LedgerUnavailable
from capper.domain.mute import Why
from capper.journal import Record
from capper.settings.pauses import pauses_file, read_pauses
from capper.settings.policy import parse_policy
from capper.settings.policy_text import policy_text
from capper.testing import NOON, a_sighting, an_ad

PAGES = ("/followers", "/decisions", "/caps", "/data")
EVIL = "<script>alert(1)</script>\u202egnp.exe\ud800"


async def tally(house, name, advertiser, counts, sites=(), ago=0):
    day = house.today() - ago
    await house.ledger.tally(name, [Addition(advertiser, day, counts, frozenset(sites))], house.today())


async def note(house, name, **record):
    await house.ledger.note(name, [Record(NOON, name, **record).line()], NOON, timedelta(hours=24))


def text(answer) -> str:
    """What is read on a page, tags left out."""
    main = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def seal(answer) -> str:
    return re.search(r'name="seal" value="(\w+)"', answer.text)[1]


async def test_followers_by_times_seen(house, browser):
    """Advertisers come by how often they were met, with the number of sites, and the sums above."""
    await tally(house, "anna", EVERYBODY, Daily(9, 4, 2))
    await tally(house, "anna", "bikes.example", Daily(2))
    await tally(house, "anna", "shoes.example", Daily(6, 4), ["news.example"])
    read = text(await (await browser("anna")).get("/followers"))

    assert "Ads shown 9 Withheld 4 Credit prompts cut 2" in read
    assert "shoes.example Mute 6 4 1 bikes.example Mute 2 0 0" in read
    assert "news.example" not in read


@pytest.mark.parametrize(("days", "shown"), [("1", "1"), ("7", "3"), ("28", "7"), ("99", "3"), ("<b>", "3")])
async def test_a_span_of_days(house, browser, days, shown):
    """Today, seven days or twenty-eight; anything else is seven."""
    for ago, count in ((0, 1), (6, 2), (27, 4), (40, 8)):
        await tally(house, "anna", EVERYBODY, Daily(count), ago=ago)
    read = text(await (await browser("anna")).get("/followers", params={"days": days}))

    assert f"Ads shown {shown} Withheld 0" in read


async def test_nobody_sees_anothers_record(house, browser):
    """Whatever ben asks for, there is nothing of anna's in it."""
    await tally(house, "anna", "shoes.example", Daily(6))
    await note(house, "anna", verdict=Verdict.SHOW, advertisers=("shoes.example",))
    ben = await browser("ben")
    asked = [*PAGES, "/decisions?what=all", "/export.json", "/followers?person=anna", "/export.json?viewer=anna"]

    assert [] == [path for path in asked if "shoes" in (await ben.get(path)).text]


async def test_what_was_decided_says_why(house, browser):
    """Withheld ads with their cap, credit prompts with their words; what was shown only among everything."""
    await note(
        house,
        "anna",
        verdict=Verdict.WITHHOLD,
        advertisers=("shoes.example",),
        rule="caps",
        cap="3 per advertiser per day",
        count=3,
        reopens=NOON + timedelta(hours=2),
    )
    await note(house, "anna", verdict=Verdict.SHOW, advertisers=("bikes.example",), rule="caps")
    await note(
        house, "anna", note="credit prompt taken out of a page", prompt="loan offered", pack="en", signals=("borrow",)
    )
    await note(house, "anna", advertisers=("boats.example",), note="by its own opt-out (Criteo)", mute=Why.CLICKED)
    anna = await browser("anna")
    withheld, credit, everything = [
        text(await anna.get("/decisions", params={"what": what})) for what in ("withheld", "credit", "all")
    ]

    assert "12:00 shoes.example withheld 3 of 3 per 24 hours, again at 14:00" in withheld
    assert "12:00 boats.example muted you said so to the ad" in withheld
    assert ("bikes" in withheld, "borrow" in withheld) == (False, False)
    assert "loan offered credit prompt cut known by borrow" in credit
    assert all(name in everything for name in ("shoes.example", "bikes.example", "borrow"))


async def test_sliders_say_beforehand_what_they_would_have_done(house, browser):
    """Four a day of one advertiser under a cap of three: with two a day fewer would have been shown."""
    for ago in range(3):
        await tally(house, "anna", "shoes.example", Daily(3, 1), ago=ago)
    anna = await browser("anna")
    now, fewer = [text(await anna.get(f"/caps{query}")) for query in ("", "?day=2&week=5")]

    assert "With 3 in 24 hours and 10 in seven days: 9 shown instead of 9." in now
    assert (
        "With 2 in 24 hours and 5 in seven days: 5 shown instead of 9. Make these my caps Advertiser As it is Would be shoes.example 9 5"
        in fewer
    )


async def test_a_pause_and_its_end(house, browser):
    """A pause holds for who asked for it, shows on each page, and can be ended."""
    anna = await browser("anna")
    word = seal(await anna.get("/data"))
    headers = {"Origin": "https://capper.internal"}
    begun = await anna.post("/pause", data={"seal": word, "minutes": "30"}, headers=headers)
    paused = read_pauses(pauses_file(house.settings.state))
    told = text(await anna.get("/followers"))
    await anna.post("/pause", data={"seal": word, "minutes": "0"}, headers=headers)

    assert (303, "/data") == (begun.status_code, begun.headers["location"])
    assert {"anna": NOON + timedelta(minutes=30)} == paused
    assert "You are left alone until 12:30" in told
    assert {} == read_pauses(pauses_file(house.settings.state))


@pytest.mark.parametrize("minutes", ["", "-1", "99999", "1441", "x", "\u0663"])
async def test_a_pause_that_makes_no_sense_is_refused(house, browser, minutes):
    """It is at most a day long."""
    anna = await browser("anna", Origin="https://capper.internal")
    answer = await anna.post("/pause", data={"seal": seal(await anna.get("/data")), "minutes": minutes})

    assert (400, {}) == (answer.status_code, read_pauses(pauses_file(house.settings.state)))


async def test_forgetting_asks_first(house, browser):
    """Without the box ticked nothing happens; with it all of hers is gone, and nobody else's."""
    await tally(house, "anna", "shoes.example", Daily(6))
    await tally(house, "ben", "shoes.example", Daily(6))
    anna = await browser("anna", Origin="https://capper.internal")
    word = seal(await anna.get("/data"))
    unsure = await anna.post("/forget", data={"seal": word})
    kept = len(await house.ledger.followers("anna", house.today()))
    sure = await anna.post("/forget", data={"seal": word, "sure": "yes"})
    left = [len(await house.ledger.followers(name, house.today())) for name in ("anna", "ben")]

    assert ("/data?done=unsure", 1) == (unsure.headers["location"], kept)
    assert ("/data?done=forgotten", [0, 1]) == (sure.headers["location"], left)


async def test_the_export_is_all_that_is_kept(house, browser):
    """Days, counts and decisions of hers, as a file; strange names survive."""
    await tally(house, "anna", "shoes.example", Daily(6, 1), ["news.example"])
    await note(house, "anna", verdict=Verdict.SHOW, advertisers=("\ud800.example",), rule="caps")
    answer = await (await browser("anna")).get("/export.json")
    found = answer.json()

    assert 'attachment; filename="capper-2026-11-22.json"' == answer.headers["content-disposition"]
    assert {"sites": 1, "days": {"2026-11-22": {"shown": 6, "withheld": 1, "prompts": 0}}} == found["days"][
        "shoes.example"
    ]
    assert ["?.example"] == [each["advertiser"] for each in found["decisions"]]
    assert "news.example" not in answer.text


@pytest.mark.parametrize("page", PAGES)
async def test_names_from_the_network_are_only_shown(house, browser, page):
    """Markup in an advertiser's name is text, and what would reorder the line around it is taken out."""
    await tally(house, "anna", EVIL, Daily(6))
    await note(house, "anna", verdict=Verdict.WITHHOLD, advertisers=(EVIL,), rule=EVIL, creative=EVIL, cap="never")
    await note(house, "anna", note=EVIL, prompt=EVIL, signals=(EVIL,))
    answers = [await (await browser("anna")).get(path) for path in (page, f"{page}?what=all")]

    assert [] == [answer for answer in answers if "<script" in answer.text or "\u202e" in answer.text]


async def test_pages_speak_the_readers_language(house, browser):
    """The policy's for the person comes first, then her browser's."""
    anna, ben = await browser("anna", **{"Accept-Language": "sv"}), await browser("ben")

    assert ['<html lang="sv">', '<html lang="nl">'] == [
        re.search("<html[^>]*>", (await each.get("/followers")).text)[0] for each in (anna, ben)
    ]


async def test_a_ledger_that_is_gone_is_told(house, browser, monkeypatch):
    """Rather than a page without anything on it."""

    async def gone(*_):
        raise LedgerUnavailable("the ledger is gone")

    monkeypatch.setattr(house.ledger, "followers", gone)
    answer = await (await browser("anna")).get("/followers")

    assert (503, True) == (answer.status_code, "The ledger does not answer" in answer.text)


async def test_what_does_not_exist(browser):
    """An unknown path, one that climbs and a method that is not served are answered by a page or a refusal."""
    anna = await browser("anna", Origin="https://capper.internal")
    paths = ("/nothing", "/static/../person.py", "/%2e%2e/%2e%2e/etc/passwd", "/dashboard.css/../../guard.py")

    assert [404] * 4 == [(await anna.get(path)).status_code for path in paths]
    assert 405 == (await anna.post("/followers", data={})).status_code


async def test_muting_and_taking_it_back(house, browser):
    """An advertiser is muted with one click and a seal, for her alone, told with a way back; then the caps hold again."""
    await tally(house, "anna", "shoes.example", Daily(6))
    anna = await browser("anna", Origin="https://capper.internal")
    word = seal(await anna.get("/followers"))
    form = {"seal": word, "days": "28", "name": "shoes.example", "level": "advertiser"}
    muted = await anna.post("/mute", data=form)
    told = text(await anna.get(muted.headers["location"]))
    held = [[mute.name for mute in await house.ledger.mutes(name, NOON)] for name in ("anna", "ben")]
    back = await anna.post("/unmute", data=form)

    assert (303, "/followers?days=28&done=muted") == (muted.status_code, muted.headers["location"])
    assert "shoes.example is muted until February 20, 2027, on every site and device of yours. Undo" in told
    assert [["shoes.example"], []] == held
    assert ("/followers?days=28&done=unmuted", []) == (back.headers["location"], await house.ledger.mutes("anna", NOON))


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"name": "x" * 300, "level": "advertiser"},
        {"name": "x", "level": "person"},
        {"name": "%ff", "level": "creative"},
    ],
)
async def test_what_cannot_be_muted(house, browser, form):
    """No name, one that is too long, or a level that is none."""
    anna = await browser("anna", Origin="https://capper.internal")
    answer = await anna.post("/mute", data=form | {"seal": seal(await anna.get("/data"))})

    assert (400, []) == (answer.status_code, await house.ledger.mutes("anna", NOON))


async def test_a_strange_name_can_be_muted(house, browser):
    """Whatever an ad calls itself, the mute names exactly that."""
    await tally(house, "anna", EVIL, Daily(6))
    anna = await browser("anna", Origin="https://capper.internal")
    page = await anna.get("/followers")
    name = html.unescape(re.search(r'name="name" value="([^"]*)"', page.text)[1])
    await anna.post("/mute", data={"seal": seal(page), "level": "advertiser", "name": name})

    assert [EVIL] == [mute.name for mute in await house.ledger.mutes("anna", NOON)]


async def test_what_was_chosen_becomes_her_own(house, browser):
    """A rule of hers in the policy file; the caps that have no slider stay."""
    anna = await browser("anna", Origin="https://capper.internal")
    page = await anna.get("/caps", params={"day": "2", "week": "41"})
    answer = await anna.post("/caps", data={"seal": seal(page), "day": "2", "week": "41"})
    rule = parse_policy(house.settings.policy.read_text(), "p").rules[-1]

    assert (303, "/caps?done=kept") == (answer.status_code, answer.headers["location"])
    assert (("anna",), ["2 per advertiser per day", "1 per creative per page"]) == (
        rule.people,
        list(map(str, rule.caps)),
    )


async def test_a_rule_of_the_owners_is_not_hers_to_change(house, browser):
    """What speaks for her is shown, and cannot be moved."""
    ruled = parse_policy(
        house.settings.policy.read_text() + '[[rules]]\nname = "night"\npeople = "anna"\ncaps = []\n', "p"
    )
    object.__setattr__(house, "policy", lambda: ruled)
    anna = await browser("anna", Origin="https://capper.internal")
    before, page = house.settings.policy.read_text(), await anna.get("/caps?day=2")
    answer = await anna.post("/caps", data={"seal": seal(await anna.get("/data")), "day": "2"})

    assert "not yours to change here" in html.unescape(page.text)
    assert (403, before) == (answer.status_code, house.settings.policy.read_text())


async def test_who_is_withheld_now_and_until_when(house, browser):
    """Beside an advertiser whose cap is full stands which, and when it opens."""
    for n in range(3):
        _, claim = prepare(house.policy(), a_sighting(an_ad(creative=None), occasion=f"o{n}", page=f"p{n}"), NOON)
        await house.ledger.claim("anna", [claim], NOON, house.policy().session_gap)
    await tally(house, "anna", "shoes.example", Daily(3))
    await tally(house, "anna", "bikes.example", Daily(3))
    read = text(await (await browser("anna")).get("/followers"))

    assert "shoes.example 3 of 3 per 24 hours, again tomorrow at 12:00 Mute" in read
    assert "bikes.example Mute" in read


@pytest.mark.parametrize("level", ["0", "1", "2"])
async def test_a_privacy_level_is_hers_to_choose(house, browser, level):
    """As private as she likes: it is written into the policy under her name, and the page says so."""
    anna = await browser("anna", Origin="https://capper.internal")
    answer = await anna.post("/privacy", data={"seal": seal(await anna.get("/data")), "level": level})
    kept = parse_policy(house.settings.policy.read_text(), "p")
    object.__setattr__(house, "policy", lambda: kept)
    page = await anna.get(answer.headers["location"])

    assert (303, int(level), None) == (answer.status_code, kept.chosen_level("anna"), kept.chosen_level("ben"))
    assert re.search(rf'value="{level}" checked', page.text)
    assert f"Kept: your privacy level holds within two seconds. What is kept Privacy level {level}:" in text(page)


@pytest.mark.parametrize("level", ["3", "-1", "", "two", "\u0663"])
async def test_no_more_is_written_down_than_the_owner_permits(house, browser, level):
    """A level above the household's is refused on a page, and the policy stays as it was."""
    anna, before = await browser("anna", Origin="https://capper.internal"), house.settings.policy.read_text()
    answer = await anna.post("/privacy", data={"seal": seal(await anna.get("/data")), "level": level})

    assert (400, before) == (answer.status_code, house.settings.policy.read_text())
    assert "That did not work Nothing was changed." in text(answer)


async def test_that_no_site_is_told_is_hers_to_choose(house, browser):
    """She reads which sites may know; told not to, none does, though the household lets it, and others are as they were."""
    allowed = replace(house.policy(), house_ads=("mypaper.example",))
    house.settings.policy.write_text(policy_text(allowed))
    object.__setattr__(house, "policy", lambda: parse_policy(house.settings.policy.read_text(), "p"))
    anna = await browser("anna", Origin="https://capper.internal")
    before = await anna.get("/data")
    answer = await anna.post("/untold", data={"seal": seal(before)})
    after = text(await anna.get(answer.headers["location"]))

    assert "show a notice of their own in its place. They do not learn why. mypaper.example Tell no site" in text(
        before
    )
    assert [(), ("mypaper.example",)] == [house.policy().housed(name) for name in ("anna", "ben")]
    assert "No site is told from now on." in after
    assert "No site is told that an ad of its pages was withheld from you." in after


async def test_the_level_of_devices_that_are_nobodys(house, browser):
    """It is the owner's to set: the page says so, and a form that asks for it changes nothing."""
    anybody, before = (
        await browser("household", Origin="https://capper.internal"),
        house.settings.policy.read_text(),
    )
    page = await anybody.get("/data")
    answer = await anybody.post("/privacy", data={"seal": seal(page), "level": "0"})

    assert "The owner sets it for devices that are nobody's" in text(page)
    assert (409, before) == (answer.status_code, house.settings.policy.read_text())


async def test_a_form_that_is_too_old_is_told_on_a_page(browser, clock):
    """In her language, with the way back."""
    ben = await browser("ben", Origin="https://capper.internal")
    word = seal(await ben.get("/data"))
    clock.forward(days=3)
    answer = await ben.post("/pause", data={"seal": word, "minutes": "30"})

    assert (403, True) == (answer.status_code, "Dat is niet gelukt" in text(answer))
    assert '<a href="/followers">Wie mij volgt</a>' in answer.text


async def test_an_opt_out_of_which_nothing_told_the_ad(house, browser):
    """It is listed with the way to mute; one that was taken back is no mute; what nobody could judge is English as such."""
    await note(house, "ben", note="she has had enough (Criteo), and 2 ads: none is muted", unsure=2)
    await note(house, "ben", advertisers=("boats.example",), note="taken back")
    await note(house, "ben", note="a body too large")
    await note(house, "ben", verdict=Verdict.SHOW)
    page = await (await browser("ben")).get("/decisions?what=all")
    read = text(page)

    assert "niet gedempt U klikte op het merkje van een advertentie" in read
    assert "boats.example niet langer gedempt" in read
    assert '<span lang="en">a body too large</span>' in page.text
    assert "Een advertentie die niet zegt van wie ze is: getoond" in read
    assert "unidentified" not in read
