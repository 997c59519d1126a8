"""The Lua and its specification, run side by side on the same claims: whatever happens, they answer alike."""

import asyncio
from datetime import timedelta
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from capper.domain.cap import Cap
from capper.domain.decision import Check, Claim, Counter
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.domain.window import ALWAYS, to_ms
from capper.ledger.link import connect
from capper.ledger.memory import MemoryLedger
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret
from capper.testing import FrozenClock

MINUTE, DAY = 60_000, 86_400_000
VIEWERS = st.sampled_from(["anna", "anna", "ben"])
# Few of everything, so that claims meet; times that meet each other's edges: equal, one millisecond apart, and odd.
LENGTHS = st.sampled_from([0, 0, 1, MINUTE, 10 * MINUTE - 1, 10 * MINUTE, 30 * MINUTE, DAY]) | st.integers(0, 2 * DAY)
COUNTERS = st.builds(
    Counter,
    level=st.sampled_from([Level.ADVERTISER, Level.ADVERTISER, Level.CREATIVE]),
    value=st.sampled_from(["shoes.example", "ünï.example"]),
    scope=st.sampled_from(["", "", "", "page:p1"]),
    keep=st.integers(1, 5),
    # Real servers expire by their own clock too, so nothing here lives for less than an example takes.
    life_ms=st.sampled_from([10 * MINUTE, DAY]),
)

NAMES = st.sampled_from(
    [(level, name) for level in (Level.ADVERTISER, Level.CREATIVE) for name in ("shoes.example", "a:b")]
)


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    """A claim with windows still to be set against the clock: `since_ms` is how far back it reaches."""
    counters = tuple(draw(st.lists(COUNTERS, max_size=3)))
    checks = st.builds(
        Check,
        cap=st.just(Cap(1)),
        counter=st.integers(0, max(len(counters) - 1, 0)),
        limit=st.integers(1, 3),
        since_ms=st.sampled_from([None, ALWAYS]) | LENGTHS,
    )
    return Claim(
        draw(st.integers(0, 50).map("o{}".format)),
        counters,
        tuple(draw(st.lists(checks, max_size=4))) if counters else (),
        draw(st.sampled_from([False] * 9 + [True])),
        tuple(draw(st.lists(NAMES, max_size=3))),
    )


