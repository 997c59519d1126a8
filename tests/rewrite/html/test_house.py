"""House ads: what a page may have in a withheld ad's place, and that hostile markup gets nothing by it. Cases stand in `cases`."""

import re

import html5lib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capper.rewrite.html import house, page

URL = "https://news.example/today/"
AD = '<a class=spot href="https://click.ads.example/?to=https://shoes.example/"><img src="https://ads.example/1.jpg" width=300 height=250></a>'
NOTICE = '<a href="/subscribe">Read us on paper</a>'
TEMPLATE = re.compile("<template data-capper-house>.*(?=</div><p>News)", re.DOTALL)
PIECES = (
    *("<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<ul>", "<li>", "</ul>", "<a href=/own>", "</a>", "words", "<!--", "-->"),
    *("<img src=/own.png width=9 height=9>", "<img src=//stats.example/1>", '<p style="color:red">', "<template>", "</template>"),
    *("<script>", "</script>", "<svg>", "</svg>", "<table>", "<td>", "<form>", "<p onclick=x>", "<iframe>", "\0", "<x-y>", "'", '"'),
)  # fmt: skip


@pytest.fixture(scope="session")
def find(word_judge):
    """Finds what is on a page of `news.example`."""
    judge = word_judge(ads=["ads.example/"], clicks=["click.ads.example/"])
    return lambda markup: page.find(markup.encode(), URL, judge)


def with_house(content: str) -> str:
    """A page with an ad and a house ad beside it."""
    return (
        f"<!DOCTYPE html><body><div id=top>{AD}<template data-capper-house>{content}</template></div><p>News</p></body>"
    )


def test_a_page_without_a_house_ad_is_parsed_once(find, monkeypatch):
    """What nobody declares costs nothing: no template is looked for."""
    monkeypatch.setattr(house, "insides", None)

    assert find(f"<body><div>{AD}<template>{NOTICE}</template></div></body>").slots[0].house is None


def test_what_a_template_holds_says_nothing_of_the_ad(find):
    """An ad is the same with a house ad beside it: its evidence and the bytes that would change."""
    plain, declared = find(with_house("").replace("data-capper-house", "")), find(with_house(NOTICE))

    assert plain.slots[0].evidence == declared.slots[0].evidence
    assert plain.slots[0].opening == declared.slots[0].opening


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("x" * (house.LONGEST + 1), "it is longer than 20000 bytes"),
        ("<i>x</i>" * 201, "it holds more than 200 elements"),
        ("<div>" * 600 + "</div>" * 600, "it holds more than 200 elements"),
        ('<img src="http://news.example/own.png" width=3 height=3>', "it loads http://news.example/own.png"),
        ('<img src="https://news.example:8443/own.png" width=3 height=3>', "it loads https://news.example:8443/own.png"),
        ('<img src="https://news.example@stats.example/" width=3 height=3>', "it loads https://news.example@stats.example/"),
        ('<img src="\\\\stats.example/1" width=3 height=3>', "it loads \\\\stats.example/1"),
        ('<img src="/\t/stats.example/1" width=3 height=3>', "it loads /"),
        ('<img src="///stats.example/1" width=3 height=3>', "it loads ///stats.example/1"),
        ('<img src="https:\\\\stats.example/1" width=3 height=3>', "it loads https:\\\\stats.example/1"),
        ('<img src="https:///stats.example/1" width=3 height=3>', "it loads https:///stats.example/1"),
        ('<img src="http:/stats.example/1" width=3 height=3>', "it loads http:/stats.example/1"),
        ('<a href="///shoes.example/">x</a>', "it leads to ///shoes.example/"),
        ('<img src="javascript:tell()" width=3 height=3>', "it loads javascript:tell()"),
        ('<img src="data:text/html,x" width=3 height=3>', "it loads data:text/html,x"),
        ('<img srcset="/a (x), //stats.example/b" width=3 height=3>', "a srcset in it cannot be read"),
        ('<a href="JavaScript:tell()">x</a>', "it leads to JavaScript:tell()"),
        ('<a href="https://click.ads.example/?to=/">x</a>', "it leads to https://click.ads.example/?to=/"),
        ("<link rel=stylesheet href=/own.css>", "it holds a <link>"),
        ("<style>b{}</style>", "it holds a <style>"),
        ("<svg><image href=/own.png></svg>", "it holds a <svg>"),
        ("<form action=/own></form>", "it holds a <form>"),
        ("<input>", "it holds a <input>"),
        ("<meta http-equiv=refresh content=0>", "it holds a <meta>"),
        ("<b data-src=/own.png>x</b>", "it holds a <b> with data-src"),
        ("<b slot=x>x</b>", "it holds a <b> with slot"),
    ],
)  # fmt: skip
def test_what_is_no_still_notice_is_not_used(find, content, reason):
    """Nothing that runs, loads or leads elsewhere, and nothing huge; why is said."""
    found = find(with_house(content))

    assert found.slots[0].house is None
    assert found.refused[0].startswith(f"house ad 1 is not used: {reason}")


@pytest.mark.parametrize(
    "content",
    [
        NOTICE,
        '<img src="data:image/png;base64,AAAA" width=300 height=250 alt="">',
        '<picture><source srcset="/own.avif" type="image/avif"><img src="/own.png" width=300 height=250></picture>',
        '<section class="own" style="color:#333;padding:4px" aria-label="Ours"><h2>Ours</h2><ul><li>One<li>Two</ul></section>',
        '<a href="https://news.example/" target=_blank rel=noopener>Ours<!-- ours --></a>',
        "",
    ],
)
def test_a_still_notice_is_used_as_it_is_written(find, content):
    """Text, pictures and links of the page's own, byte for byte, in a block that keeps the ad's class."""
    (slot,) = find(with_house(content)).slots

    assert f'<div data-capper="withheld" class=spot>{content}</div>' == slot.house.markup.decode()


def test_many_templates_are_not_looked_at(find):
    """A page of thousands gets twenty looked at, in a time that they do not multiply."""
    found = find(
        f"<body><div>{AD}</div>" + f"<div><template data-capper-house>{NOTICE}</template></div>" * 3000 + "</body>"
    )

    assert len(found.refused) == house.MOST + 1
    assert found.refused[-1] == "2980 house ads are not used: a page may have 20"


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=9))
@example(pieces=["</div>", "<form>"])
@example(pieces=["</div>", "<wbr>", "<form>"])
def test_whatever_a_template_holds(find, pieces):
    """By a second parser a house ad stands in its block alone, the page around it is as it was, and nothing in it acts."""
    text = with_house("".join(pieces))
    for slot in (slot for slot in find(text).slots if slot.house):
        made = page.apply(text.encode(), [(slot, slot.house)]).decode()
        # The second parser knows no templates.
        root, before = (html5lib.parse(TEMPLATE.sub("", each), namespaceHTMLElements=False) for each in (made, text))
        (block,) = root.findall(".//*[@data-capper]")

        assert not {"script", "iframe", "form", "svg", "table", "template", "x-y"} & {each.tag for each in block.iter()}
        assert not [name for each in block.iter() for name in each.attrib if name.startswith("on")]
        assert [each.tag for each in root.find("body")] == [each.tag for each in before.find("body")]
        assert [each.tag for each in root.find("body/div")] == [block.tag]
