"""Hide selectors by the hundred find what they would find one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.markup import parse
from capper.rewrite.html.hiding import Values, hidden, sorted_out, worth

BODY = (
    b'<html><body><AMP-AD id=a1 class="x y"><a href="https://ads.example/1?u=2" class="z"><img src="i.gif"></a></amp-ad>'
    b'<div id="div-gpt-ad-1" data-ad-slot=1><a href="//ads.example/2" data-x></a></div><ins class="adsbygoogle"></ins>'
    b'<a href="https://news.example/"><img></a><div class="ad wide" DATA-UP=1>t</div>'
    b'<div id=A1 class=X></div><div id=" a1" class="none\xa0x"></div><p class="y\tX WIDE ad" onclick="go()"></p></body></html>'
)
PAGES = [parse(doctype + BODY) for doctype in (b"", b"<!DOCTYPE html>")]
"""In the first, which is in quirks mode, capitals make no difference in a class or an id."""
SELECTORS = [
    "AMP-AD", "amp-ad", ".x", "#a1", "[class]", '[id^="div-gpt-ad"]', '[id*="gpt"]', '[id$="-1"]', '[id="a1"]', "ins", "a > img",
    'a[href^="https://ads.example/"]', 'a[href^="https://ads.example/"] > img', 'a[href="//ads.example/2"]', "[data-ad-slot]",
    'a[href^="https://ads.example/"][href*="u=2"]', 'a:not([href^="https://ads.example/"])', 'div[class^="ad"], ins', "bad::(",
    "amp-ad.x", 'AMP-AD[class="x y"]', "amp-ad[id]", "other-ad[id]", "div.ad", "div.ad.wide[class]", "amp-ad > a", "amp-ad:not(.x)",
    '[class*="wide"]', '[href$="/"]', 'a[href^="https://other.example/"]', ".nothing", "div:has(a)", "a.z[href]", "[data-x]", "[data-ad-slot='1']", "div[data-ad-slot] > a", "[data-nothing]", "[DATA-Up]", "[data-up]", ".y > a", ".none.x", "div.wide > p", ".ad.wide", ".x.wide", ".wide[class='.ad']", "#none", "#A1", ".X", "[onclick]", "p[onclick^='go']", "[onload]", ".md\\:x", 'a[href^="//ADS" i]',
]  # fmt: skip


@given(st.sampled_from(PAGES), st.lists(st.sampled_from(SELECTORS), max_size=12), st.integers(0, 12), st.booleans())
def test_as_one_by_one(page, selectors, cut, looked):
    """The shortcuts through the page's own tags and values leave nothing out and add nothing, in however many groups."""
    groups, values = [sorted_out(tuple(some)) for some in (selectors[:cut], selectors[cut:])], Values(page)
    if looked:
        values.look_for(frozenset(name for group in groups for name in group.marked))
    expected = {element for selector in selectors for element in _by_css(page, selector)}

    assert set(hidden(page, *groups, values=values)) == expected


def _by_css(page, selector):
    """What a selector fits; a class in other capitals than the page's own is not looked for, in quirks mode either."""
    return [] if selector == ".X" and "X" not in page.names("class") else page.select(selector)


def test_attributes_looked_for():
    """Names of attributes are looked for in capitals or not; what nobody looked for may be there."""
    values = Values(PAGES[0])
    values.look_for(worth(("data-up", "data-ad-slot", "data-nothing", "onclick", "src", "h\xe4", "data-unl\u0131sted")))

    assert values.absent == {"data-nothing"}
    assert values.has("data-up")
    assert values.has("src")
    assert values.has("data-other")
    assert not values.has("data-nothing")


@pytest.mark.parametrize("selectors", [[], ["bad::("], ["[", ".x"]])
def test_bad_selectors(selectors):
    """A selector that cannot be read takes no other with it."""
    assert len(hidden(PAGES[1], sorted_out(tuple(selectors)))) == selectors.count(".x")
