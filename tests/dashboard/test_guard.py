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
    await (await browser("anna")).post("/pause", headers={"Origin": "https://x\x1b[2J"}, data={})

    assert "\x1b" not in caplog.text
