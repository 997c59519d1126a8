"""Whatever a body is made of and written in, its prompt goes and every other byte stays; what cannot be read stays whole."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import CapperError, Unrewritable
from capper.domain.exchange import Action, Outcome
from capper.domain.policy import CreditPrompts
from capper.gate.credit import Credit
from capper.testing import an_exchange

PROMPT = "Vous êtes présélectionnée : 4 000 € de crédit préaccepté pour vous, profitez-en !"
PAGE = f"<!doctype html><html lang=fr><body><p>Bonjour Zoé, été</p>@<p>{PROMPT}</p>@<p>Théière à 20 euros</p></body></html>"
ANSWER = json.dumps({"tiles": ["@", {"title": PROMPT}, {"title": "Théière"}]}, ensure_ascii=False)
TEXT = f"Bonjour Zoé\n@{PROMPT}\n@Théière à 20 euros\n"
STATE = f'<script>window.__S__={{"hero":{{"title":"{PROMPT}"}},"n":["été","@"]}}</script>'


def delivered(credit, body, content_type):
    """What comes instead of a body; the body itself where nothing is changed."""
    exchange = an_exchange("https://shop.example/home", response={"Content-Type": content_type}, body=body)
    changed = credit.without(exchange, Outcome(Action.PASS), CreditPrompts.STRIP, 10_000_000)
    return changed[0].body if changed else body


@pytest.mark.parametrize(
    ("codec", "label"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "windows-1252"), ("cp1252", "iso-8859-1"), ("iso8859-15", "l9")],
)  # fmt: skip
@pytest.mark.parametrize(
    ("whole", "media_type"), [(PAGE, "text/html"), (ANSWER, "application/json"), (TEXT, "text/plain")]
)
def test_in_the_charset_it_is_said_to_be_in(credit, codec, label, whole, media_type):
    """The rest stays in it, to the byte."""
    body = whole.encode(codec)
    left = delivered(credit, body, f"{media_type}; charset={label}")

    assert PROMPT not in left.decode(codec)
    assert all(words.encode(codec.replace("-sig", "")) in left for words in ("@", "Théière"))
    assert body.startswith(left[:10])


@pytest.mark.parametrize("lang", ["", " lang=pl"])
@pytest.mark.parametrize("codec", ["iso8859-2", "cp1250"])
def test_of_the_middle_of_europe(credit, codec, lang):
    """Letters that other charsets have not."""
    page = f"<!doctype html><html{lang}><p>Witaj Łucja, dzień dobry</p>%s<p>Żółty czajnik jest w drodze</p></html>"
    body = page % "<p>Przyznaliśmy Ci limit kredytowy do 4 200 zł, już czeka na Ciebie. Skorzystaj!</p>"

    assert (page % "").encode(codec) == delivered(credit, body.encode(codec), f"text/html; charset={codec}")


@pytest.mark.parametrize(
    ("codec", "content_type"),
    [
        ("utf-8", "text/html; charset=windows-1252"), ("cp1252", "text/html; charset=utf-8"), ("cp1252", "text/html"),
        ("utf-8", "text/html; charset=iso-8859-2"), ("cp1252", "application/json"), ("utf-8", "application/json; charset=latin1"),
        ("cp1252", "application/json; charset=utf-8"), ("cp1252", "text/plain"), ("utf-8", "text/plain; charset=latin1"),
    ],
)  # fmt: skip
def test_in_another_than_it_is_said_to_be_in(credit, codec, content_type):
    """UTF-8 looks like nothing else; what is not UTF-8 cannot be."""
    whole = {"text/html": PAGE, "application/json": ANSWER, "text/plain": TEXT}[content_type.partition(";")[0]]
    left = delivered(credit, whole.encode(codec), content_type).decode(codec)

    assert PROMPT not in left
    assert "Théière" in left


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"])
@pytest.mark.parametrize(
    ("whole", "media_type"), [(PAGE, "text/html"), (ANSWER, "application/json"), (TEXT, "text/plain")]
)
def test_in_a_charset_that_cannot_be_edited(credit, codec, whole, media_type):
    """Where a byte is not a letter's, nothing is cut."""
    body = whole.encode(codec)
    try:
        left = delivered(credit, body, f"{media_type}; charset={codec}")
    except Unrewritable:
        return

    assert body is left


def test_bytes_that_are_no_letters(credit):
    """State loses its prompt though some of the page is damaged, and what is damaged stays so."""
    body = PAGE.replace("@", STATE, 1).encode().replace(b'"@"', b'"\xff\xfe@"')
    left = delivered(credit, body, "text/html; charset=utf-8")

    assert PROMPT.encode() not in left
    assert '<script>window.__S__={"n":["été","'.encode() + b'\xff\xfe@"]}</script>' in left


CREDIT = Credit.load()


@given(st.data(), st.binary(max_size=40), st.sampled_from(["utf-8", "cp1252"]))
def test_cut_off_anywhere(data, junk, codec):
    """Half a page, with anything in it, comes back whole or with parts missing; no byte is another than it was."""
    body = PAGE.replace("@", STATE).encode(codec, "replace")
    at, end = (data.draw(st.integers(0, len(body))) for _ in range(2))
    body = body[:at] + junk + body[at:end]
    try:
        left = CREDIT.strip(body, "text/html", "https://shop.example/", codec).data
    except CapperError:
        return
    rest = iter(body)

    assert all(any(byte == each for each in rest) for byte in left)
