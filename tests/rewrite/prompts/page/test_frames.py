"""A frame whose document stands in the page: it loses its prompts, and goes where nothing else is in it."""

from html import escape, unescape

import pytest

PROMPT = "<p>Je kunt nog € 2.500 lenen, al goedgekeurd voor jou</p>"
PARCEL = "<p>Je pakket is onderweg</p>"


def page(html, *, mark='"', before=""):
    written = escape(html) if mark == '"' else html
    return f"<main><p>Welkom bij onze winkel</p>{before}<iframe title=x srcdoc={mark}{written}{mark} height=200></iframe></main>"


@pytest.mark.parametrize("mark", ['"', "'"])
def test_what_else_is_in_it_stays(left, mark):
    """However it is written; what is written anew is written for an attribute."""
    whole = f'<!doctype html><html><head><style>p{{color:red}}</style></head><body class="a">%s{PARCEL}</body></html>'

    stripped = left(page(whole % PROMPT, mark=mark))

    assert whole % "" == unescape(stripped.partition('srcdoc="')[2].partition('"')[0])
    assert page(whole % "") == stripped


@pytest.mark.parametrize(
    "html", [PROMPT, f"<!doctype html><title>Aanbod</title><style>p{{margin:0}}</style><body>{PROMPT}<!-- x --></body>"]
)
def test_a_frame_for_a_prompt_goes(left, html):
    """It would be an empty hole."""
    assert "<main><p>Welkom bij onze winkel</p></main>" == left(page(html))


def test_a_picture_is_something_else(left):
    """Of a frame that shows more than words only the prompt goes."""
    assert page("<img src=/a.png>") == left(page(f"<img src=/a.png>{PROMPT}"))


def test_a_frame_in_a_frame_stays(left):
    """Documents in documents in documents are read no deeper."""
    inner = page(page(PROMPT))

    assert page(inner) == left(page(inner))


def test_a_long_page(left):
    """Its frame is found among very much that has no word of credit."""
    much = f"<p>{'Een gewone zin over een tafel van eikenhout. ' * 200}</p>"
    whole = page(f'<div class="card promo"><h2>Voor jou</h2>{PARCEL}%s</div>', before=much)

    assert whole.replace("%s", "") == left(whole.replace("%s", escape(PROMPT)))


def test_marked(credit):
    """The frame is outlined, its document stays."""
    data = page(PROMPT + PARCEL).encode()

    marked = credit.strip(data, "text/html", "https://shop.example/", "utf-8", mark=True).data

    assert data == marked.replace(b' style="outline:3px dashed #b58900;outline-offset:2px"', b"")
    assert data != marked
