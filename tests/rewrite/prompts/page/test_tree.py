"""A page's boxes stand where the source has them, and of a page with very many only those that are hot are looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.markup import parse
from capper.rewrite.prompts.base import Heat
from capper.rewrite.prompts.page.strip import Page
from capper.rewrite.prompts.page.tree import Box, Run, Soil

PROMPT = "You are pre-approved to borrow £4,000. Claim it now!"
KINDS = {
    "closed": "<div class=c><p>Scarf {n} of wool</p></div>",
    "never closed": "<p>Scarf {n} of wool",
    "bare": "Scarf {n} of wool<br>",
    "rows": "<tr><td>Scarf {n}<td>of wool",
    "entries": "<li>Scarf {n}\n",
    "wrapped": "<a href=/{n}><b>Scarf {n}</b> of wool</a> ",
}


def grown(source, hits=None):
    """The root of a page's boxes."""
    return Soil(parse(source.encode()), Heat(hits)).root()


def test_boxes_and_texts_in_order():
    """Each with the bytes it stands in."""
    source = "<body>Hi <b>Ann</b><p>One<p>Two</body>"
    root = grown(source)
    kids = [(kid.text if isinstance(kid, Run) else kid.tag, source[kid.start : kid.end]) for kid in root.kids]

    assert [("Hi ", "Hi "), ("b", "<b>Ann</b>"), ("p", "<p>One"), ("p", "<p>Two")] == kids


def test_what_a_person_reads():
    """Attributes first, a line for each block, entities resolved."""
    root = grown('<body><p title="Read me first">Fish &amp; <b>chips</b></p><div>Soup</div></body>')

    assert "Read me first\nFish & chips\nSoup" == root.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [0, 1, 60, 119])
def test_of_very_many_only_the_hot_ones(credit, kind, at):
    """What is found among them is what is found when all are looked at."""
    lines = [KINDS[kind].format(n=number) for number in range(120)]
    lines[at] = KINDS[kind].format(n=1).replace("Scarf 1", PROMPT)
    body = "".join(lines)
    whole = {"rows": f"<table><tbody>{body}</table>", "entries": f"<ul>{body}</ul>"}.get(kind, body)
    data = f"<!doctype html><html lang=en><body>{whole}</body></html>".encode()
    reader = credit.reader(data, "text/html", "", "utf-8")
    hit = data.index(b"pre-approved")

    everywhere, _ = Page(data, "", reader, "utf-8").edits()
    near, _ = Page(data, "", reader, "utf-8", Heat([hit])).edits()

    assert everywhere
    assert everywhere == near


@given(
    st.lists(st.sampled_from([*KINDS.values(), "<b>", "</b>", "<div>", "</div>", "<i><p>", "text", "<!-- x -->", "</p>"]), min_size=61, max_size=90),
    st.lists(st.integers(0, 3000), max_size=4).map(sorted),
)  # fmt: skip
def test_what_is_looked_at_stands_where_it_would(parts, hits):
    """Whatever is closed or not: each box that is looked at is one of those there are, or ends where the next begins."""
    source = f"<body>{''.join(parts)}{'x' * 800}</body>"
    full, sparse = grown(source), grown(source, hits)

    def places(box: Box) -> set[tuple[str, int, int]]:
        inner = [kid for kid in box.kids if isinstance(kid, Box)]
        return {(kid.tag, kid.start, kid.end) for kid in inner}.union(*map(places, inner))

    assert places(sparse) <= places(full)
