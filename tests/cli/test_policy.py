"""capper policy."""

import json

import pytest

from capper.packaged import packaged_config
from capper.settings.policy import parse_policy

POLICY = """
time_zone = "Europe/Amsterdam"
caps = ["3 per advertiser per day", "1 per creative per day"]
[people.anna]
language = "nl"
devices = ["192.168.1.20"]
[[rules]]
name = "no [red]shoes"
advertiser = "shoes.example"
people = "anna"
caps = ["never"]
[[rules]]
site = "paper.example"
caps = []
"""


@pytest.fixture
def file(home):
    path = home / "p.toml"
    path.write_text(POLICY)
    return path


def test_check_a_good_policy(capper, file):
    """Nothing to say: exit 0 and one line."""
    result = capper("policy", "check", file)

    assert (result.code, result.out) == (0, f"{file}: can be used: 3 caps, 2 rules, 1 person\n")


def test_check_the_starter_policy(capper):
    """The policy that travels with capper is checked when none is named."""
    result = capper("policy", "check", "--json")

    assert json.loads(result.out) == {
        "file": str(packaged_config() / "policy.toml"),
        "usable": True,
        "errors": [],
        "notes": [],
        "failed": [],
    }


def test_check_finds_what_never_speaks(capper, file):
    """Exit 1 with the line of each rule or cap that never speaks."""
    file.write_text(
        POLICY
        + '[[rules]]\nadvertiser = "blog.bikes.example"\nsite = "paper.example"\ncaps = ["9 per day", "2 per day"]'
    )
    result = capper("policy", "check", file)
    as_json = capper("policy", "check", file, "--json")

    assert result.code == as_json.code == 1
    assert result.out.splitlines()[1:] == [
        '  line 15: rules[3]: never speaks: "rule 2" above it fits everything that it fits',
        '  line 16: rules[3].advertiser: "blog.bikes.example" never fits: this advertiser\'s ads are known as "bikes.example"',
        '  line 18: rules[3].caps[1]: "9 per advertiser per day" never speaks: "2 per advertiser per day" is reached first',
    ]
    assert [note["line"] for note in json.loads(as_json.out)["notes"]] == [15, 16, 18]


def test_check_finds_sites_that_are_not_opened(capper, file, home):
    """A site that may be told of its ads, and of whose pages nothing is seen, is named with what to do; opened, it is well."""
    file.write_text(
        'house_ads = ["paper.example", "everywhere"]\n'
        + POLICY.replace("[people.anna]", '[people.anna]\nhouse_ads = "shop.example"')
    )
    result = capper("policy", "check", file)
    capper("sites", "add", "paper.example")
    capper("sites", "add", "shop.example")

    assert 1 == result.code
    assert [
        '"paper.example" is told anyway: "everywhere" is',
        '"paper.example" is not opened, so no ad in its pages is seen; `capper sites add paper.example` opens it',
        '"shop.example" is not opened, so no ad in its pages is seen; `capper sites add shop.example` opens it',
    ] == sorted(
        (line.partition("house_ads: ")[2] for line in result.out.splitlines()[1:]), key=lambda line: "opened" in line
    )
    assert "is not opened" not in capper("policy", "check", file).out


def test_check_a_bad_policy(capper, file):
    """Exit 2 with every mistake; with --json too."""
    file.write_text("cap = []\nversion = 3")
    result = capper("policy", "check", file)
    as_json = capper("policy", "check", file, "--json")

    assert result.code == as_json.code == 2
    assert result.err.startswith(
        f'capper: {file} line 1: cap: unknown key; did you mean "caps"?\n{file} line 2: version:'
    )
    assert len(json.loads(as_json.out)["errors"]) == 2


def test_show(capper, file):
    """The table names each rule, what it fits and its caps; markup in a name stays text."""
    out = capper("policy", "show", file).out

    assert "no [red]shoes" in out
    assert "advertiser shoes.example; people anna" in out
    assert "unlimited" in out
    assert "Europe/Amsterdam" in out


def test_show_as_a_file(capper, file):
    """--toml prints a file that means the same."""
    assert parse_policy(capper("policy", "show", file, "--toml").out, "p") == parse_policy(POLICY, "p")


def test_show_as_json(capper, file):
    """--json holds rules, people and caps."""
    found = json.loads(capper("policy", "show", file, "--json").out)

    assert found["rules"][0] == {
        "name": "no [red]shoes",
        "advertiser": ["shoes.example"],
        "people": ["anna"],
        "caps": ["never"],
    }
    assert found["people"] == {
        "anna": {
            "language": "nl",
            "credit_prompts": None,
            "credit_note": None,
            "house_ads": None,
            "journal_level": None,
            "devices": ["192.168.1.20"],
        }
    }


