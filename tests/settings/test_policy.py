"""The policy file."""

from contextlib import suppress
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.cap import Cap
from capper.domain.errors import ConfigError
from capper.domain.identity import Level
from capper.domain.policy import CreditPrompts, CreditRule, Person, Policy, Rule
from capper.domain.sighting import Format
from capper.domain.window import Calendar, CalendarUnit, Life, Rolling, Scope, Session, Spacing, Within
from capper.settings.places import packaged_policy
from capper.settings.policy import load_policy, parse_policy, read_policy
from capper.settings.policy_text import policy_text


def problems(text):
    """What is wrong with a policy, a line each."""
    with pytest.raises(ConfigError) as caught:
        parse_policy(text, "policy.toml")
    return str(caught.value).split("\n")


def test_the_starter_policy_is_the_one_of_the_design():
    """The policy that travels with capper can be read and caps creatives and advertisers."""
    policy = load_policy(packaged_policy())

    assert [str(cap) for cap in policy.default.caps] == [
        "3 per creative per day",
        "10 per creative per week",
        "5 per advertiser per day",
        "15 per advertiser per week",
        "1 per advertiser per page",
    ]


def test_every_key():
    """Every key of the grammar reaches the policy, normalised."""
    policy = parse_policy(
        """
        version = 1
        time_zone = "Europe/Amsterdam"
        session_gap = "20 minutes"
        retention = "90 days"
        mute_for = "30 days"
        unknown_devices = "anna"
        credit_prompts = "mark"
        house_ads = ["https://www.MyPaper.example/news", "blog.example", "mypaper.example"]
        caps = ["2 per campaign per calendar day"]

        [people.anna]
        language = "nl"
        credit_prompts = "Leave"
        house_ads = "Everywhere"
        devices = ["192.168.1.20", "DE-AD-be:ef:00:01", "2001:DB8::1", "::ffff:10.0.0.1", "10.9.0.0/24", "User:anna", "wireguard:anna"]

        [[rules]]
        name = "no shoes"
        advertiser = ["https://www.Shoes.example/sale?x=1", "bücher.example"]
        creative = "ads.example/1"
        campaign = "c1"
        category = ["IAB1"]
        site = "NEWS.example."
        network = "*.adnet.example:443"
        format = ["Video", "native"]
        people = ["anna", "household"]
        caps = "never"

        [[credit]]
        site = ["https://www.Bank.example/home", "shop.example"]
        people = "anna"
        credit_prompts = "strip"
        [[credit]]
        credit_prompts = "leave"
        """,
        "p",
    )
    anna = (
        "192.168.1.20",
        "de:ad:be:ef:00:01",
        "2001:db8::1",
        "10.0.0.1",
        "10.9.0.0/24",
        "user:anna",
        "wireguard:anna",
    )

    assert policy == Policy(
        default=Rule("caps", (Cap.parse("2 per campaign per calendar day"),)),
        rules=(
            Rule(
                "no shoes",
                (Cap.parse("never"),),
                advertiser=("shoes.example", "xn--bcher-kva.example"),
                creative=("ads.example/1",),
                campaign=("c1",),
                category=("IAB1",),
                site=("news.example",),
                network=("adnet.example",),
                format=("video", "native"),
                people=("anna", "household"),
            ),
        ),
        people={"anna": Person("anna", anna, "nl", CreditPrompts.LEAVE, house_ads=("everywhere",))},
        zone=ZoneInfo("Europe/Amsterdam"),
        session_gap=timedelta(minutes=20),
        retention=timedelta(days=90),
        mute_for=timedelta(days=30),
        credit_prompts=CreditPrompts.MARK,
        unknown_devices="anna",
        house_ads=("mypaper.example", "blog.example"),
        credit=(
            CreditRule(CreditPrompts.STRIP, ("bank.example", "shop.example"), ("anna",)),
            CreditRule(CreditPrompts.LEAVE),
        ),
    )


