"""capper inspect: what files and addresses hold."""

import gzip
import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

# Synthetic, all of them.
CLICK = "https://googleads.g.doubleclick.net/pagead/aclk?sa=L&amp;adurl=https://www.shoes.com/sale"
FRAME = f'<!DOCTYPE html><body><a href="{CLICK}"><img src="/banner.png" width="300" height="250"></a></body>'
PAGE = f"""<!DOCTYPE html><html><head><link rel="canonical" href="https://news.example/today"></head>
<body><p>{"News of the day. " * 200}</p><a href="{CLICK}"><img src="https://ads.example/b.png" width="728" height="90"></a>
<a href="/more">more</a></body></html>"""
VAST = """<VAST version="3.0"><Ad id="1" sequence="1"><InLine><AdSystem>Example Server</AdSystem><Creatives><Creative>
<Linear><VideoClicks><ClickThrough>https://www.shoes.com/</ClickThrough></VideoClicks></Linear></Creative></Creatives></InLine></Ad>
<Ad sequence="2"><Wrapper><VASTAdTagURI>https://next.example/vast</VASTAdTagURI></Wrapper></Ad></VAST>"""
VMAP = """<vmap:VMAP><vmap:AdBreak><vmap:AdSource><vmap:AdTagURI>https://next.example/vast</vmap:AdTagURI></vmap:AdSource>
</vmap:AdBreak></vmap:VMAP>"""
BIDS = {
    "seatbid": [
        {
            "seat": "7",
            "bid": [
                {"impid": "top", "price": 1.5, "adomain": ["https://www.shoes.com"], "crid": "c-17", "cat": ["IAB18-3"]}
            ],
        }
    ]
}


@pytest.fixture
def inspect(capper, home):
    """The JSON that `capper inspect` prints of a file with this content, or of the arguments alone."""

    def run(content, *args, name="file"):
        path = home / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        told = capper("inspect", *([path] if content is not None else []), *args, "--json")

        assert told.code == 0, told.err
        return json.loads(told.out)

    return run


def names(contents):
    return [(ad["advertiser"], ad["basis"], ad["format"], ad["size"]) for ad in contents["ads"]]


def test_an_ads_own_document(inspect):
    """A document that says little but one advertiser is one ad."""
    (found,) = inspect(FRAME)

    assert (found["what"], names(found)) == ("frame", [("shoes.com", "click", "frame", [300, 250])])


def test_a_page(inspect):
    """Of a page, each ad in it."""
    (found,) = inspect(PAGE)

    assert (found["what"], names(found)) == ("page", [("shoes.com", "click", "banner", [728, 90])])


def test_html_is_what_one_says_it_is(inspect):
    """--as settles whether HTML is a page or an ad."""
    (found,) = inspect(FRAME, "--as", "page")

    assert (found["what"], names(found)) == ("page", [("shoes.com", "click", "banner", [300, 250])])


def test_the_publisher_never_advertises(inspect):
    """Said to have been on the advertiser's own page, it is nobody's ad."""
    (found,) = inspect(FRAME, "--page", "https://www.shoes.com/blog")

    assert names(found) == [(None, "url", "frame", [300, 250])]


def test_a_players_answer(inspect):
    """Each video ad with its turn, and where a wrapper leads on."""
    (found,) = inspect(VAST)

    assert found["what"] == "video"
    assert names(found) == [("shoes.com", "click", "video", None), (None, "unidentified", "video", None)]
    assert [(ad["slot"], ad["leads_on"]) for ad in found["ads"]] == [
        ("pod 1", None),
        ("pod 2", "https://next.example/vast"),
    ]


def test_ad_breaks_without_ads(inspect):
    """A schedule whose breaks are filled later says so."""
    (found,) = inspect(VMAP)

    assert (found["what"], found["ads"]) == ("video", [])
    assert "1 ad break is filled from elsewhere" in found["note"]


