"""The lists that travel with capper: what they must name, must not name, and how they compare with a maintained list."""

import gzip
import json
from collections import Counter

import pytest

from capper.recognise.engine import Engines, Label
from capper.recognise.filterlist import FilterList, ListKind, rules
from capper.recognise.kind import Kind
from capper.recognise.lists import starter_lists

NEWS = "https://news.example/"


@pytest.fixture(scope="module")
def starters() -> Engines:
    return Engines.build(starter_lists())


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://securepubads.g.doubleclick.net/gampad/ads?iu=/1/x", Kind.XHR),
        ("https://ad.doubleclick.net/ddm/trackimp/N1.2/B3.4;dc_trk_aid=5", Kind.IMAGE),
        ("https://tpc.googlesyndication.com/simgad/123", Kind.IMAGE),
        ("https://s0.2mdn.net/simgad/123", Kind.IMAGE),
        ("https://ib.adnxs.com/ut/v3/prebid", Kind.XHR),
        ("https://fastlane.rubiconproject.com/a/api/fastlane.json", Kind.XHR),
        ("https://prebid-server.rubiconproject.com/openrtb2/auction", Kind.XHR),
        ("https://htlb.casalemedia.com/openrtb/pbjs", Kind.XHR),
        ("https://hbopenbid.pubmatic.com/translator", Kind.XHR),
        ("https://grid-bidder.criteo.com/openrtb_2_5/pbjs/auction/request", Kind.XHR),
        ("https://rtb.openx.net/openrtbb/prebidjs", Kind.XHR),
        ("https://prg.smartadserver.com/prebid/v1", Kind.XHR),
        ("https://adx.adform.net/adx/openrtb", Kind.XHR),
        ("https://a.teads.tv/hb/bid-request", Kind.XHR),
        ("https://tlx.3lift.com/header/auction", Kind.XHR),
        ("https://ad.yieldlab.net/yp/1", Kind.XHR),
        ("https://ads.adnuntius.delivery/i", Kind.XHR),
        ("https://europe.delivery.adnuntius.com/i", Kind.XHR),
        ("https://ads-demo.adhese.com/json", Kind.XHR),
        ("https://e.serverbid.com/api/v2", Kind.XHR),
        ("https://e-1.adzerk.net/api/v2", Kind.XHR),
        ("https://lwadm.com/ad", Kind.XHR),
        ("https://direct.adsrvr.org/bid/bidder/x", Kind.XHR),
        ("https://ap.lijit.com/rtb/bid", Kind.XHR),
        ("https://ad.360yield.com/pb", Kind.XHR),
        ("https://onetag-sys.com/prebid-request", Kind.XHR),
        ("https://prebid.media.net/rtb/prebid", Kind.XHR),
        ("https://ssc.33across.com/api/v1/hb", Kind.XHR),
        ("https://g2.gumgum.com/hbid/imp", Kind.XHR),
        ("https://s.seedtag.com/c/hb/bid", Kind.XHR),
        ("https://mp.4dex.io/prebid", Kind.XHR),
        ("https://display.bidder.taboola.com/OpenRTB/TaboolaHB/auction", Kind.XHR),
        ("https://aax-eu.amazon-adsystem.com/e/dtb/bid", Kind.SCRIPT),
        ("https://paid.outbrain.com/network/redir?p=1", Kind.SUBDOCUMENT),
        ("https://ads.publisher.example/www/delivery/afr.php?zoneid=1", Kind.SUBDOCUMENT),
        ("https://pbs.publisher.example/openrtb2/auction", Kind.XHR),
    ],
)
def test_ad_delivery_is_named(starters, url, kind):
    """Exchanges, ad servers and creative hosts are ads when a page asks for them."""

    assert starters.verdict(url, NEWS, kind).label == Label.AD


