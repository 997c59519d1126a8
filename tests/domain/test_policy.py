"""Which rule speaks, whose viewer it is, and what must be kept."""

from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.identity import HOUSEHOLD, Ad, Level, Viewer
from capper.domain.policy import Kept, Person, Policy, Rule
from capper.domain.sighting import Format
from capper.domain.window import SCOPE_LIFE, SESSION_LIMIT, Scope, Within
from capper.testing import a_sighting

AD = Ad(("shoes.example", "www.laces.example"), "dsp/7", "dsp/c1", ("footwear",))


def rule(name: str = "r", caps: tuple[str, ...] = ("never",), **conditions) -> Rule:
    """A rule with these conditions."""
    return Rule(name, tuple(map(Cap.parse, caps)), **conditions)


def sighting(**more):
    """The shoe ad on a news site's subdomain, by a network."""
    given = {"site": "news.example", "network": "adnet.example", "format": Format.VIDEO} | more
    return a_sighting(AD, **given)


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"advertiser": ("shoes.example",)},
        {"advertiser": ("other.example", "laces.example")},
        {"creative": ("dsp/c1",)},
        {"campaign": ("dsp/7", "dsp/8")},
        {"category": ("footwear",)},
        {"site": ("news.example",)},
        {"site": ("example",)},
        {"network": ("adnet.example",)},
        {"format": ("video",)},
        {"people": ("anna", "ben")},
        {
            "advertiser": ("shoes.example",),
            "site": ("news.example",),
            "people": ("anna",),
            "format": ("video", "banner"),
        },
    ],
)
def test_a_rule_fits_when_every_condition_does(conditions):
    """No condition fits all; several values are alternatives; domains fit their subdomains."""
    assert rule(**conditions).fits(sighting())


@pytest.mark.parametrize(
    "conditions",
    [
        {"advertiser": ("hoes.example",)},
        {"advertiser": ("www.shoes.example",)},
        {"creative": ("dsp/c",)},
        {"campaign": ("dsp",)},
        {"category": ("shoes",)},
        {"site": ("ews.example",)},
        {"network": ("net.example",)},
        {"format": ("banner",)},
        {"people": ("ben",)},
        {"advertiser": ("shoes.example",), "people": ("ben",)},
    ],
)
def test_a_rule_does_not_fit_when_one_condition_does_not(conditions):
    """Neither parts of names nor parents of what was named are enough."""
    assert not rule(**conditions).fits(sighting())


@pytest.mark.parametrize("condition", ["advertiser", "creative", "campaign", "category", "site", "network"])
def test_what_is_not_known_fits_no_condition(condition):
    """A rule about something says nothing where that is unknown."""
    unknown = a_sighting(Ad(), site=None, network=None)

    assert not rule(**{condition: ("x",)}).fits(unknown)
    assert rule().fits(unknown)


def test_the_first_rule_that_fits_speaks():
    """Rules are asked in order; where none fits the default speaks."""
    policy = Policy(
        rule("caps", ("3 per day",)),
        (rule("video", format=("video",)), rule("shoes", advertiser=("shoes.example",)), rule("ben", people=("ben",))),
    )

    assert policy.rule_for(sighting()).name == "video"
    assert policy.rule_for(sighting(format=Format.BANNER)).name == "shoes"
    assert policy.rule_for(a_sighting(Ad(), viewer="ben")).name == "ben"
    assert policy.rule_for(a_sighting(Ad())).name == "caps"


def test_a_viewer_is_a_person_with_her_language():
    """A person of the policy brings her language; anyone else is a name."""
    policy = Policy(people={"anna": Person("anna", ("192.0.2.7",), "nl")})

    assert policy.viewer("anna") == Viewer("anna", "nl")
    assert policy.viewer("guest") == Viewer("guest")
    assert policy.viewer(HOUSEHOLD) == Viewer()


def test_what_is_kept_is_enough_for_every_rule():
    """Per level the largest count and the longest life of all rules together; places apart; zero needs nothing."""
    policy = Policy(
        rule("caps", ("3 per creative per day", "10 per creative per week", "1 per advertiser per page", "never")),
        (
            rule("a", ("7 per creative per hour", "2 per session")),
            rule("b", ("9 for life per category", "0 per campaign per day", "2 per pod per creative")),
        ),
        retention=timedelta(days=50),
    )

    assert policy.kept == {
        (Level.CREATIVE, None): Kept(10, timedelta(days=7)),
        (Level.CREATIVE, Within(Scope.POD)): Kept(2, SCOPE_LIFE),
        (Level.ADVERTISER, Within(Scope.PAGE)): Kept(1, SCOPE_LIFE),
        (Level.ADVERTISER, None): Kept(2, SESSION_LIMIT),
        (Level.CATEGORY, None): Kept(9, timedelta(days=50)),
    }
    assert policy.kept is policy.kept


def test_each_cap_of_a_rule_has_its_row():
    """What says never stands apart; a window of time tells how far back it reaches, all others do not."""
    news = rule("news", ("never", "2 per creative per hour", "1 per advertiser per page", "0 per category per day"))
    policy = Policy(rule("caps", ("5 per creative per day",)), (news,))
    terms = policy.terms(news)

    assert ["never", "0 per category per day"] == list(map(str, terms.never))
    assert [
        (Level.CREATIVE, None, 5, 3_600_000),
        (Level.ADVERTISER, Scope.PAGE, 1, None),
    ] == [(*policy.rows[term.row][:3], term.back_ms) for term in terms.reached]
    assert policy.terms(news) is terms


def test_every_cap_is_listed_the_defaults_first():
    """`caps` walks the default, then the rules in order."""
    policy = Policy(rule("caps", ("3 per day",)), (rule("a", ("never", "1 per page")),))

    assert [str(cap) for cap in policy.caps()] == ["3 per advertiser per day", "never", "1 per advertiser per page"]
