"""Replay: the recording's own clock, whose entry it is, what is changed and what is not, the summary and the journal."""

import asyncio
import copy
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.domain.exchange import Action, Outcome
from capper.gate import Gate
from capper.journal import Journal, ListSink
from capper.ledger.memory import MemoryLedger
from capper.measure import replay as measure
from capper.measure.har import load, parse
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.settings import parse_policy
from capper.testing import NOON


async def run(har, gate, **more):
    """Replay with a journal in memory: the HAR afterwards, the summary, the records."""
    sink = ListSink()
    journal = Journal(sink=sink)
    replayed = await measure.replay(har, gate, journal, **more)
    after = json.loads(b"".join(har.pieces(replayed.changes)))
    return after["log"]["entries"], replayed.summary, sink.records


class PassGate:
    """A gate that looks at everything and changes nothing."""

    def foresees(self, exchange):
        return True

    def wants(self, exchange):
        return True

    async def admit(self, exchange):
        return Outcome()


async def test_fourth_is_withheld(builder, few_gate):
    """Under a cap of 3 the fourth entry is changed and says why; all others are equal to what they were."""
    for _ in range(4):
        builder.add("https://ads.example/ad", "<p>buy shoes")
    builder.add("https://news.example/", "<p>news")
    entries, summary, _ = await run(builder.har(), few_gate(3))
    capper = entries[3].pop("_capper")

    assert [entries[i] == builder.entries[i] for i in range(5)] == [True, True, True, False, True]
    assert entries[3]["response"]["content"]["text"] == "<p>capped</p>"
    assert capper == {
        "action": "rewrite",
        "decisions": [
            {
                "verdict": "withhold",
                "advertiser": "shoes.example",
                "campaign": None,
                "creative": "ads.example/1",
                "basis": "click",
                "rule": "caps",
                "cap": "3 per creative per day",
                "count": 3,
                "reopens": "2026-11-23T12:04:00Z",
                "repeated": False,
                "counted": True,
            }
        ],
    }
    assert (summary.entries, summary.rewritten, summary.answered) == (5, 1, 0)
    assert (summary.shown, summary.withheld) == (3, 1)


async def test_viewers(builder, few_gate):
    """An entry's viewer is its `_viewer`, else the one named for the replay, else the household."""
    builder.add("https://ads.example/ad", "x", _viewer="ben")
    builder.add("https://ads.example/ad", "x")
    builder.add("https://ads.example/ad", "x", _viewer=5)
    gate = few_gate()
    _, summary, _ = await run(builder.har(), gate, unnamed="anna")
    household = few_gate()
    await run(builder.har(), household)

    assert [exchange.viewer.name for exchange in gate.asked] == ["ben", "anna", "anna"]
    assert [exchange.viewer.name for exchange in household.asked] == ["ben", "household", "household"]
    assert {name: counts["shoes.example"].shown for name, counts in summary.viewers.items()} == {"ben": 1, "anna": 2}


async def test_own_clock(builder, few_gate):
    """Entries are judged in the order of their times and written in the order of the file."""
    for hour in (15, 13, 14, 12):
        builder.add("https://ads.example/ad", f"at {hour}", at=NOON.replace(hour=hour))
    gate = few_gate(3)
    entries, summary, _ = await run(builder.har(), gate)

    assert [exchange.at.hour for exchange in gate.asked] == [12, 13, 14, 15]
    assert ["_capper" in entry for entry in entries] == [True, False, False, False]
    assert (summary.first, summary.last) == (NOON, NOON.replace(hour=15))


async def test_no_times(builder, few_gate):
    """Entries without a time keep the order of the file."""
    for number in range(3):
        builder.add("https://ads.example/ad", str(number), at="?")
    gate = few_gate()
    await run(builder.har(), gate)

    assert [exchange.response.body for exchange in gate.asked] == [b"0", b"1", b"2"]


