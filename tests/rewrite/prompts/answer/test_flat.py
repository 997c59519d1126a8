"""A flat list of values that name each other by number loses a prompt, and every number still names what it named."""

import json

import pytest

PROMPT = "Je staat klaar om te lenen: € 3.000 krediet voor jou"


def resolved(values, number=0):
    """What a flat list says."""
    value = values[number]
    if isinstance(value, dict):
        name = {key: values[int(key[1:])] if key[0] == "_" else key for key in value}
        return {name[key]: resolved(values, each) for key, each in value.items()}
    if isinstance(value, list):
        return resolved(values, value[1]) if isinstance(value[0], str) else [resolved(values, each) for each in value]
    return value


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            [
                {"data": 1},
                {"hero": 2, "items": 5},
                {"title": 3, "cta": 4},
                PROMPT,
                "Leen nu",
                [6],
                {"title": 7},
                "Stoel",
            ],
            {"data": {"items": [{"title": "Stoel"}]}},
        ),
        (
            [["ShallowReactive", 1], {"tiles": 2}, [3, 4], {"title": 5}, {"title": 6}, PROMPT, "Stoel"],
            {"tiles": [{"title": "Stoel"}]},
        ),
        ([{"_1": 2, "_5": 6}, "hero", {"_3": 4}, "title", PROMPT, "name", "Joke"], {"name": "Joke"}),
        (
            [{"hero": 1, "card": 2}, {"title": 3, "label": 4}, {"label": 4, "title": 5}, PROMPT, "Winkel", "Stoel"],
            {"card": {"label": "Winkel", "title": "Stoel"}},
        ),
    ],
    ids=["nuxt", "wrapped", "react router", "shared"],
)
def test_members_go_and_numbers_hold(left, values, expected):
    """The object it is in loses the member; nothing moves, and what others name too stays."""
    stripped = left(json.dumps(values, ensure_ascii=False), "json")

    assert PROMPT not in stripped
    assert len(values) == len(json.loads(stripped))
    assert expected == resolved(json.loads(stripped))


def test_within_another_document(left):
    """SvelteKit's nodes hold such lists."""
    flat = [{"hero": 1, "n": 3}, {"title": 2}, PROMPT, 5]
    whole = {"type": "data", "nodes": [None, {"type": "data", "data": flat, "uses": {}}]}
    stripped = json.loads(left(json.dumps(whole, ensure_ascii=False), "json"))

    assert {
        "type": "data",
        "nodes": [None, {"type": "data", "data": [{"n": 3}, {"title": 2}, "", 5], "uses": {}}],
    } == stripped


@pytest.mark.parametrize(
    "values",
    [
        [{"a": 0}, {"b": 0}, PROMPT],
        [{"a": 1}, [1, 1, 2], {"t": 3, "me": 2}, "x", PROMPT],
        [{f"k{n}": 1 for n in range(30)}, *({f"k{n}": at + 2 for n in range(30)} for at in range(30)), "x", {"t": 30}],
        [{"a": -1}, {"b": -7}, "x"],
    ],
    ids=["itself", "rings", "thirtyfold", "nothing"],
)
@pytest.mark.timeout(20)
def test_rings_and_bombs(left, values):
    """A value that holds itself, or more than memory does, is left."""
    written = json.dumps(values)

    assert written == left(written, "json")
