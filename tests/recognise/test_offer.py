"""Whose ad a bid is: the ladder of identities, rung by rung."""

import pytest

from capper.domain.evidence import Evidence
from capper.domain.identity import Ad, Basis
from capper.domain.offer import Offer
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer

CLICK = Evidence(("https://www.hats.example/sale",), page="https://news.example/")
CM360 = Evidence(resources=("https://ad.doubleclick.net/ddm/trackimp/N1.2SITE/B26359283.3;dc_trk_aid=4;dc_trk_cid=5",))


@pytest.fixture(scope="module")
def reader():
    """The reader of ads with what is known of networks."""
    return AdReader(load_networks())


@pytest.mark.parametrize(
    ("offer", "advertisers", "basis"),
    [
        (Offer("x", ("https://WWW.shoes.example:443/a",), ("hats.example",), evidence=CLICK), ("shoes.example",), Basis.ADOMAIN),
        (Offer("x", ("a.example", "b.example")), ("a.example", "b.example"), Basis.ADOMAIN),
        (Offer("x", ("huaweiads",), ("hats.example",)), ("hats.example",), Basis.DECLARED),
        (Offer("x", ("ad-domain",), evidence=CLICK, sponsors=("Shoe House",)), ("hats.example",), Basis.CLICK),
        (Offer("x", sponsors=("Sponsored by  Shoe House",), advertiser_id="7"), ("sponsor/shoe house",), Basis.SPONSOR),
        (Offer("x", sponsors=("Prebid.org",)), ("prebid.org",), Basis.SPONSOR),
        (Offer("x", sponsors=("Sponsored", "${NAME}", "\ud800"), advertiser_id="7"), ("x/7",), Basis.BUYER),
        (Offer("x", advertiser_id="0", creative="c"), (), Basis.CRID),
        (Offer("", advertiser_id="7", creative="c"), (), Basis.UNIDENTIFIED),
        (Offer("x", evidence=CM360, creative="c"), (), Basis.CM360),
    ],
)  # fmt: skip
def test_the_strongest_rung_names_the_advertiser(reader, offer, advertisers, basis):
    """What is declared, then where a click leads, then a name, then the exchange's own number; else only ids."""
    ad = read_offer(reader, offer)

    assert (advertisers, basis) == (ad.advertisers, ad.basis)


def test_ids_belong_to_their_buyer(reader):
    """Campaign and creative carry who they are unique within; an ad server's campaign goes before the buyer's."""
    plain = read_offer(reader, Offer("ix.958", ("shoes.example",), campaign="1", creative="2"))
    served = read_offer(reader, Offer("ix.958", ("shoes.example",), campaign="1", creative="2", evidence=CM360))

    assert Ad(("shoes.example",), "ix.958/1", "ix.958/2", (), Basis.ADOMAIN) == plain
    assert ("ad.doubleclick.net/26359283", "ix.958/2") == (served.campaign, served.creative)


@pytest.mark.parametrize("word", ["", "null", "-1", "{{ id }}", "${ID}", "a\nb", "\ud800", "x" * 200, "[CREATIVE_ID]"])
def test_what_is_no_id_is_none(reader, word):
    """Macros nobody filled in, control characters, half characters and endless texts are no ids."""
    assert Ad() == read_offer(reader, Offer("x", creative=word, campaign=word, advertiser_id=word))


def test_a_category_speaks_for_those_above_it(reader):
    """`IAB7-39` is `IAB7` too; what is no code of that taxonomy is none."""
    ad = read_offer(reader, Offer("x", categories=("iab7-39", "IAB7-2", "news", "123")))

    assert ("IAB7-39", "IAB7", "IAB7-2") == ad.categories
