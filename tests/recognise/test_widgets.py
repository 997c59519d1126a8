"""Widgets and tags as networks build them into pages, by the starter lists: each ad for itself. All made up after their form."""

from html import escape
from urllib.parse import quote

import pytest

from capper.recognise.engine import Engines
from capper.recognise.lists import starter_lists
from capper.recognise.recogniser import Recogniser
from capper.rewrite.base import Manner
from capper.rewrite.html.page import find

PAGE = "https://www.dailynews.example/story"
CLICK = "https://adclick.g.doubleclick.net/pcs/click?xai=AK&adurl=https%3A%2F%2Fwww.shoes.com%2Fsale"
BANNER = f'<a href="{CLICK}"><img src="https://tpc.googlesyndication.com/simgad/1234567" width=300 height=250></a>'
TEXT_AD = f'<h3><a href="{CLICK}">Thirty pairs of warm winter shoes</a></h3>'
CM360 = "https://ad.doubleclick.net/ddm/{}/N1.2/B26359283.3;sz=300x250;ord=1?"
STORY = "/story/{}"


def outbrain(number, brand, target):
    paid = "o" if target.startswith("/") else "p"
    return (
        f'<li class="ob-dynamic-rec-container ob-recIdx-{number} ob-{paid}"><a class="ob-dynamic-rec-link" href="{target}"><span>'
        f'<img src="https://images.outbrainimg.com/{number}.jpg" width=200 height=100></span><span class="ob-rec-text">Headline '
        f'number {number}</span><span class="ob-rec-source">{brand}</span></a></li>'
    )


def taboola(number, brand, target):
    sold = "false" if target.startswith("/") else "true"
    return (
        f'<div data-item-id="~~V1~~-{number}23456789~~abc" data-item-syndicated="{sold}" class="videoCube trc_spotlight_item">'
        f'<a href="{target}"><span class="thumbBlock" style="background-image:url(https://images.taboola.com/{number}.jpg)"></span>'
        f'</a><a href="{target}"><span class="video-title">Headline number {number}</span><span class="branding">{brand}</span></a></div>'
    )


def mgid(number, brand, target):
    return (
        f'<div class="mgline"><div><a href="{target}"><img src="/{number}.jpg" width=200 height=120></a></div>'
        f'<div class="mctitle"><a href="{target}">Headline number {number}</a></div><div class="mcdomain">{brand}</div></div>'
    )


def revcontent(number, brand, target):
    return (
        f'<div class="rc-item"><div class="rc-item-wrapper"><a href="{target}"><div style="background-image:url(/{number}.jpg)"></div>'
        f'<div class="rc-headline">Headline number {number}</div><div class="rc-provider">{brand}</div></a></div></div>'
    )


@pytest.fixture(scope="module")
def recogniser(reader):
    return Recogniser(Engines.build(starter_lists()), reader)


@pytest.fixture
def ads(recogniser):
    """A function from a page's body to its slots, each with its ad."""

    def found(body):
        document = f"<!DOCTYPE html><html><body><h1>News</h1><p>{'words ' * 500}</p>{body}</body></html>".encode()
        slots = find(document, PAGE, recogniser.page(PAGE), "utf-8").slots
        return [(slot, recogniser.read(slot.evidence)) for slot in slots]

    return found


@pytest.mark.parametrize(
    ("widget", "item", "opaque"),
    [
        (
            '<div class="OUTBRAIN" data-src=x><ul>{}</ul></div>',
            outbrain,
            "https://paid.outbrain.com/network/redir?p={}",
        ),
        ('<div class="trc_related_container">{}</div>', taboola, "https://trc.taboola.com/news/log/3/click?ri={}"),
        ('<div class="mgbox">{}</div>', mgid, "https://www.mgid.com/ghits/{}/i/1"),
        ('<div id="rc-widget-1">{}</div>', revcontent, "https://trends.revcontent.com/click.php?d={}"),
    ],
)
def test_a_widget_of_several_ads(ads, widget, item, opaque):
    """Each item is an ad of its own, known by where it leads, else by the name it shows; the publisher's own is none."""
    items = [
        item(0, "Shoe House", opaque.format(0)),
        item(1, "Daily News", STORY.format(1)),
        item(2, "Bag Shop", "https://www.bags.com/?utm_source=widget"),
        item(3, "Shoe House", opaque.format(3)),
        item(4, "Daily News", opaque.format(4)),
    ]

    found = [ad.advertisers for _, ad in ads(widget.format("".join(items)))]

    assert found == [("sponsor/shoe house",), ("bags.com",), ("sponsor/shoe house",), ()]


