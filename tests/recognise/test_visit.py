"""What a page of a shop is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.visit import KINDS, kind_of


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://www.shoes.example/p/red-shoes-42", "product"),
        ("https://shop.example/dp/B00XYZ?ref=1", "product"),
        ("https://shop.example/red-shoes/product.html", "product"),
        ("https://shop.example/show?productId=7", "product"),
        ("https://shop.example/artikel/4711", "product"),
        ("https://shop.example/Checkout/Cart", "cart"),
        ("https://shop.example/winkelwagen", "cart"),
        ("https://shop.example/checkout/thank-you.html?order=1", "bought"),
        ("https://shop.example/bestellung/vielen-dank", "bought"),
        ("https://shop.example/", ""),
        ("https://news.example/production/2026/pp/items-of-news", ""),
        ("https://news.example/cartoon", ""),
        ("https://[", ""),
        ("https://shop.example/?" + "a=1&" * 200, ""),
        ("https://shop.example/p/" + "x" * 9000, ""),
    ],
)
def test_pages_of_shops(url, kind):
    """By whole words of the address; whatever else it is is no page of a shop's."""
    assert kind == kind_of(url)


@given(st.text())
def test_any_address_is_something(text):
    """Or nothing; none is a fault."""
    assert kind_of(text) in (*KINDS, "")
