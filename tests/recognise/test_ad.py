"""Whose ad it is: click addresses, markup, names of files."""

import base64
import csv
import gzip
import html
import io
import json
import re
import tarfile
from collections import Counter
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.clues import evidence_of_document
from capper.domain.evidence import Evidence
from capper.domain.identity import Ad, Basis, Viewer
from capper.domain.policy import Rule
from capper.domain.sighting import Sighting
from capper.markup import parse
from capper.recognise.ad import AdReader
from capper.recognise.domains import host_of, registrable, site_of
from capper.recognise.knowledge import Networks
from capper.recognise.networks import load_networks

PAGE = "https://www.news.example/today"
SHOES = "https://www.shoes.example/sale?size=42&utm_source=x"
READER = AdReader(load_networks())


def _landing(url, page=PAGE):
    found = READER.landing(url, page)
    return found.advertiser if found else None


def _base64url(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "url",
    [
        SHOES,
        f"https://adclick.g.doubleclick.net/pcs/click?xai=A&sig=C&urlfix=1&adurl={SHOES}",
        f"https://adclick.g.doubleclick.net/pcs/click?xai=A&adurl={quote(SHOES, '')}",
        f"https://adclick.g.doubleclick.net/pcs/click?xai=\u0130\u0130&adurl={quote(SHOES, '')}",
        f"https://adclick.g.doubleclick.net/pcs/click?xai=A&adurl={quote(SHOES, '').replace('https%3A', 'HTTPS%3a')}",
        f"//www.googleadservices.com/pagead/aclk?sa=L&amp;ai=C&amp;adurl={quote(quote(SHOES, ''), '')}",
        f"https://www.google.co.uk/aclk?sa=l&adurl={quote(quote(quote(SHOES, ''), ''), '')}",
        f"https://adclick.g.doubleclick.net/pcs/click%253Fxai%253DA%2526adurl%253D{SHOES}",
        "https://www.googleadservices.com/pagead/aclk?ai=C&adurl=https://www.shoes.example%3Fgad_source%3D5",
        f"https://ib.adnxs.com/click?AAA/cnd=%21x/bn=5/clickenc={quote(SHOES, '')}",
        f"https://ib.adnxs.com/click?AAA/clickurl={SHOES}",
        f"https://ad.doubleclick.net/ddm/clk/408533;123;x?{SHOES}",
        f"https://ad.doubleclick.net/ddm/trackclk/N1.2/B26359283.3;dc_trk_aid=4;dc_trk_cid=5?{SHOES}",
        f"https://track.adform.net/C/?bn=123;cpdir={quote(SHOES, '')};{SHOES}",
        f"https://pn.ybp.yahoo.com/ab/secure/true/imp/xyz/rurl/{SHOES}",
        f"https://delivery.adnuntius.com/c/x?ct=123&r={quote(SHOES, '')}",
        f"https://tracker.marinsm.com/rd?cid=1&lp={quote(SHOES, '')}",
        f"https://www.awin1.com/cread.php?awinmid=1&ued={quote(SHOES, '')}",
        f"https://adclick.g.doubleclick.net/aclk?adurl=&crd={_base64url('https://shoes.example')}",
        f"https://adclick.g.doubleclick.net/aclk?adurl=%3Fgclid%3Dx&crd={_base64url('https://shoes.example')}",
        f"https://adclick.g.doubleclick.net/aclk?adurl=%%CLICK_URL_UNESC%%{SHOES}",
        f"https://adclick.g.doubleclick.net/aclk?adurl=${{CLICK_URL_ENC}}{quote(SHOES, '')}",
        f"https://clknext.com/r?to={_base64url(SHOES)}",
        f"https:\\/\\/adclick.g.doubleclick.net\\/pcs\\/click?xai\\x3dA\\x26adurl\\x3d{SHOES}",
        f"https://www.news.example/out?url={quote(SHOES, '')}",
        f" https://adclick.g.doubleclick.net/pcs/\nclick?adurl={SHOES} ",
    ],
)
def test_landing(url):
    """The destination comes out of every known wrapping."""

    assert _landing(url) == "shoes.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://adclick.g.doubleclick.net/pcs/click?xai=A&adurl=",
        "https://adclick.g.doubleclick.net/pcs/click?adurl=%25%25DEST%25%25",
        f"https://googleads.g.doubleclick.net/pagead/ads?client=ca-pub-1&url={quote(SHOES, '')}",
        f"https://www.google.com/url?ct=abg&q=https://www.google.com/adsense/support%3Furl%3D{quote(SHOES, '')}",
        "https://adssettings.google.com/whythisad?source=display&reasons=A",
        "https://popup.taboola.com/en/?template=colorbox&utm_source=news",
        "https://trc.taboola.com/news/log/3/click?pi=%2Ftoday&item-id=~~V1~~1",
        "https://paid.outbrain.com/network/redir?p=A&c=b&v=3",
        f"https://www.facebook.com/sharer?u={quote(SHOES, '')}",
        "https://www.news.example/subscribe",
        "https://adclick.g.doubleclick.net/aclk?adurl=https://www.news.example/subscribe",
        "https://s0.2mdn.net/ads/x.html",
        "https://d111.cloudfront.net/x.html",
        "https://127.0.0.1/shoes",
        "https://splogying-aducers.icu/0bcc34c7-f521-457d-a3b1-cf3c98d69788?widget_id=94373",
        "https://shoes.example/legal/privacy-policy",
        "javascript:void(0)",
        "mailto:shoes@shoes.example",
        "/relative",
        "#",
        "",
    ],
)
def test_unknown_rather_than_wrong(url):
    """Where the destination is not in the clear, there is none."""

    assert READER.landing(url, PAGE) is None


