"""Credit prompts wherever a page may hold them, and what stands beside them; shops, people and sums are made up."""

import json

import pytest

from capper.gate.credit import Credit

PROMPT = "Je staat klaar om te lenen: € 3.000 krediet voor jou"
STATE = {"user": {"name": "Joke"}, "hero": {"title": PROMPT, "cta": "Leen nu"}, "items": [{"title": "Stoel"}]}
BARE = {"user": {"name": "Joke"}, "items": [{"title": "Stoel"}]}


@pytest.fixture(scope="module")
def credit():
    return Credit.load()


def page(credit, inside, url="https://shop.example/", lang="nl"):
    whole = (
        f"<!doctype html><html lang={lang}><title>x</title><body><p>Welkom bij onze winkel</p>{inside}</body></html>"
    )
    return credit.strip(whole.encode(), "text/html", url, "utf-8").data.decode(), whole


@pytest.mark.parametrize(
    "write",
    [
        lambda text: f'<script type="application/json">{text}</script>',
        lambda text: f"<script>window.__STATE__ = {text};</script>",
        lambda text: f"<script>s = JSON.parse({json.dumps(text)});</script>",
        lambda text: "<script>s = JSON.parse('" + text.replace('"', "\\u0022") + "');</script>",
    ],
)
def test_state_however_it_is_written(credit, write):
    """A page's state loses the module that is a prompt, and stays what its scripts can read."""
    left, _ = page(credit, write(json.dumps(STATE, ensure_ascii=False)))

    assert "3.000" not in left
    assert all(word in left for word in ("Joke", "items", "Stoel"))


def test_json_in_an_attribute(credit):
    """What a component is given in an attribute loses its prompt and stays JSON."""
    held = json.dumps(STATE, ensure_ascii=False).replace('"', "&quot;")
    left, _ = page(credit, f'<div data-props="{held}"></div>')

    assert f'data-props="{json.dumps(BARE).replace(chr(34), "&quot;")}"' in left


def test_streamed_rows(credit):
    """Of rows a framework streams an element goes whole, and the others stay as they were."""
    rows = f'5:["$","p",null,{{"children":"{PROMPT}"}}]\n6:["$","p",null,{{"children":"Stoel"}}]\n'
    left, _ = page(credit, f"<script>self.__next_f.push({json.dumps([1, rows])})</script>")

    assert json.dumps([1, '5:null\n6:["$","p",null,{"children":"Stoel"}]\n']) in left


def test_a_hint_behind_a_way_to_pay(credit):
    """What recommends a way to pay later goes, its name stays, and it is not chosen beforehand."""
    left, _ = page(
        credit,
        "<label><input type=radio name=p value=later checked>Achteraf betalen</label><small>Slimste keuze voor jou!</small>"
        "<label><input type=radio name=p value=ideal>iDEAL</label><p>Te betalen € 84,20</p>",
        "https://shop.example/kassa",
    )

    assert "Slimste" not in left
    assert "checked" not in left
    assert all(word in left for word in ("Achteraf betalen", "iDEAL", "Te betalen € 84,20"))


@pytest.mark.parametrize("path", ["/cadeaukaarten", "/mijn/retouren", "/jobs/kreditanalyst", "/spaarpunten"])
def test_her_own_money(credit, path):
    """On a page about her own money, or about something else altogether, a sum that is there for her stays."""
    left, whole = page(credit, "<p>Er staat € 250 voor je klaar om te besteden</p>", f"https://shop.example{path}")

    assert whole == left


def test_attributes_of_a_component(credit):
    """Of a component's attributes those that are a prompt go, a greeting stays."""
    left, _ = page(credit, f'<x-card hallo="Hallo Davide" zin="{PROMPT}"></x-card>')

    assert "3.000" not in left
    assert "Hallo Davide" in left
