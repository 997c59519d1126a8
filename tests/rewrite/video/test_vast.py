"""Video ads: found with whose they are, dropped without touching a byte around them."""

from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.domain.identity import Ad, Basis
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite.video.vast import Tag, apply, find, looks, study

PAGE = "https://news.example/film"

# Synthetic, as everything in this file that is not read from `shared_data`.
POD = b"""\
<?xml version="1.0" encoding="UTF-8"?>
<VAST version="4.2"><Error><![CDATA[https://ads.example/none?[ERRORCODE]]]></Error>
  <Ad id="line-1001" sequence="1"><InLine>
    <AdSystem>Example Server</AdSystem><AdTitle> Shoes  spring </AdTitle><Advertiser>shoes.example</Advertiser>
    <Category authority="https://www.iabtechlab.com/categoryauthority">IAB18-3, IAB20</Category>
    <Category authority="https://other.example">77</Category>
    <Impression id="a"><![CDATA[ https://ads.example/seen?a=1&b=[CACHEBUSTING] ]]></Impression>
    <ViewableImpression><Viewable>https://ads.example/viewed</Viewable></ViewableImpression>
    <Creatives>
      <Creative id="cr-1"><CompanionAds><Companion><UniversalAdId idRegistry="ad-id.org">BESIDE01</UniversalAdId>
        <CompanionClickThrough>https://beside.example/</CompanionClickThrough></Companion></CompanionAds></Creative>
      <Creative id="cr-2"><UniversalAdId idRegistry="unknown">unknown</UniversalAdId>
        <UniversalAdId idRegistry="Ad-ID.org">CNPA0484000H</UniversalAdId><Linear>
        <TrackingEvents><Tracking event="start">https://ads.example/start</Tracking></TrackingEvents>
        <VideoClicks><ClickThrough>
           https://click.adform.net/C/?bn=1&amp;redirect=https%3A%2F%2Fwww.shoes.com%2Fspring
        </ClickThrough><ClickTracking>https://tracker.example/?url=https://wrong.com/</ClickTracking></VideoClicks>
        <MediaFiles>
          <MediaFile width="640" height="360" type="video/mp4"> https://cdn.example/small.mp4 </MediaFile>
          <MediaFile width="1280" height="720" type="video/mp4">//cdn.example/large.mp4</MediaFile>
        </MediaFiles>
        <Icons><Icon program="AdChoices"><IconClicks><IconClickThrough>https://choices.com/</IconClickThrough></IconClicks></Icon></Icons>
      </Linear></Creative>
    </Creatives>
    <Extensions><Extension><VAST><Ad id="no-ad-of-this-answer"></Ad></VAST></Extension></Extensions>
  </InLine></Ad>
  <Ad id="2" sequence="2"><Wrapper followAdditionalWrappers="1"><VASTAdTagURI><![CDATA[https://next.example/vast?pod=1]]></VASTAdTagURI>
    <Impression>https://ads.example/wrapped</Impression></Wrapper></Ad>
  <!-- <Ad id="commented away"></Ad> -->
  <Ad id="3"><InLine/></Ad>
</VAST>
"""
VMAP = b"""
<vmap:VMAP version="1.0"><vmap:AdBreak timeOffset="start"><vmap:AdSource><vmap:VASTAdData>
<VAST version="3.0"><Ad id="a1"><InLine></InLine></Ad></VAST></vmap:VASTAdData></vmap:AdSource></vmap:AdBreak>
<vmap:AdBreak timeOffset="end"><vmap:AdSource><vmap:AdTagURI templateType="vast3"><![CDATA[//tag.example/end]]></vmap:AdTagURI>
</vmap:AdSource></vmap:AdBreak><vmap:AdBreak><vmap:AdSource><vmap:VASTAdData><![CDATA[<?xml version="1.0"?>
<VAST version="3.0"><Ad id="a2" sequence="1"></Ad></VAST>]]></vmap:VASTAdData></vmap:AdSource></vmap:AdBreak></vmap:VMAP>
"""
FIRST = b"""\
<VideoAdServingTemplate><Ad id="first"><InLine><AdSystem>Old</AdSystem>
<Impression><URL id="one">https://ads.example/1</URL><URL id="two">https://ads.example/2</URL></Impression>
<Video><AdID>77001</AdID><VideoClicks><ClickThrough><URL id="x"><![CDATA[https://www.shoes.com/]]></URL></ClickThrough></VideoClicks>
<MediaFiles><MediaFile width="300" height="200"><URL>https://cdn.example/a.flv</URL></MediaFile></MediaFiles></Video>
</InLine></Ad></VideoAdServingTemplate>"""


