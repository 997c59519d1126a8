"""Sizes as markup tells them."""

import pytest

from capper.markup import parse
from capper.rewrite.html.sizes import is_banner, is_small, named_size, own_size


def element(markup):
    return parse(markup.encode()).select("body > *")[0]


@pytest.mark.parametrize(
    ("markup", "size"),
    [
        ("<img width=300 height=250>", (300, 250)),
        ("<img width='300px' height=' 250 '>", (300, 250)),
        ("<img style='width:300px;height:250.5px'>", (300, 250)),
        ("<ins style='display:inline-block;WIDTH: 728px; height :90px'></ins>", (728, 90)),
        ("<img width=10 height=10 style='width:300px;height:250px'>", (300, 250)),
        ("<img width=100% height=250>", None),
        ("<img width=300>", None),
        ("<img style='max-width:300px;min-height:250px'>", None),
        ("<img width=99999 height=5>", None),
        ("<img width=-3 height=5>", None),
        ("<img width='3e2' height=5>", None),
        ("<img>", None),
    ],
)
def test_own_size(markup, size):
    """Pixels of attributes and inline style; percentages and limits say nothing."""
    assert own_size(element(markup)) == size


@pytest.mark.parametrize(
    ("texts", "size"),
    [
        (["ad-300x250"], (300, 250)),
        (["https://ads.example/728x90/shoe_728X90.jpg"], (728, 90)),
        (["banner_300_250"], (300, 250)),
        (["300x250 728x90"], None),
        (["1920x1080"], None),
        (["1300x2500"], None),
        ([], None),
    ],
)
def test_named_size(texts, size):
    """Names tell a size if it is one that ads are sold in, and the only one."""
    assert named_size(texts) == size


@pytest.mark.parametrize(
    ("markup", "small"),
    [
        ("<img width=1 height=1>", True),
        ("<img width=0>", True),
        ("<img style='width:0px;height:0px'>", True),
        ("<img width=300 height=1>", True),
        ("<img width=18 height=18>", True),
        ("<img width=88 height=31>", False),
        ("<img>", False),
    ],
)
def test_is_small(markup, small):
    """Beacons and icons are small; the smallest button is not."""
    assert is_small(element(markup)) is small


@pytest.mark.parametrize(
    ("picture", "files", "banner"),
    [
        ("<img width=300 height=250>", [], True),
        ('<img style="width:728px;height:90px">', [], True),
        ("<img>", ["/ads/shoes_160x600.gif"], True),
        ("<img width=600 height=400>", ["/ads/shoes_160x600.gif"], False),
        ("<img width=300 height=300>", [], False),
        ("<img>", [], False),
    ],
)
def test_banner_sizes(picture, files, banner):
    """A banner by its size: what it is shown at, else what its file's name says."""
    assert is_banner(parse(picture.encode()).select("img")[0], files) is banner
