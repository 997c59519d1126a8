"""How far an ad reaches around its link."""

import pytest

from capper.markup import parse
from capper.rewrite.html.cards import alone, card

A = '<a href="https://click.example/1">'


def link_of(body):
    document = parse(f"<body>{body}</body>".encode(), "https://news.example/")
    return document, document.select('a[href^="https://click.example/"]')[0]


def no_notice(url):
    return "why" in url


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (f"<div id=c><div>{A}<img></a></div><div>{A}Shoes</a></div></div>", "c"),
        (f"<div><div id=c>{A}<img></a>{A}Shoes</a></div><p>Weather: rain</p></div>", "c"),
        (
            f'<div id=c>{A}<img></a>{A}Shoes</a><a href="//x.example/why">i</a><a name=n></a><a href="#">x</a></div>',
            "c",
        ),
        (f"<div><div>{A}<img></a></div><p>Weather: rain</p></div>", ""),
        (f"<div>{A}<img></a>{A}Shoes</a><a href=/story>Story</a></div>", ""),
        (f"<div>{A}<img></a>{A}Shoes</a>{'words ' * 100}</div>", ""),
        (f"<table><tr><td>{A}<img></a><td>{A}Shoes</a></table>", ""),
        (f"<div>{A}<img></a>{A}Shoes</a>{'<a href=#>x</a>' * 30}</div>", ""),
    ],
)
def test_card(body, whole):
    """All that leads to one place and nothing else is one card; without a second link the link alone is it."""
    document, link = link_of(body)

    assert card(document, link, "https://click.example/1", no_notice).get("id") == whole


def test_each_line_counted_for_itself():
    """The lines of a text ad lead to one place though each counts its own clicks."""
    document, link = link_of(
        '<div id=c><a href="https://click.example/?n=1&adurl=http://shop.example/">Shoes</a>'
        '<a href="https://click.example/?n=2&adurl=http://shop.example/">shop.example</a></div>'
    )

    assert card(document, link, link.get("href"), no_notice).get("id") == "c"


def test_alone():
    """A link stands alone if its surroundings say hardly more than it does."""
    assert alone(*link_of(f"<p>Ad: {A}Warm winter shoes</a></p>"))
    assert not alone(*link_of(f"<p>The city said that {A}warm winter shoes</a> are in short supply.</p>"))


TILE = '<div><a href="https://c.example/ck?maxdest=https%3A%2F%2Fwww.{0}%2Fp%2F{1}"><img></a></div>'


@pytest.mark.parametrize(
    ("tiles", "whole"),
    [
        ([("shop.example", 1), ("shop.example", 2), ("shop.example", 3)], "c"),
        ([("shop.example", 1), ("other.example", 2)], ""),
    ],
)
def test_things_of_one_shop(tiles, whole):
    """A dynamic banner is one ad whatever page each of its things has; another shop beside it is another ad."""
    document = parse(f"<body><div id=c>{''.join(TILE.format(*tile) for tile in tiles)}</div></body>".encode())
    link = document.select("a")[0]

    assert card(document, link, link.get("href"), no_notice).get("id") == whole
