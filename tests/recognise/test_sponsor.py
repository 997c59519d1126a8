"""Names of advertisers as keys."""

import pytest

from capper.domain.evidence import Evidence
from capper.domain.identity import Basis
from capper.recognise.sponsor import sponsor_key

PAGE = "https://www.boston-globe.example/story"


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["Shoe House"], "sponsor/shoe house"),
        (["Sponsored by  Shoe\nHouse"], "sponsor/shoe house"),
        (["", "Sponsored", "Shoe House"], "sponsor/shoe house"),
        (["<span class=x>Sponsored by </span>Shoe House"], "sponsor/shoe house"),
        (["Shoes.com"], "shoes.com"),
        (["www.shoes.com"], "shoes.com"),
        (["shoes.notadomain"], "sponsor/shoes.notadomain"),
        (["{brand}", "%%NAME%%", "[ADVERTISER]", "N/A", "\ud800x"], None),
        ([], None),
    ],
)
def test_sponsor_key(names, key):
    """The first name that is one; a domain where it is written as one."""
    assert sponsor_key(names) == key


@pytest.mark.parametrize(
    ("evidence", "advertisers"),
    [
        (Evidence(sponsors=("Shoe House",)), ("sponsor/shoe house",)),
        (
            Evidence(clicks=("https://trends.revcontent.com/click.php?d=x",), sponsors=("Shoe House",)),
            ("sponsor/shoe house",),
        ),
        (Evidence(clicks=("https://www.shoes.example/",), sponsors=("Shoe House",)), ("shoes.example",)),
        (Evidence(sponsors=("Boston Globe",)), ()),
        (Evidence(sponsors=("The Boston Globe",)), ()),
        (Evidence(sponsors=("boston-globe.example",)), ()),
        (Evidence(sponsors=("Taboola.com",)), ()),
    ],
)
def test_an_ad_known_by_a_name(reader, evidence, advertisers):
    """A name that a widget shows is the last rung before ids; neither the publisher's name nor the network's."""
    ad = reader.read(Evidence(evidence.clicks, page=PAGE, sponsors=evidence.sponsors))

    assert ad.advertisers == advertisers
    assert ad.basis is (
        Basis.CLICK if evidence.clicks and "shoes" in evidence.clicks[0] else Basis.SPONSOR if advertisers else ad.basis
    )