def strict(data):
    """Whether a strict parser takes the document, as players' trim it before."""
    try:
        expat.ParserCreate().Parse(data.strip(), 1)
    except expat.ExpatError:
        return False
    return True


@pytest.fixture(scope="module")
def reader():
    return AdReader(load_networks())


def test_an_ad_gives_its_evidence(reader):
    """Click, ids, files, impressions, size: what the ladder needs; the icon's and the beacons' targets are none of its clicks."""
    ad, *_ = find(POD, page=PAGE).ads

    assert ad.offer.evidence.clicks == (
        "https://click.adform.net/C/?bn=1&redirect=https%3A%2F%2Fwww.shoes.com%2Fspring",
    )
    assert ad.impressions == ("https://ads.example/seen?a=1&b=[CACHEBUSTING]", "https://ads.example/viewed")
    assert {"https://ads.example/start", "https://cdn.example/large.mp4", *ad.impressions} <= set(
        ad.offer.evidence.resources
    )
    assert (ad.size, ad.title, ad.system) == ((1280, 720), "Shoes spring", "Example Server")
    assert read_offer(reader, ad.offer) == Ad(
        ("shoes.com",),
        creative="universal-ad-id/ad-id.org/CNPA0484000H",
        categories=("IAB18-3", "IAB18", "IAB20"),
        basis=Basis.CLICK,
    )


def test_pods_buffets_and_wrappers_are_told_apart():
    """A sequence makes a pod; a wrapper says where the player asks on; Extensions and comments hold no ads."""
    found = find(POD)

    assert [(ad.number, ad.sequence, ad.wrapper) for ad in found.ads] == [
        (0, 1, ""),
        (1, 2, "https://next.example/vast?pod=1"),
        (2, None, ""),
    ]
    assert found.tags == (
        Tag("https://next.example/vast?pod=1", 0, 1, 2, several=False, beacons=("https://ads.example/wrapped",)),
    )


def test_a_place_plays_as_players_play_it():
    """A pod goes by its numbers, not by the order it is written in; the ads beside it are its stand-ins."""
    data = b"<VAST><Ad id='c' sequence='3'/><Ad id='x'/><Ad id='a' sequence='1'/><Ad id='y'/></VAST>"
    (stop,) = find(data).stops()

    assert [ad.number for ad in stop.pod] == [2, 0]
    assert [ad.number for ad in stop.buffet] == [1, 3]
    assert [(stop.place, len(stop.pod), len(stop.buffet)) for stop in find(VMAP).stops()] == [(0, 0, 1), (2, 1, 0)]


def test_breaks_are_places_of_their_own():
    """Each VMAP break is one place: its ads and the addresses that fetch more for it, an answer in CDATA included."""
    found = find(VMAP)

    assert [(ad.place, ad.sequence, VMAP[ad.span.start : ad.span.end][:11]) for ad in found.ads] == [
        (0, None, b'<Ad id="a1"'),
        (2, 1, b'<Ad id="a2"'),
    ]
    assert found.tags == (Tag("https://tag.example/end", 1),)


def test_the_first_vast_is_read_too(reader):
    """VAST 1 has another root, and its addresses stand in <URL>."""
    (ad,) = find(FIRST, page=PAGE).ads

    assert ad.impressions == ("https://ads.example/1", "https://ads.example/2")
    assert ad.size == (300, 200)
    assert read_offer(reader, ad.offer).advertisers == ("shoes.com",)