@pytest.mark.parametrize(
    "url",
    [
        "https://adssettings.google.com/whythisad?source=display",
        "https://privacy.eu.criteo.com/adchoices?cppv=1",
        "https://info.evidon.com/more_info/1",
        "https://choices.truste.com/ca?pid=1",
        "https://popup.taboola.com/en/?template=colorbox",
        "https://www.outbrain.com/what-is/",
        "https://info.yahoo.com/privacy/us/yahoo/relevantads.html",
        "https://app.adroll.com/optout",
        "https://youradchoices.com/",
        "https://optout.aboutads.info/",
        "https://www.youronlinechoices.eu/",
        "https://optout.networkadvertising.org/",
        "https://consent.cookiebot.com/uc.js",
        "https://cdn.cookielaw.org/scripttemplates/otSDKStub.js",
        "https://cdn.privacy-mgmt.com/unified/wrapperMessagingWithoutDetection.js",
        "https://sdk.privacy-center.org/loader.js",
        "https://fundingchoicesmessages.google.com/i/pub-1",
        "https://www.google.com/recaptcha/api.js",
        "https://fonts.gstatic.com/s/x.woff2",
        "https://cdn.jsdelivr.net/npm/prebidders/x.css",
        "https://images.example/2024/adserving-the-public.jpg",
        "https://cdn.shop.example/banners/summer.jpg",
        "https://uploads.example/files/readme.txt",
        "https://addons.mozilla.org/x.js",
        "https://adyen.com/checkout.js",
        "https://download.adobe.com/x",
    ],
)
def test_innocents_are_not_named(starters, url):
    """Opt-out pages, consent dialogs, shops' own banners and names that merely look alike are not ads, nor opened."""

    for kind in (Kind.SCRIPT, Kind.IMAGE, Kind.XHR, Kind.SUBDOCUMENT):
        assert starters.verdict(url, NEWS, kind).label != Label.AD
    assert not starters.hosts.covers(url.split("/")[2])


def test_measurement_is_no_ad(starters):
    """Beacons are told from ads."""
    for url in ("https://www.google-analytics.com/analytics.js", "https://sb.scorecardresearch.com/b?c1=2"):
        assert starters.verdict(url, NEWS, Kind.SCRIPT).label == Label.TRACKER


def test_enough_hosts(starters):
    """Hundreds of ad-delivery hosts are known, and each is written once."""

    assert len(starters.hosts) >= 450
    for filter_list in starter_lists():
        counts = Counter(rules(filter_list.text))
        assert [rule for rule, count in counts.items() if count > 1] == []


def test_no_rule_is_a_regular_expression_by_accident():
    """`/adserver/` would be a regular expression that matches everywhere: a folder is written `/adserver/*`."""
    for filter_list in starter_lists():
        for rule in rules(filter_list.text):
            pattern = rule.removeprefix("@@").partition("$")[0]

            assert not (len(pattern) > 1 and pattern[0] == pattern[-1] == "/"), rule


def test_cosmetics(starters):
    """The general selectors find the usual ad markup."""
    page = starters.cosmetics(NEWS)

    assert "ins.dcmads" in page.selectors or ".dcmads" in starters.ads.hiding(["dcmads"], [], page)
    assert set(starters.ads.hiding(["adsbygoogle", "ad-slot", "article"], ["ad-banner"], page)) >= {
        "#ad-banner",
        ".ad-slot",
        ".adsbygoogle",
    }


def test_precision_and_recall(starters, shared_data):
    """Of what the starter list calls an ad, full lists block 98 %; it finds three quarters of EasyList's ads.

    EasyPrivacy counts Taboola and Outbrain as trackers, so EasyList alone agrees less.
    """
    full = Engines.build(
        [
            FilterList(name, gzip.decompress((shared_data / "lists" / f"{name}.txt.gz").read_bytes()).decode(), kind)
            for name, kind in [("easylist-20260822", ListKind.ADS), ("easyprivacy-20260822", ListKind.TRACKERS)]
        ]
    )
    sources = [shared_data / "requests" / "crawl2019.jsonl.gz", shared_data / "har" / "verdicts.jsonl.gz"]
    counts = Counter()
    for path in sources:
        for line in gzip.decompress(path.read_bytes()).splitlines():
            row = json.loads(line)
            if row["source"].startswith("http"):
                asked = row["url"], row["source"], Kind(row["type"])
                counts[full.verdict(*asked).label, starters.verdict(*asked).label] += 1
    called = sum(count for (_, ours), count in counts.items() if ours is Label.AD)
    ads = sum(count for (theirs, _), count in counts.items() if theirs is Label.AD)

    assert 1 - counts[Label.NONE, Label.AD] / called > 0.98
    assert counts[Label.AD, Label.AD] / called > 0.9
    assert counts[Label.AD, Label.AD] / ads > 0.75
