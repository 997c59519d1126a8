"""One value of a policy file changed by its key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.settings.policy_set import set_value
from capper.settings.toml import parse

POLICY = """\
# Mine.
caps = [        # the household's
    "3 per day",   # a day
]
time_zone = "UTC"   # ours

# her
[people.anna]
devices = ["192.168.1.20"]   # laptop

[people."ben k"]
devices = "192.168.1.21"

# shoes
[[rules]]
name = "no shoes"
advertiser = "shoes.example"
caps = ["never"]

# the paper
[[rules]]
site = "paper.example"
caps = []
"""


def changed(key, *words, text=POLICY):
    """The lines that are different, before and after."""
    after = set_value(text, "p.toml", key, words)
    old, new = text.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


CASES = [
    ("time_zone", ["Europe/Amsterdam"], 'time_zone = "UTC"   # ours', 'time_zone = "Europe/Amsterdam"   # ours'),
    ("people.anna.devices", ["192.168.1.9"], 'devices = ["192.168.1.20"]   # laptop', 'devices = ["192.168.1.9"]   # laptop'),
    ('people."ben k".devices', ["192.168.1.9"], 'devices = "192.168.1.21"', 'devices = ["192.168.1.9"]'),
    ("rules[2].caps", ["2 per day", "1 per page"], "caps = []", 'caps = ["2 per day", "1 per page"]'),
    ('rules["no shoes"].advertiser', ["boots.example"], 'advertiser = "shoes.example"', 'advertiser = "boots.example"'),
    ("rules[1].advertiser", ['["a.example", "b.example"]'], 'advertiser = "shoes.example"', 'advertiser = ["a.example", "b.example"]'),
]  # fmt: skip


@pytest.mark.parametrize(("key", "words", "old", "new"), CASES)
def test_one_line_is_another(key, words, old, new):
    """Everything else, comments too, stays as it was."""
    assert changed(key, *words) == ([old], [new])


@pytest.mark.parametrize(
    ("key", "words", "line"),
    [
        ("credit_note", ["true"], "credit_note = true"),
        ("house_ads", ["mypaper.example"], 'house_ads = ["mypaper.example"]'),
        ("retention", ["30 days"], 'retention = "30 days"'),
        ("people.anna.language", ["nl"], 'language = "nl"'),
        ("rules[2].people", ["anna"], 'people = "anna"'),
    ],
)
def test_a_key_that_was_not_there(key, words, line):
    """It is added to its own table."""
    assert changed(key, *words) == ([], [line])


def test_a_list_over_several_lines_stays_one():
    """Its layout is kept as far as it can be."""
    assert 'caps = [\n    "2 per day",\n    "1 per page",\n]' in set_value(
        POLICY, "", "caps", ["2 per day", "1 per page"]
    )


def test_a_key_is_taken_out():
    """Without words; a key that is not there is told."""
    assert changed("time_zone") == (['time_zone = "UTC"   # ours'], [])
    with pytest.raises(ConfigError, match="says nothing of session_gap"):
        changed("session_gap")


def test_rules_in_a_list_at_the_top():
    """Tables may be written as values."""
    text = 'rules = [{site = "a.example", caps = []}, {site = "b.example", caps = []}]\n'

    assert set_value(text, "", "rules[2].caps", ["never"]) == text.replace("caps = []}]", 'caps = ["never"]}]')


@pytest.mark.parametrize(
    ("key", "words", "why"),
    [
        ("time_zon", ["UTC"], r'knows no key .time_zon.; did you mean "time_zone"'),
        ("time_zone", ["Amsterdam"], r'p.toml line 5: time_zone: .* did you mean "Europe/Amsterdam"'),
        ("people.carl.language", ["nl"], r"p.toml has no people.carl; there is anna, ben k"),
        ("rules[3].caps", ["never"], r"has 2 rules, counted from 1; there is no 3"),
        ("rules[0].caps", ["never"], r"there is no 0"),
        ('rules["no shoe"].caps', ["never"], r'did you mean "no shoes"'),
        ("rules[1].advertisr", ["x.example"], r"unknown key; did you mean"),
        ("rules[1]", ["x"], r"names no single value"),
        ("rules", ["x"], r"names no single value"),
        ("caps[1]", ["never"], r"names no single value"),
        ("people.anna", ["x"], r"names no single value"),
        ("", ["x"], r"knows no key"),
        ("..", ["x"], r"is no key of a policy"),
        ("version", ["99"], r"needs a newer one"),
    ],
)
def test_what_is_refused(key, words, why):
    """With what is wrong, and what was perhaps meant."""
    with pytest.raises(ConfigError, match=why):
        set_value(POLICY, "p.toml", key, words)


@given(
    st.sampled_from([case[0] for case in CASES]),
    st.text(max_size=12) | st.sampled_from(["0", "{}", '"', "[", "1 per day"]),
)
def test_whatever_is_said_only_that_key_is_another(key, word):
    """The policy is refused or says just that; never another thing."""
    try:
        after = set_value(POLICY, "p.toml", key, [word])
    except ConfigError:
        return
    before, now = dict(parse(POLICY, "").data), dict(parse(after, "").data)
    top = key.partition(".")[0].partition("[")[0]

    assert {name for name in before if before[name] != now[name]} <= {top}
    assert list(before) == list(now)