def test_no_cap_means_unlimited():
    """An empty list of caps, at the top or in a rule, is a policy without limit; so is a file of comments."""
    policy = parse_policy('caps = []\n[[rules]]\nsite = "a.example"\ncaps = []', "p")

    assert (policy.default.caps, policy.rules[0].caps, parse_policy("#", "p").default.caps) == ((), (), ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'caps = [\n "3 per creative per day",\n "3 per advertisr per day"]',
            ("line 3: caps[2]: '3 per advertisr per day': expected a level (creative, campaign, advertiser, category) or a length"
            " (weeks, days, hours, minutes, seconds), found 'advertisr'; did you mean 'advertiser'?"),
        ),
        ("caps = [3]", 'line 1: caps[1]: expected a cap like "3 per advertiser per day", found the number 3'),
        ("caps = {}", 'line 1: caps: expected a cap like "3 per advertiser per day" or a list of them, found a table'),
        ("\ncap = []", 'line 2: cap: unknown key; did you mean "caps"?'),
        ("version = 2", "line 1: version: this capper reads version 1; version 2 needs a newer one"),
        ("version = true", "line 1: version: expected a whole number from 1 to 1, found true"),
        (
            'time_zone = "amsterdam"',
            ('line 1: time_zone: expected an IANA time zone like "Europe/Amsterdam", found "amsterdam";'
            ' did you mean "Europe/Amsterdam"?'),
        ),
        (
            'time_zone = "../etc/passwd"',
            'line 1: time_zone: expected an IANA time zone like "Europe/Amsterdam", found "../etc/passwd"',
        ),
        ('time_zone = "Europe"', 'line 1: time_zone: expected an IANA time zone like "Europe/Amsterdam", found "Europe"; did you mean "Europe/Rome"?'),
        ("session_gap = 30", 'line 1: session_gap: expected a length of time like "30 minutes", found the number 30'),
        (
            'session_gap = "2 days"',
            'line 1: session_gap: expected a length of time from 1 second to 1 day, found "2 days"',
        ),
        (
            'retention = "10 days"\ncaps = ["1 per week", "1 per 28 days"]',
            ('line 2: caps[2]: "1 per advertiser per 28 days" looks back longer than the ledger keeps (10 days);'
            " lengthen retention or shorten the window"),
        ),
        (
            'credit_prompts = "stip"',
            'line 1: credit_prompts: expected one of "strip", "mark", "leave", found "stip"; did you mean "strip"?',
        ),
        ("credit_prompts = false", 'line 1: credit_prompts: expected one of "strip", "mark", "leave", found false'),
        (
            '[people.anna]\n[[rules]]\npeople = "ana"\ncaps = []',
            'line 3: rules[1].people: expected one of household, anna, found "ana"; did you mean "anna"?',
        ),
        ("house_ads = true", 'line 1: house_ads: expected a site like "mypaper.example", or "everywhere", found true'),
        (
            'house_ads = "*"',
            'line 1: house_ads: expected a site like "mypaper.example", or "everywhere", found "*"; did you mean "everywhere"?',
        ),
        ('unknown_devices = "guest"', 'line 1: unknown_devices: expected one of household, leave, found "guest"'),
        ("unknown_devices = 1", 'line 1: unknown_devices: expected "household", "leave" or the name of a person, found the number 1'),
        (
            "[people.leave]",
            'line 1: people.leave: nobody can be called "leave": it is what unknown_devices may say',
        ),
        ("[people]\nanna = 1", "line 2: people.anna: expected a table like [people.NAME], found the number 1"),
        ("people = []", "line 1: people: expected tables like [people.NAME], found a list"),
        ("[people.anna]\ndevice = []", 'line 2: people.anna.device: unknown key; did you mean "devices"?'),
        (
            "[people.anna]\ncaps = []",
            "line 2: people.anna.caps: unknown key here; 'caps' belongs at the top of the file, above the first [table]",
        ),
        (
            '[people.anna]\ndevices = ["10.0.0.1"]\n[people.ben]\ndevices = ["10.0.0.2",\n"::ffff:10.0.0.1"]',
            'line 5: people.ben.devices[2]: "10.0.0.1" is anna\'s already; a device is one person\'s',
        ),
        (
            '[people.anna]\ndevices = ["10.0.0.1/8"]',
            ("line 2: people.anna.devices[1]: expected an address, a network, a MAC,"
            ' "user:NAME" or "wireguard:NAME", found "10.0.0.1/8"; its host bits are set'),
        ),
        ('[people.anna]\nlanguage = "Dutch!"', 'line 2: people.anna.language: expected a language like "nl" or "pt-BR", found "Dutch!"'),
        ("[rules]\ncaps = []", "line 1: rules: expected [[rules]] with two brackets, found a table"),
        ("rules = [1]", "line 1: rules[1]: expected a table under [[rules]], found the number 1"),
        (
            '\n[[rules]]\nsite = "a.example"',
            'line 2: rules[1]: caps are missing; write caps = [] for unlimited, or caps = ["never"] for never',
        ),
        ('[[rules]]\nadvertizer = "a.example"\ncaps = []', 'line 2: rules[1].advertizer: unknown key; did you mean "advertiser"?'),
        ('[[rules]]\nsite = "a b.example"\ncaps = []', 'line 2: rules[1].site: expected a domain like "shoes.example", found "a b.example"'),
        (
            '[[rules]]\nadvertiser = "*"\ncaps = []',
            'line 2: rules[1].advertiser: expected a domain like "shoes.example", found "*"; leave the key out to fit every one',
        ),
        ("[[rules]]\nsite = []\ncaps = []", "line 2: rules[1].site: an empty list fits nothing; leave 'site' out to fit everything"),
        (
            '[[rules]]\nformat = ["banner", "vidoe"]\ncaps = []',
            ('line 2: rules[1].format[2]: expected one of "banner", "frame", "image", "video", "native", "post", found "vidoe";'
            ' did you mean "video"?'),
        ),
        (
            '[[rules]]\nname = "a"\ncaps = []\n[[rules]]\nname = "a"\ncaps = []',
            'line 5: rules[2].name: rule 1 is called "a" already; explanations name the rule',
        ),
        (
            '[[credit]]\nsite = "a.example"',
            ('line 1: credit[1]: credit_prompts is missing; write credit_prompts = "strip" or credit_prompts = "mark"'
            ' or credit_prompts = "leave"'),
        ),
        (
            '[[credit]]\ncredit_promts = "mark"\ncredit_prompts = "mark"',
            'line 2: credit[1].credit_promts: unknown key; did you mean "credit_prompts"?',
        ),
        (
            '[[credit]]\ncredit_prompts = "lave"',
            'line 2: credit[1].credit_prompts: expected one of "strip", "mark", "leave", found "lave"; did you mean "leave"?',
        ),
        (
            '[people.anna]\n[[credit]]\npeople = "ana"\ncredit_prompts = "mark"',
            'line 3: credit[1].people: expected one of household, anna, found "ana"; did you mean "anna"?',
        ),
        (
            '[[credit]]\nsite = []\ncredit_prompts = "mark"',
            "line 2: credit[1].site: an empty list fits nothing; leave 'site' out to fit everything",
        ),
        (
            "[people.anna]\ncredit_prompts = true",
            'line 2: people.anna.credit_prompts: expected one of "strip", "mark", "leave", found true',
        ),
        ("[credit]", "line 1: credit: expected [[credit]] with two brackets, found a table"),
        ("caps = 1999-01-01", 'line 1: caps: expected a cap like "3 per advertiser per day", found a date or time'),
    ],
)  # fmt: skip
def test_what_is_wrong(text, problem):
    """Each mistake is told with file, line, key, what was expected and what was perhaps meant."""
    assert problems(text) == [f"policy.toml {problem}"]


