"""Frames' documents as ad servers fill them: whose ad it is, however the click is wrapped. All made up, none from a real frame."""

import base64
from urllib.parse import quote

import pytest

from capper.domain.identity import Basis
from capper.rewrite.html.page import find_creative

PAGE = "https://news.example/story"
FRAME = "https://tpc.googlesyndication.com/safeframe/1-0-40/html/container.html"
SHOP = "https://www.shoes.com/sale?x=1&y=2"
CLICK = "https://adclick.g.doubleclick.net/pcs/click?xai=AK&sai=AM&sig=Cg&urlfix=1&adurl="
ACLK = "https://www.googleadservices.com/pagead/aclk?sa=L&ai=C1&client=ca-pub-1&adurl="
CM360 = "https://ad.doubleclick.net/ddm/trackclk/N8.70/B26359283.31469;dc_trk_aid=508095108;dc_trk_cid=157367156"
IDS = ("ad.doubleclick.net/26359283", "ad.doubleclick.net/157367156")


def encoded(url, times=1):
    return encoded(quote(url, safe=""), times - 1) if times else url


def origin(url):
    return "crd=" + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def link(url):
    return f'<a href="{url}" target=_blank><img src="https://s0.example/1.jpg" width=300 height=250></a>'


@pytest.fixture
def whose(reader):
    """A function from a frame's body to the ad that is read."""

    def ad(body):
        document = (
            f'<!DOCTYPE html><html><head><meta name="ad.size" content="width=300"></head><body>{body}</body></html>'
        )
        return reader.read(find_creative(document.encode(), FRAME, PAGE, "utf-8"))

    return ad


@pytest.mark.parametrize(
    "body",
    [
        *(link(CLICK + encoded(SHOP, times)) for times in range(4)),
        link(ACLK + encoded(SHOP)),
        link(CLICK.replace("&", "&amp;") + encoded(SHOP)),
        link(CLICK + encoded(ACLK + encoded(SHOP))),
        link(CLICK + encoded(CLICK + encoded(f"https://d.agkn.com/p/?l1={encoded(f'https://gm.demdex.net/e?d_rd={encoded(SHOP)}')}"))),
        link(f"https://fra1-ib.adnxs.com/click?AAAA/bn=12/clickenc={encoded(SHOP)}"),
        link(f"https://fra1-ib.adnxs.com/click?A/bn=1/clickenc={encoded(f'https://m.exactag.com/cl.aspx?extPu=1&url={encoded(SHOP)}')}"),
        f"<div onclick=\"window.open('{CLICK}{encoded(SHOP)}')\"><img></div>",
        f'<div data-click-url="{CLICK}{encoded(SHOP)}"><img></div>',
        f'<script>var clickTag = "{SHOP}";</script><canvas></canvas>',
        f'<script>var clickTag = "%%CLICK_URL_UNESC%%{SHOP}";</script>',
        f'<script>var clickTAG="${{CLICK_URL}}{SHOP}";</script>',
        r'<script>var x={"clickUrl":"https:\x2f\x2fwww.shoes.com\x2fsale"};</script>',
        r'<script>a={clickurl:"https:\/\/ad.doubleclick.net\/ddm\/clk\/1?u\u003dA\u0026adurl\u003dhttps:\/\/www.shoes.com\/"}</script>',
        f'<amp-ad-exit><script type="application/json">{{"targets":{{"a":{{"finalUrl":"{SHOP}"}}}}}}</script></amp-ad-exit>',
        f'<amp-ad-exit><script type="application/json">{{"targets":{{"a":{{"finalUrl":"{CLICK}{encoded(SHOP)}"}}}}}}</script></amp-ad-exit>',
        "".join(link(f"https://cat.fr3.eu.criteo.com/delivery/ckn.php?cpp=a&maxdest={encoded(f'{SHOP}&p={n}')}") for n in range(4))
        + '<a href="https://privacy.eu.criteo.com/adchoices?cppv=3">i</a>',
    ],
)  # fmt: skip
def test_a_click_in_any_wrapping(whose, body):
    """The advertiser is the shop at the end of the click, encoded up to three times and behind up to five that count it."""
    ad = whose(body)

    assert (ad.advertisers, ad.basis) == (("shoes.com",), Basis.CLICK)


@pytest.mark.parametrize(
    "url", [f"{CLICK}&{origin('https://shoes.com')}", CLICK.replace("adurl=", f"{origin('https://shoes.com')}&adurl=%3Futm%3D1")]
)  # fmt: skip
def test_a_click_without_a_destination(whose, url):
    """The advertiser's origin stands in for an empty destination."""
    ad = whose(link(url))

    assert (ad.advertisers, ad.basis) == (("shoes.com",), Basis.CRD)


@pytest.mark.parametrize(
    "body",
    [
        link(CLICK),
        link(f"{CLICK}&{origin('https://news.example')}"),
        link(f"{CLICK}&{origin('https://www.doubleclick.net')}"),
        link(CLICK + encoded("https://news.example/subscribe")),
        link("https://adssettings.google.com/whythisad?source=display&reasons=x"),
        link("https://privacy.eu.criteo.com/adchoices?cppv=3"),
        link("https://trace.popin.cc/ju/ic?tn=1"),
        '<img src="https://d1.cloudfront.net/x.js"><script>var u="https://www.shoes.com/sale"</script>',
    ],
)
def test_nothing_in_the_clear(whose, body):
    """Neither the publisher nor a network, a notice, a host of files or any address in a script is the advertiser."""
    assert whose(body).advertisers == ()


@pytest.mark.parametrize(
    "body",
    [
        link(CM360),
        link(f"{CM360};u=?{SHOP}"),
        link(CLICK + encoded(CM360)),
        link(CLICK + encoded(f"{CM360};ltd=?{SHOP}", 3)),
    ],
)
def test_campaign_manager(whose, body):
    """Campaign and creative are read of a click that Campaign Manager counts, also where it stands encoded in another."""
    ad = whose(body)

    assert (ad.campaign, ad.creative) == IDS
    assert ad.advertisers == (("shoes.com",) if "shoes" in body else ())


def test_a_campaign_manager_tag(whose):
    """A tag that has not been filled yet names its campaign."""
    ad = whose('<ins class="dcmads" data-dcm-placement="N8334.707.ABOUTINC./B26359283.314697162"></ins>')

    assert (ad.campaign, ad.basis) == (IDS[0], Basis.CM360)


def test_a_dynamic_banner_that_is_opaque(whose):
    """A buyer's number for the shop is a key where no address is in the clear."""
    ad = whose("".join(f'<a href="https://cat.eu.criteo.com/ck?c={n}"><img src="https://pix.eu.criteo.net/img/img?c=3&partner=1234&u={n}"></a>' for n in range(3)))  # fmt: skip

    assert (ad.advertisers, ad.campaign) == ((), "criteo.com/1234")
