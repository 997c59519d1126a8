"""From a sighting to a claim, and from an answer to a decision that says why."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.cap import Cap
from capper.domain.decision import Answer, Check, Claim, Counter, Decision, Muting, Tally, Verdict, conclude, prepare
from capper.domain.identity import Ad, Level, Viewer
from capper.domain.mute import Mute, Why
from capper.domain.policy import Policy, Rule
from capper.domain.window import ALWAYS, to_ms
from capper.ledger.memory import MemoryLedger
from capper.testing import NOON, a_sighting, an_ad

DAY_MS = 86_400_000
MOMENT = timedelta(milliseconds=1)


def policy(*caps: str, rules: tuple[Rule, ...] = ()) -> Policy:
    """A policy of these caps."""
    return Policy(Rule("caps", tuple(map(Cap.parse, caps))), rules)


def test_a_claim_counts_all_that_any_rule_needs_and_checks_what_this_one_says():
    """A rule about one site has its own checks; the counters are the whole policy's."""
    news = Rule("news", (Cap.parse("2 per creative per hour"),), site=("news.example",))
    rules = policy("5 per advertiser per day", "1 per advertiser per page", rules=(news,))
    spoke, claim = prepare(rules, a_sighting(), NOON)

    assert spoke is news
    assert claim == Claim(
        "o1",
        (
            Counter(Level.ADVERTISER, "shoes.example", "", 5, DAY_MS),
            Counter(Level.ADVERTISER, "shoes.example", "page:p1", 1, DAY_MS // 4),
            Counter(Level.CREATIVE, "ads.example/1", "", 2, DAY_MS // 24),
        ),
        (Check(news.caps[0], 2, 2, to_ms(NOON) - DAY_MS // 24),),
        names=((Level.ADVERTISER, "shoes.example"), (Level.CREATIVE, "ads.example/1")),
    )


def test_windows_are_settled_where_only_time_matters():
    """Rolling and calendar windows become an instant, places and life always, a session is left to the ledger."""
    rules = policy(
        "1 per day", "1 per calendar day", "1 per page", "1 for life", "1 per session", "at most every 2 seconds"
    )
    _, claim = prepare(rules, a_sighting(), NOON)
    now = to_ms(NOON)

    assert [check.since_ms for check in claim.checks] == [
        now - DAY_MS,
        now - DAY_MS // 2 - 1,
        ALWAYS,
        ALWAYS,
        None,
        now - 2000,
    ]


def test_several_advertisers_are_checked_each_and_once():
    """An ad that names two advertisers, one of them twice, has two counters and two checks."""
    _, claim = prepare(policy("1 per day"), a_sighting(Ad(("a.example", "b.example", "a.example"))), NOON)

    assert [counter.value for counter in claim.counters] == ["a.example", "b.example"]
    assert [check.counter for check in claim.checks] == [0, 1]


def test_an_unidentified_ad_is_never_capped_by_guess():
    """Caps and zeros of any level say nothing about an ad nobody could identify; only `never` does."""
    rules = policy("3 per day", "0 per advertiser per day", "1 per page")
    _, claim = prepare(rules, a_sighting(Ad()), NOON)
    _, refused = prepare(policy("3 per day", "never"), a_sighting(Ad()), NOON)

    assert claim == Claim("o1", (), ())
    assert refused == Claim("o1", (), (), refused=True)


def test_a_place_that_is_not_known_is_not_counted():
    """Without a page or a pod there is no counter for one."""
    _, claim = prepare(policy("1 per page", "1 per pod"), a_sighting(page=None), NOON)

    assert (claim.counters, claim.checks) == ((), ())


def test_a_zero_speaks_where_its_level_is_known():
    """The cap that refuses is the one told, not another zero about something unknown."""
    rules = policy("0 per category per day", "0 per creative per day")
    rule, claim = prepare(rules, a_sighting(), NOON)
    decision = conclude(rules, a_sighting(), rule, claim, Answer(shown=False), NOON)

    assert claim.refused
    assert (decision.withheld, str(decision.cap), decision.reopens) == (True, "0 per creative per day", None)


def decide(rules: Policy, answer: Answer) -> Decision:
    """What an answer to the shoe ad amounts to."""
    rule, claim = prepare(rules, a_sighting(), NOON)
    return conclude(rules, a_sighting(), rule, claim, answer, NOON)


def test_a_shown_ad_tells_its_nearest_cap():
    """Of several caps not reached, the one with the least left is told."""
    decision = decide(policy("9 per week", "3 per day"), Answer(shown=True, tallies=(Tally(4), Tally(2))))

    assert decision == Decision(Verdict.SHOW, Viewer("anna"), an_ad(), "caps", Cap.parse("3 per day"), count=2)


def test_a_withheld_ad_tells_the_cap_that_opens_last():
    """Of several caps reached, the last to open; one that never opens before all."""
    hour_ago = to_ms(NOON) - DAY_MS // 24
    tallies = (Tally(3, hour_ago), Tally(9, hour_ago), Tally(1))
    by_time = decide(policy("3 per day", "9 per week", "2 per session"), Answer(shown=False, tallies=tallies))
    by_page = decide(
        policy("3 per day", "9 per week", "1 per page"), Answer(shown=False, tallies=(*tallies[:2], Tally(1, hour_ago)))
    )

    assert (str(by_time.cap), by_time.count) == ("9 per advertiser per week", 9)
    assert by_time.reopens == NOON - timedelta(hours=1) + timedelta(days=7)
    assert (str(by_page.cap), by_page.reopens) == ("1 per advertiser per page", None)


def test_what_the_ledger_said_of_itself_is_passed_on():
    """A decision says whether it repeats an earlier one, and whether the ledger counted it."""
    decision = decide(policy("3 per day"), Answer(shown=True, tallies=(Tally(0),), repeated=True, counted=False))

    assert (decision.repeated, decision.counted) == (True, False)


def test_an_answer_of_an_older_policy_is_not_misread():
    """An occasion answered under a policy with other caps is concluded by what both have."""
    decision = decide(policy("3 per day"), Answer(shown=False, tallies=(), repeated=True))

    assert (decision.withheld, decision.cap) == (True, None)


SENTENCES = st.sampled_from(
    [
        "1 per creative per day", "2 per advertiser per hour", "3 per advertiser per week", "at most every 40 minutes",
        "2 per calendar day", "4 per calendar week", "2 per session", "3 per creative per 28 days",
    ]
)  # fmt: skip


@given(
    caps=st.lists(SENTENCES, min_size=1, max_size=4, unique=True),
    minutes=st.lists(st.integers(0, 600), max_size=12),
    probe=st.floats(0, 1),
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam"])
async def test_an_ad_returns_when_it_was_said_to(caps, minutes, probe, zone):
    """Whenever an ad is withheld: nothing is shown before the hour told, and at that hour it is shown."""
    from dataclasses import replace
    from zoneinfo import ZoneInfo

    rules = replace(policy(*caps), zone=ZoneInfo(zone))
    ledger, now = MemoryLedger(), NOON

    async def see(at, occasion, ask):
        rule, claim = prepare(rules, a_sighting(occasion=occasion), at)
        [answer] = await ask("anna", [claim], at, rules.session_gap)
        return conclude(rules, a_sighting(), rule, claim, answer, at)

    for n, later in enumerate(minutes):
        now += timedelta(minutes=later)
        decision = await see(now, f"o{n}", ledger.claim)
        if decision.withheld:
            early = now + (decision.reopens - MOMENT - now) * probe
            assert (await see(max(early, now), "probe", ledger.peek)).withheld
            assert (await see(decision.reopens - MOMENT, "probe", ledger.peek)).withheld
            assert not (await see(decision.reopens, "probe", ledger.peek)).withheld


def test_a_mute_speaks_before_any_cap():
    """Where both hold, the decision names the mute and its end, and no cap."""
    rules = policy("1 per day")
    rule, claim = prepare(rules, a_sighting(), NOON)
    told = Muting(1, Why.CLICKED, to_ms(NOON), to_ms(NOON) + DAY_MS)
    answer = Answer(shown=False, tallies=(Tally(1, to_ms(NOON)),), muted=told)
    decision = conclude(rules, a_sighting(), rule, claim, answer, NOON)
    mute = Mute(Level.CREATIVE, "ads.example/1", Why.CLICKED, NOON, NOON + timedelta(days=1))

    assert (decision.withheld, decision.cap, decision.mute, decision.reopens) == (True, None, mute, mute.until)


def test_a_mute_of_another_ad_on_the_same_occasion_has_no_name():
    """An answer that an occasion got for another ad still withholds, and names nothing."""
    rules = policy("1 per day")
    rule, claim = prepare(rules, a_sighting(), NOON)
    answer = Answer(shown=False, repeated=True, muted=Muting(7, Why.ASKED, 0, to_ms(NOON)))
    decision = conclude(rules, a_sighting(), rule, claim, answer, NOON)

    assert (decision.withheld, decision.mute) == (True, None)