class Ledgers(RuleBasedStateMachine):
    """Two ledgers and one clock."""

    url = ""
    serial = count()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FrozenClock()
        self.memory = MemoryLedger()
        self.redis = RedisLedger(connect(self.url), Secret())
        self.gap = timedelta(minutes=30)

    @initialize(gap=st.sampled_from([0, 1, 30, 600]))
    def begin(self, gap):
        """A household's policy says how long a gap ends a session."""
        self.gap = timedelta(minutes=gap)
        self.runner.run(self.redis.link("FLUSHALL"))

    def both(self, ask):
        """Ask both, and find the same."""
        memory, redis = self.runner.run(ask(self.memory)), self.runner.run(ask(self.redis))

        assert redis == memory
        return memory

    def at(self, claim: Claim) -> Claim:
        """The claim with its windows set against the clock."""
        now = to_ms(self.clock())
        checks = (
            check
            if check.since_ms in {None, ALWAYS}
            else Check(check.cap, check.counter, check.limit, now - check.since_ms)
            for check in claim.checks
        )
        return claim._replace(checks=tuple(checks))

    @rule(milliseconds=st.integers(0, 5 * MINUTE))
    def the_clock_is_set_back(self, milliseconds):
        """Another process's clock, a little behind."""
        self.clock.forward(milliseconds=-milliseconds)

    @rule(viewer=VIEWERS, later=LENGTHS, asked=st.lists(claims(), min_size=1, max_size=4))
    def claim(self, viewer, later, asked):
        """Some time later, an exchange claims its ads."""
        self.clock.forward(milliseconds=later)
        asked = [self.at(claim) for claim in asked]
        self.both(lambda ledger: ledger.claim(viewer, asked, self.clock(), self.gap))

    @rule(viewer=VIEWERS, asked=st.lists(claims(), max_size=5))
    def peek(self, viewer, asked):
        """Bids are looked at."""
        asked = [self.at(claim) for claim in asked]
        self.both(lambda ledger: ledger.peek(viewer, asked, self.clock(), self.gap))

    @rule(
        asks=st.lists(
            st.tuples(VIEWERS, LENGTHS, st.booleans(), st.lists(claims(), min_size=1, max_size=3)), max_size=8
        )
    )
    def many_at_a_time(self, asks):
        """Exchanges of several people, each by the clock of its process; what waits for a reply goes together."""
        rows = []
        for viewer, later, counted, asked in asks:
            self.clock.forward(milliseconds=later % MINUTE)
            rows.append((counted, viewer, [self.at(claim) for claim in asked], self.clock()))

        async def all_of(ledger):
            return await asyncio.gather(
                *(
                    (ledger.claim if counted else ledger.peek)(viewer, asked, now, self.gap)
                    for counted, viewer, asked, now in rows
                )
            )

        self.both(all_of)

    @rule(viewer=VIEWERS, name=NAMES, why=st.sampled_from(Why), milliseconds=LENGTHS)
    def mute(self, viewer, name, why, milliseconds):
        """She wants to see no more of it; an end that has passed already is none."""
        now = self.clock()
        # Real servers expire by their own clock too.
        until = now + timedelta(milliseconds=milliseconds + 10 * MINUTE if milliseconds else 0)
        self.both(lambda ledger: ledger.mute(viewer, Mute(*name, why, now, until), now))

    @rule(viewer=VIEWERS, name=NAMES)
    def unmute(self, viewer, name):
        """She takes it back."""
        self.both(lambda ledger: ledger.unmute(viewer, name, self.clock()))

    @rule(viewer=VIEWERS, name=NAMES)
    def once(self, viewer, name):
        """She wants to see it once."""
        self.both(lambda ledger: ledger.once(viewer, name, self.clock()))

    @rule(viewer=VIEWERS, minutes=st.integers(1, 3000))
    def note(self, viewer, minutes):
        """A decision is written into the journal."""
        record = f"record {next(self.serial)}".encode()
        self.both(lambda ledger: ledger.note(viewer, [record], self.clock(), timedelta(minutes=minutes)))

    @rule(viewer=VIEWERS)
    def notes(self, viewer):
        """The journal is read: the same records; in the same order while the clock only went forward."""
        memory = self.runner.run(self.memory.notes(viewer, self.clock()))
        redis = self.runner.run(self.redis.notes(viewer, self.clock()))

        assert sorted(redis) == sorted(memory)

    @rule(viewer=VIEWERS)
    def forget(self, viewer):
        """A viewer is forgotten."""
        for ledger in (self.memory, self.redis):
            self.runner.run(ledger.forget(viewer))

    @invariant()
    def records_agree(self):
        """At any time both tell each viewer the same advertisers and the same mutes."""
        for viewer in ("anna", "ben"):
            self.both(lambda ledger: ledger.entries(viewer, self.clock()))  # noqa: B023  asked at once
            self.both(lambda ledger: ledger.mutes(viewer, self.clock()))  # noqa: B023

    def teardown(self):
        """Every key left behind expires. Hang up."""
        keys = self.runner.run(self.redis.link("KEYS", "*"))
        lives = [self.runner.run(self.redis.link("PTTL", key)) for key in keys]
        self.runner.run(self.redis.close())
        self.runner.close()

        assert all(life > 0 for life in lives)


def test_redis_answers_as_its_specification_does(redis_server):
    """Any sequence of claims, peeks, notes, forgettings and clocks: the same answers and the same entries."""
    Ledgers.url = redis_server.url
    examples = settings.default.max_examples // 2
    run_state_machine_as_test(Ledgers, settings=settings(max_examples=examples, stateful_step_count=30, deadline=None))
