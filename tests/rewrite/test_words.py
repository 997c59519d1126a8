"""Ads in words, ads whose picture is a background, and recommendations of the publisher's own pages."""

import pytest

from capper.rewrite.html import page

URL = "https://news.example/story"
CLICK = "https://click.network.example/aclk?adurl=https://shoes.example/"
OTHER = "https://click.network.example/aclk?adurl=https://hats.example/"
TEASER = "https://teaser.network.example/redir?p=1"
HIDE = ('a[href^="https://click.network.example/"]', ".widget")


def found(word_judge, body):
    data = f"<!DOCTYPE html><html><body><h1>News</h1>{'<p>words</p>' * 2000}{body}</body></html>".encode()
    slots = page.find(data, URL, word_judge(clicks=("click.network",), hide=HIDE)).slots
    return [data[slot.span.start : slot.span.end].decode() for slot in slots]


def text_ad(click, name):
    return (
        f'<li><h4><a href="{click}">{name} for less than elsewhere</a></h4><p>Walk further.</p>'
        f'<p><a href="{click}">www.{name}.example</a></p></li>'
    )


def test_a_text_ad_is_one_ad(word_judge):
    """The title, the words and the address of a text ad are one slot, and its neighbour is another."""
    ads = [text_ad(CLICK, "shoes"), text_ad(OTHER, "hats")]

    assert ads == found(word_judge, f"<ul>{''.join(ads)}</ul>")


def test_a_link_in_a_sentence_is_the_pages_own(word_judge):
    """What a writer recommends in passing is not covered, whoever counts the click."""
    sentence = (
        f'<p>For the small room we would buy <a href="{CLICK}">an adorable custom-made crib</a> or build one.</p>'
    )

    assert [] == found(word_judge, sentence)


def test_links_in_one_sentence_do_not_make_the_sentence_an_ad(word_judge):
    """Nor if it recommends the same thing twice."""
    link = f'<a href="{CLICK}">an adorable custom-made crib</a>'

    assert [] == found(word_judge, f"<p>For the small room we would buy {link}, and did we mention it? {link}.</p>")


@pytest.mark.parametrize("picture", ["", '<img src="https://images.network.example/1.jpg" width=300 height=200>'])
def test_a_widget_of_teasers_is_the_publishers_own(word_judge, picture):
    """A widget that recommends the publisher's own pages passes, though lists hide it and it says whose it is."""
    body = (
        f'<div class="widget"><a href="{TEASER}">{picture}Ten things to know about the river</a>'
        '<a href="https://network.example/what-is">What is this?</a></div>'
    )

    assert [] == found(word_judge, body)


def test_the_picture_of_a_teaser_is_no_ad(word_judge):
    """Even where it comes from a host that lists call an ad network's."""
    data = f'<html><body><a href="{TEASER}"><img src="https://images.network.example/1.jpg"></a></body></html>'.encode()

    assert () == page.find(data, URL, word_judge(ads=("images.network",))).slots


def test_a_background_is_a_picture(word_judge):
    """A link that an ad network takes and that shows its picture as a background is an ad."""
    card = (
        f'<a href="{CLICK}"><div style="background-image: url(&quot;https://img.example/1.jpg&quot;)"></div>Shoes</a>'
    )

    assert [card] == found(word_judge, f'<div class="x">{card}</div>')


def test_a_background_behind_a_plain_link_is_none(word_judge):
    """A link elsewhere that shows a background says nothing of an ad."""
    card = '<a href="https://shoes.example/"><div style="background: url(https://img.example/1.jpg)"></div>Shoes</a>'

    assert [] == found(word_judge, card)
