"""The owner's pages: how capper is and its policy, nobody's record, and a door where others could come in."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest

from capper.dashboard.keys import METRICS, OWNER, Sessions, place_of, token
from capper.dashboard.owner import create_owner_app
from capper.domain.daily import Addition, Daily
from capper.domain.errors import LedgerUnavailable
from capper.fleet import Board
from capper.policies.enacting import enact
from capper.settings import load_policy
from capper.settings.pauses import pause, pauses_file
from capper.testing import NOON

WORD, SCRAPE = "the owner's own word", "the word for figures"
ORIGIN = {"Origin": "http://127.0.0.1:8081"}
PAGES = ("/", "/people", "/lists", "/policy")


@pytest.fixture
def house(house, tmp_path):
    """The house with a policy file of its own."""
    file = tmp_path / "policy.toml"
    file.write_text('caps = ["3 per advertiser per day"]\n')
    return replace(house, settings=replace(house.settings, policy=file))


@pytest.fixture
async def owner(house) -> AsyncIterator:
    """Opens a browser at the owner's port; with a word it has to sign in."""
    async with AsyncExitStack() as stack:

        async def open_browser(word: str | None = None, **headers: str) -> httpx.AsyncClient:
            app = create_owner_app(house, SCRAPE, word)
            here = {"transport": httpx.ASGITransport(app), "base_url": "http://127.0.0.1:8081"}
            return await stack.enter_async_context(
                httpx.AsyncClient(**here, headers={"Accept-Language": "en", **headers})
            )

        yield open_browser


def seal(answer) -> str:
    return re.search(r'name="seal" value="(\w+)"', answer.text)[1]


def field(answer, name: str) -> str:
    return re.search(rf'name="{name}" value="(\w+)"', answer.text)[1]


async def test_the_pages(owner):
    """Each is there, in English here, and says what it is."""
    browser = await owner()
    answers = [await browser.get(path) for path in PAGES]

    assert [200] * 4 == [answer.status_code for answer in answers]
    assert ["Health", "People", "Lists", "Policy"] == [re.search(r"<title>(\w+)", each.text)[1] for each in answers]


async def test_nobodys_record_is_among_them(house, owner):
    """The owner sees who there is, and not what anybody was shown."""
    await house.ledger.tally("anna", [Addition("shoes.example", house.today(), Daily(6))], house.today())
    browser = await owner()
    read = "".join([(await browser.get(path)).text for path in (*PAGES, "/followers", "/export.json", "/decisions")])

    assert ("anna" in read, "shoes.example" in read) == (True, False)


async def test_people_and_who_is_left_alone(house, owner):
    """Devices by person, and until when a pause lasts."""
    pause(pauses_file(house.settings.state), "anna", NOON.replace(hour=13), NOON)
    read = (await (await owner()).get("/people")).text

    assert re.search(r"<bdi>anna</bdi></th><td>127\.0\.0\.2</td><td>13:00", read)


async def test_a_policy_is_checked_without_being_saved(house, owner):
    """What is wrong is told with its line; what is odd too; the file stays as it was."""
    browser = await owner(**ORIGIN)
    page = await browser.get("/policy")
    wrong = 'caps = ["3 per advertisr per day"]\n[[rules]]\nname = "<script>x</script>"\n'
    form = {"seal": seal(page), "base": field(page, "base"), "do": "check", "text": wrong}
    answer = await browser.post("/policy", data=form)
    odd = await browser.post(
        "/policy", data=form | {"text": 'caps = ["3 per advertiser per day", "5 per advertiser per day"]'}
    )

    assert "did you mean 'advertiser'?" in html.unescape(answer.text)
    assert "<script" not in answer.text
    assert "never speaks" in odd.text
    assert 'caps = ["3 per advertiser per day"]\n' == house.settings.policy.read_text()


