"""Placeholders: their size, what they say in it, and that nothing can break out of them."""

from base64 import b64encode
from hashlib import sha256
from html import unescape
from xml.etree import ElementTree as ET

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite import drawing, filler
from capper.rewrite.drawing import Layout, draw, draw_fluid, fit
from capper.rewrite.html.sizes import SOLD
from capper.rewrite.wording import Words

SVG = "{http://www.w3.org/2000/svg}"
LONG = Words("a-name-longer-than-most.example", "3 of 3 in this session", "again on Wednesday at 13:00", "3/3")


@pytest.mark.parametrize("size", sorted(SOLD))
@pytest.mark.parametrize("short", [True, False])
def test_text_fits(size, short, say):
    """In every size ads are sold in, the text stays inside the box, and there is some wherever a line fits."""
    words = say() if short else LONG
    layout = fit(*size, words)

    assert all(drawing._width(line, layout.font) <= size[0] - 2 * drawing.PAD for line in layout.lines)
    assert len(layout.lines) * layout.font * drawing.LINE <= size[1] - drawing.PAD
    assert layout.lines or min(size) < 20


@pytest.mark.parametrize(
    ("size", "lines"),
    [
        ((728, 90), ("shoes.example", "3 of 3 today", "again at 14:10")),
        ((300, 250), ("shoes.example", "3 of 3 today", "again at 14:10")),
        ((320, 50), ("shoes.example", "3 of 3 today, again at 14:10")),
        ((970, 30), ("shoes.example \u2013 3 of 3 today, again at 14:10",)),
        ((88, 31), ("3/3",)),
        ((16, 16), ()),
    ],
)
def test_less_room_less_text(size, lines, say):
    """A smaller slot says less rather than in smaller type."""
    assert fit(*size, say()).lines == lines


def test_long_names_break_at_their_dots():
    """A name too long for a line breaks where it reads as a name."""
    assert fit(160, 600, LONG).lines[:2] == ("a-name-longer-", "than-most.")


def test_nothing_to_say_nothing_said():
    """No text that fits is no text, not cut text."""
    assert fit(20, 20, LONG) == Layout((), 0)


@given(st.integers(-5, 20_000), st.integers(-5, 20_000))
def test_any_size(width, height):
    """Whatever the size, the drawing is well-formed and bounded."""
    root = ET.fromstring(draw((width, height), LONG))

    assert 0 <= int(root.get("width")) <= 8192
    assert 0 <= int(root.get("height")) <= 8192


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text(who, why):
    """Whatever the text, it is ASCII, one element, and reads back as it was."""
    words = Words(who, why, "", "", "")
    markup = draw((300, 250), words) + draw_fluid(None, words)
    body = html5lib.parse(markup, namespaceHTMLElements=False).find("body")

    assert markup.isascii()
    assert [child.tag for child in body] == [f"{SVG}svg", f"{SVG}svg"]
    assert {element.tag.removeprefix(SVG) for element in body.iter()} <= {
        "body",
        "svg",
        "rect",
        "text",
        "tspan",
        "title",
    }
    assert unescape(body[0].get("aria-label")) == unescape(drawing.ascii_text(words.sentence)) or "&#" in markup


def test_no_style_no_script_no_address(say):
    """Nothing a Content-Security-Policy could refuse is in an element's placeholder."""
    markup = draw((300, 250), say()) + draw_fluid(90, say())

    assert "style" not in markup
    assert "script" not in markup
    assert "href" not in markup
    assert markup.count("http") == markup.count('xmlns="http://www.w3.org/2000/svg"')


@pytest.mark.parametrize("size", [(1, 1), (0, 0), (300, 2), (11, 600)])
def test_slivers_are_empty(size, say):
    """A beacon's or a sliver's place stays empty."""
    assert list(ET.fromstring(draw(size, say()))) == []


def test_the_image(say):
    """The answer in place of an image is a drawing of its size that nobody keeps."""
    response = filler.image_response((300, 250), say())
    root = ET.fromstring(response.body)

    assert response.status == 200
    assert (root.get("width"), root.get("height")) == ("300", "250")
    assert dict(response.headers) == {
        "Content-Type": "image/svg+xml",
        "Content-Length": str(len(response.body)),
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Referrer-Policy": "no-referrer",
    }


def test_the_document(say):
    """The answer in place of a creative allows its own style sheet and nothing else."""
    response = filler.creative_response(say('"><script>alert(1)</script>'))
    tree = html5lib.parse(response.body, namespaceHTMLElements=False)
    style = tree.find("head/style").text
    digest = b64encode(sha256(style.encode()).digest()).decode()

    assert f"style-src 'sha256-{digest}'" in response.headers.get("content-security-policy")
    assert [element.tag for element in tree.iter()].count("script") == 0
    assert [p.get("class") for p in tree.iter("p")] == ["who", "why", "when", "short"]
    assert response.body.isascii()


def test_the_document_of_a_known_size_needs_no_style(say):
    """In a frame that its page wrote, the page's policy might refuse a style sheet."""
    document = filler.document(say(), (300, 250))

    assert b"<style" not in document
    assert b'display="block"' in document


def test_empty_ones():
    """Without words there is nothing to see."""
    assert list(ET.fromstring(filler.image((300, 250), None))) == []
    assert b"<body" not in filler.creative_response(None).body