@pytest.mark.parametrize("data", [POD, VMAP, FIRST])
def test_nothing_dropped_is_the_very_same_object(data):
    """Without an ad withheld, not one byte is written anew."""
    assert apply(data, ()) is data


@pytest.mark.parametrize("data", [POD, VMAP, FIRST])
def test_all_dropped_means_no_ad(data):
    """What is left has no ad in it, all breaks and errors, and is as well-formed as it was."""
    left = apply(data, find(data).ads)

    assert find(left).ads == ()
    assert strict(left) == strict(data)
    assert left.count(b"AdBreak") == data.count(b"AdBreak")
    assert left.count(b"<VAST version") == data.count(b"<VAST version")
    assert (b"none?[ERRORCODE]" in left) == (b"none?[ERRORCODE]" in data)


@pytest.mark.parametrize(
    ("system", "ad", "creative", "key"),
    [
        ("OpenX  Enterprise", "5370001", "5380001", "vast/openx enterprise/5370001/5380001"),
        ("Server", "4b1c9a6e-6f38-4d5b-9c0e-1f2a3b4c5d6e", "5380001", "vast/server/5380001"),
        ("Server", "5370001", "5370001", "vast/server/5370001"),
        ("2.0", "5370001", "5380001", None),
        ("VAST", "5370001", "5380001", None),
        ("Server", "1", "", None),
        ("Server", "preroll-1", "video", None),
        ("Server", "[ADID]", "${CREATIVE}", None),
    ],
)
def test_ids_that_name_nothing_are_none(reader, system, ad, creative, key):
    """An ad server's ids are its own; ids made up for a request, macros and mere ordinals identify no creative."""
    data = (
        f'<VAST><Ad id="{ad}"><InLine><AdSystem>{system}</AdSystem><Creatives><Creative id="{creative}"/>'
        "</Creatives></InLine></Ad></VAST>"
    )

    assert read_offer(reader, find(data.encode()).ads[0].offer).creative == key


@pytest.mark.parametrize(
    ("registry", "value", "key"),
    [
        ("Ad-ID", "CNPA0484000H", "universal-ad-id/ad-id/CNPA0484000H"),
        ("unknown", "CNPA0484000H", "universal-ad-id/server/CNPA0484000H"),
        ("ad-id.org", "unknown", None),
        ("ad-id.org", "[ADID]", None),
    ],
)
@pytest.mark.parametrize("form", ['<UniversalAdId idRegistry="{}">{}', '<UniversalAdId idRegistry="{}" idValue="{}">'])
def test_registered_ids_are_read_from_either_place(reader, form, registry, value, key):
    """VAST 4.0 had them in an attribute, later ones as text; one of an unknown registry is its ad server's."""
    data = (
        f"<VAST><Ad><InLine><AdSystem>Server</AdSystem><Creatives><Creative>{form.format(registry, value)}"
        "</UniversalAdId></Creative></Creatives></InLine></Ad></VAST>"
    )

    assert read_offer(reader, find(data.encode()).ads[0].offer).creative == key


@pytest.mark.parametrize(
    ("spoken", "advertiser"),
    [
        ("Shoe  House", "sponsor/shoe house"),
        ("Shoes.com", "shoes.com"),
        ("https://www.shoes.com/spring", "shoes.com"),
        ("", None),
    ],
)
def test_a_spoken_advertiser_speaks_where_no_click_does(reader, spoken, advertiser):
    """The name in <Advertiser> is a key of its own kind, unless it is a domain."""
    data = f"<VAST><Ad><InLine><Advertiser><![CDATA[ {spoken} ]]></Advertiser></InLine></Ad></VAST>".encode()
    ad = read_offer(reader, find(data).ads[0].offer)

    assert (ad.advertisers, ad.basis) == (((advertiser,), Basis.SPONSOR) if advertiser else ((), Basis.UNIDENTIFIED))


