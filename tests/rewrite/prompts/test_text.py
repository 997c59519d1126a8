"""Of lines of text those that are prompts go, of a line its sentences; all else stays as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.gate.credit import Credit
from capper.rewrite.prompts.text import sentences

PROMPT = "You are pre-approved for a loan of up to $5,000. Apply now!"
CREDIT = Credit.load()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Your parcel is here.\n{PROMPT}\nSee you soon.\n", "Your parcel is here.\nSee you soon.\n"),
        (f"Your parcel arrives on Wednesday. {PROMPT}", "Your parcel arrives on Wednesday. "),
        (f"{PROMPT}\r\n\r\nYours, the shop", "\r\nYours, the shop"),
        (PROMPT, ""),
    ],
)
def test_lines_and_sentences(left, text, expected):
    """Line ends and blank lines are nobody's prompt."""
    assert expected == left(text, "text")


@pytest.mark.parametrize("text", ["Your parcel is here.", "", "\n\n", "£25 is left on your gift card.\nHave fun!"])
def test_nothing_to_cut(text):
    """The very same bytes come back."""
    data = text.encode()

    assert data is CREDIT.strip(data, "text/plain", "https://shop.example/", "utf-8").data


@given(st.text('Hello wörld.!? \n•|–"', max_size=80))
def test_sentences_are_the_text(text):
    """Joined, they are what they were."""
    assert text == "".join(sentences(text))
