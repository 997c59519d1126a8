"""Changes to a policy's people that leave the rest of the file as it is."""

import difflib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.domain.policy import CreditPrompts, Person
from capper.settings.policy import parse_policy
from capper.settings.policy_edit import add_person, change_person, edit_file, remove_person
from capper.settings.toml import blocks

TEXT = """\
# How often is enough
caps = ["3 per advertiser per day"]   # three

[people.anna]   # she
devices = [
    "192.168.1.20",   # laptop
    # phone
    "user:anna",
]
language = "nl"

# ben is small
[people.ben]
devices = "192.168.1.21"

# from here on rules
[[rules]]
name = "x"
caps = ["never"]

[people."dora s"]
devices = []

# the end
"""
MAC = "de:ad:be:ef:00:01"
CLEO = Person("cleo", (MAC, "wireguard:cleo"), "de", CreditPrompts.MARK)


def changes(before: str, after: str) -> list[str]:
    """The lines that went and came."""
    rows = difflib.ndiff(before.splitlines(), after.splitlines())
    return [row for row in rows if row[:1] in "+-"]


def change_devices(text: str, name: str, person: str, devices: tuple[str, ...]) -> str:
    return change_person(text, name, person, lambda known: replace(known, devices=devices))


def test_a_person_more():
    """She stands after the others, and nothing else changes."""
    assert [
        "+ [people.cleo]",
        '+ language = "de"',
        '+ credit_prompts = "mark"',
        f'+ devices = ["{MAC}", "wireguard:cleo"]',
        "+ ",
    ] == changes(TEXT, add_person(TEXT, "p", CLEO))


@pytest.mark.parametrize(
    "text", ["caps = []", "caps = []\n", "caps = []\n\n", "caps = []\n# end", "[[rules]]\ncaps = []\n"]
)
def test_the_first_person(text):
    """She comes last, with a blank line before her."""
    assert f'{text.rstrip()}\n\n[people.cleo]\ndevices = ["user:c"]\n' == add_person(
        text, "p", Person("cleo", ("user:c",))
    )


@pytest.mark.parametrize("name", ["a b", "a.b", 'a"b', "ä", "[x]", "a\\b", "'"])
def test_any_name(name):
    """Whatever a name is, it can be written and taken out again."""
    text = add_person(TEXT, "p", Person(name, ("user:c",)))
    again = change_devices(text, "p", name, ("user:c", MAC))

    assert ("user:c", MAC) == parse_policy(again, "p").people[name].devices
    assert TEXT == remove_person(again, "p", name)


def test_a_device_more():
    """It comes last in the list, whose comments stay."""
    after = change_devices(TEXT, "p", "anna", ("192.168.1.20", "user:anna", MAC))

    assert [f'+     "{MAC}",'] == changes(TEXT, after)


def test_a_device_less():
    """Its line goes; a comment on a line of its own stays."""
    assert ['-     "192.168.1.20",   # laptop'] == changes(TEXT, change_devices(TEXT, "p", "anna", ("user:anna",)))


def test_a_lone_device_becomes_a_list():
    """A list of one may be written without brackets; of two not."""
    after = change_devices(TEXT, "p", "ben", ("192.168.1.21", MAC))

    assert ['- devices = "192.168.1.21"', f'+ devices = ["192.168.1.21", "{MAC}"]'] == [
        row for row in changes(TEXT, after) if not row.startswith("?")
    ]


def test_a_language_and_a_choice():
    """What she has is changed in its place; what she has not yet comes last of hers."""
    after = change_person(TEXT, "p", "anna", lambda one: replace(one, language="de", credit_prompts=CreditPrompts.MARK))
    bens = change_person(TEXT, "p", "ben", lambda one: replace(one, language="nl"))

    assert ['- language = "nl"', '+ language = "de"', '+ credit_prompts = "mark"'] == [
        row for row in changes(TEXT, after) if not row.startswith("?")
    ]
    assert ['+ language = "nl"'] == changes(TEXT, bens)


def test_nothing_to_change():
    """Then not a byte does."""
    assert TEXT == change_person(TEXT, "p", "ben", lambda one: one)


def test_a_device_under_another_spelling():
    """Devices are the same however they are written."""
    text = 'caps = []\n[people.anna]\ndevices = ["DE-AD-BE-EF-00-01", "user:a"]\n'

    assert 'caps = []\n[people.anna]\ndevices = ["user:a"]\n' == change_devices(text, "p", "anna", ("user:a",))


def test_a_person_less():
    """Her lines go, with the comment right above them; what speaks of the next ones stays."""
    assert ["- # ben is small", "- [people.ben]", '- devices = "192.168.1.21"', "- "] == changes(
        TEXT, remove_person(TEXT, "p", "ben")
    )