async def test_foreseen(builder, few_gate):
    """An ad that is foreseen is asked about without its response, and the answer takes the entry's place."""
    for _ in range(4):
        builder.add("https://ads.example/ad", "<p>ad")
    gate = few_gate(3, foresee=True)
    entries, summary, _ = await run(builder.har(), gate)

    assert [exchange.response is None for exchange in gate.asked] == [False, False, False, True]
    assert entries[3]["_capper"]["action"] == "answer"
    assert entries[3]["response"]["content"]["text"] == "<p>capped</p>"
    assert summary.answered == 1


class AskingGate(PassGate):
    """A gate that lets requests go on as others."""

    async def admit(self, exchange):
        if exchange.response is not None:
            return Outcome()
        request = replace(exchange.request, url="https://ads.example/bid?x=2&y=", body=b'{"badv":["a.example"]}')
        headers = (
            request.headers.with_("Content-Length", "22") if "content-length" in request.headers else request.headers
        )
        return Outcome(Action.FORWARD, request=replace(request, headers=headers))


async def test_a_request_that_went_on_as_another(builder):
    """The entry holds the request as its origin would have got it, and the answer as recorded."""
    builder.add("https://ads.example/bid?x=1", "{}")
    builder.entries[0]["request"] |= {
        "method": "POST",
        "headers": [{"name": "Content-Length", "value": "2"}],
        "queryString": [{"name": "x", "value": "1"}],
        "postData": {"mimeType": "application/json", "text": "{}"},
        "bodySize": 2,
    }
    (entry,), summary, _ = await run(builder.har(), AskingGate())
    asked = entry["request"]

    assert (asked["url"], asked["postData"]) == (
        "https://ads.example/bid?x=2&y=",
        {"mimeType": "application/json", "text": '{"badv":["a.example"]}'},
    )
    assert asked["queryString"] == [{"name": "x", "value": "2"}, {"name": "y", "value": ""}]
    assert (asked["headers"], asked["bodySize"]) == ([{"name": "Content-Length", "value": "22"}], 22)
    assert entry["response"] == builder.entries[0]["response"]
    assert entry["_capper"] == {"action": "forward", "decisions": []}
    assert (summary.forwarded, summary.rewritten) == (1, 0)


async def test_real_files_untouched(har_files):
    """With a gate that changes nothing, every real HAR comes back byte for byte, without a note of damage."""
    for path in har_files:
        har = load(path)
        replayed = await measure.replay(har, PassGate(), Journal())

        assert b"".join(har.pieces(replayed.changes)) == b"".join(har.pieces({})), path.name
        assert replayed.summary.unreadable == [], path.name


async def test_real_files_every_body_edited(har_files):
    """With every body of every real HAR edited, each is delivered as edited, and everything else of the entry stays."""

    class Editing(PassGate):
        def foresees(self, exchange):
            return False

        async def admit(self, exchange):
            response = exchange.response
            if not response.body:
                return Outcome()
            return Outcome(Action.REWRITE, replace(response, body=response.body + b"<!-- -->"))

    for path in har_files:
        har = load(path)
        entries, _, _ = await run(har, Editing())
        for index, after in enumerate(entries):
            before = har.entry(index)
            text = before["response"]["content"].get("text")
            if not text or (text == "MANUALLY REMOVED" and "encoding" in before["response"]["content"]):
                assert after == before
                continue
            assert after.pop("_capper")["action"] == "rewrite"
            content = after["response"]["content"]
            assert content.get("encoding") == before["response"]["content"].get("encoding")
            if content.get("encoding") != "base64":
                assert content["text"] == text + "<!-- -->"
            for part in ("content", "bodySize", "headersSize", "headers"):
                before["response"].pop(part), after["response"].pop(part)
            assert after == before


async def test_damaged_entry(builder, few_gate):
    """A damaged entry passes as it is, is counted, and is noted in the journal with its index."""
    builder.add("https://ads.example/ad", "x")
    builder.add("https://ads.example/ad", "x")["request"] = 5
    entries, summary, records = await run(builder.har(), few_gate())

    assert entries == builder.entries
    assert summary.unreadable == [(1, "its `request` is missing or not an object")]
    assert [(record.entry, record.note) for record in records] == [
        (1, "a damaged entry: its `request` is missing or not an object")
    ]


