"""What is cut from a page rendered by Lit leaves as many comments as its templates have."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite.prompts.page.lit import closed

WORDS = "<h2>You are pre-approved to borrow £4,000</h2><p>Claim it now, no paperwork!</p>"
FIRST, LAST = "<h1><!--lit-part-->Welcome back<!--/lit-part--></h1>", "<p>Woollen scarf: £39</p>"
NOTHING = "<!--lit-part BRUAAAUVAAA=--><!--/lit-part-->"
OTHER = "<!--lit-part c=--><!--lit-node 0--><li class=c><h3><!--lit-part-->On its way<!--/lit-part--></h3></li><!--/lit-part-->"


def page(inside):
    return f"<div id=app><!--lit-part a=--><main>{FIRST}{inside}{LAST}</main><!--/lit-part--></div>"


@pytest.mark.parametrize(
    "made",
    [
        f"<section>{WORDS}</section>",
        f"\n <!--lit-node 0--><section title=x>{WORDS}</section>\n <?>",
        f"{WORDS} <!--lit-part--><!--/lit-part-->",
        f"<!--lit-part c=--><section>{WORDS}</section><!--/lit-part-->",
    ],
    ids=["a block", "with bindings", "several roots", "another in it"],
)
def test_what_a_template_made_says_nothing(left, made):
    """Lit finds what an empty template makes, and no element that it has bindings for."""
    stripped = left(page(f"<!--lit-part b=-->{made}<!--/lit-part-->"))

    assert page(NOTHING) == re.sub(f"<!--lit-part b=-->{re.escape(NOTHING)}<!--/lit-part-->", NOTHING, stripped)


def test_an_element_with_a_tree_of_its_own(left):
    """It goes whole, its tree and what its own template made in it."""
    tree = f"<style>:host{{padding:9px}}</style><!--lit-part d=-->{WORDS}<a href=/x><!--lit-part-->More<!--/lit-part--></a><!--/lit-part-->"
    host = f"<!--lit-node 0--><x-banner defer-hydration><template shadowrootmode=open>{tree}</template></x-banner>"

    assert page(NOTHING) == left(page(f"<!--lit-part b=-->{host}<!--/lit-part-->"))


@pytest.mark.parametrize("cards", [[0, 1, 1], [1, 0, 1], [1, 1, 0], [0], [0, 1, 0]])
def test_an_entry_of_a_list_goes_with_its_comments(left, cards):
    """The script has as many fewer."""
    prompt = f"<!--lit-part c=-->\n <!--lit-node 0--><li class=c>{WORDS}</li>\n<!--/lit-part-->"
    entries = "".join(OTHER if card else prompt for card in cards)

    assert page(f"<ul><!--lit-part-->{OTHER * sum(cards)}<!--/lit-part--></ul>") == left(
        page(f"<ul><!--lit-part-->{entries}<!--/lit-part--></ul>")
    )


def test_of_a_template_that_stays_every_comment_stays(left):
    """What is cut was always there: its values are still counted, and its bindings find an element."""
    block = (
        "<!--lit-node 3--><section class=x><h2><!--lit-part-->You are pre-approved to borrow £4,000<!--/lit-part--></h2>"
        "<!--lit-node 5--><p title=x>Claim it now, no paperwork!</p></section>"
    )
    kept = "<!--lit-node 3--><i hidden></i><!--lit-part--><!--/lit-part--><!--lit-node 5--><i hidden></i>"

    assert page(kept) == left(page(block))


def test_what_stays_of_a_text_stays_in_its_part(left):
    """The script writes there when it changes."""
    text = "<p><!--lit-part-->Your parcel is on its way.%s<!--/lit-part--></p>"

    stripped = left(page(text % " You are pre-approved to borrow £4,000, claim it now!"))

    assert page(text % " ") == stripped


def test_comments_that_do_not_close_each_other_are_left(left):
    """Nobody knows what they count."""
    made = f"<!--lit-part b=--><section>{WORDS}</section><!--/lit-part--><!--/lit-part-->"

    assert page("<!--lit-part b=--><!--/lit-part--><!--/lit-part-->") == left(page(made))


TOKENS = ["<!--lit-part-->", "<!--lit-part a=-->", "<!--/lit-part-->", "<!--lit-node 1-->", "<i>", "x", " "]
TOKENS += ["<template>", "</template>"]


@given(st.lists(st.sampled_from(TOKENS), max_size=30), st.lists(st.integers(0, 200), max_size=6))
def test_any_edits_stay_edits(tokens, places):
    """Whatever the comments are, no two edits overlap, and each is within the page."""
    data = "".join(tokens).encode()
    ends = sorted(min(place, len(data)) for place in places)
    edits = [(start, end, b"") for start, end in zip(ends[::2], ends[1::2], strict=False)]

    made = sorted(closed(data, edits))

    assert all(start <= end <= len(data) for start, end, _ in made)
    assert all(one[1] <= other[0] for one, other in pairwise(made) if one[1] > one[0])


def test_time_grows_with_length():
    """A great many parts around one cut."""
    data = b"<!--lit-part a=-->" * 190 + b"x" * 200_000 + b"<!--/lit-part-->" * 190
    many = data + b"<!--lit-part a=--><!--/lit-part-->" * 20_000

    assert closed(many, [(190 * 18, 190 * 18 + 200_000, b"")])
