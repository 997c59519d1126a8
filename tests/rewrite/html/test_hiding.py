"""Hide selectors by the hundred find what they would find one by one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.markup import parse
from capper.rewrite.html.hiding import hidden

PAGE = parse(
    b'<html><body><AMP-AD id=a1 class="x y"><a href="https://ads.example/1?u=2" class="z"><img src="i.gif"></a></amp-ad>'
    b'<div id="div-gpt-ad-1" data-ad-slot=1><a href="//ads.example/2" data-x></a></div><ins class="adsbygoogle"></ins>'
    b'<a href="https://news.example/"><img></a><div class="ad wide" DATA-UP=1>t</div></body></html>'
)
SELECTORS = [
    "AMP-AD", "amp-ad", ".x", "#a1", "[class]", '[id^="div-gpt-ad"]', '[id*="gpt"]', '[id$="-1"]', '[id="a1"]', "ins", "a > img",
    'a[href^="https://ads.example/"]', 'a[href^="https://ads.example/"] > img', 'a[href="//ads.example/2"]', "[data-ad-slot]",
    'a[href^="https://ads.example/"][href*="u=2"]', 'a:not([href^="https://ads.example/"])', 'div[class^="ad"], ins', "bad::(",
    "amp-ad.x", 'AMP-AD[class="x y"]', "amp-ad[id]", "other-ad[id]", "div.ad", "div.ad.wide[class]", "amp-ad > a", "amp-ad:not(.x)",
    '[class*="wide"]', '[href$="/"]', 'a[href^="https://other.example/"]', ".nothing", "div:has(a)", "a.z[href]", "[data-x]", "[data-ad-slot='1']", "div[data-ad-slot] > a", "[data-nothing]", "[DATA-Up]", "[data-up]", ".y > a", ".none.x", "div.wide > p", ".md\\:x", 'a[href^="//ADS" i]',
]  # fmt: skip


@given(st.lists(st.sampled_from(SELECTORS), max_size=12), st.integers(0, 12))
def test_as_one_by_one(selectors, cut):
    """The shortcuts through the page's own tags and values leave nothing out and add nothing, in however many groups."""
    expected = {element for selector in selectors for element in PAGE.select(selector)}

    assert set(hidden(PAGE, selectors[:cut], selectors[cut:])) == expected


@pytest.mark.parametrize("selectors", [[], ["bad::("], ["[", ".x"]])
def test_bad_selectors(selectors):
    """A selector that cannot be read takes no other with it."""
    assert len(hidden(PAGE, selectors)) == selectors.count(".x")