@pytest.mark.parametrize(
    "markup",
    [
        "<VAST><Ad>{}</Ad></VAST>",
        "\n<Ad id='1'>{}</Ad>",
        "<?xml version='1.0'?>{}",
    ],
)
def test_a_bids_markup_may_be_part_of_an_answer(reader, markup):
    """Bidders send an ad, or what is inside one, without what is around it."""
    inline = "<InLine><Creatives><ClickThrough>https://www.shoes.com/é</ClickThrough></Creatives></InLine>"
    (ad,) = study(markup.format(inline), page=PAGE).ads

    assert read_offer(reader, ad.offer).advertisers == ("shoes.com",)


@pytest.mark.parametrize("markup", ["", "<p>VAST</p>", "<InLin></InLin>", '{"native": {}}', "https://a.example/"])
def test_other_markup_is_no_video_ad(markup):
    """HTML, native ads and addresses hold none."""
    assert study(markup).ads == ()


def test_icons_extensions_and_measurers_say_nothing_of_the_advertiser(reader):
    """Only where the icons lead is kept, apart; what a creative's own program is told is not read at all."""
    away = "<ClickThrough>https://wrong.com/</ClickThrough><Advertiser>Wrong</Advertiser>"
    data = f"""<VAST><Ad><InLine><AdVerifications><Verification>{away}</Verification></AdVerifications>
      <Extensions><Extension><VAST><Ad><InLine>{away}</InLine></Ad></VAST></Extension></Extensions>
      <Creatives><Creative><CreativeExtensions><CreativeExtension>{away}<UniversalAdId idRegistry="ad-id.org">CNPA0484000H
      </UniversalAdId></CreativeExtension></CreativeExtensions><Linear><AdParameters>{away}</AdParameters>
      <Icons><Icon program="AdChoices" width="77"><StaticResource>https://choices.example/i.png</StaticResource>
      <HTMLResource><![CDATA[<a href="https://wrong.com/">i</a>]]></HTMLResource><IconClicks><IconClickThrough>
      https://choices.example/why</IconClickThrough></IconClicks></Icon></Icons></Linear></Creative></Creatives>
      </InLine></Ad></VAST>""".encode()
    (ad,) = find(data).ads

    assert ad.choices == ("https://choices.example/why",)
    assert ad.offer.evidence.resources == ()
    assert read_offer(reader, ad.offer) == Ad(creative="universal-ad-id/ad-id.org/CNPA0484000H", basis=Basis.CRID)


@pytest.mark.parametrize(
    ("click", "advertisers"),
    [
        ("https://go.counter.com/click/7", ()),
        ("https://go.counter.com/click?to=http%3A%2F%2Fwww.shoes.com%2F", ("shoes.com",)),
        ("https://www.shoes.com/spring", ("shoes.com",)),
        ("https://go.counter.com/click?to=https://www.shoes.com/", ("shoes.com",)),
        ("https://go.counter.com/", ("counter.com",)),
        ("https://www.counter.com/spring", ("counter.com",)),
        ("https://counter.com/spring", ("counter.com",)),
        ("https://go.other.co.uk/spring", ("other.co.uk",)),
    ],
)
def test_a_click_that_the_counting_site_keeps_to_itself_is_none(reader, click, advertisers):
    """Where it then leads is not in it, and whose host it is says who counts."""
    data = f"""<VAST><Ad><InLine><Impression>https://i.counter.com/seen</Impression><Impression>https://i.some.co.uk/</Impression><Creatives><Creative><Linear>
      <VideoClicks><ClickThrough>{click}</ClickThrough></VideoClicks></Linear></Creative></Creatives></InLine></Ad></VAST>"""

    assert read_offer(reader, find(data.encode(), page=PAGE).ads[0].offer).advertisers == advertisers


