"""Of many rules the first that fits, found without asking each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain import rulebook
from capper.domain.identity import Ad, Viewer
from capper.domain.policy import Policy, Rule
from capper.domain.sighting import Format, Sighting
from capper.testing import a_sighting, an_ad

HOSTS = st.sampled_from(
    ["a.example", "b.a.example", "c.b.a.example", "xa.example", "example", "r.example/a.example", "r.example"]
)
NAMES = st.sampled_from(["dsp/1", "dsp/2", "3"])


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """None, one or a few of `values`."""
    return st.lists(values, max_size=2, unique=True).map(tuple)


RULES = st.builds(
    Rule,
    st.just("r"),
    st.just(()),
    advertiser=some(HOSTS),
    creative=some(NAMES),
    campaign=some(NAMES),
    category=some(NAMES),
    site=some(HOSTS),
    network=some(HOSTS),
    format=some(st.sampled_from(Format)),
    people=some(st.sampled_from(["anna", "ben"])),
)
SIGHTINGS = st.builds(
    Sighting,
    st.sampled_from([Viewer("anna"), Viewer("ben")]),
    st.builds(Ad, some(HOSTS), st.none() | NAMES, st.none() | NAMES, some(NAMES)),
    st.just("o"),
    st.sampled_from(Format),
    site=st.none() | HOSTS,
    network=st.none() | HOSTS,
)


def below(name: str, wanted: tuple[str, ...]) -> bool:
    """Whether a domain, or what its key says before a slash, is one of `wanted` or below it."""
    return any(f".{host}".endswith(f".{domain}") for host in (name, name.partition("/")[0]) for domain in wanted)


def speaks(rule: Rule, sighting: Sighting) -> bool:
    """Whether a rule fits, condition by condition."""
    ad = sighting.ad
    return (
        (not rule.advertiser or any(below(name, rule.advertiser) for name in ad.advertisers))
        and (not rule.creative or ad.creative in rule.creative)
        and (not rule.campaign or ad.campaign in rule.campaign)
        and (not rule.category or bool({*ad.categories} & {*rule.category}))
        and (not rule.site or (sighting.site is not None and below(sighting.site, rule.site)))
        and (not rule.network or (sighting.network is not None and below(sighting.network, rule.network)))
        and (not rule.format or sighting.format in rule.format)
        and (not rule.people or sighting.viewer.name in rule.people)
    )


@given(rules=st.lists(RULES, max_size=12), sighting=SIGHTINGS)
def test_the_first_rule_that_fits_is_found(rules, sighting):
    """Wherever it is filed, and whatever else is filed there."""
    expected = next((place for place, rule in enumerate(rules) if speaks(rule, sighting)), None)

    assert expected == rulebook.RuleBook([rule.conditions for rule in rules]).fitting(sighting)
    assert [speaks(rule, sighting) for rule in rules] == [rule.fits(sighting) for rule in rules]


@pytest.mark.parametrize("shared", [{}, {"people": ("anna",)}, {"format": ("banner",), "site": ("news.example",)}])
def test_of_ten_thousand_rules_hardly_any_is_asked(shared, monkeypatch):
    """What most rules have in common is not what they are filed under."""
    policy = Policy(rules=tuple(Rule(f"r{n}", (), (f"a{n}.example",), **shared) for n in range(10_000)))
    asked, asks = [], rulebook.fits
    monkeypatch.setattr(rulebook, "fits", lambda *args: asked.append(args) or asks(*args))

    assert policy.rule_for(a_sighting(an_ad("www.a9999.example"))).name == "r9999"
    assert policy.rule_for(a_sighting(an_ad("unheard.example"))) is policy.default
    assert len(asked) == 1


def test_a_name_of_a_thousand_dots_costs_no_more_than_a_domain_may_have():
    """A hostile advertiser's name does not grow a page's worth of parents."""
    assert len(rulebook.parents(["x." * 100_000])) <= 1 + 127
