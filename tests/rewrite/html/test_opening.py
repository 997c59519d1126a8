"""The start tags kept of withheld elements."""

import pytest

from capper.markup import parse
from capper.rewrite.html.opening import dress, reopened


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        ("<DIV CLASS='a' onclick='x()' id=b>", "<DIV CLASS='a' id=b>"),
        ("<a href=x target=_blank ping=y class=z>", "<a class=z>"),
        ('<div class="a"id="b">', '<div class="a" id="b">'),
        ("<div style='width:300px;height:250px'>", "<div style='width:300px;height:250px'>"),
        ("<div style='background:url(ad.png);width:300px'>", '<div style="width:300px">'),
        ("<div style='width:3px;background:URL(data:image/png;base64,xx)'>", '<div style="width:3px">'),
        ("<div style='background-image:linear-gradient(red,blue);height:1px'>", '<div style="height:1px">'),
        ("<div style='a:u\\72l(x);b:c'>", '<div style="b:c">'),
        ("<div hidden data-x=y role=banner>", "<div hidden role=banner>"),
        ("<div>", "<div>"),
    ],
)
def test_reopened(markup, kept):
    """What layout hangs on stays as it was written; what leads anywhere or loads anything goes."""
    document = parse(f"{markup}x".encode())

    assert reopened(document, document.select("body > *")[0]) == kept.encode()


def test_dress():
    """A picture's placeholder wears its class, id and style, but not its size."""
    document = parse(b"<img class=a width=3 id='b' src=x alt=y style=\"c:d\">")

    assert dress(document, document.select("img")[0]) == b" class=a id='b' style=\"c:d\""
