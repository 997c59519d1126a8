"""What comes from elsewhere is refused, and the log says so."""

import re

import pytest

ORIGIN = {"Origin": "https://capper.internal"}
PAUSE = {"minutes": "30"}


def seal(answer) -> str:
    return re.search(r'name="seal" value="(\w+)"', answer.text)[1]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://capper.internal"},
        {"Origin": "https://capper.internal.evil.example"},
        ORIGIN | {"Sec-Fetch-Site": "cross-site"},
        ORIGIN | {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_of_another_site_is_refused(house, browser, caplog, headers):
    """Even with the right word in it, by what the browser says of where it comes from; and it is logged."""
    anna = await browser("anna")
    answer = await anna.post("/pause", data=PAUSE | {"seal": seal(await anna.get("/data"))}, headers=headers)

    assert (403, False) == (answer.status_code, (house.settings.state / "pauses.toml").exists())
    assert "refused: POST '/pause': " in caplog.text


@pytest.mark.parametrize("word", ["", "0" * 36, "\u00e9", "another's", "yesterday's"])
async def test_a_form_without_her_word_is_refused(house, browser, clock, caplog, word):
    """No word, a made-up one, ben's, or one that is two days old."""
    anna, ben = await browser("anna", **ORIGIN), await browser("ben")
    if word == "another's":
        word = seal(await ben.get("/data"))
    elif word == "yesterday's":
        word = seal(await anna.get("/data"))
        clock.forward(days=2)
    answer = await anna.post("/pause", data=PAUSE | {"seal": word})

    assert (403, False) == (answer.status_code, (house.settings.state / "pauses.toml").exists())
    assert "the form is not hers" in caplog.text


@pytest.mark.parametrize(
    "host", ["evil.example", "capper.internal.evil.example", "127.0.0.1", "", "[", "a.capper.internal"]
)
async def test_a_name_that_was_pointed_at_us_is_refused(browser, caplog, host):
    """DNS rebinding: another site's name leads here, and gets nothing."""
    anna = await browser("anna")
    answer = await anna.get("/followers", headers={"Host": host})

    assert (421, True) == (answer.status_code, "is not ours" in caplog.text)


async def test_a_page_cannot_be_asked_for_by_another_page(browser):
    """Neither as a picture nor by script; a link to it is a link."""
    anna = await browser("anna", **{"Sec-Fetch-Site": "cross-site"})
    answers = [
        await anna.get("/export.json", headers={"Sec-Fetch-Mode": mode}) for mode in ("no-cors", "cors", "navigate")
    ]

    assert [403, 403, 200] == [answer.status_code for answer in answers]


async def test_forms_are_small_and_forms(browser):
    """Another kind of body, one that is too large, or one with too many fields is not read."""
    anna = await browser("anna", **ORIGIN)
    answers = [
        await anna.post("/pause", json={"minutes": 30}),
        await anna.post("/pause", data={"seal": "x" * 700_000}),
        await anna.post("/pause", data={f"n{n}": "" for n in range(30)}),
        await anna.post("/pause", content=b"\xff=1", headers={"Content-Type": "application/x-www-form-urlencoded"}),
    ]

    assert [415, 413, 400, 400] == [answer.status_code for answer in answers]


@pytest.mark.parametrize("path", ["/followers", "/export.json", "/dashboard.css", "/nothing", "/pause"])
async def test_every_answer_says_what_it_may_do(browser, path):
    """No script, no other host, no frame around it, and no cache."""
    answer = await (await browser("anna")).get(path)

    assert "default-src 'none'; style-src 'self'" in answer.headers["content-security-policy"]
    assert ("no-store", "nosniff", "same-origin") == tuple(
        answer.headers[name] for name in ("cache-control", "x-content-type-options", "referrer-policy")
    )


async def test_a_refusal_shows_nothing_a_terminal_obeys(browser, caplog):
    """What came from outside is quoted in the log."""
    anna = await browser("anna")
    await anna.post("/pause", headers={"Origin": "https://x\x1b[2J"}, data={})
    await anna.request("G\x1b[2JT", "/data", headers={"Origin": "https://x"})

    assert (False, 2) == ("\x1b" in caplog.text, caplog.text.count("refused: "))


@pytest.mark.parametrize(
    "host",
    [
        "evil@capper.internal",
        "capper.internal/x",
        "capper.internal?x",
        "evil.example\\@capper.internal",
        "capper.internal:x",
    ],
)
async def test_a_name_that_others_would_read_otherwise_is_refused(browser, host):
    """A Host field is a name and perhaps a port: in whatever else there is ours could be only a part."""
    anna = await browser("anna")
    answer = await anna.get("/followers", headers={"Host": host})

    assert 421 == answer.status_code


async def test_a_page_cannot_be_shown_within_another(browser, caplog):
    """Whatever element frames it: a frame's page could lay its own buttons over ours, or measure how long it takes."""
    anna = await browser("anna", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    kinds = ("iframe", "frame", "object", "embed", "document")
    answers = [await anna.get("/followers", headers={"Sec-Fetch-Dest": kind}) for kind in kinds]

    assert [403, 403, 403, 403, 200] == [answer.status_code for answer in answers]
    assert 4 == caplog.text.count("refused: GET '/followers': another site asks for it")


@pytest.mark.parametrize(
    "path", ["/static/..%2f..%2fsecret", "/%2e%2e/secret", "/%252e%252e/secret", "/a%00.css", "/..%5csecret"]
)
async def test_a_path_that_climbs_is_refused(browser, caplog, path):
    """However it is written; and it is logged."""
    answer = await (await browser("anna")).get(path)

    assert (404, True) == (answer.status_code, "the path leads elsewhere" in caplog.text)


async def test_a_web_socket_is_refused(browser):
    """No page elsewhere can open one: there is none."""
    answer = await (await browser("anna")).get("/followers", headers={"Connection": "Upgrade", "Upgrade": "websocket"})

    assert 400 == answer.status_code
