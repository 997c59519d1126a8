"""Ways through an answer: to where bids stand, and from a bid to what it says."""

from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite.auction.ways import Where, folded, follow, named, objects, spread, values


def test_paths_lead_to_values():
    """Every element, every member, what holds an array, the whole answer."""
    answer = {"cur": "EUR", "tags": [{"id": "t", "ads": [{"a": {"b": [1, 2]}}, {"a": [{"b": 3}]}]}]}
    rows = list(follow(answer, ("tags", "[]", "ads", "[]"), 10))

    assert [("tags", 0, "ads", 0), ("tags", 0, "ads", 1)] == [path for path, _ in rows]
    assert [1, 2, "t", "EUR"] == values(rows[0][1], (Where(0, ("a", "b")), Where(1, ("id",)), Where(-1, ("cur",))))
    assert [3] == values(rows[1][1], (Where(0, ("a", "b")), Where(0, ("none",)), Where(5, ("id",))))
    assert [("x",), ("y",)] == [path for path, _ in follow({"x": 1, "y": 2}, ("{}",), 10)]


def test_names_are_one_however_they_are_written():
    """Case and separators make no name another; a name too long for one is none."""
    assert {"advdomain"} == {folded(name) for name in ("adv_domain", "advDomain", "AdvDomain", "adv-domain")}
    assert "" == folded("x" * 100)


def test_members_are_spread_from_the_outside_in():
    """What stands further out comes first; what is left out is not looked into; arrays of objects are."""
    bid = {
        "meta": {"Adomain": ["b.example"]},
        "adomain": ["a.example"],
        "site": {"adomain": ["x.example"]},
        "l": [{"adomain": "c"}],
    }

    assert ["a.example", "b.example", "c"] == named(spread(bid, {"site"}), ["none", "adomain"])


NESTED = st.recursive(
    st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=30
)


@given(NESTED)
def test_every_object_is_met_once(tree):
    """Each object is found, the outer before the inner, at a path that leads to it."""
    if not isinstance(tree, dict | list):
        return
    paths = [path for path, _ in objects(tree, 100)]

    assert len(set(paths)) == len(paths)
    for path, way in objects(tree, 100):
        value = tree
        for step in path:
            value = value[step]
        assert way[-1] is value
