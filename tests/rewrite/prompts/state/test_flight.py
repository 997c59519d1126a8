"""What Next.js streams loses its prompts wherever it was cut into pieces, and every other row stays as it was."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capper.gate.credit import Credit

PROMPT = "Je staat klaar om te lenen: € 3.000 krediet voor jou"
CARD = ["$", "section", None, {"className": "card", "children": [["$", "h2", None, {"children": PROMPT}]]}]
MAIN = [
    "$",
    "main",
    None,
    {"children": [["$", "h1", None, {"children": "Welkom"}], CARD, ["$", "p", None, {"children": "Stoel"}]]},
]
LONG = "Wij lezen € en é: elk drie of twee bytes.\n5:[niet een rij]"
ROWS = [
    '1:"$Sreact.fragment"',
    '2:I[1234,["chunks/a.js"],"default"]',
    f"3:T{len(LONG.encode()):x},{LONG}4:" + json.dumps(MAIN, ensure_ascii=False),
    '5:{"title":"Winkel"}',
]
STREAM = "\n".join(ROWS) + "\n"
CREDIT = Credit.load()


def page(stream, cuts):
    """A page with a stream cut into pieces at these places."""
    places = [0, *sorted(cuts), len(stream)]
    pushes = "".join(
        f"<script>self.__next_f.push({json.dumps([1, stream[start:end]])})</script>"
        for start, end in pairwise(places)
    ).replace("</s", "\0").replace("</", "<\\/").replace("\0", "</s")  # fmt: skip
    return (
        "<!doctype html><html lang=nl><body><main><h1>Welkom</h1>"
        f"<section class=card><h2>{PROMPT}</h2></section><p>Stoel</p></main>"
        f"<script>(self.__next_f=self.__next_f||[]).push([0])</script>{pushes}</body></html>"
    )


def streamed(page):
    """What a page streams in all."""
    return "".join(json.loads(push)[1] for push in re.findall(r"push\((\[1,.*?\])\)</script>", page))


@settings(max_examples=60)
@given(st.lists(st.integers(0, len(STREAM)), max_size=5))
def test_wherever_it_was_cut(cuts):
    """The element goes from its row, and the rows around it are what they were."""
    whole = page(STREAM, cuts)
    left = CREDIT.strip(whole.encode(), "text/html", "https://shop.example/", "utf-8").data.decode()
    children = MAIN[3]["children"]
    bare = ["$", "main", None, {"children": [children[0], children[2]]}]

    assert "krediet" not in left
    assert STREAM.replace(json.dumps(MAIN, ensure_ascii=False), json.dumps(bare)) == streamed(left)
    assert left.count("__next_f.push") == whole.count("__next_f.push")


@pytest.mark.parametrize(
    "stream", ["no rows at all " + PROMPT, "4:[broken " + PROMPT, "T:" + PROMPT, "3:Tffffff," + PROMPT]
)
def test_what_is_no_stream(stream):
    """It is left as it is."""
    left = CREDIT.strip(page(stream, [3]).encode(), "text/html", "https://shop.example/", "utf-8").data.decode()

    assert stream == streamed(left)