async def test_a_policy_is_saved(house, owner):
    """As it was written, with line ends of its own; a wrong one never is."""
    browser = await owner(**ORIGIN)
    page = await browser.get("/policy")
    form = {"seal": seal(page), "base": field(page, "base"), "do": "save"}
    wrong = await browser.post("/policy", data=form | {"text": "caps = 3"})
    saved = await browser.post("/policy", data=form | {"text": '# mine\r\ncaps = ["2 per advertiser per day"]\r\n'})

    assert (200, 303, "/policy?saved=yes") == (wrong.status_code, saved.status_code, saved.headers["location"])
    assert '# mine\ncaps = ["2 per advertiser per day"]\n' == house.settings.policy.read_text()


async def test_a_policy_that_was_changed_meanwhile_is_not_overwritten(house, owner):
    """Two editors at once: the second is told, and keeps what she wrote."""
    browser = await owner(**ORIGIN)
    page = await browser.get("/policy")
    house.settings.policy.write_text('caps = ["1 per advertiser per day"]\n')
    form = {
        "seal": seal(page),
        "base": field(page, "base"),
        "do": "save",
        "text": 'caps = ["2 per advertiser per day"]',
    }
    answer = await browser.post("/policy", data=form)

    assert "was changed meanwhile" in answer.text
    assert "2 per advertiser per day" in answer.text
    assert 'caps = ["1 per advertiser per day"]\n' == house.settings.policy.read_text()


async def test_what_is_not_ours_is_refused(house, owner, caplog):
    """A rebound name, another site's form, and a person's form."""
    browser = await owner()
    page = await browser.get("/policy")
    form = {"seal": seal(page), "base": field(page, "base"), "do": "save", "text": "caps = []"}
    rebound = await browser.get("/policy", headers={"Host": "evil.example"})
    forged = await browser.post("/policy", data=form, headers={"Origin": "http://evil.example"})
    unsealed = await browser.post("/policy", data=form | {"seal": "0" * 36}, headers=ORIGIN)

    assert [421, 403, 403] == [each.status_code for each in (rebound, forged, unsealed)]
    assert 3 == caplog.text.count("refused: ")
    assert 'caps = ["3 per advertiser per day"]\n' == house.settings.policy.read_text()


@pytest.mark.parametrize("path", PAGES)
async def test_a_door_where_others_could_come_in(owner, path):
    """Without the word there is nothing but the door, the style and what machines ask."""
    browser = await owner(WORD)
    answer = await browser.get(path)
    form = await browser.post("/policy", data={}, headers=ORIGIN)

    assert (303, "/signin", 401) == (answer.status_code, answer.headers["location"], form.status_code)


async def test_signing_in_and_out(owner, clock):
    """The word opens the door for twelve hours; a cookie that was made up does not."""
    browser = await owner(WORD, **ORIGIN)
    door = await browser.get("/signin")
    wrong = await browser.post("/signin", data={"seal": seal(door), "token": "x"})
    right = await browser.post("/signin", data={"seal": seal(door), "token": WORD})
    inside = await browser.get("/")
    forged = await (await owner(WORD)).get("/", headers={"Cookie": "capper_owner=9999999999.0"})
    clock.forward(hours=13)
    late = await browser.get("/")

    assert [403, 303, 200, 303, 303] == [each.status_code for each in (wrong, right, inside, forged, late)]
    assert all(word in right.headers["set-cookie"] for word in ("HttpOnly", "SameSite=strict"))
    assert WORD not in right.headers["set-cookie"]


async def test_tries_are_few(owner, clock, caplog):
    """After five wrong words not even the right one opens, for a minute; and the log says that somebody tried."""
    browser = await owner(WORD, **ORIGIN)
    word = seal(await browser.get("/signin"))
    for _ in range(5):
        await browser.post("/signin", data={"seal": word, "token": "x"})
    soon = await browser.post("/signin", data={"seal": word, "token": WORD})
    clock.forward(minutes=1)
    later = await browser.post("/signin", data={"seal": word, "token": WORD})

    assert (403, 303) == (soon.status_code, later.status_code)
    assert 6 == caplog.text.count("refused: a token to sign in that is wrong")


