"""Which elements become slots: what networks' own marks, their click addresses and the publisher's own words give away."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capper.clues import Shapes
from capper.domain.evidence import Evidence
from capper.markup import parse
from capper.rewrite.html import sponsored
from capper.rewrite.html.candidates import candidates

URL = "https://news.example/a/b"
CLICK = "https://click.ads.example/"
NONE = Evidence()
SHAPES = Shapes(ads=(".paid",), own=(".ours",), sponsors=(".by",))


@pytest.fixture
def found(word_judge):
    """A function from the body of a page to the ids of its slots."""

    def ids(body, **more):
        judge = word_judge(
            **{"sold": ["click.ads.example/"], "clicks": ["click.ads.example/"], "shapes": SHAPES} | more
        )
        document = parse(f"<body><h1>News</h1>{body}</body>".encode(), URL)
        return [each.element.get("id") for each in candidates(document, judge)]

    return ids


ITEM = '<div id={0} class="item {1}"><a href="{2}"><img src=/1.jpg width=200 height=100><b>Words of {0}</b></a></div>'
OURS = ITEM.format("o", "ours", "https://sister.example/story")
TEXT_AD = """<div id=x><h3><a href="{0}?l=1&to=http://a.example/">Shoes</a></h3><p>Warm <a
href="{0}?l=2&to=http://a.example/">a.example</a> and dry</p><a href="//ads.example/adchoices">Why?</a></div>"""
PAID = ITEM.format("p", "paid", "https://shop.example/")


def test_marked_items_each_for_itself(found):
    """What a widget marks as paid for is one ad each, also two of one advertiser and one beside the publisher's own."""
    second = PAID.replace("id=p", "id=q")

    assert found(f"<div class=widget>{OURS}{PAID}{second}</div>") == ["p", "q"]
    assert found(f"<div class=widget>{OURS}{PAID}</div>", hide=[".widget"]) == ["p"]


def test_what_the_publisher_recommends(found):
    """Recommendations of its own pages or of sister sites are no ads, in a widget that lists hide neither."""
    assert found(f"<div class=widget>{OURS}</div>", hide=[".widget", ".item"]) == []
    assert found(ITEM.format("p", "paid", "/story")) == []
    assert found(ITEM.format("p", "paid", "https://news.example/story")) == []


def test_a_marked_item_that_is_content(found):
    """A mark on what holds the page's own content makes it no ad."""
    assert (
        found(f'<div id=x class=paid><article>{"words " * 500}</article><a href="//shop.example/">Shop</a></div>') == []
    )


@pytest.mark.parametrize(
    "ad",
    [
        '<a id=x href="{0}?to=https://shop.example/">Thirty warm winter shoes for small feet</a>',
        '<p><a id=x href="{0}?to=https://shop.example/"><img src=/1.jpg></a></p>',
        '<div id=x><a href="{0}1"><img src=/1.jpg></a><h3><a href="{0}1">Winter shoes</a></h3><i>Shop</i></div>',
        TEXT_AD,
    ],
)
def test_a_click_that_an_ad_server_counts(found, ad):
    """Links in words and cards of several links are ads, whole, where an ad server counts the click."""
    assert found(f"<div><p>Story</p><a href=/more>More</a>{ad.format(CLICK)}</div>") == ["x"]


@pytest.mark.parametrize(
    "text",
    [
        f'<p>As <a id=x href="{CLICK}1">Thirty warm winter shoes</a> said, the winter will be long and cold this year.</p>',
        f'<p><a id=x href="{CLICK}1">Jobs</a></p>',
        f'<p><a id=x href="{CLICK}1"><img src=/1.gif width=1 height=1></a></p>',
        f'<p><a id=x href="{CLICK}1">{"words " * 400}</a></p>',
        '<p><a id=x href="https://other.example/?url=https://click.ads.example/1">Thirty warm winter shoes for feet</a></p>'.replace(
            "click.ads.example/", "shop.example/"
        ),
    ],
)
def test_links_that_are_no_ads(found, text):
    """A link within a sentence, a word alone, a beacon, an article."""
    assert found(text) == []


