"""Items that say themselves that they are paid for: every one marked in the synthetic pages of `labelled/`, and nothing else."""

import contextlib
import gzip
import re
from pathlib import Path

import pytest

from capper.domain.errors import Unrewritable
from capper.domain.sighting import Format
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.rewrite.charset import charset_of
from capper.rewrite.html import page

PAGES = Path(__file__).parent / "labelled"
URL = "https://paper.example/today"
EXPECTED = {
    "cnet": 4,
    "yahoo-1": 3,
    "yahoo-2": 3,
    "yahoo-3": 4,
    "archive.org.welpenkaufen24.de": 1,
    "auto.oe24.at-golfchina": 1,
    "der-erfolg-gibt-recht.de.rinderleber": 1,
    "fitforfun.de.sozialeaengste": 1,
    "focus.de.leasen": 1,
    "mein-mmo.de-MMORPG": 1,
    "uusisuomi.fi.angela": 3,
}
"""Pages of the real ones with items, looked at one by one: each item is marked by its publisher, and no advertiser is wrong."""
_WANT = re.compile(r'\s+data-want="([^"]*)"')


def cases():
    """Each case of each file: its name, its page without the marks, and where each wanted slot begins, with whose ad it is."""
    for file in sorted(PAGES.glob("*.html")):
        for piece in re.split(r"<!-- case: ", file.read_text())[1:]:
            name, _, body = piece.partition(" -->\n")
            language = name.partition("-")[0]
            made = f'<!DOCTYPE html>\n<html lang="{language}"><head><title>{name}</title></head><body>\n{body}</body></html>'
            wanted, plain, at = [], "", 0
            for match in _WANT.finditer(made):
                plain += made[at : match.start()]
                wanted.append((len(plain[: plain.rindex("<")].encode()), match[1]))
                at = match.end()
            yield pytest.param(plain + made[at:], wanted, id=f"{file.stem}-{name}")


@pytest.fixture(scope="module")
def recogniser():
    return Recogniser(
        Engines.build([FilterList("ads", "||adserver.example^", ListKind.ADS)]), AdReader(load_networks())
    )


@pytest.mark.parametrize(("markup", "wanted"), list(cases()))
def test_case(markup, wanted, recogniser):
    """The items marked in a page are its slots, each with its advertiser where the page tells it."""
    slots = page.find(markup.encode(), URL, recogniser.page(URL), "utf-8").slots
    ads = [recogniser.read(slot.evidence) for slot in slots]

    assert [at for at, _ in wanted] == [markup.encode().rindex(b"<", 0, slot.span.start + 1) for slot in slots]
    assert [who for _, who in wanted] == [", ".join(ad.advertisers) or "?" for ad in ads]


def items_of(data, recogniser, url=URL):
    """The slots of a page that its own labels give away."""
    slots = page.find(data, url, recogniser.page(url), charset_of("", data)).slots
    return [slot for slot in slots if slot.format is Format.POST]


@pytest.mark.parametrize("who", ["sponsor/kaffebolaget", "shoes.example"])
def test_withheld_as_a_whole(who, recogniser, say):
    """A withheld item keeps its place and says why; its links and words go, and every byte around it stays."""
    markup = {case.id: case.values[0] for case in cases()}["held_out-sv-front-cards"]
    data = markup.encode()
    (slot,) = page.find(data, URL, recogniser.page(URL), "utf-8").slots
    result = page.apply(data, [(slot, say(who))])

    assert result.startswith(data[: slot.span.start] + b'<div class="teaser"><svg')
    assert result.endswith(data[slot.span.end :])
    assert "Så brygger".encode() not in result


@pytest.mark.parametrize(
    "data",
    [
        b"<div><span>Sponsored</span><a href=https://a.example/>A title that is long enough</a></div>" * 20_000,
        b"<div>" * 400 + b"<span>Sponsored</span><a href=https://a.example/>A title that is long enough</a>" + b"</div>" * 400,
        b"<ul>" + b"<li><a href=/1>A title that is long enough</a></li>" * 20_000 + b"<li><b>Annons</b><a href=/2>A title that is long enough</a></li></ul>",
        b"<a href=/1>x</a>" * 20_000 + b"<span>Sponsored by</span>" * 20_000,
        b"<span>" + b"<b>S</b>" * 100_000 + b"</span>",
        b"<div aria-label=Sponsored>" * 300 + b"<p>" * 20_000,
        b"<p>Sponsored" * 50_000,
        b"<p>" + b"Sponsored by " * 100_000,
        b"><Sponsored" * 50_000,
    ],
    ids=["many", "deep", "long list", "open", "letters", "spoken", "unclosed", "long text", "broken"],
)  # fmt: skip
@pytest.mark.timeout(30)
def test_hostile_pages(data, recogniser):
    """However many labels there are and however they are nested, the search ends, soon."""
    with contextlib.suppress(Unrewritable):
        assert len(items_of(data, recogniser)) <= page.MOST_SLOTS


@pytest.mark.slow
def test_real_pages(shared_data, recogniser):
    """On 402 real pages items are found on these alone, each marked by its publisher; no other page has a slot for a post."""
    found = {}
    for path in sorted((shared_data / "pages").glob("*/*.gz")):
        data = gzip.decompress(path.read_bytes())
        told = re.search(rb'<(?:link[^>]*rel="?canonical"?[^>]*href|meta[^>]*og:url"[^>]*content)="(http[^"]+)"', data)
        items = items_of(data, recogniser, told[1].decode("latin-1") if told else URL)
        if items:
            found[path.name.removesuffix(".html.gz")] = len(items)

    assert found == EXPECTED