async def test_bodies_not_recorded(builder, few_gate):
    """The summary says how many bodies the recording does not hold."""
    builder.add("https://ads.example/ad")["response"]["content"]["size"] = 100
    _, summary, _ = await run(builder.har(), few_gate())

    assert summary.bodiless == 1


async def test_repeats_count_once(builder, few_gate):
    """A repeated sighting is not counted a second time."""

    class Repeating(few_gate):
        async def admit(self, exchange):
            outcome = await super().admit(exchange)
            return outcome._replace(decisions=tuple(replace(each, repeated=True) for each in outcome.decisions))

    builder.add("https://ads.example/ad", "x")
    _, summary, _ = await run(builder.har(), Repeating())

    assert (summary.shown, summary.repeated) == (0, 1)


async def test_progress(builder, few_gate):
    """Progress is told once an entry."""
    for _ in range(3):
        builder.add("https://ads.example/ad", "x")
    steps = []
    await run(builder.har(), few_gate(), progress=lambda: steps.append(1))

    assert len(steps) == 3


async def test_empty(builder, few_gate):
    """A HAR without entries is replayed to itself."""
    entries, summary, _ = await run(builder.har(), few_gate())

    assert (entries, summary.first) == ([], None)


VALUES = [None, True, 0, -1, 1e308, 2**80, [], {}, [[]], {"a": []}]
TEXTS = ["", "x", "\0", "\ud800", "data:,", "http://[", "https://a:b/", "https://\ud800/", "https://ads.example/\r\n"]
TEXTS += ["text/html; charset=", "image/png", "<a href='//[' >" * 9]
PAGE = """<p>news<a href="https://ads.example/click?u=https://www.shoes.example/"><img src="https://ads.example/1.png"
width=300 height=250></a>"""


@pytest.fixture(scope="module")
def real_gate():
    """The gate itself, with a small list and a policy that shows an ad once."""
    engines = Engines.build([FilterList("ads", "||ads.example^", ListKind.ADS)])
    recogniser = Recogniser(engines, AdReader(load_networks()))
    policy = parse_policy('caps = ["1 per advertiser per day", "1 per creative per day"]', "policy")
    return lambda: Gate(lambda: recogniser, MemoryLedger(), lambda: policy, Journal())


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from _paths(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _paths(value[index], (*path, index))


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_mutation(builder, few_gate, real_gate, data):
    """A HAR with any value in it replaced or removed is refused in one sentence, or comes out with the same entries in order."""
    builder.entries.clear()
    builder.add("https://news.example/ad", PAGE, pageref="p", request={"Sec-Fetch-Dest": "document"})
    builder.add("https://ads.example/ad", b"\x89PNG", mime="image/png")
    value = json.loads(builder.bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(_paths(value))[1:]))
        parent = value
        for step in path[:-1]:
            parent = parent[step]
        if data.draw(st.booleans()):
            parent[path[-1]] = copy.deepcopy(data.draw(st.sampled_from([*VALUES, *TEXTS])))
        elif isinstance(parent, dict):
            del parent[path[-1]]
        if not list(_paths(value))[1:]:
            break
    try:
        har = parse(json.dumps(value).encode(), "x.har")
    except ConfigError as exc:
        assert "\n" not in str(exc)  # noqa: PT017  one of two right ends
        return
    gate = data.draw(st.sampled_from([lambda: few_gate(0), real_gate]))()
    entries, _, _ = asyncio.run(run(har, gate))
    for entry in entries:
        entry.pop("_capper", None)
        if isinstance(entry.get("response"), dict):
            entry["response"] = None
    expected = [
        {**entry, "response": None} if isinstance(entry.get("response"), dict) else entry
        for entry in value["log"]["entries"]
    ]

    assert entries == expected


async def test_har_error_names_the_entry():
    """An entry that turns out not to be JSON is told with its index."""
    har = parse(b'{"log":{"entries":[{"a":1}]}}', "x.har")
    broken = replace(har, text=har.text.replace('"a":1', '"a":x'))

    with pytest.raises(ConfigError, match="entry 0"):
        await run(broken, PassGate())
