"""What a mute can name, and what it names where there is a choice."""

from capper.domain.identity import Ad, Level
from capper.domain.mute import chosen, names_of


def test_an_ad_is_muted_by_its_advertisers_before_its_creative():
    """Whoever advertises is what a person means; a creative is named only where nobody is known."""
    ad = Ad(("shoes.example", "boots.example", "shoes.example"), "c", "ads.example/1")
    advertisers = ((Level.ADVERTISER, "shoes.example"), (Level.ADVERTISER, "boots.example"))

    assert names_of(ad) == (*advertisers, (Level.CREATIVE, "ads.example/1"))
    assert chosen(ad) == advertisers
    assert chosen(Ad(creative="ads.example/1")) == ((Level.CREATIVE, "ads.example/1"),)
    assert chosen(Ad(campaign="c")) == ()