def test_a_companions_links_go_before_its_scripts(reader):
    """A handler that counts the click names whoever counts, not where the link leads."""
    html = """<a onclick="new Image().src='https://counter.com/log?a=1'" href="https://www.shoes.com/x">shoes</a>"""
    data = f"<VAST><Ad><InLine><HTMLResource><![CDATA[{html}]]></HTMLResource></InLine></Ad></VAST>".encode()

    assert read_offer(reader, find(data, page=PAGE).ads[0].offer).advertisers == ("shoes.com",)


def test_registered_ids_of_older_versions_stand_in_an_extension(reader):
    """VAST 2 and 3 have no UniversalAdId of their own."""
    data = (
        b'<VAST><Ad><InLine><Extensions><Extension type="UniversalAdId"><UniversalAdId idRegistry="ad-id.org">CNPA0484000H'
        b"</UniversalAdId></Extension></Extensions></InLine></Ad></VAST>"
    )

    assert read_offer(reader, find(data).ads[0].offer).creative == "universal-ad-id/ad-id.org/CNPA0484000H"


def test_a_companion_in_html_is_read_where_nothing_else_clicks(reader):
    """Links of the HTML beside the film name the advertiser only if the film's own click does not."""
    html = '<HTMLResource><![CDATA[<a href="https://www.shoes.com/x"><img src="https://cdn.example/a.png"></a>]]></HTMLResource>'
    data = f"<VAST><Ad><InLine><Creatives><Creative>{html}</Creative></Creatives></InLine></Ad></VAST>".encode()

    assert read_offer(reader, find(data, page=PAGE).ads[0].offer).advertisers == ("shoes.com",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b'{"seatbid": []}',
        b' {"adm": "<VAST><Ad></Ad></VAST>"}',
        b"<html><body>about VAST</body></html>",
        b"<rss><channel/></rss>",
        b"<Ad></Ad><VASTLY><Ad></Ad></VASTLY>",
        b"<!DOCTYPE html><html><head><!-- <VAST><Ad></Ad></VAST> --></head><VAST><Ad></Ad></VAST></html>",
        b"<!-- <VAST> --><p>text<VAST><Ad></Ad></VAST>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><VAST><Ad></Ad></VAST></svg>",
        b"<rss xmlns:vmap='http://www.iab.net/vmap-1.0'><vmap:VMAP><vmap:AdBreak/></vmap:VMAP></rss>",
        b"<soap:Envelope><soap:Body><VAST><Ad></Ad></VAST></soap:Body></soap:Envelope>",
        b"callback('<VAST><Ad></Ad></VAST>')",
        b"var a = 1; if (a <VAST) {}",
        b"about <VASTLY/>",
    ],
)
def test_other_documents_hold_no_video_ads(data):
    """What is no such answer has none, and is not gone through."""
    assert not looks(data)
    assert find(data).ads == ()


@pytest.mark.parametrize(
    "before",
    [
        b"\xef\xbb\xbf",
        b"\n\n \t<?xml version='1.0'?>\n",
        b"<?xml version='1.0'?><?xml-stylesheet href='a.xsl'?>",
        b"<!-- made by <html> " + b"x" * 5000 + b" -->",
        b"<!DOCTYPE VAST>",
        b"<!DOCTYPE VAST [<!ENTITY a 'b'>]>",
    ],
)
@pytest.mark.parametrize(
    "root",
    [
        b"<VAST>",
        b"<vast version='4'>",
        b"<VideoAdServingTemplate>",
        b"<vmap:VMAP>",
        b"<VMAP>",
        b"<DAAST>",
        b"<v:VAST/>",
    ],
)
def test_an_answer_is_known_by_its_root(before, root):
    """Whatever its content type: by the first element, with or without a prefix that nobody declared."""
    assert looks(before + root)


