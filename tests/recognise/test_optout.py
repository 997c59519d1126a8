"""Opt-outs and purchases told from requests: what is a person's word, and what a page loads by itself."""

import pytest

from capper.domain.errors import ConfigError
from capper.domain.exchange import Headers, Request
from capper.recognise.optout import OptOuts, What

VISIT = {
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-User": "?1",
    "Sec-Fetch-Site": "cross-site",
}
PICTURE = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
AI = "C2YoqJ4BtaYScMJqA2roP_7iNqQnPz"
MUTE = f"https://googleads.g.doubleclick.net/pagead/interaction/?ai={AI}&sigh=abc&label=user_feedback_menu_option&label_instance=1"


@pytest.fixture(scope="module")
def shapes() -> OptOuts:
    return OptOuts.load()


def said(shapes, url, headers=VISIT, method="GET", *, bought=True):
    found = shapes.match(Request(method, url, Headers(headers.items())), bought=bought)
    return found and (found.name.partition(":")[0], str(found.what))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://adssettings.google.com/whythisad?source=display&reasons=AZhb-cDb2vVKKtKB9", "Google"),
        ("https://adssettings.google.com/u/0/whythisad?source=display", "Google"),
        ("https://www.google.com/ads/preferences/whythisad/en-US/RoOyDD7L4IWn5ZfI/", "Google"),
        ("https://www.google.com/url?ct=abg&q=https://www.google.com/adsense/support/bin/request.py", "Google"),
        ("https://privacy.us.criteo.com/adchoices?cppv=3&cpp=Qx4", "Criteo"),
        ("https://privacy.eu.criteo.com/adchoices?cppv=3", "Criteo"),
        ("https://info.evidon.com/more_info/4567", "Evidon"),
        ("https://choices.truste.com/ca?pid=tradedesk01&aid=tradedesk01", "TrustArc"),
        ("https://popup.taboola.com/en/?template=colorbox&utm_source=x", "Taboola"),
        ("https://www.outbrain.com/what-is/default/en", "Outbrain"),
        ("https://www.dianomi.com/whatsthis.pl?x=1", "Dianomi"),
        ("https://info.yahoo.com/privacy/us/yahoo/relevantads.html", "Yahoo"),
        ("https://legal.yahoo.com/us/en/yahoo/privacy/adinfo/index.html", "Yahoo"),
        ("https://account.microsoft.com/privacy/ad-settings/signedout", "Microsoft"),
        ("https://app.adroll.com/optout/safari", "AdRoll"),
        ("https://youradchoices.com/", "AdChoices"),
        ("https://optout.aboutads.info/?c=2", "AdChoices"),
        ("https://www.youronlinechoices.eu/", "AdChoices"),
    ],
)
def test_she_follows_the_mark_of_an_ad(shapes, url, name):
    """Where the "i" leads, when she goes there herself; the same address loaded by a page is nobody's word."""
    assert said(shapes, url) == (name, "mute")
    assert said(shapes, url, VISIT | {"Sec-Fetch-Dest": "iframe"}) == ((name, "mute") if "popup" in url else None)
    without = {field: value for field, value in VISIT.items() if field != "Sec-Fetch-User"}
    for headers in (without, without | {"Sec-Fetch-Dest": "iframe"}, PICTURE, {}, VISIT | {"Sec-Purpose": "prefetch"}):
        assert said(shapes, url, headers) is None
    assert said(shapes, url, method="HEAD") is None


