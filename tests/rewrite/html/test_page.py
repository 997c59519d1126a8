"""Finding and filling the slots of a page: one folder a case, and properties over real pages."""

import contextlib
import gzip
import itertools
import json
import random
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import html5lib
import pytest

from capper.domain.errors import Unrewritable
from capper.markup import Span, parse
from capper.rewrite.base import House
from capper.rewrite.html import page
from capper.rewrite.wording import Deed, leading

SVG = "{http://www.w3.org/2000/svg}"
CASES = Path(__file__).parent / "cases"
URL = "https://news.example/today/"


@pytest.fixture(params=sorted(path.name for path in CASES.iterdir()))
def case(request):
    """The folder of one case, and its `case.json`."""
    folder = CASES / request.param
    return folder, json.loads((folder / "case.json").read_text())


def judge_of(spec, word_judge):
    return word_judge(
        ads=spec.get("ads", ["ads.example/"]),
        clicks=spec.get("clicks", ["click.ads.example/"]),
        hide=spec.get("hide", ()),
    )


def rewritten(data, spec, word_judge, say):
    found = page.find(data, URL, judge_of(spec, word_judge), spec.get("charset", ""))
    return found, page.apply(data, filled(found, spec, say))


def filled(found, spec, say):
    """Each slot that a case withholds, with its house ad, else words."""
    words = say(spec.get("who", "shoes.example"))
    chosen = [found.slots[number] for number in spec.get("withhold", range(len(found.slots)))]
    return [(slot, slot.house or words) for slot in chosen]


def test_case(case, word_judge, say):
    """Each case folder's input becomes its expected output, by the slots its case.json names."""
    folder, spec = case
    found, result = rewritten((folder / "input.html").read_bytes(), spec, word_judge, say)

    assert [[slot.manner, list(slot.size) if slot.size else None] for slot in found.slots] == spec["slots"], spec["why"]
    assert [slot.number for slot in found.slots if slot.house] == spec.get("house", []), spec["why"]
    assert list(found.refused) == spec.get("refused", []), spec["why"]
    assert result == (folder / "expected.html").read_bytes(), spec["why"]


def test_a_second_parser_sees_the_same_around_it(case, word_judge, say):
    """By html5lib too, nothing outside the slots of a case changes its place or its text."""
    folder, spec = case
    data = (folder / "input.html").read_bytes()
    found, result = rewritten(data, spec, word_judge, say)
    chosen = filled(found, spec, say)

    assert _around(result, _moved(data, chosen)) == _around(data, [span_of(*each) for each in chosen])


def span_of(slot, filling):
    """What the filling takes the place of."""
    return filling.span if isinstance(filling, House) else slot.span


def _around(data, spans):
    """The tree as html5lib sees it, without what is in the slots."""
    for span in sorted(spans, reverse=True):
        at = re.compile(rb"<[^\s/>]+|srcdoc").match(data, span.start).end()
        data = data[:at] + b" data-slot=1" + data[at:]
    tree = html5lib.parse(data, transport_encoding="latin-1", namespaceHTMLElements=False)
    for parent in list(tree.iter()):
        for number, child in enumerate(parent):
            if child.get("data-slot"):
                parent[number] = ET.Element("slot")
                parent[number].tail = child.tail
    return html5lib.serialize(tree, omit_optional_tags=False, quote_attr_values="always")


def pages(shared_data):
    """Every real page, with its name."""
    for path in sorted((shared_data / "pages").glob("*/*.gz")):
        yield path.name, gzip.decompress(path.read_bytes())


@pytest.fixture(scope="session")
def real_pages(shared_data):
    return list(pages(shared_data))


GREEDY = {
    "ads": ["ad", "banner", "pub", "promo", ".gif", "doubleclick", "1.jpg"],
    "clicks": ["click", "track", "utm_"],
    "hide": [
        ".ad",
        ".ads",
        ".advert",
        "[class*=advert]",
        "[id*=banner]",
        "[class*=promo]",
        "aside",
        "[class*=sponsor]",
        "ins",
    ],
}
"""A judge that calls many things ads, so that many kinds of elements become slots."""


def test_nothing_withheld_is_the_same_object(real_pages, word_judge):
    """On every real page, finding slots and withholding none gives back the very same bytes; slots stand in order and apart."""
    judge = judge_of(GREEDY, word_judge)
    found = 0
    for name, data in real_pages:
        slots = page.find(data, URL, judge).slots
        found += len(slots)

        assert page.apply(data, []) is data, name
        assert [slot.number for slot in slots] == list(range(len(slots))), name
        assert all(one.span.end <= two.span.start for one, two in itertools.pairwise(slots)), name
    assert found > 500


def check_outside(some_pages, word_judge, say):
    choose = random.Random(5)
    for name, data in some_pages:
        slots = page.find(data, URL, judge_of(GREEDY, word_judge)).slots
        chosen = [slot for slot in slots if choose.random() < 0.5]
        result = page.apply(data, [(slot, say()) for slot in chosen])
        before, after = [slot.span for slot in chosen], _moved(data, [(slot, say()) for slot in chosen])

        assert _outside(data, before) == _outside(result, after), name
        assert _elements_outside(data, before) == _elements_outside(result, after), name


def test_bytes_outside_a_slot_stay(real_pages, word_judge, say):
    """Whatever is withheld on a real page, the bytes outside are the same and so are the elements they make."""
    check_outside(real_pages[::8], word_judge, say)


@pytest.mark.slow
def test_bytes_outside_a_slot_stay_on_every_page(real_pages, word_judge, say):
    """The same on all of them."""
    check_outside(real_pages, word_judge, say)