@pytest.mark.parametrize(
    ("link", "ids"),
    [
        ('<a id=x rel="nofollow sponsored" href="//shop.example/"><img src=/1.jpg width=300 height=250></a>', ["x"]),
        ('<a id=x rel=sponsored href="//shop.example/"><img src=/up/shoes_728x90.jpg></a>', ["x"]),
        ('<a id=x rel=sponsored href="//shop.example/"><img src=/1.jpg width=600 height=400></a>', []),
        ('<a id=x rel=nofollow href="//shop.example/"><img src=/1.jpg width=300 height=250></a>', []),
        ('<a id=x rel=sponsored href="/shop"><img src=/1.jpg width=300 height=250></a>', []),
        ('<a id=x rel=sponsored href="//shop.example/">Shop</a>', []),
    ],
)
def test_banners_the_publisher_sold(found, link, ids):
    """A banner whose link says `sponsored` is an ad; a picture of goods in a story with the same word is not."""
    assert found(f"<p>{link}</p>") == ids


@pytest.mark.parametrize(
    ("link", "ids"),
    [
        (
            'Follow our show on <a href="//social.example/show">Social</a>, <a href="//social.example/1">one</a> and more',
            [],
        ),
        ('<a href="//social.example/brand"><img src=/1.jpg width=300 height=250></a>', ["x"]),
        ('Follow our show <a href="//social.example/show">here</a>, with <a href="//shop.example/">Shop</a>', ["x"]),
    ],
)
def test_links_to_profiles(found, link, ids):
    """Where ads stand, links in words to profiles are "follow us"; a picture that leads to one is an ad."""
    assert found(f"<div id=x class=ads>{link}</div>", hide=[".ads"]) == ids


@pytest.mark.parametrize(
    ("inside", "ids"),
    [
        ("<img src=/1.jpg><b>Shoes</b><i class=by>Shoe House</i>", ["x"]),
        ("<img src=/1.jpg><b>Shoes</b>", []),
        ("<b>Shoes</b><i class=by>Shoe House</i>", []),
        ("<a href=/story><img src=/1.jpg></a><i class=by>The News</i>", []),
    ],
)
def test_a_marked_ad_that_a_script_opens(found, inside, ids):
    """Without any link a marked ad is one if it says who pays and shows something; with a link home it is not."""
    assert found(f"<div id=x class=paid>{inside}</div>") == ids


_BANNER = '<a href="{0}?to=http://a.example/"><img alt="{1}" src=/1.gif width=300 height=250></a>'
_PIECES = st.one_of(
    st.builds(_BANNER.format, st.just(CLICK), st.sampled_from(["ad", "Sponsored", "Sponsored by Shoe House", ""])),
    st.builds(
        "<a href={0}>{1}<img src=/2.jpg width=90 height=90></a>".format,
        st.sampled_from(["/a", "/b"]),
        st.sampled_from(["", "Read more of it"]),
    ),
    st.sampled_from(
        ["Ad", "<b>Anzeige</b>", "<span>Sponsored by</span> <i>Shoe House</i>", "<p>Words of the page</p>"]
    ),
)
_BODIES = st.recursive(
    _PIECES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join).map(form.format)
        for form in (
            "<div>{}</div>",
            "<div class=item>{}</div>",
            "<li>{}</li>",
            "<section>{}</section>",
            "<nav>{}</nav>",
        )
    ),
    max_leaves=8,
)


_BESIDE = "<div class=x><a href=/a><img src=/2.jpg width=90 height=90></a></div>"


@given(body=_BODIES)
@example(body=f"<div class=x>{_BANNER.format(CLICK, 'Sponsored')}</div>{_BESIDE}")
@example(body=f'<div><a aria-label=Sponsored href="{CLICK}">Thirty warm winter shoes for feet</a></div>')
@example(body=f"<li><a href=/><img alt=Sponsored src=/adv/1.gif></a>{_BESIDE.replace('/a', '//shop.example/x')}</li>")
@settings(max_examples=100)
def test_what_labels_of_known_ads_are_left_out(word_judge, body):
    """A label that is part of an ad is left out only where looking at what it stands on changes nothing."""
    judge = word_judge(sold=["click.ads.example/"], clicks=["click.ads.example/"], ads=["/adv/"], shapes=SHAPES)
    page = f"<body><h1>News</h1>{body}</body>".encode()

    def all_of_them():
        return [
            (each.span, each.leads_to, each.container, each.exact, each.item and each.item.told(NONE))
            for each in candidates(parse(page, URL), judge)
        ]

    found = all_of_them()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sponsored._Search, "is_part", lambda *_: False)

        assert all_of_them() == found


def test_the_label_of_a_banner_is_not_looked_around(found, monkeypatch):
    """Where nothing but a picture stands in an ad and around it, what its `alt` says is not gone after."""
    monkeypatch.setattr(sponsored._Search, "items", lambda *_: pytest.fail("looked around"))

    assert found(f"<main><div>{_BANNER.format(CLICK, 'ad').replace('<a', '<a id=x')}</div></main>") == ["x"]