def test_a_widget_with_one_ad_among_stories(ads):
    """One paid item does not make the stories around it an ad."""
    items = "".join(taboola(number, "Daily News", STORY.format(number)) for number in range(5))
    found = ads(f'<div class="trc_related_container">{items}{taboola(9, "Bag Shop", "https://www.bags.com/")}</div>')

    assert [ad.advertisers for _, ad in found] == [("bags.com",)]
    assert found[0][1].creative == "taboola.com/-923456789"


@pytest.mark.parametrize(
    ("tag", "manner"),
    [
        (f'<ins class="adsbygoogle" data-ad-client="ca-pub-1">{BANNER}</ins>', Manner.BOX),
        (f'<div id="div-gpt-ad-1" data-google-query-id=C><div id="google_ads_iframe_/1/a_0__container__">{BANNER}</div></div>', Manner.BOX),
        (f'<div id="div-gpt-ad-1"><iframe id="google_ads_iframe_/1/a_0" srcdoc="{escape(BANNER)}"></iframe></div>', Manner.FRAME),
        (f'<iframe width=300 height=250 srcdoc="{escape(TEXT_AD)}"></iframe>', Manner.FRAME),
        (f'<amp-ad width=300 height=250 type=a9>{BANNER.replace("img", "amp-img")}</amp-img></amp-ad>', Manner.BOX),
        (f'<div><a class="pb-click" pbAdId=1 href="{CLICK}"><img src=/1.jpg width=90 height=90><h4>Shoes</h4></a></div>', Manner.BOX),
        (TEXT_AD, Manner.BOX),
    ],
)  # fmt: skip
def test_tags_of_one_ad(ads, tag, manner):
    """An ad that stands in the page itself is found whatever tag it came by, and known by its click."""
    assert [(slot.manner, ad.advertisers) for slot, ad in ads(tag)] == [(manner, ("shoes.com",))]


def test_a_campaign_manager_tag_in_a_page(ads):
    """Campaign Manager's plain tag names the campaign where the advertiser is not in the clear."""
    link = f'<a href="{CM360.format("jump")}"><img src="{CM360.format("ad")}" width=300 height=250></a>'

    assert [(ad.advertisers, ad.campaign) for _, ad in ads(link)] == [((), "ad.doubleclick.net/26359283")]


def test_things_of_one_shop_are_one_ad(ads):
    """A dynamic banner with a picture and a name of each thing is one ad; its mark is none."""
    tiles = "".join(
        f'<div><a href="{url}"><img src="https://pix.eu.criteo.net/img/img?u={number}" width=100 height=100></a><a href="{url}">Shoe</a></div>'
        for number in range(3)
        for url in [
            f"https://cat.fr3.eu.criteo.com/delivery/ckn.php?maxdest={quote(f'https://www.shoes.com/{number}', safe='')}"
        ]
    )
    mark = '<a href="https://privacy.eu.criteo.com/adchoices"><img src="https://static.criteo.net/flash/icon/nai_small.png"></a>'

    assert [ad.advertisers for _, ad in ads(f"<div>{tiles}{mark}</div>")] == [("shoes.com",)]


@pytest.mark.parametrize(
    "body",
    [
        '<ins class="adsbygoogle"><iframe src="https://googleads.g.doubleclick.net/pagead/ads?x"></iframe></ins>',
        '<amp-ad width=300 height=250 type=doubleclick data-slot="/1/a"><div fallback>No ad today, thank you</div></amp-ad>',
        '<div class="OUTBRAIN" data-src=x></div>',
        "".join(
            f'<div><a href="https://sister{n}.example/s"><img src=/1.jpg width=200><b>Story {n}</b></a></div>'
            for n in range(4)
        ),
        '<p>We liked <a href="https://go.skimresources.com/?url=https%3A%2F%2Fwww.shoes.com">these warm winter shoes</a> best.</p>',
    ],
)
def test_no_ad_in_the_page_itself(ads, body):
    """Frames with an address of their own, places not filled yet, sister sites' stories and a writer's own links are none."""
    assert ads(body) == []