def _outside(data, spans):
    at, parts = 0, []
    for span in sorted(spans):
        parts.append(data[at : span.start])
        at = span.end
    return [*parts, data[at:]]


def _moved(data, chosen):
    """Where each slot stands once all are filled."""
    shift, moved = 0, []
    for slot, filling in sorted(chosen, key=lambda pair: pair[0].span):
        span = span_of(slot, filling)
        longer = len(page.apply(data, [(slot, filling)])) - len(data)
        moved.append(Span(span.start + shift, span.end + shift + longer))
        shift += longer
    return moved


def _elements_outside(data, spans):
    """The elements that start outside the spans, each with how deep it stands."""
    return [
        (element.tag, sum(1 for _ in element.ancestors()))
        for element in parse(data).select("*")
        if (start := element.start_tag) and not any(span.start <= start.start < span.end for span in spans)
    ]


def test_overlapping_slots_are_refused(word_judge, say):
    """Slots that overlap cannot be filled together."""
    data = b'<a href="https://click.ads.example/"><img src="https://ads.example/1.jpg" width=300 height=250></a>'
    (slot,) = page.find(data, URL, judge_of({}, word_judge)).slots

    with pytest.raises(Unrewritable):
        page.apply(data, [(slot, say()), (slot, say())])


@pytest.mark.parametrize("size", ["", " width=300 height=250"])
def test_a_placeholder_leads_to_her_own_page(word_judge, say, size):
    """All of it is one link away from the page; where the picture is answered on its own, the link around it is."""
    data = f'<a class=x href="https://click.ads.example/"><img src="https://ads.example/1.jpg"{size}></a>'.encode()
    (slot,) = page.find(data, URL, judge_of({}, word_judge)).slots
    words = leading(say(), 'https://capper.internal/ad?about="x"', (Deed.WHY,))
    made = page.apply(data, [(slot, words)]).decode()
    root = html5lib.parse(made, namespaceHTMLElements=False)
    links = [each for each in root.iter() if each.tag in ("a", f"{SVG}a") and each.get("href")]

    assert [(each.get("href"), each.get("target"), each.get("rel")) for each in links] == [
        ('https://capper.internal/ad?about="x"', "_blank", "noopener noreferrer")
    ]
    assert "click.ads" not in made
    assert root.find("body/a").get("class") == "x"


def test_evidence_of_a_slot(word_judge):
    """A slot says where its clicks lead and what it loads."""
    data = (
        b'<div class=ad id="s1"><a href="https://click.ads.example/?u=%68"><img data-src="/x.jpg" '
        b'src="https://ads.example/1.jpg"></a>Shoes &amp; more <script>var not = "text"</script></div>'
    )
    (slot,) = page.find(data, URL, judge_of({"hide": [".ad"]}, word_judge)).slots

    assert slot.evidence.clicks == ("https://click.ads.example/?u=%68",)
    assert slot.evidence.resources == ("https://news.example/x.jpg", "https://ads.example/1.jpg")
    assert slot.evidence.text == "Shoes & more"
    assert ("id", "s1") in slot.evidence.attributes
    assert slot.evidence.page == URL


def test_creative_document():
    """A creative document gives its links, its script's clickTag, its pictures and those of its styles."""
    data = (
        b'<html><head><meta name="ad.size" content="width=300,height=250"><style>body{background:url(bg.png)}</style>'
        b'<script>var clickTag = "https:\\/\\/shoes.example\\/?a=1";</script></head>'
        b'<body><a href="https://click.ads.example/c"><img src="shoe.png"></a></body></html>'
    )
    evidence = page.find_creative(data, "https://ads.example/c/1.html", URL)

    assert evidence.clicks == ("https://click.ads.example/c", "https://shoes.example/?a=1")
    assert evidence.resources == ("https://ads.example/c/shoe.png", "https://ads.example/c/bg.png")
    assert evidence.page == URL


@pytest.mark.parametrize(
    "data",
    [
        b"<div>" * 100_000,
        b"<b>" * 100_000,
        b"<a href=x>" * 100_000,
        b"<p>" + b"".join(b"<b x=%d>" % n for n in range(20_000)) + b"</p>" + b"<p>x</p>" * 20_000,
        b"<table><tr><td>" * 60_000,
        b"<!--" + b"x" * 10_000_000,
        b"<script>" + b"<!--<script>" * 20_000,
        b"<script>" + b"x" * 10_000_000,
        b"<" * 10_000_000,
        b"&amp;" * 1_000_000,
        b"<a " + b" ".join(b"a%d=1" % n for n in range(100_000)) + b">",
        b"<p>x" * 2_500_000,
        b"<div class=ad>" * 400 + b"<a href=https://x.example/><img src=https://ads.example/1.jpg></a>" * 400,
        b"<svg>" * 50_000,
        b"<select>" * 50_000,
        b"\x00" * 1_000_000 + b"<a href=https://x.example/><img src=https://ads.example/1.jpg>",
        b'<iframe srcdoc="' * 10_000,
    ],
    ids=lambda data: data[:12].decode("latin-1").replace("\0", "0"),
)
@pytest.mark.timeout(30)
def test_hostile_documents(data, word_judge):
    """Deep, huge and unfinished documents are searched or refused, in bounded time."""
    with contextlib.suppress(Unrewritable):
        slots = page.find(data, URL, judge_of({"hide": [".ad", "div div a", "b b"]}, word_judge)).slots

        assert len(slots) <= page.MOST_SLOTS
