"""Credit nobody asked for goes from pages, answers, state and text; everything else stays, to the byte."""

import gzip
import html
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import CapperError
from capper.domain.exchange import Action, Outcome
from capper.domain.policy import CreditPrompts
from capper.gate.credit import Credit
from capper.testing import an_exchange

ITEMS = sorted((Path(__file__).parent / "credit").glob("items*.txt"))
TYPES = {"html": "text/html", "json": "application/json", "text": "text/plain"}
HARD = {"de-6", "en-2", "xnl-1", "xnl-4", "xen-2", "yde-3", "znl-2"}
"""Items whose wording or layout is beyond what is known of their language; recall over all is tested all the same."""


@pytest.fixture(scope="session")
def credit() -> Credit:
    """With the packs that travel with capper."""
    return Credit.load()


def items():
    """(id, kind, path, content, what must go, what must stay) of every item."""
    blocks = (block for file in ITEMS for block in re.split(r"^@ ", file.read_text("utf-8"), flags=re.MULTILINE)[1:])
    for block in blocks:
        head, _, body = block.partition("\n")
        name, _, kind, path = head.split()
        body = body.strip("\n")
        gone, kept = re.findall(r"\[\[(.*?)\]\]", body), re.findall(r"\{\{(.*?)\}\}", body)
        content = re.sub(r"\{\{(.*?)\}\}", r"\1", re.sub(r"\[\[|\]\]", "", body))
        yield name, kind, "/" if path == "-" else path, content, gone, kept