def test_an_auctions_answer(inspect):
    """Each bid with its slot, whose it is and what it is about."""
    (found,) = inspect(json.dumps(BIDS), "--address", "https://bids.exchange.example/openrtb2/auction")
    (ad,) = found["ads"]

    assert (found["what"], ad["advertiser"], ad["basis"], ad["slot"]) == ("auction", "shoes.com", "adomain", "top")
    assert ad["creative"].endswith("/c-17")
    assert ad["categories"] == ["IAB18-3", "IAB18"]


def test_a_players_answer_in_json(inspect):
    """A video ad that stands as a string in JSON is told like one that stands alone."""
    (found,) = inspect(json.dumps({"status": "ok", "vast": VAST}))

    assert (found["what"], names(found)[0]) == ("video", ("shoes.com", "click", "video", None))


def test_ad_managers_slots(inspect):
    """Each slot by its unit, with whose ad it was given; the answer is made up."""
    slot = json.dumps({"/9/top": ["html", 0, None, None, 0, 250, 300]}, separators=(",", ":"))
    (found,) = inspect(f'{slot}\n<a href="{CLICK}">shoes</a>\n')
    (ad,) = found["ads"]

    assert (ad["advertiser"], ad["slot"], ad["size"]) == ("shoes.com", "/9/top", [300, 250])


def test_a_picture(inspect):
    """A picture has a size; whose it is, its address may say."""
    file = BytesIO()
    Image.new("RGB", (320, 50)).save(file, "PNG")
    (alone,) = inspect(file.getvalue())
    (told,) = inspect(file.getvalue(), "--address", "https://ads.example/b.png?clickTAG=https://www.shoes.com/")

    assert names(alone) == [(None, "unidentified", "image", [320, 50])]
    assert "--address" in alone["note"]
    assert names(told) == [("shoes.com", "click", "image", [320, 50])]


@pytest.mark.parametrize(
    ("url", "advertiser"),
    [
        (CLICK.replace("&amp;", "&"), "shoes.com"),
        ("https://www.zergnet.com/i/472", "zergnet.com/i/472"),
        ("https://www.shoes.com/", None),
    ],
)
def test_an_address(inspect, url, advertiser):
    """Of an address, what it says itself; a reseller's key is told as it is."""
    (found,) = inspect(None, url)

    assert (found["what"], found["ads"][0]["advertiser"]) == ("address", advertiser)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"", "no ad"),
        (b"name,price\n1,2\n", "no ad"),
        (b"\x1f\x8b\x08 broken", "damaged"),
        (b"{", "no bids"),
        (b'{"seatbid": [', "JSON"),
        (b"[]", "no bids"),
        (b"\x00\x01\x02", "no ad"),
        ("<VAST></VAST>".encode("utf-16")[:-1], "UTF-16"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><VAST>&a;</VAST>", "document type"),
        (b"<rss></rss>", "no ad"),
    ],
)
def test_what_holds_no_ad_says_why(inspect, content, note):
    """Nothing found, nothing readable: a note, and no error."""
    (found,) = inspect(content, "--as", "page")

    assert found["ads"] == []
    assert note in found["note"]


def test_saved_answers_may_be_compressed(inspect):
    """A file in gzip is what is in it."""
    (found,) = inspect(gzip.compress(VAST.encode()))

    assert found["what"] == "video"


def test_folders_and_tables(capper, home):
    """A folder stands for its files, in order; without --json people read a table, and the notes below it."""
    folder = home / "saved"
    folder.mkdir()
    for name, text in (("b.html", FRAME), ("a.xml", VAST), ("c.txt", "")):
        (folder / name).write_text(text)
    told = capper("inspect", folder)

    assert told.code == 0
    assert told.out.index("a.xml pod 1") < told.out.index("a.xml pod 2") < told.out.index("b.html")
    assert "it is where a click leads" in told.out
    assert "c.txt: no ad is recognised in it" in told.out


