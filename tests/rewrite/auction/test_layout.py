"""How auctions answer, as data: what is wrong in it is said with its place."""

import pytest

from capper.domain.errors import ConfigError
from capper.rewrite.auction.layout import known_to_auction, load_layouts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auctions = 1", "auctions"),
        ("[[auctions]]\nname = 1\nbids = []\nneeds = []", "name"),
        ('[[auctions]]\nname = "x"\nneeds = []', "bids"),
        ('[[auctions]]\nname = "x"\nbids = [1]\nneeds = []', "bids"),
        ('[[auctions]]\nname = "x"\nbids = []\nneeds = []\nfactor = "a"', "factor"),
        ('[[auctions]]\nname = "x"\nbids = []\nneeds = []\nprise = []', "prise"),
        ('[[auctions]]\nname = "x"\nbids = []\nneeds = []\nin_turn = ["y"]', "absent"),
        ('[[auctions]]\nname = "x"\nlike = "y"', "like"),
        ("[[auctions", "auction.toml"),
    ],
)
def test_a_mistake_is_said_with_its_place(tmp_path, text, said):
    """The file and the key are named."""
    (tmp_path / "auction.toml").write_text(text)

    with pytest.raises(ConfigError, match=said):
        load_layouts(tmp_path)


def test_no_file_is_a_mistake_too(tmp_path):
    """A folder without the file is refused."""
    with pytest.raises(ConfigError, match=r"auction\.toml"):
        load_layouts(tmp_path)


def test_what_travels_with_capper_is_in_order():
    """Every format has bids somewhere and something it needs, and names of its own unless it is another's likeness."""
    layouts = load_layouts()

    assert all(layout.bids and layout.needs for layout in layouts)
    own = [layout.name for layout in layouts if not layout.of_hosts]
    assert sorted(set(own)) == sorted(own)


def test_an_auctions_address_is_known():
    """Where an auction answers, a script may be an answer too; elsewhere it is none."""
    layouts = load_layouts()

    assert known_to_auction(layouts, "https://aax.amazon-adsystem.com/e/dtb/bid?src=1")
    assert not known_to_auction(layouts, "https://c.amazon-adsystem.com/aax2/apstag.js")
    assert not known_to_auction(layouts, "https://shop.example/e/dtb/bid")