def test_nobody_else_waits_for_who_guesses():
    """Tries are counted by where they come from, and of how many places is bounded; the owner elsewhere signs in all the while."""
    sessions = Sessions(WORD)
    for _ in range(5):
        sessions.begin("x", place_of("192.0.2.1"), NOON)
    for number in range(2000):
        sessions.begin("x", place_of(f"2001:db8:0:{number:x}::1"), NOON)
    for host in range(5):
        sessions.begin("x", place_of(f"2001:db8::{host:x}"), NOON)
    places = "192.0.2.2", "2001:db8::ffff", "2001:db8:1::1", "fe80::1%eth0", "unix"

    assert [True, False, True, True, True] == [bool(sessions.begin(WORD, place_of(each), NOON)) for each in places]


async def test_figures_for_who_has_the_word(house, owner, caplog):
    """In Prometheus' own form, without a name in them; a wrong word is logged, and what it was is not."""
    house.journal.totals.withheld = 3
    browser = await owner(WORD)
    answers = [
        await browser.get("/metrics", headers=headers)
        for headers in ({}, {"Authorization": f"Bearer {WORD}"}, {"Authorization": f"Bearer {SCRAPE}"})
    ]
    text = answers[2].text

    assert [401, 401, 200] == [each.status_code for each in answers]
    assert (1, False) == (caplog.text.count("refused: a bearer token"), WORD in caplog.text)
    assert 'capper_ads_total{outcome="withheld"} 3.0' in text
    assert (
        "capper_ledger_up 1.0" in text,
        "capper_people 2.0\n" in text and "capper_policy_version 0.0\n" in text,
        "anna" in text,
    ) == (True, True, False)


