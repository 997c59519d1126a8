"""What every ledger promises, whatever it is kept on: memory, embedded Valkey, a redis-server."""

import asyncio
from collections import Counter as Times
from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import OCCASION_LIFE, Answer, Check, Claim, Counter, Muting, Tally
from capper.domain.identity import Level
from capper.domain.mute import ONCE, Mute, Why
from capper.domain.window import SESSION_LIMIT, from_ms, to_ms
from capper.ledger.base import Entry
from capper.testing import NOON

GAP = timedelta(minutes=30)
DAY = timedelta(days=1)
AT = to_ms(NOON)


def a_claim(
    occasion: str,
    limit: int = 3,
    window: timedelta | None = DAY,
    value: str = "shoes.example",
    *,
    level: Level = Level.ADVERTISER,
    scope: str = "",
    keep: int = 10,
    life: timedelta = DAY,
    at=NOON,
    refused: bool = False,
) -> Claim:
    """A claim of one counter and one check; `window=None` is a session."""
    counter = Counter(level, value, scope, keep, life // timedelta(milliseconds=1))
    since = None if window is None else to_ms(at - window)
    return Claim(occasion, (counter,), (Check(Cap(limit, level), 0, limit, since),), refused)


async def claim(ledger, claim, at=NOON, viewer="anna", gap=GAP) -> Answer:
    [answer] = await ledger.claim(viewer, [claim], at, gap)
    return answer


async def test_shows_up_to_the_cap_and_tells_the_sighting_that_fills_it(ledger):
    """Three are shown, each told how many came before; the fourth is withheld and told when the third-newest was."""
    times = [NOON + timedelta(minutes=minute) for minute in range(4)]
    answers = [await claim(ledger, a_claim(f"o{n}", at=at), at) for n, at in enumerate(times)]

    assert answers == [
        Answer(shown=True, tallies=(Tally(0),)),
        Answer(shown=True, tallies=(Tally(1),)),
        Answer(shown=True, tallies=(Tally(2),)),
        Answer(shown=False, tallies=(Tally(3, AT),)),
    ]


async def test_the_window_opens_to_the_millisecond(ledger):
    """A cap of one per day is reached a millisecond before the day is over, and not when it is."""
    await claim(ledger, a_claim("first", 1))
    early, on_time = NOON + DAY - timedelta(milliseconds=1), NOON + DAY

    assert not (await claim(ledger, a_claim("early", 1, at=early), early)).shown
    assert (await claim(ledger, a_claim("on time", 1, at=on_time), on_time)).shown


async def test_the_same_occasion_counts_once_and_gets_the_same_answer(ledger):
    """Claimed again after others came between, an occasion gets its first answer to the last tally."""
    first = await claim(ledger, a_claim("o1"))
    await claim(ledger, a_claim("o2"))
    again = await claim(ledger, a_claim("o1"), NOON + timedelta(seconds=5))
    third = await claim(ledger, a_claim("o3"))

    assert again == Answer(first.shown, first.tallies, repeated=True)
    assert third.tallies == (Tally(2),)


async def test_a_withheld_occasion_stays_withheld(ledger):
    """What was withheld on its occasion is withheld there again, even where its window has opened meanwhile."""
    await claim(ledger, a_claim("o1", 1, timedelta(minutes=1)))
    withheld = await claim(ledger, a_claim("o2", 1, timedelta(minutes=1)))
    later = NOON + timedelta(minutes=2)
    again = await claim(ledger, a_claim("o2", 1, timedelta(minutes=1), at=later), later)

    assert again == Answer(shown=False, tallies=withheld.tallies, repeated=True)


async def test_an_occasion_is_forgotten_after_its_life(ledger):
    """A millisecond before its life is over an occasion is the same, then it is another sighting."""
    await claim(ledger, a_claim("o1"))
    before = await claim(ledger, a_claim("o1"), NOON + OCCASION_LIFE - timedelta(milliseconds=1))
    after = await claim(ledger, a_claim("o1"), NOON + OCCASION_LIFE)

    assert (before.repeated, after.repeated) == (True, False)


async def test_all_counters_count_or_none(ledger):
    """A cap reached on one counter leaves the other counters of the claim as they were."""
    creative = Counter(Level.CREATIVE, "c1", "", 10, 86_400_000)
    both = Claim("o2", (creative, a_claim("x").counters[0]), (Check(Cap(1), 1, 1, -1),))
    await claim(ledger, a_claim("o1", 1))
    withheld = await claim(ledger, both)
    found = await claim(ledger, Claim("o3", (creative,), (Check(Cap(1), 0, 1, -1),)))

    assert (withheld.shown, found) == (False, Answer(shown=True, tallies=(Tally(0),)))


async def test_later_claims_of_a_call_see_what_earlier_ones_counted(ledger):
    """Four ads of one advertiser on one page, cap 3: the fourth is withheld in the same call."""
    answers = await ledger.claim("anna", [a_claim(f"o{n}") for n in range(4)], NOON, GAP)

    assert [answer.shown for answer in answers] == [True, True, True, False]
    assert [answer.tallies[0].count for answer in answers] == [0, 1, 2, 3]


async def test_an_occasion_twice_in_one_call_counts_once(ledger):
    """The second claim of an occasion in one call repeats the first."""
    first, second = await ledger.claim("anna", [a_claim("o1"), a_claim("o1")], NOON, GAP)

    assert second == Answer(first.shown, first.tallies, repeated=True)


async def test_a_refused_claim_is_withheld_remembered_and_not_counted(ledger):
    """A cap of 0 withholds whatever the counters say; its occasion is remembered, its counters do not move."""
    refused = await claim(ledger, a_claim("o1", refused=True))
    again = await claim(ledger, a_claim("o1"))
    other = await claim(ledger, a_claim("o2"))

    assert refused == Answer(shown=False, tallies=(Tally(0),))
    assert again == Answer(shown=False, tallies=(Tally(0),), repeated=True)
    assert other.tallies == (Tally(0),)


async def test_a_claim_without_counters_is_shown(ledger):
    """An ad nobody could identify is shown, and its occasion remembered."""
    nothing = Claim("o1", (), ())

    assert await claim(ledger, nothing) == Answer(shown=True)
    assert await claim(ledger, nothing) == Answer(shown=True, repeated=True)


async def test_no_claims_no_answers(ledger):
    """An exchange without ads asks nothing."""
    assert await ledger.claim("anna", [], NOON, GAP) == []
    assert await ledger.peek("anna", [], NOON, GAP) == []


async def test_peek_answers_as_claim_would_and_leaves_no_trace(ledger):
    """Each is answered as if it alone were claimed; peeking any number of times changes nothing, not even its occasion."""
    asked = [a_claim(f"o{n}", 2) for n in range(3)]
    peeks = [await ledger.peek("anna", asked, NOON, GAP) for _ in range(3)]
    claimed = await ledger.claim("anna", asked, NOON, GAP)

    assert peeks == [[claimed[0]] * 3] * 3
    assert [answer.shown for answer in claimed] == [True, True, False]
    assert [
        answer.shown for answer in await ledger.peek("anna", [a_claim(f"p{n}", 2) for n in range(2)], NOON, GAP)
    ] == [
        False,
        False,
    ]


async def test_viewers_are_counted_apart(ledger):
    """What anna has seen is nothing to ben."""
    await claim(ledger, a_claim("o1", 1))

    assert (await claim(ledger, a_claim("o1", 1), viewer="ben")) == Answer(shown=True, tallies=(Tally(0),))


async def test_places_are_counted_apart(ledger):
    """A page's counter is another than the next page's and than the one without a page."""
    await claim(ledger, a_claim("o1", 1, scope="page:p1"))

    assert not (await claim(ledger, a_claim("o2", 1, scope="page:p1"))).shown
    assert (await claim(ledger, a_claim("o3", 1, scope="page:p2"))).shown
    assert (await claim(ledger, a_claim("o4", 1))).shown


async def test_levels_are_counted_apart(ledger):
    """The same text as a creative and as a campaign is two things."""
    await claim(ledger, a_claim("o1", 1, value="x", level=Level.CREATIVE))

    assert (await claim(ledger, a_claim("o2", 1, value="x", level=Level.CAMPAIGN))).shown


async def test_a_clock_that_is_behind_keeps_the_order(ledger):
    """A sighting claimed with an earlier clock takes its place among the others, and none is lost."""
    for n, minute in enumerate((10, 0, 5)):
        at = NOON + timedelta(minutes=minute)
        await claim(ledger, a_claim(f"o{n}", 9, at=at), at)
    later = NOON + timedelta(minutes=11)
    found = await claim(ledger, a_claim("o9", 2, timedelta(minutes=7), at=later), later)

    assert found == Answer(shown=False, tallies=(Tally(2, to_ms(NOON + timedelta(minutes=5))),))
    assert [entry.times for entry in await ledger.entries("anna", later)] == [
        tuple(NOON + timedelta(minutes=minute) for minute in (10, 5, 0))
    ]


async def test_only_the_newest_are_kept(ledger):
    """Of five sightings a counter that keeps three remembers three."""
    for n in range(5):
        at = NOON + timedelta(minutes=n)
        await claim(ledger, a_claim(f"o{n}", 9, keep=3, at=at), at)
    found = await claim(ledger, a_claim("o9", 9, keep=3))

    assert found.tallies[0].count == 3


async def test_each_time_is_kept_for_its_life(ledger):
    """A later sighting does not keep an earlier one alive: each counts until its own life is over."""
    hour = timedelta(hours=1)
    for n in (0, 40):
        at = NOON + timedelta(minutes=n)
        await claim(ledger, a_claim(f"o{n}", 2, life=hour, window=DAY, at=at), at)
    before, after = NOON + hour - timedelta(milliseconds=1), NOON + hour

    assert (await claim(ledger, a_claim("x", 2, life=hour, at=before), before)).tallies[0].count == 2
    assert (await claim(ledger, a_claim("y", 2, life=hour, at=after), after)).tallies[0].count == 1


async def test_a_session_lasts_until_a_gap(ledger):
    """Sightings less than a gap apart are one session, also those withheld; a gap begins another."""
    shown = []
    for n, minutes in enumerate((0, 29, 58, 87, 117)):
        at = NOON + timedelta(minutes=minutes)
        shown.append((await claim(ledger, a_claim(f"o{n}", 1, None), at)).shown)

    assert shown == [True, False, False, False, True]


async def test_a_session_is_cut_after_a_day(ledger):
    """A session that never falls idle ends after a day, so that its counts may expire."""
    at, shown = NOON, []
    while at <= NOON + SESSION_LIMIT:
        shown.append((await claim(ledger, a_claim(f"o{at}", 1, None, life=3 * DAY), at)).shown)
        at += timedelta(minutes=20)

    assert [n for n, was in enumerate(shown) if was] == [0, len(shown) - 1]


async def test_a_session_reaches_back_for_a_clock_a_little_behind(ledger):
    """A first sighting and one a moment earlier by another process's clock are of one session."""
    await claim(ledger, a_claim("o1", 2, None), NOON)
    await claim(ledger, a_claim("o2", 2, None), NOON - timedelta(milliseconds=3))
    third = await claim(ledger, a_claim("o3", 2, None), NOON)

    assert third == Answer(shown=False, tallies=(Tally(2, AT - 3),))


SHOES, BIKES, PICTURE = (
    (Level.ADVERTISER, "shoes.example"),
    (Level.ADVERTISER, "bikes.example"),
    (Level.CREATIVE, "c/1"),
)


def a_mute(name=SHOES, *, days: float = 90, why: Why = Why.ASKED, at=NOON) -> Mute:
    """A mute made at `at`."""
    return Mute(*name, why, at, at + timedelta(days=days))


def known_as(claimed: Claim, *names: tuple[Level, str]) -> Claim:
    """The claim of an ad that a mute could call by these names."""
    return claimed._replace(names=names)


async def test_what_is_muted_is_withheld_says_so_and_is_not_counted(ledger):
    """Under its caps and muted, an ad is withheld by the mute, with its end; nothing is counted; ben is shown it."""
    await ledger.mute("anna", a_mute(), NOON)
    muted = await claim(ledger, known_as(a_claim("o1"), BIKES, SHOES))
    again = await claim(ledger, known_as(a_claim("o1"), BIKES, SHOES))
    other = await claim(ledger, known_as(a_claim("o2", value="bikes.example"), BIKES))
    his = await claim(ledger, known_as(a_claim("o1"), SHOES), viewer="ben")
    told = Muting(1, Why.ASKED, AT, to_ms(NOON + 90 * DAY))

    assert muted == Answer(shown=False, tallies=(Tally(0),), muted=told)
    assert again == Answer(shown=False, tallies=(Tally(0),), repeated=True, muted=told)
    assert (other.shown, his.shown) == (True, True)
    assert (await claim(ledger, a_claim("o9"))).tallies == (Tally(0),)


async def test_a_mute_ends_to_the_millisecond(ledger):
    """A millisecond before its end an ad is withheld, and not when it has come."""
    await ledger.mute("anna", a_mute(days=1), NOON)
    early, on_time = NOON + DAY - timedelta(milliseconds=1), NOON + DAY

    assert not (await claim(ledger, known_as(a_claim("early"), SHOES), early)).shown
    assert (await claim(ledger, known_as(a_claim("on time"), SHOES), on_time)).shown
    assert await ledger.mutes("anna", on_time) == []


async def test_of_several_mutes_the_one_that_ends_last_speaks(ledger):
    """An ad muted by its creative for a week and by its advertiser for a day is told of the week."""
    await ledger.mute("anna", a_mute(days=1), NOON)
    await ledger.mute("anna", a_mute(PICTURE, days=7, why=Why.CLICKED), NOON)
    [told] = await ledger.peek("anna", [known_as(a_claim("o1"), SHOES, PICTURE)], NOON, GAP)

    assert told.muted == Muting(1, Why.CLICKED, AT, to_ms(NOON + 7 * DAY))


async def test_mutes_are_listed_with_their_names_the_latest_first(ledger):
    """Her own only; one made again takes the place of the first; unmute takes one away; an end that has passed mutes nothing."""
    later = NOON + timedelta(hours=1)
    await ledger.mute("anna", a_mute(), NOON)
    await ledger.mute("anna", a_mute(PICTURE, why=Why.BOUGHT), NOON)
    await ledger.mute("anna", a_mute(BIKES, days=0), NOON)
    await ledger.mute("ben", a_mute(BIKES), NOON)
    await ledger.mute("anna", a_mute(days=7, at=later), later)

    assert await ledger.mutes("anna", later) == [a_mute(days=7, at=later), a_mute(PICTURE, why=Why.BOUGHT)]
    await ledger.unmute("anna", SHOES, later)
    await ledger.unmute("anna", BIKES, later)
    assert await ledger.mutes("anna", later) == [a_mute(PICTURE, why=Why.BOUGHT)]
    assert (await claim(ledger, known_as(a_claim("o1"), SHOES), later)).shown


async def test_once_lets_one_through_whatever_mutes_and_caps_say(ledger):
    """The next is shown and counted, though muted; the one after it is withheld by the mute that stayed."""
    await ledger.mute("anna", a_mute(), NOON)
    await ledger.once("anna", SHOES, NOON)
    peeked = await ledger.peek("anna", [known_as(a_claim(f"p{n}"), SHOES) for n in range(2)], NOON, GAP)
    answers = await ledger.claim("anna", [known_as(a_claim(f"o{n}", 1), SHOES) for n in range(2)], NOON, GAP)

    assert [answer.shown for answer in peeked] == [True, True]
    assert [(answer.shown, answer.muted is None) for answer in answers] == [(True, True), (False, False)]
    assert answers[1].tallies == (Tally(1, AT),)
    assert await ledger.mutes("anna", NOON) == [a_mute()]


async def test_once_is_used_up_only_where_it_was_needed(ledger):
    """Shown under its cap an ad does not use it up; over the cap it does; later than ten minutes it is void."""
    await ledger.once("anna", SHOES, NOON)
    shown = [(await claim(ledger, known_as(a_claim(f"o{n}", 1), SHOES))).shown for n in range(3)]
    await ledger.once("anna", SHOES, NOON)
    late = NOON + ONCE

    assert shown == [True, True, False]
    assert not (await claim(ledger, known_as(a_claim("late", 1, at=late), SHOES), late)).shown
    assert await ledger.mutes("anna", NOON) == []


async def test_once_says_nothing_against_a_refusal(ledger):
    """A rule that says never is never overruled."""
    await ledger.once("anna", SHOES, NOON)

    assert not (await claim(ledger, known_as(a_claim("o1", refused=True), SHOES))).shown


async def test_mutes_are_forgotten_with_her(ledger):
    """Forgotten, she has muted nothing, and her list is empty."""
    await ledger.mute("anna", a_mute(), NOON)
    gone = await ledger.forget("anna")

    assert (gone, await ledger.mutes("anna", NOON)) == (1, [])
    assert (await claim(ledger, known_as(a_claim("o1"), SHOES))).shown


async def test_any_name_can_be_muted(ledger):
    """Names that are empty, hostile or endless are muted and listed, the latter cut; a level is part of a name."""
    texts = ["", "a:b", "\ud800", "a\0b", "{x}*?[", "\r\n$1\r\n", "x" * 1_000_000]
    for n, text in enumerate(texts):
        await ledger.mute("anna", a_mute((Level.CREATIVE, text), days=n + 1), NOON + n * timedelta(seconds=1))
    answers = [await claim(ledger, known_as(a_claim(f"o{n}"), (Level.CREATIVE, text))) for n, text in enumerate(texts)]
    other = await claim(ledger, known_as(a_claim("other"), (Level.ADVERTISER, "a:b")))

    assert [answer.shown for answer in answers] == [False] * len(texts)
    assert other.shown
    assert {mute.name for mute in await ledger.mutes("anna", NOON)} == {text[:253] for text in texts}


async def test_entries_are_her_own_advertisers_the_most_shown_first(ledger):
    """Advertisers only, without pages, by times shown, the newest time first."""
    minute = timedelta(minutes=1)
    for n, value in enumerate(("shoes.example", "cars.example", "shoes.example", "späti.example")):
        await claim(ledger, a_claim(f"o{n}", 9, value=value), NOON + n * minute)
    await claim(ledger, a_claim("o7", 9, value="cars.example", scope="page:p1"))
    await claim(ledger, a_claim("o8", 9, value="c1", level=Level.CREATIVE))
    await claim(ledger, a_claim("o9", 9, value="bikes.example"), viewer="ben")

    assert await ledger.entries("anna", NOON + DAY - minute) == [
        Entry(Level.ADVERTISER, "shoes.example", (NOON + 2 * minute, NOON)),
        Entry(Level.ADVERTISER, "späti.example", (NOON + 3 * minute,)),
        Entry(Level.ADVERTISER, "cars.example", (NOON + minute,)),
    ]


async def test_entries_expire(ledger):
    """When a counter's life is over its advertiser is no longer listed."""
    await claim(ledger, a_claim("o1"))

    assert len(await ledger.entries("anna", NOON + DAY - timedelta(milliseconds=1))) == 1
    assert await ledger.entries("anna", NOON + DAY) == []


async def test_forget_makes_a_viewer_new(ledger):
    """After forget nothing of hers is found, nothing of the others is touched, and she counts from nothing."""
    await claim(ledger, a_claim("o1", 1))
    await claim(ledger, a_claim("o1", 1), viewer="ben")
    await ledger.note("anna", [b"shoes, withheld"], NOON, DAY)
    gone = await ledger.forget("anna")

    assert gone == 4, "a counter, an occasion, a session and a record"
    assert await ledger.entries("anna", NOON) == []
    assert await ledger.notes("anna", NOON) == []
    assert await claim(ledger, a_claim("o1", 1)) == Answer(shown=True, tallies=(Tally(0),))
    assert len(await ledger.entries("ben", NOON)) == 1
    assert await ledger.forget("carl") == 0


async def test_notes_come_back_oldest_first_until_they_expire(ledger):
    """Records come back in the order they were made, each for its own life, to their own viewer."""
    for n in range(10):
        await ledger.note("anna", [f"record {n} \0\xff".encode()], NOON, timedelta(hours=1 + n % 2))
    for n in (10, 11):
        await ledger.note(
            "anna", [f"record {n} \0\xff".encode(), *[b"two at once"][: n - 10]], NOON, timedelta(hours=1 + n % 2)
        )
    await ledger.note("anna", [], NOON, DAY)
    await ledger.note("anna", [b""], NOON + timedelta(milliseconds=1), DAY)
    await ledger.note("ben", [b"his"], NOON, DAY)

    assert await ledger.notes("anna", NOON) == [
        *(f"record {n} \0\xff".encode() for n in range(12)),
        b"two at once",
        b"",
    ]
    assert await ledger.notes("anna", NOON + timedelta(hours=1)) == [
        *(f"record {n} \0\xff".encode() for n in range(1, 12, 2)),
        b"two at once",
        b"",
    ]
    assert await ledger.notes("ben", NOON) == [b"his"]


async def test_hostile_names_are_names_like_any_other(ledger):
    """Lone surrogates, zero bytes, braces, globs, line ends and a megabyte of name count like a name."""
    names = ["\ud800", "a\0b", "{x}*?[", "\r\n$1\r\n", "x" * 1_000_000, "", "é" * 300]
    for n, name in enumerate(names):
        await claim(ledger, a_claim(f"{name}{n}", 1, value=name, scope=""), viewer=name)
    repeated = [await claim(ledger, a_claim(f"{name}-", 1, value=name), viewer=name) for name in names]

    assert [answer.shown for answer in repeated] == [False] * len(names)
    for name in names:
        assert [entry.name for entry in await ledger.entries(name, NOON)] == [name[:253]]


async def test_names_that_run_together_are_still_two(ledger):
    """A value and a scope never read as another value and scope."""
    await claim(ledger, a_claim("o1", 1, value="ab", scope="c"))

    assert (await claim(ledger, a_claim("o2", 1, value="a", scope="bc"))).shown


async def test_extreme_numbers_count(ledger):
    """The largest cap, the longest life and a clock far in the future are numbers like any other."""
    at = from_ms(AT + 10**12)
    answers = await ledger.claim(
        "anna",
        [a_claim(f"o{n}", 1000, None, keep=1000, life=timedelta(weeks=1000)) for n in range(1001)],
        at,
        timedelta(days=400),
    )

    assert Times(answer.shown for answer in answers) == {True: 1000, False: 1}
    assert answers[-1].tallies == (Tally(1000, to_ms(at)),)


async def test_two_hundred_at_once_show_five(ledger):
    """200 concurrent claims of different occasions against a cap of 5: exactly 5 are shown."""
    answers = await asyncio.gather(*(claim(ledger, a_claim(f"o{n}", 5)) for n in range(200)))

    assert sum(answer.shown for answer in answers) == 5


async def test_two_hundred_at_once_of_one_occasion_count_once(ledger):
    """200 concurrent claims of one occasion are one sighting, and all but one say that they repeat it."""
    answers = await asyncio.gather(*(claim(ledger, a_claim("o1", 5)) for _ in range(200)))
    found = await claim(ledger, a_claim("o2", 5))

    assert (sum(answer.repeated for answer in answers), found.tallies[0].count) == (199, 1)


async def test_health_is_well_and_names_the_ledger(ledger):
    """A ledger that runs says so, and what it is."""
    health = await ledger.health()

    assert health.ok, health.detail
    assert health.server.split()[0] in {"memory", "valkey", "redis"}


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_the_limit_th_newest_is_told(ledger, limit):
    """Of seven sightings, the time told is that of the one whose leaving opens the cap."""
    for n in range(7):
        at = NOON + timedelta(minutes=n)
        await claim(ledger, a_claim(f"o{n}", 9, at=at), at)
    at = NOON + timedelta(minutes=8)
    found = await claim(ledger, a_claim("x", limit, at=at), at)

    assert found.tallies == (Tally(7, to_ms(NOON + timedelta(minutes=7 - limit))),)