def test_five_redirectors_deep_and_no_deeper():
    """Five redirectors one behind the other are looked through, a sixth is not."""
    five = six = "https://shoes.example/"
    for at in range(6):
        five, six = six, f"https://ib.adnxs.com/click?clickenc={quote(six, '')}"
        assert at == 0 or _landing(five) == "shoes.example"

    assert _landing(six) is None


def test_a_landing_page_keeps_its_own_links():
    """What a shop's own address carries in doubtful parameters does not take its place."""

    assert _landing(f"https://shoes.example/?ref={quote('https://hats.example/', '')}&u=https://hats.example") == (
        "shoes.example"
    )


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.zergnet.com/i/4724501/1/0/0/0/2", "zergnet.com/i/4724501"),
        ("https://search.yahoo.com/yhs/r?p=Senior+Living&utm_source=taboola", "yahoo.com/senior living"),
        ("https://play.google.com/store/apps/details?id=com.shoes.app&gl=NL", "google.com/com.shoes.app"),
        ("https://www.zergnet.com/", "zergnet.com"),
    ],
)
def test_resellers(url, key):
    """A reseller's customers are told apart by path or query."""

    assert _landing(url) == key


def test_a_rule_for_a_reseller_speaks_for_all_its_customers():
    """A policy may name the reseller, however its customers are told apart."""
    sighting = Sighting(Viewer(), Ad(("zergnet.com/i/1",)), "o")

    assert Rule("r", (), advertiser=("zergnet.com",)).fits(sighting)
    assert not Rule("r", (), advertiser=("net.com",)).fits(sighting)


def _read(**clues):
    return READER.read(Evidence(**{"page": PAGE, **clues}))


def test_a_plain_banner():
    """A banner is known by where it leads, and its file by its address without what changes."""
    ad = _read(clicks=(SHOES,), resources=("https://ads.example/b/shoes.png?cb=82734&v=2",))

    assert ad == Ad(("shoes.example",), None, "ads.example/b/shoes.png?v=2", basis=Basis.CLICK)


def test_cm360():
    """Campaign Manager's campaign and creative are read from markup and addresses, and are a rung of their own."""
    tag = (("data-dcm-placement", "N8334.707.ABOUTINC./B26359283.314697162"),)
    click = "https://ad.doubleclick.net/ddm/trackclk/N1.2/B31321754.386441154;dc_trk_aid=577313199;dc_trk_cid=132957294"

    assert _read(attributes=tag) == Ad((), "ad.doubleclick.net/26359283", basis=Basis.CM360)
    assert _read(clicks=(click,)) == Ad(
        (), "ad.doubleclick.net/31321754", "ad.doubleclick.net/132957294", basis=Basis.CM360
    )


