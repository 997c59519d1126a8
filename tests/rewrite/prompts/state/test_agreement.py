"""What is left of a page and what is left of its state agree, so that a script that takes over finds what it expects."""

import json

import pytest

PROMPT = "Je staat klaar om te lenen: € 3.000 krediet voor jou"
WARNING = "Let op! Geld lenen kost geld"
CARD = f"<section><h2>{PROMPT}</h2><a href=/x>Leen nu</a>%s</section>"
PAGE = "<!doctype html><html lang=nl><body><div id=app><p>Welkom</p>%s<p>Stoel</p></div><script>s=%s</script>%s</body></html>"
BARE = {"user": "Joke", "items": ["Stoel"]}


def state(hero):
    return json.dumps({"user": "Joke", "hero": hero, "items": ["Stoel"]}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("warning", "moved"),
    [
        (f"<small class=w>{WARNING}</small>", f"<small class=w>{WARNING}</small>"),
        (f"<ul><li>{WARNING}</li></ul>", f"<ul><li>{WARNING}</li></ul>"),
        (f"<li>{WARNING}</li>", f"<p>{WARNING}</p>"),
        (WARNING, f"<p>{WARNING}</p>"),
    ],
)
@pytest.mark.parametrize("said", [{"warning": WARNING}, {"legal": {"text": WARNING, "icon": "warn"}}, {}])
def test_a_warning_of_the_prompt_s_own(left, warning, moved, said):
    """The module goes whole, in the page and in its state; its warning stands at the page's end, which no script minds."""
    page = PAGE % (CARD % warning, state({"title": PROMPT, "cta": "Leen nu", **said}), "")

    assert PAGE % ("", json.dumps(BARE), moved) == left(page)


def test_a_warning_that_only_a_script_would_have_shown(left):
    """Nothing of it is in the page: it is put there."""
    page = PAGE % ("", state({"title": PROMPT, "cta": "Leen nu", "warning": WARNING}), "")

    assert PAGE % ("", json.dumps(BARE), f"<p>{WARNING}</p>") == left(page)


def test_a_warning_that_is_there_anyway(left):
    """A page that says it elsewhere says it once."""
    footer = f"<footer>{WARNING}</footer>"
    page = PAGE % ("", state({"title": PROMPT, "cta": "Leen nu", "warning": WARNING}), footer)

    assert PAGE % ("", json.dumps(BARE), footer) == left(page)


def test_a_warning_where_there_is_no_state(left):
    """It stays where it stood."""
    assert f"<section><small>{WARNING}</small></section>" == left(CARD % f"<small>{WARNING}</small>")


def test_a_warning_in_an_answer(left):
    """An answer has no end to put it at: the warning stays, and what it warns of goes."""
    assert {"hero": {"warning": WARNING}} == json.loads(
        left(json.dumps({"hero": {"title": PROMPT, "warning": WARNING}}), "json")
    )


@pytest.mark.parametrize(
    "hero",
    [
        {"lines": ["Je staat klaar om", "te lenen:", "€ 3.000 krediet voor jou", "Leen nu"]},
        {"parts": {"a": "Je staat klaar om", "b": "te lenen:", "c": "€ 3.000 krediet voor jou", "d": "Leen nu"}},
    ],
)
def test_what_the_page_says_in_pieces(left, hero):
    """Pieces that are no prompt by themselves go with what they are pieces of, as the page showed it."""
    card = "<section><h2>Je staat klaar om <b>te lenen:</b> <i>€ 3.000 krediet voor jou</i></h2><a href=/x>Leen nu</a></section>"
    stripped = left(PAGE % (card, state(hero), ""))

    assert [] == [words for words in ("klaar", "lenen", "3.000", "Leen nu") if words in stripped]
    assert all(words in stripped for words in ("Joke", "Stoel"))


def test_a_button_s_word_elsewhere(left):
    """What the prompt's button says is not cut where it stands beside other things."""
    items = [{"title": "Stoel", "cta": "Bekijk"}, {"title": "Tafel", "cta": "Bekijk"}]
    card = f"<section><h2>{PROMPT}</h2><a href=/x>Bekijk</a></section>"
    page = PAGE % (
        card,
        json.dumps({"hero": {"title": PROMPT, "cta": "Bekijk"}, "items": items}, ensure_ascii=False),
        "",
    )

    assert PAGE % ("", json.dumps({"items": items}), "") == left(page)