def test_an_empty_file_is_no_policy():
    """A file without a word is refused: it is what a failed save leaves, not a wish for unlimited ads."""
    assert problems(" \n") == ["policy.toml is empty; to cap nothing write caps = []"]


def test_everything_wrong_is_told_at_once():
    """All mistakes of a file are told together, in the order of its lines."""
    found = problems('caps = [1]\nzone = ""\n[[rules]]\nformat = "x"\n')

    assert [line.split(":")[0] for line in found] == [f"policy.toml line {line}" for line in (1, 2, 3, 4)]


def test_what_was_understood_differently_is_noted():
    """A site written as an address is accepted, and a note says how it was understood."""
    reading = read_policy('caps = []\n[[rules]]\nsite = "http://www.News.example/x"\ncaps = []', "p")

    assert list(map(str, reading.notes)) == [
        'line 3: rules[1].site: "http://www.News.example/x" is understood as "news.example"'
    ]


WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Zs", "Co", "Cn"]), min_size=1, max_size=8
)
DOMAINS = st.from_regex(r"[a-z][a-z0-9]{0,5}(\.[a-z][a-z0-9]{0,5}){1,2}", fullmatch=True).filter(
    lambda text: not text.startswith("www.")
)
LENGTHS = st.timedeltas(timedelta(seconds=1), timedelta(seconds=1000)).map(
    lambda length: timedelta(seconds=length.seconds or 1)
)
WINDOWS = st.one_of(
    LENGTHS.map(Rolling),
    st.sampled_from(CalendarUnit).map(Calendar),
    st.sampled_from([Session(), Life(), *map(Within, Scope)]),
)
CAPS = st.one_of(
    st.just(Cap.parse("never")),
    st.builds(Cap, st.integers(0, 1000), st.sampled_from(Level), WINDOWS),
    st.builds(Cap, st.just(1), st.sampled_from(Level), LENGTHS.map(Spacing)),
)


