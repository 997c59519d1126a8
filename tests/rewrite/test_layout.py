"""How auctions answer, as data: what is wrong in it is said with its place."""

import pytest

from capper.domain.errors import ConfigError
from capper.rewrite.layout import Where, found, load_layouts, values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auctions = 1", "auctions"),
        ("[[auctions]]\nname = 1\nbids = []\nneeds = []", "name"),
        ('[[auctions]]\nname = "x"\nneeds = []', "bids"),
        ('[[auctions]]\nname = "x"\nbids = [1]\nneeds = []', "bids"),
        ('[[auctions]]\nname = "x"\nbids = []\nneeds = []\nfactor = "a"', "factor"),
        ('[[auctions]]\nname = "x"\nbids = []\nneeds = []\nprise = []', "prise"),
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


def test_paths_lead_to_values():
    """Every element, every member, what holds an array, the whole answer."""
    answer = {"cur": "EUR", "tags": [{"id": "t", "ads": [{"a": {"b": [1, 2]}}, {"a": [{"b": 3}]}]}]}
    rows = list(found(answer, ("tags", "[]", "ads", "[]"), 10))

    assert [("tags", 0, "ads", 0), ("tags", 0, "ads", 1)] == [path for path, _ in rows]
    assert [1, 2, "t", "EUR"] == values(rows[0][1], (Where(0, ("a", "b")), Where(1, ("id",)), Where(-1, ("cur",))))
    assert [3] == values(rows[1][1], (Where(0, ("a", "b")), Where(0, ("none",)), Where(5, ("id",))))
    assert [("x",), ("y",)] == [path for path, _ in found({"x": 1, "y": 2}, ("{}",), 10)]
