"""What is cut from a page rendered by Vue leaves the comment that Vue looks for there, and no other page gets one."""

import pytest

BANNER = (
    "<section class=banner><h2>You are pre-approved to borrow £4,000</h2><p>Claim it now, no paperwork!</p></section>"
)
CARD = "<li class=card><h3>You are pre-approved to borrow £4,000</h3><p>Claim it now, no paperwork!</p></li>"
OTHER = "<li class=card><h3>On its way</h3><p>Your parcel arrives on Wednesday.</p></li>"
FIRST, LAST = "<h1>Welcome back</h1>", "<p>Woollen scarf: £39</p>"


@pytest.mark.parametrize(
    "sign", ["<!---->", "<!--[--><i>a</i><!--]-->", "<i data-v-7ba5bd90>a</i>", "<i id=__nuxt>a</i>"]
)
def test_a_block_leaves_an_empty_comment(left, sign):
    """Where `v-if` shows nothing Vue expects one."""
    assert f"<main>{sign}{FIRST}<!---->{LAST}</main>" == left(f"<main>{sign}{FIRST}{BANNER}{LAST}</main>")


def test_other_pages_get_nothing(left):
    """A page without a sign of Vue loses the block and gains no trace of it."""
    assert f"<main>{FIRST}{LAST}</main>" == left(f"<main>{FIRST}{BANNER}{LAST}</main>")


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ([CARD, OTHER, OTHER], [OTHER, OTHER]),
        ([OTHER, CARD, OTHER], [OTHER, OTHER]),
        ([OTHER, OTHER, CARD], [OTHER, OTHER]),
        ([CARD], []),
    ],
)
def test_an_entry_of_a_list_leaves_nothing(left, cards, expected):
    """What `v-for` made is between comments of its own."""
    page = f"<main>{FIRST}<ul><!--[-->%s<!--]--></ul>{LAST}</main>"

    assert page % "".join(expected) == left(page % "".join(cards))


def test_a_block_among_several_roots_leaves_an_empty_comment(left):
    """Between a loop's comments, yet unlike what is beside it: a component with several roots, or a slot."""
    page = f"<main><!--[-->{FIRST}%s{LAST}<!--]--></main>"

    assert page % "<!---->" == left(page % BANNER)


def test_a_marked_page_gets_nothing(credit):
    """Nothing is cut, so nothing is left open."""
    page = f"<main><!---->{FIRST}{BANNER}{LAST}</main>".encode()

    marked = credit.strip(page, "text/html", "https://shop.example/", "utf-8", mark=True).data

    assert marked != page
    assert 1 == marked.count(b"<!---->")


ANGULAR = (
    '<body><app-root ngh="0">%s</app-root><script id=ng-state type=application/json>{"__nghData__":[]}</script></body>'
)
NODE = "<!---->"


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (f"{FIRST}{BANNER}<!--container-->{LAST}", f"{FIRST}{NODE}<!--container-->{LAST}"),
        (f"<ul>{CARD}{OTHER}{OTHER}<!--container--></ul>", f"<ul>{OTHER}{OTHER}{NODE}<!--container--></ul>"),
        (f"<ul>{OTHER}{CARD}{OTHER}<!--container--></ul>", f"<ul>{OTHER}{OTHER}{NODE}<!--container--></ul>"),
        (f"<ul>{OTHER}{OTHER}{CARD}<!--container--></ul>", f"<ul>{OTHER}{OTHER}{NODE}<!--container--></ul>"),
    ],
    ids=["a block", "the first", "in the middle", "the last"],
)
def test_angular_finds_as_many_nodes_as_it_drew(left, drawn, expected):
    """A block's place is taken by a node; of a list the place behind the others is, for they are taken in order."""
    assert ANGULAR % expected == left(ANGULAR % drawn)
