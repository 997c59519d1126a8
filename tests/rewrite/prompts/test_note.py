"""The note stands last in a whole page's body, and a piece of a page has none."""

import pytest

from capper.rewrite.prompts.note import noted


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("<!doctype html><html><body><p>x</p>", "</body></html>"),
        ("\ufeff<!-- made by x -->\n<!DOCTYPE HTML>\n<html><body><p>x</p>", "</body>\n<!-- 0.1 s -->\n</html>\n"),
        ("<html><p>x</p>", ""),
        ("<html><body><script>'</body></html>'</script><p>x</p>", "</body>"),
    ],
)
@pytest.mark.parametrize(("count", "said"), [(1, "1 credit prompt removed"), (3, "3 credit prompts removed")])
def test_a_whole_page(begin, end, count, said):
    """Before what closes it, with nothing moved."""
    page = noted((begin + end).encode(), count, "en").decode()

    assert page.startswith(f'{begin}<aside lang="en" style="position:fixed;')
    assert page.endswith(f">{said}</aside>{end}")


@pytest.mark.parametrize(
    "piece", [b"<div>x</div>", b"", b"{}", b"<p>x</p></body></html>", b"<body>x</body>", b"x<html>"]
)
def test_a_piece(piece):
    """What a script puts into a page says nothing."""
    assert piece is noted(piece, 1, "en")


def test_nothing_removed():
    """Then there is nothing to say."""
    page = b"<!doctype html><p>x</p>"

    assert page is noted(page, 0, "en")