@pytest.mark.parametrize(
    "text",
    [
        'caps = []\n[people]\nanna.devices = ["user:a"]\nben = { devices = ["user:b"] }\n[[rules]]\ncaps = []\n',
        'caps = []\npeople.anna.devices = ["user:a"]\npeople.ben.devices = ["user:b"]\n# end',
        'caps = []\npeople = { anna = { devices = ["user:a"] }, ben = { devices = ["user:b"] } }\n',
        'people.anna.devices = ["user:a"]\ncaps = []\n[people.ben]\ndevices = "user:b"\n',
    ],
)
def test_people_in_other_ways_of_writing(text):
    """Dotted keys and inline tables are changed too; a person who cannot be added so is told to be written by hand."""
    more = change_devices(text, "p", "ben", ("user:b", MAC))
    less = remove_person(more, "p", "anna")

    assert ("user:b", MAC) == parse_policy(more, "p").people["ben"].devices
    assert ["ben"] == list(parse_policy(less, "p").people)
    if "{ anna" in text:
        with pytest.raises(ConfigError, match="by hand"):
            add_person(text, "p", CLEO)
    else:
        assert {"anna", "ben", "cleo"} == set(parse_policy(add_person(text, "p", CLEO), "p").people)


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ('unknown_devices = "anna"\ncaps = []', "unknown_devices"),
        ('caps = []\n[[rules]]\nname = "hers"\npeople = "anna"\ncaps = []', '"hers"'),
        ('caps = []\n[[credit]]\npeople = "anna"\ncredit_prompts = "mark"', r"credit\[1\]"),
    ],
)
def test_somebody_who_is_spoken_of(rest, told):
    """Who is named elsewhere in the policy is not taken out of it."""
    with pytest.raises(ConfigError, match=f"still speaks of anna: {told}"):
        remove_person(f"{rest}\n[people.anna]\n", "p", "anna")


def test_a_policy_that_cannot_be_used(tmp_path):
    """It is left as it is."""
    file = tmp_path / "policy.toml"
    file.write_text("caps = [")
    with pytest.raises(ConfigError, match="not TOML"):
        edit_file(file, lambda text, name: add_person(text, name, CLEO))

    assert "caps = [" == file.read_text()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_stay(tmp_path, mark, end):
    """As some editors write them, with a byte order mark or without."""
    file = tmp_path / "policy.toml"
    file.write_bytes(mark + TEXT.replace("\n", end).encode())
    edit_file(file, lambda text, name: add_person(text, name, CLEO))
    content = file.read_bytes()
    edit_file(file, lambda text, name: remove_person(text, name, "cleo"))

    assert content.startswith(mark + b"# How")
    assert content.count(b"\r") == (content.count(b"\n") if end == "\r\n" else 0)
    assert mark + TEXT.replace("\n", end).encode() == file.read_bytes()


def test_blocks():
    """A text is cut at its headers, not at brackets within values; together they are the text."""
    text = 'a = [\n[1],\n]\n  [b]\nc = """\n[d]\n"""\n[[e]]\n'

    assert ["a = [\n[1],\n]\n", '  [b]\nc = """\n[d]\n"""\n', "[[e]]\n"] == blocks(text)


_DEVICES = st.lists(st.sampled_from(["user:a", "user:b", "10.0.0.1", MAC, "10.0.0.0/8"]), unique=True, max_size=4)
_SPACE = st.sampled_from(["", "\n", "\n\n", "# a comment\n", "\n# [people.x]\n\n"])


@st.composite
def policies(draw):
    """Policies as people lay them out: with comments, lists over several lines, rules between."""
    text = draw(st.sampled_from(["caps = []\n", '# first\ncaps = ["3 per day"]  # c\n']))
    names, taken = draw(st.lists(st.sampled_from(["anna", "ben", '"a b"']), unique=True, max_size=3)), set()
    for name in names:
        own = [one for one in draw(_DEVICES) if one not in taken]
        taken |= set(own)
        spread = draw(st.booleans())
        end = draw(st.sampled_from(["", ",", " , # last"]))
        inner = ",\n  ".join(f'"{one}"' for one in own) if spread else ", ".join(f'"{one}"' for one in own)
        listed = f"[\n  {inner}{end if own else ''}\n]" if spread else f"[{inner}]"
        text += draw(_SPACE) + f"[people.{name}]\n" + draw(_SPACE) + f"devices = {listed} # d\n" + draw(_SPACE)
        if draw(st.booleans()):
            text += draw(_SPACE) + '[[rules]]\nsite = "a.example"\ncaps = []\n' + draw(_SPACE)
    return text


@given(policies(), _DEVICES)
def test_every_layout(text, devices):
    """Whatever the layout: what is said changes as asked and in nothing else, and no comment outside the change is lost."""
    before = parse_policy(text, "p")
    free = [one for one in devices if not any(one in each.devices for each in before.people.values())]
    after = add_person(text, "p", Person("zoe", tuple(free)))
    lines = [line for line in text.splitlines() if line.strip()]

    assert lines == [line for line in after.splitlines() if line.strip() and line in text.splitlines()][: len(lines)]
    assert [line for line in remove_person(after, "p", "zoe").splitlines() if line.strip()] == lines
    for name, person in before.people.items():
        changed = change_devices(text, "p", name, (*person.devices[1:], *free))

        assert text.count("#") - changed.count("#") <= 1
        assert {*person.devices[1:], *free} == set(parse_policy(changed, "p").people[name].devices)


def test_what_is_written_says_what_was_asked(monkeypatch):
    """A change that would say anything else is not made: she is told what to write by hand."""
    monkeypatch.setattr("tomlkit.dumps", lambda _: '[people.anna]\ndevices = ["user:somebody"]\n')

    with pytest.raises(ConfigError, match=r'does not change; let it say by hand:(?s:.)*devices = \["user:anna"\]'):
        change_devices(TEXT, "p", "anna", ("user:anna",))
