"""`capper measure simulate` as a researcher meets it."""

import json

import pytest

SMALL = ("--people", "40", "--cap", "4")


def test_the_table(capper):
    """A line for each cap: what was missed falls as the cap rises."""
    told = json.loads(capper("measure", "simulate", "--people", "60", "--cap", "1", "--cap", "6", "--json").out)
    table = capper("measure", "simulate", *SMALL).out

    assert [1, 6] == [week["cap"] for week in told["weeks"]]
    assert 1 == told["weeks"][0]["missed"] > told["weeks"][1]["missed"]
    assert "precision" in table.splitlines()[0]
    assert "4" == table.splitlines()[2].split()[0]


def test_the_rule(capper):
    """The two thresholds are told apart, and one name stands for both."""
    both, apart = (
        json.loads(capper("measure", "simulate", *SMALL, "--rule", rule, "--json").out)
        for rule in ("median", "mean/mean+std")
    )
    refused = capper("measure", "simulate", "--rule", "mode")

    assert {"users": "median", "domains": "median"} == both["rule"]
    assert {"users": "mean", "domains": "mean+std"} == apart["rule"]
    assert 2 == refused.code
    assert "'mode'" in refused.err


@pytest.mark.usefixtures("home")
def test_a_study_of_people_who_do_not_exist(capper):
    """It stands among the studies, is over, and is not written over; one week only."""
    said = capper("measure", "simulate", *SMALL, "--into", "practice")
    [study] = json.loads(capper("measure", "status", "--json").out)
    again = capper("measure", "simulate", *SMALL, "--into", "practice")
    two = capper("measure", "simulate", *SMALL, "--cap", "5", "--into", "other")

    assert "40 people who do not exist" in said.out
    assert ("practice", 40, False) == tuple(study[key] for key in ("name", "participants", "runs"))
    assert f"{study['exposures']} exposures" in said.out
    assert [2, 2] == [again.code, two.code]