def test_show_house_ads(capper, file):
    """Which sites may be told that an ad was withheld is shown, of the household and of a person."""
    file.write_text('house_ads = "paper.example"\n' + POLICY.replace("[people.anna]", "[people.anna]\nhouse_ads = []"))
    found = json.loads(capper("policy", "show", file, "--json").out)

    assert "\nhouse ads for everybody: paper.example\n" in capper("policy", "show", file).out
    assert (["paper.example"], []) == (found["house_ads"], found["people"]["anna"]["house_ads"])


def test_show_credit(capper, file):
    """What becomes of credit nobody asked for is shown for the person and for the site."""
    entry = '[[credit]]\nsite = "bank.example"\npeople = "anna"\ncredit_prompts = "leave"\n'
    file.write_text(POLICY.replace('language = "nl"', 'credit_prompts = "mark"') + entry)
    out = capper("policy", "show", file).out
    found = json.loads(capper("policy", "show", file, "--json").out)

    assert {("anna", "mark", "192.168.1.20"), ("leave", "bank.example", "anna")} <= {
        tuple(cell.strip() for cell in line.split("  ") if cell.strip()) for line in out.splitlines()
    }
    assert "mark" == found["people"]["anna"]["credit_prompts"]
    assert [{"site": ["bank.example"], "people": ["anna"], "credit_prompts": "leave"}] == found["credit"]


@pytest.mark.parametrize(
    ("options", "rule", "caps"),
    [
        (["--advertiser", "https://www.shoes.example/x", "--person", "anna"], "no [red]shoes", ["never"]),
        (["--advertiser", "shoes.example"], "caps", ["3 per advertiser per day", "1 per creative per day"]),
        (["--advertiser", "shoes.example", "--site", "WWW.paper.example"], "rule 2", []),
    ],
)
def test_explain(capper, file, options, rule, caps):
    """The rule that speaks and its caps, for an ad as a person describes it."""
    found = json.loads(capper("policy", "explain", "--policy", file, *options, "--json").out)

    assert (found["rule"], [cap["cap"] for cap in found["caps"]]) == (rule, caps)


def test_explain_says_why_not(capper, file):
    """Each rule passed over says what it asks for; a cap at a level nobody named says that it counts nothing."""
    out = capper("policy", "explain", "--policy", file, "--advertiser", "bikes.example", "--person", "anna").out

    assert '"no [red]shoes" does not fit: it asks for advertiser shoes.example' in out
    assert '"rule 2" does not fit: it asks for site paper.example' in out
    assert "nothing: no creative is known, and an ad is never capped by guess" in out


def test_explain_for_nobody_known(capper, file):
    """A person the policy does not know is bad input."""
    result = capper("policy", "explain", "--policy", file, "--person", "ana")

    assert (result.code, result.err) == (
        2,
        'capper: the policy knows no "ana", only household, anna; did you mean "anna"?\n',
    )


def test_explain_for_somebody_new(capper, file):
    """Who is meant but not named yet is told how to be."""
    err = capper("policy", "explain", "--policy", file, "--person", "zebedee").err

    assert "[people.zebedee] in the policy" in err


def test_show_in_a_narrow_terminal(capper, file, monkeypatch):
    """COLUMNS is the width, also where no terminal says it; the session's gap is told in words."""
    monkeypatch.setenv("COLUMNS", "60")
    out = capper("policy", "show", file).out

    table = out.partition("\n\n")[2].partition("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 60
    assert "a session ends after 30 minutes" in out


def test_init(capper, home):
    """The starter policy, comments and all, becomes the owner's own and is in force; a second time it is left alone."""
    made, again = capper("policy", "init"), capper("policy", "init")
    own = home / "config" / "policy.toml"

    assert (made.code, again.code) == (0, 2)
    assert own.read_text() == (packaged_config() / "policy.toml").read_text()
    assert again.err == f"capper: {own} exists already; it is left as it is\n"
    assert str(own) in capper("policy", "check").out


@pytest.mark.parametrize("path", [".", "gone.toml", "/dev/null"])
def test_files_that_are_none(capper, home, path):
    """A directory, a missing file or a device is one clear sentence and exit 2."""
    result = capper("policy", "check", home / path)

    assert result.code == 2
    assert result.err.count("\n") == 1
