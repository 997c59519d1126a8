"""What names a record that goes is gone too: a client that looks for it would fail, or ask for it anew."""

import json

PROMPT = "You are pre-approved for a loan of up to $5,000. Apply now!"


def test_records_by_key(left):
    """As Apollo and Relay keep them: from lists the reference goes, a member that names it says null."""
    state = {
        "ROOT": {"tiles": [{"__ref": "Tile:1"}, {"__ref": "Tile:2"}], "first": {"__ref": "Tile:1"}},
        "Tile:1": {"__typename": "Tile", "title": PROMPT},
        "Tile:2": {"__typename": "Tile", "title": "Your parcel is on its way"},
    }
    expected = {"ROOT": {"tiles": [{"__ref": "Tile:2"}], "first": None}, "Tile:2": state["Tile:2"]}

    assert expected == json.loads(left(json.dumps(state), "json"))


def test_lists_of_keys(left):
    """As Redux keeps them: the key leaves the list of keys."""
    state = {"byId": {"t1": {"title": PROMPT}, "t2": {"title": "Your parcel is on its way"}}, "ids": ["t1", "t2"]}

    assert {"byId": {"t2": state["byId"]["t2"]}, "ids": ["t2"]} == json.loads(left(json.dumps(state), "json"))
