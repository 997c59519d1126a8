"""JSON stays JSON whatever is cut of it, and what is not cut stays to the byte, however much of it there is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import CapperError
from capper.gate.credit import Credit

PROMPT = "You are pre-approved for a loan of up to $5,000. Apply now!"
LINES = st.sampled_from(
    ["Your parcel is on its way", PROMPT, "Hi Ann", "Borrow $5,000", "$5,000", "Apply now", "x", "", "ç"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99999) | LINES | LINES.map(lambda text: f"<p>{text}</p><b>Ann</b>") | LINES.map(json.dumps),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["title", "text", "id", "offers", "limit", "a", "preApproved"]), inner, max_size=5)
    ),
    max_leaves=25,
)  # fmt: skip
CREDIT = Credit.load()


def strip(text):
    return CREDIT.strip(text.encode(), "application/json", "https://shop.example/api", "utf-8")


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_stays_json(value, indent, ascii_):
    """Whatever is cut, what is left can be read, and holds nothing that was not there."""
    source = json.dumps({"tiles": [value], "last": {"title": PROMPT}}, indent=indent, ensure_ascii=ascii_)
    stripped = json.loads(strip(source).data)

    assert _within(stripped, json.loads(source))
    assert "last" not in stripped


def _within(part, whole):
    """Whether one value is another with parts taken out."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _within(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        rest = iter(whole)
        return all(any(_within(value, each) for each in rest) for value in part)
    if isinstance(part, str) and isinstance(whole, str):
        rest = iter(whole)
        return part == whole or all(any(letter == each for each in rest) for letter in part)
    return part == whole or part is None


@given(VALUES, st.data())
def test_half_a_document(value, data):
    """What is broken off is left as it is."""
    source = json.dumps({"last": {"title": PROMPT}, "tiles": [value]})
    source = source[: data.draw(st.integers(2, len(source) - 1))].encode()
    try:
        stripped = CREDIT.strip(source, "application/json", "https://shop.example/api", "utf-8")
    except CapperError:
        return

    assert source is stripped.data


def test_much_of_it():
    """In two megabytes the one prompt is found, and nothing else is touched."""
    tiles = [{"id": n, "title": f"Parcel {n}", "more": {"x": [n] * 9}} for n in range(20_000)]
    source = json.dumps({"tiles": tiles, "hero": {"title": PROMPT, "cta": "Apply now"}, "rest": tiles[:9]})
    stripped = strip(source)

    assert json.dumps({"tiles": tiles, "rest": tiles[:9]}) == stripped.data.decode()


def test_much_of_nothing_else():
    """A list of prompts without end costs what a list of some costs, and stays JSON."""
    tiles = [{"id": n, "title": f"You are pre-approved for a loan of up to ${n},000. Apply now!"} for n in range(9_000)]
    stripped = json.loads(strip(json.dumps({"tiles": tiles})).data)

    assert len(stripped["tiles"]) < len(tiles)


@pytest.mark.parametrize("sum_", ["850", "85000", "850.00"])
def test_a_sum_that_a_member_s_name_says_is_offered(sum_):
    """In whole money or in hundredths of it: words beside it that name the sum are of the prompt."""
    source = (
        f'{{"purchases":[{{"name":"Decathlon","amount":4999}}],"purchasePower":{sum_},'
        '"banner":{"text":"Je kunt nog € 850,00 uitgeven"}}'
    )

    assert '{"purchases":[{"name":"Decathlon","amount":4999}]}' == strip(source).data.decode()