async def test_figures_of_several_workers(house):
    """Together as one's would be, and what tells them apart: who serves how many, and who was started anew."""
    board = Board(2)
    board.workers[0].totals.shown, board.workers[1].totals.shown = 2, 3
    board.workers[1].connections = board.workers[1].restarts = 4
    app = create_owner_app(replace(house, board=board), SCRAPE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8081") as browser:
        text = (await browser.get("/metrics", headers={"Authorization": f"Bearer {SCRAPE}"})).text

    assert 'capper_ads_total{outcome="shown"} 5.0' in text
    assert 'capper_worker_ads_total{worker="1"} 2.0' in text
    assert 'capper_worker_connections{worker="2"} 4.0' in text
    assert 'capper_worker_restarts_total{worker="2"} 4.0' in text


async def test_health_for_machines(house, owner, monkeypatch):
    """200 while the ledger answers, 503 while it does not; no word is needed, and nothing is told."""
    browser = await owner(WORD)
    well = await browser.get("/healthz")

    async def ill():
        return replace(await type(house.ledger)().health(), ok=False)

    monkeypatch.setattr(house.ledger, "health", ill)
    unwell = await browser.get("/healthz")

    assert [(200, {"status": "ok"}), (503, {"status": "degraded"})] == [
        (each.status_code, each.json()) for each in (well, unwell)
    ]


async def test_machines_ask_by_any_name(owner):
    """In a container or a cluster we are called otherwise; without the word there is nothing all the same."""
    browser = await owner(WORD, Host="capper.monitoring.svc:8081")
    answers = [await browser.get(path) for path in ("/healthz", "/metrics", "/policy")]

    assert [200, 401, 421] == [each.status_code for each in answers]


def test_tokens_are_made_once_for_their_owner_only(tmp_path):
    """Each of its own, kept, and readable by nobody else."""
    words = [token(tmp_path, OWNER), token(tmp_path, METRICS), token(tmp_path, OWNER)]

    assert (words[0], 2) == (words[2], len(set(words)))
    assert [0o600, 0o600] == [(tmp_path / name).stat().st_mode & 0o777 for name in (OWNER, METRICS)]


async def given(house, owner, person: str, device: str = "d8%3A3a%3Add%3A00%3A00%3A01"):
    """What comes of giving a device to somebody."""
    file = house.settings.policy
    file.write_text('caps = []  # mine\n[people.anna]\ndevices = ["127.0.0.2"]\n')
    browser = await owner(**ORIGIN)
    page = await browser.get("/policy")
    answer = await browser.post("/people", data={"seal": seal(page), "device": device, "person": person})
    return answer, {name: one.devices for name, one in load_policy(file).people.items()}


@pytest.mark.parametrize(
    ("person", "people"),
    [
        (" anna ", {"anna": ("127.0.0.2", "d8:3a:dd:00:00:01")}),
        ("ben", {"anna": ("127.0.0.2",), "ben": ("d8:3a:dd:00:00:01",)}),
    ],
)
async def test_a_device_is_given_to_somebody(house, owner, person, people):
    """To one who is there, or to one who comes with it; the rest of the policy stays as it was written."""
    answer, found = await given(house, owner, person)

    assert (303, people) == (answer.status_code, found)
    assert "caps = []  # mine" in house.settings.policy.read_text()


@pytest.mark.parametrize(
    "words",
    [("household",), ("",), ("a\nb",), ("anna", "127.0.0.2"), ("ben", "127.0.0.2"), ("ben", "%ff"), ("ben", "x y")],
)
async def test_what_cannot_be_given_is_told(house, owner, words):
    """A name that nobody can have, a device that is somebody's already or none."""
    answer, found = await given(house, owner, *words)

    assert (200, {"anna": ("127.0.0.2",)}) == (answer.status_code, found)
    assert 'role="alert"' in answer.text


async def test_a_version_in_force_is_what_is_edited(house, owner):
    """Where a policy was put in force for several cappers, saving makes the next version, and a file that said the same follows."""
    old, new = house.settings.policy.read_text(), "caps = []\n"
    await enact(house.ledger.versions, old, "somebody", "", NOON, seen=0)
    browser = await owner(**ORIGIN)
    page = await browser.get("/policy")
    form = {"seal": seal(page), "base": field(page, "base"), "do": "save", "text": new}
    saved = await browser.post("/policy", data=form)
    late = await browser.post("/policy", data=form)
    versions = await house.ledger.versions.all()

    assert (303, 200) == (saved.status_code, late.status_code)
    assert [(1, old), (2, new)] == [(each.number, each.text) for each in versions]
    assert ("the owner", new) == (versions[-1].who, house.settings.policy.read_text())
    assert "was changed meanwhile" in late.text


async def test_a_policy_that_fails_its_own_tests_is_not_saved(house, owner):
    """What is expected beside the rules holds here too."""
    browser = await owner(**ORIGIN)
    page = await browser.get("/policy")
    text = 'caps = []\n[[tests]]\nadvertiser = "shoes.example"\nexpect = "withhold"\n'
    form = {"seal": seal(page), "base": field(page, "base"), "do": "save", "text": text}
    answer = await browser.post("/policy", data=form)

    assert "expected withhold, found show" in answer.text
    assert 'caps = ["3 per advertiser per day"]\n' == house.settings.policy.read_text()


async def test_what_is_not_there_and_what_cannot_be_read(house, owner, monkeypatch):
    """A page says so, in the reader's language: no bare word of a server's."""
    browser = await owner(**{"Accept-Language": "nl"})
    answers = [await browser.get("/nothing")]
    house.settings.policy.write_bytes(b"\xff")
    answers.append(await browser.get("/policy"))

    async def gone(*_):
        raise LedgerUnavailable("the ledger is gone")

    monkeypatch.setattr(type(house.ledger.versions), "all", gone)
    answers.append(await browser.get("/policy"))

    assert [404, 500, 503] == [answer.status_code for answer in answers]
    assert ["Hier is niets", "Het beleid kan niet gelezen worden", "Het telregister antwoordt niet"] == [
        re.search("<h1>(.*)</h1>", answer.text)[1] for answer in answers
    ]


async def test_health_in_the_readers_language(owner):
    """Numbers as her language writes them, and no English among the parts that are in order."""
    page = (await (await owner(**{"Accept-Language": "de"})).get("/")).text
    details = re.findall(r"<td>\s*([^<]*?)\s*</td></tr>", page)

    assert "nur im Speicher: weg, sobald capper endet" in details
    assert any(re.fullmatch(r"\d Listen, [\d.]+ Regeln", each) for each in details)
