"""`capper sites` as a person meets it."""

import json

import pytest

from capper.settings.sites import known_sites


def test_from_beginning_to_end(capper):
    """A site is added once, listed, and removed."""
    added, again = capper("sites", "add", "https://www.Shop.example/x"), capper("sites", "add", "www.shop.example")
    listed = json.loads(capper("sites", "list", "--json").out)
    removed = capper("sites", "remove", "www.shop.example")

    assert ("www.shop.example is opened from now on\n", 0) == (added.out, added.code)
    assert ("www.shop.example is yours already\n", 0) == (again.out, again.code)
    assert {"site": "www.shop.example", "from": "yours"} == listed[0]
    assert 0 == removed.code
    assert "yours" not in capper("sites", "list").out


def test_where_each_comes_from(capper, home):
    """Those of capper.toml and those known for credit prompts are listed too, unless these are switched off."""
    config = home / "capper.toml"
    config.write_text('sites = ["news.example"]')
    rows = json.loads(capper("sites", "list", "--json", "--config", config).out)
    config.write_text("credit_sites = false")
    none = capper("sites", "list", "--config", config).out

    assert ["news.example", *sorted(known_sites().sites)] == [row["site"] for row in rows]
    assert {"capper.toml", "known for credit"} == {row["from"] for row in rows}
    assert none.startswith("None;")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "a b"), "expected a site"),
        (("add", "com"), "is not one site"),
        (("add", "co.uk"), "is not one site"),
        (("add", "10.0.0.1"), "is not one site"),
        (("remove", "shop.example"), "shop.example is none of your sites\n"),
        (("remove", "www.wehkamp.nl"), "credit_sites = false"),
    ],
)
def test_refusals(capper, words, said):
    """What cannot be done is one sentence and exit code 2; a whole top-level domain is never opened."""
    told = capper("sites", *words)

    assert (2, 1) == (told.code, told.err.count("\n"))
    assert said in told.err
