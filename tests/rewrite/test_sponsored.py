"""Items that say themselves that they are paid for: every one marked in the synthetic pages of `labelled/`, and nothing else."""

import re
from pathlib import Path

import pytest

from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.rewrite import page

PAGES = Path(__file__).parent / "labelled"
URL = "https://paper.example/today"
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