@pytest.mark.parametrize(
    "data",
    [
        b"<VAST><Ad id='1'><InLine></InLine></VAST>",
        b"<VAST><Ad id='1'><InLine>",
        b"<VAST><Ad id='1'",
        b"<VAST><Wrap><Ad id='1'></Ad></Wrap></VAST>",
    ],
)
def test_an_ad_without_an_end_is_none(data):
    """Where an ad ends is never guessed."""
    assert find(data).ads == ()


def test_a_damaged_answer_is_read_around_its_damage(reader):
    """Bare ampersands, unknown entities, a tag too many and a missing end cost no ad beside them."""
    data = (
        b"\n  junk <?xml version='1.0'?><VAST version=3.0><Ad id=1><InLine><AdTitle>A & B &nbsp; < C</AdTitle></B>"
        b"<ClickThrough>https://www.shoes.com/?a=1&b=2</ClickThrough></InLine></Ad><Ad id='2'><InLine><Open></InLine></Ad>"
    )
    first, second = find(data, page=PAGE).ads

    assert read_offer(reader, first.offer).advertisers == ("shoes.com",)
    assert first.title == "A & B &nbsp; < C"
    assert data[second.span.start :] == b"<Ad id='2'><InLine><Open></InLine></Ad>"


@pytest.mark.parametrize(
    "data",
    [
        b"<?xml version='1.0' encoding='utf-7'?><VAST></VAST>",
        b"<!DOCTYPE VAST [<!ENTITY a 'b'>]><VAST></VAST>",
        b"<VAST>" * 1000,
    ],
)
def test_what_is_refused_says_so(data):
    """An answer that cannot be edited as bytes, that brings entities or is nested beyond measure is refused."""
    with pytest.raises(Unrewritable):
        find(data)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("data", [POD, VMAP.lstrip(), FIRST])
def test_utf16_is_edited_two_bytes_a_character(data, codec):
    """The same ads are found in it and dropped from it."""
    wide = data.decode().encode(codec)
    ads, narrow = find(wide).ads, find(data).ads

    assert [ad.offer for ad in ads] == [ad.offer for ad in narrow]
    assert apply(wide, ads[:1]) == apply(data, narrow[:1]).decode().encode(codec)


def test_latin1_is_edited_as_the_bytes_it_is():
    """A byte beyond ASCII is one character of the title, and stays that byte."""
    data = "<?xml version='1.0' encoding='ISO-8859-1'?><VAST><!-- é --><Ad><InLine><AdTitle>Été</AdTitle></InLine></Ad></VAST>"
    (ad,) = find(data.encode("latin-1")).ads

    assert ad.title == "Été"
    assert "<VAST><!-- é --></VAST>".encode("latin-1") in apply(data.encode("latin-1"), [ad])


@pytest.fixture(scope="module")
def samples(shared_data):
    """Every real file, by name."""
    paths = [path for folder in ("vast", "vmap") for path in sorted((shared_data / "adtech" / folder).glob("*.xml"))]
    return {path.name: path.read_bytes() for path in paths}