def test_declared_advertiser():
    """What the element declares as its advertiser stands above its clicks."""
    ad = _read(attributes=(("data-adomain", "https://www.hats.example/"),), clicks=(SHOES,))

    assert (ad.advertisers, ad.basis) == (("hats.example",), Basis.DECLARED)


def test_counted_click_before_plain_link():
    """A link beside the ad's own, counted click does not name the advertiser."""
    ad = _read(clicks=("https://reviews.example/shoes", f"https://ib.adnxs.com/click?clickenc={quote(SHOES, '')}"))

    assert ad.advertisers == ("shoes.example",)


def test_name_in_the_text():
    """A domain that the ad shows as its name is used where no click tells, and never the publisher's or two."""

    assert _read(text="New rule for drivers Shoes.com").basis is Basis.SPONSOR
    assert _read(text="New rule for drivers Shoes.com").advertisers == ("shoes.com",)
    assert not _read(text="Shoes.com or Hats.com").identified
    assert not _read(text="Read more on News.com", page="https://news.com/").identified
    assert not _read(text="Yes.No one said so. Mail a@shoes.com").identified


def test_a_grid():
    """Side by side, several advertisers are several ads; together they are one with several advertisers."""
    evidence = Evidence(("https://shoes.example/", "https://hats.example/", "https://shoes.example/2"), page=PAGE)

    assert READER.read(evidence).advertisers == ("shoes.example", "hats.example")
    assert READER.read_all(evidence) == (
        Ad(("shoes.example",), basis=Basis.CLICK),
        Ad(("hats.example",), basis=Basis.CLICK),
    )
    assert READER.read_all(Evidence()) == (Ad(),)


@pytest.mark.parametrize(
    ("url", "ad"),
    [
        (
            "https://tpc.googlesyndication.com/simgad/1234567890123456789?w=1",
            Ad((), None, "googlesyndication.com/1234567890123456789", basis=Basis.CRID),
        ),
        (
            "https://s0.2mdn.net/sadbundle/9876543210/index.html",
            Ad((), None, "googlesyndication.com/9876543210", basis=Basis.CRID),
        ),
        (
            "https://ads.exchange.example/serve?crid=ab-12&campaign_id=77&cb=1",
            Ad((), "exchange.example/77", "exchange.example/ab-12", basis=Basis.CRID),
        ),
        ("https://ads.exchange.example/serve?crid=${CRID}&campaign_id=0", Ad()),
        (
            "https://ads.example/b/shoes.png?utm_campaign=x&1234567",
            Ad((), None, "ads.example/b/shoes.png", basis=Basis.URL),
        ),
        ("https://ads.example/serve?zone=7", Ad()),
        ("https://ads.example/img/adchoices_icon.png", Ad()),
        ("https://tpc.googlesyndication.com/safeframe/1-0-40/html/container.html", Ad()),
        (
            f"https://ads.example/b.png?clickurl={quote(SHOES, '')}",
            Ad(("shoes.example",), None, f"ads.example/b.png?clickurl={quote(SHOES, '')}", basis=Basis.CLICK),
        ),
        (f"https://ads.example/serve?url={quote(SHOES, '')}", Ad()),
        (f"https://googleads.g.doubleclick.net/pagead/ads?adurl={quote(SHOES, '')}", Ad()),
        ("", Ad()),
    ],
)
def test_read_url(url, ad):
    """A file is known by a network's ids, a common parameter or its lasting address; its host is no advertiser."""

    assert READER.read_url(url, PAGE) == ad


def test_knowing_nothing():
    """Without networks the plain link still names the advertiser."""

    assert AdReader(Networks()).read(Evidence((SHOES,), page=PAGE)).advertisers == ("shoes.example",)