@st.composite
def policies(draw):
    some = lambda values: tuple(draw(st.lists(values, max_size=2, unique=True)))  # noqa: E731
    people = {
        name: Person(
            name,
            (f"user:{number}", f"10.0.0.{number}"),
            draw(st.sampled_from([None, "nl", "pt-BR"])),
            draw(st.sampled_from([None, *CreditPrompts])),
            house_ads=draw(st.none() | st.just(some(DOMAINS))),
        )
        for number, name in enumerate(some(WORDS))
    }
    rules = tuple(
        Rule(
            draw(st.sampled_from([f"rule {number}", f"name {number}"])), some(CAPS), some(DOMAINS), some(WORDS), some(WORDS),
            some(WORDS), some(DOMAINS), some(DOMAINS), some(st.sampled_from(Format)), some(st.sampled_from(["household", *people])),
        )
        for number in range(1, draw(st.integers(1, 4)))
    )  # fmt: skip
    return Policy(
        Rule("caps", some(CAPS)), rules, people, draw(st.sampled_from([UTC, ZoneInfo("Europe/Amsterdam")])),
        draw(LENGTHS), timedelta(days=draw(st.integers(32, 400))), draw(st.sampled_from(CreditPrompts)),
        draw(st.sampled_from(["household", *people])),
        tuple(CreditRule(draw(st.sampled_from(CreditPrompts)), some(DOMAINS), some(st.sampled_from(["household", *people])))
              for _ in range(draw(st.integers(0, 2)))),
        draw(st.booleans()), house_ads=draw(st.sampled_from([(), ("everywhere",), some(DOMAINS)])),
    )  # fmt: skip


@given(policies())
def test_a_policy_survives_being_written(policy):
    """What `policy show` writes reads back as the same policy."""
    assert parse_policy(policy_text(policy), "p") == policy


@given(st.text("[]{}=.\"'\n #caps=rulespeople1never", max_size=60))
def test_any_text_is_a_policy_or_a_config_error(text):
    """No text makes the reader raise anything but ConfigError."""
    with suppress(ConfigError):
        assert isinstance(parse_policy(text, "p"), Policy)


def test_unknown_devices_may_be_left_alone():
    """What is nobody's is then left alone; written and read again that is the same."""
    policy = parse_policy('caps = []\nunknown_devices = "leave"\n[people.anna]\ndevices = "user:anna"', "p")

    assert [True, False] == [policy.leaves_alone(policy.viewer(name)) for name in (policy.unknown_devices, "anna")]
    assert policy == parse_policy(policy_text(policy), "p")
    assert not Policy().leaves_alone(Policy().viewer("household"))