@pytest.mark.parametrize("args", [["/nowhere/at/all"], ["http://"], [".", "--as", "video"], [".", "--page", "news"]])
def test_what_cannot_be_looked_at(capper, args):
    """A file that is not there, an address that is none: one sentence, and the exit code for bad input."""
    told = capper("inspect", *args)

    assert (told.code, told.out) == (2, "")


KNOWN = {
    # What was read out of the real files by hand; their README has the table.
    "google-display/adsense-adfetch-2023.html": {"uniqlo.com"},
    "google-display/adsense-afc-2018-yoga.html": {"precisionnutrition.com"},
    "google-display/adsense-responsive-2025-expresschemical.html": {"expresschemical.com"},
    "google-display/adsense-text-2020-remarketing.html": {"unipe.edu.br"},
    "google-display/adsense-text-2022-iexpertify.html": {"manualslibrary.co"},
    "google-display/appnexus-frame-2019-castorama.html": {"castorama.pl"},
    "google-display/cm360-html5-2025-disney.html": {"disneyplus.com", "31838141", "232906081"},
    "google-display/gam-dv360-frame-2019.html": {"niepospolita.pl"},
    "google-display/gam-native-template-2025.html": set(),
    "google-display/gam-safeframe-2018-beeline.html": {"beeline.ru"},
    "google-display/gam-safeframe-2022-chevrolet.html": {"chevrolet.com", "26359283", "157367156"},
    "google-display/gam-safeframe-2026-crd-hotels.html": {"hotels.com"},
    "google-display/gam-popin-native-2026.html": set(),
    "page-with-ads/bbc-1.html": {"medicaresupplemental.com", "ancestry.com", "advisorworld.com"},
    "vast/captured-vidoomy-cm360.xml": {"31321754", "132957294"},
}


def test_the_known_samples(capper, shared_data):
    """Every real file whose contents are known is told right."""
    paths = [shared_data / "adtech" / name for name in KNOWN]
    told = capper("inspect", *paths, "--json")

    for found, (name, known) in zip(json.loads(told.out), KNOWN.items(), strict=True):
        ids = {
            part
            for ad in found["ads"]
            for value in (*ad["advertisers"], ad["campaign"], ad["creative"])
            if value
            for part in (value, value.rpartition("/")[2])
        }
        advertisers = {ad["advertiser"] for ad in found["ads"]} - {None}

        assert known <= ids, name
        assert name.startswith("page") or len(advertisers) <= 1, name
        assert advertisers == set() or known & advertisers, name


def test_house_ads(capper, tmp_path):
    """Of house ads it is said how many can be used, and of each other why not."""
    ad = '<a href="https://ad.doubleclick.net/clk?adurl=https://{0}.example/"><img src="https://ad.doubleclick.net/{0}.png" width=300 height=250></a>'
    slots = (f"<div>{ad.format(name)}<template data-capper-house>{house}</template></div>"
             for name, house in (("shoes", "<b>Ours</b>"), ("bikes", "<script></script>")))  # fmt: skip
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><body><h1>News</h1>{''.join(slots)}</body>")
    out = capper("inspect", page, "--page", "https://news.example/").out
    (found,) = json.loads(capper("inspect", page, "--page", "https://news.example/", "--json").out)

    assert f"{page}: 1 of its ads has a house ad; house ad 2 is not used: it holds a <script>\n" in out
    assert [True, False] == [ad["house_ad"] for ad in found["ads"]]


def test_the_example_of_the_docs(capper, tmp_path):
    """The page that publishers are shown has a house ad for each of its ads, and nothing to say against them."""
    ads = tmp_path / "ads.txt"
    ads.write_text("||adserver.example^\n")
    page = Path(__file__).parents[2] / "docs" / "examples" / "house-ad.html"
    (found,) = json.loads(capper("inspect", page, "--page", "https://paper.example/", "--lists", ads, "--json").out)

    assert [("shoes.example", True), ("coffee.example", True)] == [
        (ad["advertiser"], ad["house_ad"]) for ad in found["ads"]
    ]
    assert "2 of its ads have a house ad" == found["note"]