_REDIRECTORS = st.sampled_from(
    [
        "https://adclick.g.doubleclick.net/pcs/click?xai=A&adurl=",
        "https://www.googleadservices.com/pagead/aclk?sa=L&ai=B&adurl=",
        "https://ib.adnxs.com/click?A/bn=1/clickenc=",
        "https://track.adform.net/C/?bn=1;click=",
        "https://m.exactag.com/cl.aspx?extProv=1&url=",
        "https://www.awin1.com/cread.php?awinmid=1&ued=",
        "https://unheardoftrk.com/c?a=1&dest=",
    ]
)


@given(
    label=st.from_regex(r"[a-z][a-z0-9]{2,20}", fullmatch=True).filter(lambda text: text.isascii()),
    wraps=st.lists(st.tuples(_REDIRECTORS, st.integers(1, 3)), max_size=5),
)
def test_any_wrapping_comes_off(label, wraps):
    """Whatever redirectors and encodings a destination is wrapped in, up to the limits, it comes back."""
    domain = f"{label}.shop.example"
    url = f"https://www.{label}.shop.example/offer?a=1&b=2"
    for redirector, times in wraps:
        for _ in range(times):
            url = quote(url, "")
        url = redirector + url

    assert _landing(url) == registrable(domain)


@given(st.lists(st.text(max_size=300), max_size=4), st.text(max_size=100), st.text(max_size=60))
def test_garbage_never_raises(urls, text, page):
    """Whatever is fed, there is an ad."""
    clues = tuple(urls)
    evidence = Evidence(clues, clues, tuple((url, url) for url in clues), text, page)

    assert isinstance(READER.read(evidence), Ad)
    assert all(isinstance(READER.read_url(url, page), Ad) for url in urls)


_PIECES = st.lists(
    st.sampled_from(
        [
            "https://",
            "http%3A%2F%2F",
            "news.example",
            "www.news.example/",
            "sub.news.example",
            "ib.adnxs.com/click?",
            "adurl=",
            "url=",
            "crd=",
            "aHR0cHM6Ly9uZXdzLmV4YW1wbGU",
            "&",
            "/",
            "?",
            ";",
            "%",
            "%25",
            "@",
            ":8080",
            "${X}",
            "\\x26",
        ]
    ),
    max_size=14,
)


@given(_PIECES)
def test_never_the_publisher_nor_a_redirector(pieces):
    """However the publisher's own address is dressed up, it is never the advertiser, nor is what it passed through."""
    ad = READER.read(Evidence(("https://" + "".join(pieces),), page=PAGE))

    assert not {"news.example", "adnxs.com"} & set(ad.advertisers)


# Real ads