IAB, FILM = "iabtechlab.com", "iab-publicfiles.s3.amazonaws.com/vast/VAST-4.0-Short-Intro.mp4"
REGISTERED = [(IAB, "", "universal-ad-id/ad-id/8465", "click")]
KNOWN = {
    # What each file holds, read by hand: advertiser, campaign, creative and the rung they were found by.
    "captured-vidoomy-cm360.xml": [("", "ad.doubleclick.net/31321754", "ad.doubleclick.net/132957294", "cm360")],
    "iab-vast_1-2.0-Inline_LinearRegular_VAST2.0.xml": [("target.com", "", FILM, "click")],
    "iab-vast_1-2.0-vast2Nonlinear.xml": [("", "", "", "unidentified")] * 10,
    "iab-vast_1-2.0-vast_wrapper_linear_1.xml": [("", "", "vast/acudeo compatible/602833", "crid")],
    "iab-vast_3.0-Inline_Companion_Tag-test.xml": [(IAB, "", "vast/iabtechlab/20004/5480", "click")],
    "iab-vast_3.0-Inline_Linear_Tag-test.xml": [("", "", "vast/iabtechlab/20001/5480", "crid")],
    "iab-vast_3.0-Wrapper_Tag-test.xml": [(IAB, "", "vast/iabtechlab/20011/5480", "click")],
    "iab-vast_4.0-Category-test.xml": REGISTERED,
    "iab-vast_4.0-Universal_Ad_ID-test.xml": REGISTERED,
    "iab-vast_4.1-Audio_DAAST_Sample.xml": REGISTERED,
    "iab-vast_4.2-Category-test.xml": REGISTERED,
    "iab-vast_4.2-IconClickFallbacks.xml": REGISTERED,
    "iab-vast_4.2-Universal_Ad_ID-multi-test.xml": REGISTERED,
    "iab-vast_4.2-Viewable_Impression-test.xml": [("", "", "vast/iabtechlab/20010/5480", "crid")],
    "iab-vast_4.2-Wrapper_Tag-test.xml": [(IAB, "", "vast/iabtechlab/20011/5480", "click")],
    "prebid-mobile-VAST_Empty_Response.xml": [],
    "prebid-mobile-VAST_with_companion.xml": [("", "", "vast/openx enterprise/540069345/540069340", "crid")],
    "prebid-mobile-document_with_one_wrapper_ad.xml": [("", "", "vast/wrapper adsystem/602833", "crid")],
    "prebid-mobile-prebid_vast_response.xml": [("", "", "vast/openx enterprise/537123792", "crid")],
    "vast-client-empty-no-ad.xml": [],
    "vast-client-inline-linear.xml": [("", "", "vast/iabtechlab/20001/5480", "crid")],
    "vast-client-sample.xml": [
        ("example.com", "", "universal-ad-id/daily-motion-l1/Linear-12345", "click"),
        ("", "", "universal-ad-id/daily-motion-l1/Linear-12345", "crid"),
    ],
    "vast-client-wrapper-attributes-multiple-ads.xml": [
        (IAB, "", f"vast/iabtechlab/{ids}/5480", "click") for ids in ("201", "202", "203", "204")
    ],
    "vast-client-wrapper-legacy.xml": [("example.com", "", "", "click")],
    "vast-client-wrapper-multiple-ads.xml": [
        (IAB, "", f"vast/iabtechlab/{ids}", "click") for ids in ("201/5480", "20011/5480", "20012/5480", "2032/5480")
    ],
    "madman-vmap.xml": [],
    "madman-vmap_with_ad_uri.xml": [],
    "madman-vmap_with_preroll.xml": [("", "", "content.bitsontherun.com/videos/tafrxQYx-bPwArWA4.mp4", "url")],
    "vmap-js-correct-vmap-with-extension.xml": [],
}


@pytest.mark.parametrize("name", KNOWN)
def test_whose_ads_the_samples_hold(samples, reader, name):
    """Every ad of every real file has its advertiser, campaign and creative, or none rather than a wrong one."""
    found = [read_offer(reader, video.offer) for video in find(samples[name], page=PAGE).ads]

    assert [(", ".join(ad.advertisers), ad.campaign or "", ad.creative or "", str(ad.basis)) for ad in found] == KNOWN[
        name
    ]


def test_every_sample_is_known(samples):
    """No file is left out of the table."""
    assert set(samples) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_each_ad_of_the_samples_can_be_dropped(samples, name):
    """Without one ad, the others and every other byte are as before, and a strict parser takes the rest if it took the whole."""
    data = samples[name]
    ads = find(data).ads
    for ad in ads:
        left = apply(data, [ad])
        others = [data[one.span.start : one.span.end] for one in ads if one is not ad]

        assert left == data[: ad.span.start] + data[ad.span.end :]
        assert data[ad.span.start : ad.span.end].startswith(b"<Ad")
        assert data[ad.span.start : ad.span.end].endswith(b"</Ad>")
        assert [left[one.span.start : one.span.end] for one in find(left).ads] == others
        assert strict(left) == strict(data)

    assert find(apply(data, ads)).ads == ()


