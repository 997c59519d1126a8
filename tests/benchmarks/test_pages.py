"""What the benchmarks' origin serves."""

import re

from benchmarks import pages
from benchmarks.origin import answer


def test_pages_are_the_same_on_every_machine():
    """Made from a seed."""
    assert pages.content() == pages.content()


def test_a_page_has_ten_ads_of_which_five_are_always_new():
    """Five of advertisers that were met, and five whose names have a number of their own in each answer."""
    body = pages.content()["/page"][1].replace(pages.SERIAL, b"0000042")
    advertisers = re.findall(rb"adurl=https%3A%2F%2Fwww\.([^%]+)%2Fsale", body)

    assert len(advertisers) == 10
    assert [name for name in advertisers if b"0000042" in name] == advertisers[5:]


def test_a_number_changes_no_length():
    """The length was told before the number was put in."""
    served = answer(*pages.content()["/page"])
    numbered = served.replace(pages.SERIAL, b"%07d" % 42)

    assert len(served) == len(numbered)
    assert b"Content-Length: %d" % len(numbered.partition(b"\r\n\r\n")[2]) in numbered
