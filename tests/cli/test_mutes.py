"""capper policy mute, unmute and mutes, on the embedded server as people have it."""

import json
import re
from datetime import datetime, timedelta

import pytest

POLICY = """
caps = ["3 per advertiser per day"]
mute_for = "30 days"
[people.anna]
devices = ["user:anna"]
[people.ben]
devices = ["user:ben"]
"""


@pytest.fixture
def household(home):
    """A household of two."""
    (home / "config").mkdir()
    (home / "config" / "policy.toml").write_text(POLICY)


@pytest.mark.usefixtures("household")
def test_what_is_muted_is_listed_until_it_is_unmuted(capper):
    """A mute lasts as the policy says or as long as is asked for; a site's address will do; ben has muted nobody."""
    shoes = capper("policy", "mute", "https://www.shoes.example/sale", "--person", "anna", "--json")
    bikes = capper("policy", "mute", "bikes.example", "--person", "anna", "--for", "2w")
    listed = json.loads(capper("policy", "mutes", "--person", "anna", "--json").out)
    lengths = {
        one["name"]: datetime.fromisoformat(one["until"]) - datetime.fromisoformat(one["since"]) for one in listed
    }

    assert (shoes.code, json.loads(shoes.out)["name"]) == (0, "shoes.example")
    assert (bikes.code, bikes.out[:38]) == (0, "anna is not shown bikes.example until ")
    assert lengths == {"shoes.example": timedelta(days=30), "bikes.example": timedelta(weeks=2)}
    assert re.search(r"bikes.example +advertiser +said so to capper", capper("policy", "mutes", "--person", "anna").out)
    assert capper("policy", "mutes", "--person", "ben").out == "ben has muted nobody.\n"
    back = capper("policy", "unmute", "www.shoes.example", "--person", "anna")
    assert (back.code, back.out) == (0, "shoes.example may be shown to anna again, as the caps allow\n")
    again = capper("policy", "unmute", "shoes.example", "--person", "anna", "--json")
    assert (1, []) == (again.code, json.loads(again.out))


@pytest.mark.usefixtures("household")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mute", "shoes.example", "--person", "carl"), 'the policy knows no "carl"'),
        (("mute", "*", "--person", "anna"), "expected a domain"),
        (("mute", "shoes.example", "--person", "anna", "--for", "ages"), "--for: 'ages'"),
    ],
)
def test_what_cannot_be_muted(capper, arguments, told):
    """Nobody, nothing and never-ending are refused in words."""
    result = capper("policy", *arguments)

    assert result.code == 2
    assert told in result.err