KNOWN = {
    "adsense-adfetch-2023.html": ("uniqlo.com",),
    "adsense-afc-2018-yoga.html": ("precisionnutrition.com",),
    "adsense-responsive-2025-expresschemical.html": ("expresschemical.com",),
    "adsense-text-2020-remarketing.html": ("unipe.edu.br",),
    "adsense-text-2022-iexpertify.html": ("manualslibrary.co",),
    "appnexus-frame-2019-castorama.html": ("castorama.pl",),
    "cm360-html5-2025-disney.html": ("disneyplus.com",),
    "gam-dv360-frame-2019.html": ("niepospolita.pl",),
    "gam-native-template-2025.html": (),
    "gam-safeframe-2018-beeline.html": ("beeline.ru",),
    "gam-safeframe-2022-chevrolet.html": ("chevrolet.com",),
    "gam-safeframe-2026-crd-hotels.html": ("hotels.com",),
    "gam-popin-native-2026.html": (),
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("page", ["", "https://publisher.example/"])
def test_known_display_frames(shared_data, clues_of, name, page):
    """The real display frames name the advertisers that were read out of them by hand, whether or not the page is known."""
    markup = (shared_data / "adtech" / "google-display" / name).read_text("utf-8", "replace")
    evidence = clues_of(markup, page)
    # Some keep their link in a <noscript>, which a parser takes for text.
    inner = clues_of(evidence.text, page) if "<a " in evidence.text else Evidence()
    ad = READER.read(Evidence(evidence.clicks + inner.clicks, evidence.resources, evidence.attributes, "", page))

    assert ad.advertisers == KNOWN[name]


def test_known_cm360_ids(shared_data, clues_of):
    """The campaigns and creatives of the known frames are right too."""
    folder = shared_data / "adtech"
    found = {}
    for name in ("google-display/cm360-html5-2025-disney.html", "google-display/gam-safeframe-2022-chevrolet.html"):
        ad = READER.read(clues_of((folder / name).read_text("utf-8", "replace"), ""))
        found[name] = (ad.campaign, ad.creative)
    text = (folder / "vast" / "captured-vidoomy-cm360.xml").read_text("utf-8", "replace")
    click = re.search(r"https://ad\.doubleclick\.net/ddm/trackclk/[^<\]\s]+", text)
    vast = READER.read(Evidence((click[0],)))

    assert set(found.values()) == {
        ("ad.doubleclick.net/31838141", "ad.doubleclick.net/232906081"),
        ("ad.doubleclick.net/26359283", "ad.doubleclick.net/157367156"),
    }
    assert vast == Ad((), "ad.doubleclick.net/31321754", "ad.doubleclick.net/132957294", basis=Basis.CM360)


def test_known_page_with_text_ads(shared_data, clues_of):
    """The three text ads of the BBC page are told apart; its Outbrain links and share buttons name nobody."""
    page = "https://www.bbc.com/news/world-us-canada-33646704"
    markup = (shared_data / "adtech" / "page-with-ads" / "bbc-1.html").read_text("utf-8", "replace")
    clicks = clues_of(markup, page).clicks
    ads = READER.read_all(Evidence(tuple(url for url in clicks if "doubleclick" in url), page=page))
    others = READER.read(Evidence(tuple(url for url in clicks if "outbrain" in url or "facebook" in url), page=page))

    assert [ad.advertisers for ad in ads] == [("medicaresupplemental.com",), ("ancestry.com",), ("advisorworld.com",)]
    assert others.advertisers == ()


def _real_ads(shared_data):
    pages = shared_data / "pages"
    with gzip.open(pages / "ad-markup-2020.csv.gz", "rt", encoding="utf-8") as file:
        rows = {row["ad_id"]: row for row in csv.DictReader(file)}
    archive = gzip.decompress((pages / "ad-markup-2020.tar.gz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            row = rows.get(member.name.rpartition("/")[2].removesuffix(".html"))
            if member.isfile() and row and row["landing_url"]:
                yield row, tar.extractfile(member).read()


def test_real_ads_of_2020(shared_data):
    """Of real ads whose markup holds their landing page, 9 in 10 are known by its domain, and none by another's."""
    outcomes = Counter()
    for row, data in _real_ads(shared_data):
        landing = registrable(host_of(row["landing_url"]))
        decoded = data.decode("utf-8", "replace")
        for _ in range(4):
            decoded = unquote(html.unescape(decoded))
        held = re.search(rf"(?<![\w-]){re.escape(landing)}(?![\w-])", decoded.lower())
        own = landing == site_of(row["parent_url"])
        kind = "publisher's own" if own else "held" if held else "not held"
        page = row["parent_url"]
        ad = READER.read(evidence_of_document(parse(data, page, "utf-8"), page))
        domains = {registrable(key.partition("/")[0]) for key in ad.advertisers}
        outcomes[kind, "right" if domains == {landing} else "wrong" if domains else "none"] += 1
    held = {result: outcomes["held", result] for result in ("right", "none", "wrong")}
    print(outcomes)

    assert held["wrong"] == 0
    assert outcomes["publisher's own", "wrong"] == 0
    assert outcomes["not held", "wrong"] <= 3
    assert held["right"] >= 0.97 * sum(held.values())


def test_requests_of_real_pages(shared_data):
    """Of twenty thousand real requests, cookie syncs and pixels among them, only those that carry a click name an advertiser."""
    found = Counter()
    for name in ("crawl2019", "devtools"):
        with gzip.open(shared_data / "requests" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            for row in map(json.loads, file):
                found.update(READER.read_url(row["url"], row["source"] or "").advertisers)

    assert found == {"mrgreen.com": 6, "zeit.de": 2}