def plain(text):
    """As the scorer compares: references and escapes read, blanks and case gone."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text).replace('\\"', '"')
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", html.unescape(text))).casefold()


def strip(credit, kind, content, path="/"):
    """What is left of `content`."""
    return credit.strip(content.encode(), TYPES[kind], f"https://shop.example{path}", "utf-8").data.decode()


@pytest.mark.parametrize(
    ("name", "kind", "path", "content", "gone", "kept"), [*items()], ids=[item[0] for item in items()]
)
def test_item(credit, name, kind, path, content, gone, kept):
    """What is marked as a prompt goes, what is marked as something else stays, and what holds no prompt is not touched."""
    left = strip(credit, kind, content, path)

    assert [] == [words for words in kept if plain(words) not in plain(left)]
    if not gone:
        assert content == left
    elif name not in HARD:
        assert [] == [words for words in gone if plain(words) in plain(left)]
    if kind == "json":
        json.loads(left)


def test_most_of_all(credit):
    """Of all prompts, those not in `HARD` by name included, nine in ten go as a whole."""
    prompts = [item for item in items() if item[4]]
    hit = sum(
        all(plain(words) not in plain(strip(credit, kind, content, path)) for words in gone)
        for _, kind, path, content, gone, _ in prompts
    )

    assert hit >= 0.9 * len(prompts)


def figures(credit, files):
    """Recall, precision, what is kept of what is to be kept, in percent, as the scorer counts them."""
    prompts = hit = touched = right = keep = kept = 0
    for row in (json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()):
        host = "bank.example" if row["site_type"].startswith("bank") else "www.site.example"
        url = f"https://{host}/{row['url_path'].lstrip('/')}"
        left = plain(credit.strip(row["content"].encode(), TYPES[row["kind"]], url, "utf-8").data.decode())
        changed, prompt = left != plain(row["content"]), row["label"] == "credit_prompt"
        prompts += prompt
        hit += prompt and all(plain(span) not in left for span in row["spans"])
        touched += changed
        right += changed and prompt
        keep += len(row["keep"])
        kept += sum(plain(each) in left for each in row["keep"])
    return round(100 * hit / prompts), round(100 * right / touched), round(100 * kept / keep)


@pytest.mark.parametrize(
    ("folder", "least"), [("known", (80, 97, 98)), ("unknown", (63, 86, 95))], ids=["known", "unknown"]
)
def test_items_by_others(credit, folder, least):
    """What docs/credit.md claims of items by others still holds: of those the weights were learnt with, and of those they were not."""
    files = sorted((Path(__file__).parent / "credit" / folder).glob("*.jsonl"))

    found = figures(credit, files)

    assert [] == [(got, floor) for got, floor in zip(found, least, strict=True) if got < floor]


def test_a_page_without_the_words_is_the_very_same_object(credit):
    """Nothing is read, nothing is copied."""
    data = b"<html><body><p>Nothing to see here</p></body></html>" * 100

    assert credit.strip(data, "text/html", "https://news.example/").data is data


@pytest.mark.parametrize("path", ["/loans", "/help/article-1", "/news/2026/x", "/lenen/berekenen", "/legal/terms"])
def test_where_she_went_on_purpose(credit, path):
    """A loan page, help, news and legal text pass whole."""
    page = "<p>You're pre-approved for a loan of up to £5,000. Apply now!</p>"

    assert page == strip(credit, "html", page, path)
    assert page != strip(credit, "html", page, "/home")


def test_a_main_heading_says_why_she_is_there(credit):
    """The address says nothing, the heading does."""
    page = "<h1>Loan calculator</h1><p>You could borrow up to £5,000 today, pre-approved for you.</p>"

    assert page == strip(credit, "html", page)


def test_a_warning_in_a_card_stays(credit):
    """The card goes, the mandatory sentence stays where it was."""
    page = "<div class=c><h2>Leen tot € 9.000, al goedgekeurd voor jou</h2><p>Let op! Geld lenen kost geld</p></div>"

    assert "<div class=c><p>Let op! Geld lenen kost geld</p></div>" == strip(credit, "html", page)


def test_a_way_to_pay_is_not_chosen_beforehand(credit):
    """What recommends it goes, the option stays and can be chosen."""
    page = (
        '<label><input type="radio" name=p checked> Pay in 3 <b>Recommended for you, already approved</b></label>'
        "<label><input type=radio name=p> Card</label>"
    )

    left = strip(credit, "html", page)

    assert "checked" not in left
    assert "Pay in 3" in left
    assert "Recommended" not in left


def test_state_loses_what_the_page_lost(credit):
    """Hydration does not bring it back, and the state stays JSON."""
    state = {
        "user": "Ana",
        "promo": {"title": "Tienes un préstamo preconcedido de 9.000 €", "cta": "Lo quiero"},
        "n": [1, 2],
    }
    page = f"<div id=app></div><script>window.__INITIAL_STATE__ = {json.dumps(state)};</script>"

    left = strip(credit, "html", page)

    assert {"user": "Ana", "n": [1, 2]} == json.loads(left.partition("= ")[2].partition(";</script>")[0])


def test_a_table_keeps_its_columns(credit):
    """A cell is emptied, not taken away."""
    page = "<table><tr><td>Your credit limit can be raised to $9,500 today</td><td>Branch hours: 9-5</td></tr></table>"

    assert "<table><tr><td> </td><td>Branch hours: 9-5</td></tr></table>" == strip(credit, "html", page)


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("utf-16", ""),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-8"),
        ("utf-16-le", "utf-16le"),
        ("utf-16-be", "utf-16be"),
        ("utf-16-le", ""),
        ("utf-16-be", "utf-8"),
        ("utf-32", ""),
        ("utf-8", "utf-16"),
    ],
)
def test_letters_of_two_bytes(credit, kind, codec, said):
    """What is in UTF-16, or said to be, with a mark or without one, stays to the byte."""
    text = {
        "html": "<!doctype html><p>You're pre-approved for a loan of up to $5,000. Apply now!</p>",
        "json": '{"a":[{"title":"Your loan of up to $5,000 is pre-approved"}]}',
        "text": "You're pre-approved for a loan of up to $5,000. Apply now!\n",
    }[kind]
    kind = f"{TYPES[kind]}{said and f'; charset={said}'}"
    exchange = an_exchange("https://bank.example/home", response={"Content-Type": kind}, body=text.encode(codec))

    try:
        changed = credit.without(exchange, Outcome(Action.PASS), CreditPrompts.STRIP, 1_000_000)
    except CapperError:
        return

    assert changed is None


def test_marking_leaves_everything_readable(credit):
    """With `mark` nothing goes; a line is drawn around it."""
    page = b"<p>Hello</p><p>You're pre-approved for a loan of up to $5,000. Apply now!</p>"

    marked = credit.strip(page, "text/html", "https://shop.example/", "utf-8", mark=True).data

    assert b'<p>Hello</p><p style="outline' in marked
    assert marked.endswith(b"Apply now!</p>")


def test_a_page_that_was_read_is_not_unpacked_again(credit):
    """What was looked for ads in without its coding is looked for prompts in as it is, and comes back in its coding."""
    page = b"<p>Hello</p><p>You're pre-approved for a loan of up to $5,000. Apply now!</p>"
    headers = {"Content-Type": "text/html", "Content-Encoding": "gzip"}
    exchange = an_exchange("https://shop.example/", response=headers, body=b"not looked at")

    changed = credit.without(exchange, Outcome(read=page), CreditPrompts.STRIP, 1_000_000)

    assert changed is not None
    assert b"<p>Hello</p>" == gzip.decompress(changed[0].body)


@pytest.mark.parametrize("mode", [CreditPrompts.LEAVE, CreditPrompts.STRIP])
def test_the_policy_decides(credit, mode):
    """`leave` leaves."""
    body = b'{"a":[{"title":"Your loan of up to $5,000 is pre-approved"}]}'
    exchange = an_exchange("https://bank.example/home", response={"Content-Type": "application/json"}, body=body)

    changed = credit.without(exchange, Outcome(Action.PASS), mode, 1_000_000)

    assert (mode is CreditPrompts.STRIP) == (changed is not None)
    if changed:
        assert b'{"a":[]}' == changed[0].body


@given(st.text(alphabet="<>/=\"' abc€123{}[]:,\\né limietkredit", max_size=200), st.sampled_from(sorted(TYPES)))
def test_hostile_bodies_never_break(text, kind):
    """Damaged, cut off or senseless, a body passes or says why it cannot be judged."""
    credit = _shared()
    data = f"Je limiet is verhoogd naar € 3.000 {text}".encode()

    try:
        left = credit.strip(data, TYPES[kind], "https://shop.example/", "utf-8")
    except CapperError:
        return

    assert left.data is data or left.prompts


def _shared(loaded=[]):  # noqa: B006  read once
    if not loaded:
        loaded.append(Credit.load())
    return loaded[0]


@pytest.mark.slow
def test_the_labelled_corpus(credit, shared_data):
    """At least 97 of 100 prompts go whole, 90 in any language; nothing that must stay goes, and no legitimate item is touched."""
    rows = [json.loads(line) for line in (shared_data / "credit" / "dev.jsonl").read_text("utf-8").splitlines()]
    prompts, missed = Counter(), Counter()
    for row in rows:
        left = plain(strip(credit, row["kind"], row["content"], row["url_path"] or "/"))
        assert [] == [words for words in row["keep"] if plain(words) not in left], row["id"]
        if row["label"] == "credit_prompt":
            prompts[row["lang"]] += 1
            missed[row["lang"]] += any(plain(words) in left for words in row["spans"])
        else:
            assert plain(row["content"]) == left, row["id"]

    assert missed.total() <= 0.03 * prompts.total()
    assert [] == [lang for lang in prompts if missed[lang] > 0.1 * prompts[lang]]


@pytest.mark.slow
def test_real_pages_pass_unchanged(credit, shared_data):
    """In 402 real pages, blogs and newspapers of all kinds, nothing is a prompt."""
    pages = sorted((shared_data / "pages").glob("*/*.html.gz"))
    changed = []
    for page in pages:
        data = gzip.decompress(page.read_bytes())
        if credit.strip(data, "text/html", "https://news.example/page", "").data is not data:
            changed.append(page.name)

    assert (402, []) == (len(pages), changed)