def without(data, ads):
    """The document without these ads, cut out one at a time from behind."""
    for ad in sorted(ads, key=lambda ad: -ad.span.start):
        data = data[: ad.span.start] + data[ad.span.end :]
    return data


@given(st.data())
def test_any_ads_of_the_samples_can_be_dropped_together(samples, data):
    """The others are the same, byte for byte, in the same pods and breaks; a strict parser takes what it took before."""
    whole = data.draw(st.sampled_from([*samples.values(), POD, VMAP, FIRST]))
    found = find(whole)
    gone = {ad.number for ad in found.ads if data.draw(st.booleans())}
    left = apply(whole, [ad for ad in found.ads if ad.number in gone])
    kept = [ad for ad in found.ads if ad.number not in gone]
    again = find(left)

    assert left == without(whole, [ad for ad in found.ads if ad.number in gone])
    assert (left is whole) == (not gone)
    assert [(ad.place, ad.sequence, ad.offer) for ad in again.ads] == [(ad.place, ad.sequence, ad.offer) for ad in kept]
    assert again.breaks == found.breaks
    assert [tag.url for tag in again.tags] == [tag.url for tag in found.tags if tag.ad not in gone]
    assert strict(left) == strict(whole)


def test_where_players_ask_on_is_told(samples):
    """Wrappers' and breaks' addresses, for the memory that leads the last answer back to its break."""
    counts = {name: len(found.tags) for name, data in samples.items() if (found := find(data)).tags}

    assert counts == {
        "iab-vast_1-2.0-vast_wrapper_linear_1.xml": 1,
        "iab-vast_3.0-Wrapper_Tag-test.xml": 1,
        "iab-vast_4.2-Viewable_Impression-test.xml": 1,
        "iab-vast_4.2-Wrapper_Tag-test.xml": 1,
        "prebid-mobile-document_with_one_wrapper_ad.xml": 1,
        "madman-vmap.xml": 4,
        "madman-vmap_with_ad_uri.xml": 3,
        "madman-vmap_with_preroll.xml": 4,
    }


def test_relative_addresses_are_relative_to_the_answer(samples):
    """Where the answer's own address is known, a wrapper may ask for what lies beside it."""
    found = find(samples["vast-client-wrapper-multiple-ads.xml"], "https://ads.example/a/wrapper.xml")

    assert found.tags[0].url == "https://ads.example/a/sample.xml"


@given(st.data())
def test_damage_changes_nothing_that_is_not_dropped(data):
    """Bytes cut out, doubled or put in: it is refused, or all that is dropped is whole ads and all else stays."""
    whole = data.draw(st.sampled_from([POD, VMAP, FIRST]))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
    between = data.draw(
        st.sampled_from([b"", b"<", b">", b"]]>", b"<!--", b"</Ad>", b"<Ad>", b"&", b"\0", b"'", whole[start:end] * 2])
    )
    damaged = whole[:start] + between + whole[end:]
    try:
        found = find(damaged)
    except Unrewritable:
        return
    left = apply(damaged, found.ads)

    assert apply(damaged, ()) is damaged
    assert len(left) == len(damaged) - sum(ad.span.end - ad.span.start for ad in found.ads)
    for ad in found.ads:
        assert damaged[ad.span.start : ad.span.end].startswith(b"<Ad")
        assert damaged[ad.span.start : ad.span.end].endswith(b">")


@given(st.one_of(st.binary(max_size=300), st.text("<>/!?[]CDATAVSTdi&'\" =\n", max_size=300).map(str.encode)))
def test_nothing_but_unrewritable_is_raised(noise):
    """Whatever comes as a player's answer, it is read or refused."""
    for data in (noise, b"<VAST>" + noise, b"<VAST><Ad><InLine>" + noise + b"</InLine></Ad></VAST>"):
        try:
            found = find(data)
        except Unrewritable:
            continue
        apply(data, found.ads)