@pytest.mark.parametrize(
    ("url", "what"),
    [
        (MUTE, "mute"),
        (MUTE.replace("interaction", "conversion"), "mute"),
        (MUTE.replace("user_feedback_menu_option", "mute_survey_option"), "mute"),
        (MUTE.replace("user_feedback_menu_option", "user_feedback_undo"), "undo"),
    ],
)
def test_an_ad_tells_its_network_that_she_has_had_enough(shapes, url, what):
    """A ping with words of its own is hers, however it is sent; opened as a page it is not."""
    for headers in (PICTURE, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"}, {}):
        assert said(shapes, url, headers) == ("Google", what)
        assert said(shapes, url, headers, method="POST") == ("Google", what)
    assert said(shapes, url) is None


@pytest.mark.parametrize(
    "url",
    [
        f"https://googleads.g.doubleclick.net/pagead/interaction/?ai={AI}&sigh=abc",
        f"https://googleads.g.doubleclick.net/pagead/interaction/?ai={AI}&label=video_click_to_advertiser_site",
        "https://googleads.g.doubleclick.net/pagead/interaction/?label=user_feedback_menu_option",
        "https://googleads.g.doubleclick.net/pagead/images/mtad/x_blue.png",
        "https://googleads.g.doubleclick.net/pagead/images/mtad/abg_blue.png",
        "https://tpc.googlesyndication.com/pagead/images/adchoices/icon.png",
        "https://tpc.googlesyndication.com/pagead/images/adchoices/en.png",
        "https://c.evidon.com/icon/c_30_us.png",
        "https://choices.truste.com/assets/admarker.js",
        "https://static.criteo.net/images/adchoices.svg",
        "https://cdn.taboola.com/static/c5/adchoices.svg",
    ],
)
def test_what_an_ad_loads_by_itself_says_nothing(shapes, url):
    """The mark's own picture, its script, and the beacons of an ad that she looks at or clicks."""
    for headers in (PICTURE, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, {}):
        assert said(shapes, url, headers) is None


@pytest.mark.parametrize(
    ("url", "headers", "shop"),
    [
        (
            "https://www.googleadservices.com/pagead/conversion/1071234567/?label=abc&value=49.95&currency=EUR&url=https%3A%2F%2Fwww.shoes.example%2Fthanks",
            PICTURE,
            "shoes.example",
        ),
        (
            "https://www.facebook.com/tr/?id=1&ev=Purchase&dl=https%3A%2F%2Fshoes.example%2Fdone",
            PICTURE,
            "shoes.example",
        ),
        (
            "https://8765432.fls.doubleclick.net/activityi;src=8765432;type=sales;cat=order;qty=1;cost=49.95;ord=77",
            {"Referer": "https://www.shoes.example/"},
            "shoes.example",
        ),
        ("https://www.shoes.example/checkout/order-received/4711/?key=wc_order", VISIT, "shoes.example"),
        ("https://shoes.example/en/order-confirmation", VISIT, "shoes.example"),
    ],
)
def test_she_bought(shapes, url, headers, shop):
    """What a shop tells a network of a purchase, or its own page after one; looked for only where the policy says so."""
    request = Request("GET", url, Headers(headers.items()))
    found = shapes.match(request, bought=True)

    assert (found.what, found.shop(request)) == (What.BOUGHT, shop)
    assert shapes.match(request, bought=False) is None


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("https://www.googleadservices.com/pagead/conversion/107/?label=abc&value=0&currency=EUR", PICTURE),
        ("https://googleads.g.doubleclick.net/pagead/viewthroughconversion/107/?value=9", PICTURE),
        ("https://www.facebook.com/tr/?id=1&ev=PageView&dl=https%3A%2F%2Fshoes.example%2F", PICTURE),
        ("https://www.shoes.example/blog/how-we-confirm-orders", VISIT),
        ("https://www.shoes.example/order-received/", PICTURE),
        ("https://www.shoes.example/", VISIT),
    ],
)
def test_she_did_not_buy(shapes, url, headers):
    """A visit, a look back, a conversion that is worth nothing."""
    assert said(shapes, url, headers) is None


def test_addresses_in_an_ad(shapes):
    """However its markup and scripts write them, the addresses of opt-outs in an ad are read as they are asked for."""
    wanted = "https://adssettings.google.com/whythisad?source=display&reasons=AZhb-cDb"
    written = [
        wanted.replace("&", "&amp;"),
        wanted.replace("&", "\\u0026").replace("/", "\\/"),
        wanted.replace("&", "\\x26").replace("=", "\\x3d"),
        wanted.replace("&", "&amp;amp;"),
    ]
    for text in written:
        for quotes in ('"', "'", "&quot;", "\\x22"):
            document = f"<script>var a=[{quotes}{text}{quotes},1]</script>".encode()

            assert shapes.named_in(document) == (wanted,), (text, quotes)
    assert shapes.named_in(b"<p>https://news.example/whythisad") == ()


@pytest.mark.parametrize(
    "text",
    [
        "optouts = 1",
        "[[optouts]]\nhosts = []",
        "[[optouts]]\nname='x'\npath='('",
        "=",
        '[[optouts]]\nname="x"\nby="thought"',
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, text):
    """Each mistake is told, with the file's name."""
    (tmp_path / "o.toml").write_text(text)

    with pytest.raises(ConfigError, match=r"o\.toml"):
        OptOuts.load(tmp_path / "o.toml")


def test_hostile_addresses_cost_nothing(shapes):
    """Endless and damaged addresses are looked at briefly, and say nothing."""
    for url in (
        "https://www.shoes.example/" + "order-" * 100_000,
        "https://www.shoes.example/" + "a/" * 4000 + "order-received",
        "https://adssettings.google.com/whythisad?" + "&".join(f"a{n}=1" for n in range(5000)),
        "https://[adssettings.google.com/whythisad",
    ):
        assert said(shapes, url) in (None, ("Google", "mute"))
