"""`capper people` as a person meets it."""

import json
from datetime import UTC, datetime

import pytest

from capper.cli import people as cli
from capper.devices.neighbours import Neighbour
from capper.devices.strangers import Strangers, strangers_file
from capper.settings import load_policy

LAPTOP, TV = "d8:3a:dd:00:00:01", "da:00:00:00:00:02"


@pytest.fixture
def network(home, monkeypatch):
    """A network with a laptop and a television, whose names a DHCP server has written down; the laptop came to capper."""
    rows = [
        Neighbour(bytes([192, 168, 1, 20]), LAPTOP, current=True, router=False),
        Neighbour(bytes.fromhex("fd00" + 13 * "00" + "07"), LAPTOP, current=False, router=False),
        Neighbour(bytes([192, 168, 1, 30]), TV, current=True, router=False),
    ]
    leases = home / "dhcp.leases"
    leases.write_text(f"0 {LAPTOP} 192.168.1.20 annas-laptop *\n")
    (home / "capper.toml").write_text(f'leases = ["{leases}"]\n')
    monkeypatch.setenv("CAPPER_CONFIG", str(home / "capper.toml"))
    monkeypatch.setattr(cli, "usual_places", lambda: ())
    monkeypatch.setattr(cli, "neighbours", lambda: rows)
    monkeypatch.setattr(cli, "default_routers", set)
    strangers = Strangers(strangers_file(home / "state"), datetime.now(UTC))
    strangers.note(LAPTOP, datetime.now(UTC))
    strangers.write(strangers.due(datetime.now(UTC), lambda _: False))
    return home


def own(home):
    return load_policy(home / "config" / "policy.toml")


def test_from_beginning_to_end(capper, home):
    """A person is added with her devices, listed, loses one, and goes; the file keeps the starter policy's words."""
    added = capper(
        "people", "add", "anna", "--device", "WireGuard:anna", "--device", "203.0.113.77", "--language", "nl"
    )
    more = capper("people", "add", "anna", "--device", "user:anna", "--device", "203.0.113.77")
    listed = json.loads(capper("people", "list", "--json").out)
    less = capper("people", "remove", "anna", "--device", "203.0.113.77")
    there = own(home).people["anna"]
    gone = capper("people", "remove", "anna")
    text = (home / "config" / "policy.toml").read_text()

    assert "is begun, from the starter policy" in added.out
    assert more.out.startswith("anna: wireguard:anna, 203.0.113.77, user:anna\n")
    assert "anna's user:anna: the proxy asks nobody for that name; proxy_auth asks for names" in more.out
    assert "no listener has a file of that name" in added.out
    assert "no listener" not in more.out
    assert {
        "people": [
            {
                "person": "anna",
                "devices": ["wireguard:anna", "203.0.113.77", "user:anna"],
                "language": "nl",
                "credit_prompts": None,
                "credit_note": None,
                "house_ads": None,
                "journal_level": None,
                "paused_until": None,
            }
        ],
        "unknown_devices": "household",
        "household_paused_until": None,
    } == listed
    assert "anna: wireguard:anna, user:anna\n" == less.out
    assert ("nl", ("wireguard:anna", "user:anna")) == (there.language, there.devices)
    assert "capper ledger forget --person anna" in gone.out
    assert "take its listener out" in gone.out
    assert {} == own(home).people
    assert "# How often is enough." in text


def test_devices_that_are_nobodys(capper, network):
    """What came to capper first, each with its addresses and its own name; the name will do to give it to somebody."""
    shown = capper("people", "devices")
    found = json.loads(capper("people", "devices", "--json").out)
    added = capper("people", "add", "anna", "--device", "Annas-Laptop")
    left = json.loads(capper("people", "devices", "--json").out)
    everybody = json.loads(capper("people", "devices", "--all", "--json").out)

    assert f"capper people add NAME --device {LAPTOP}" in shown.out
    assert "made up by the device" in shown.out
    assert [(LAPTOP, "annas-laptop", ["192.168.1.20", "fd00::7"], False), (TV, None, ["192.168.1.30"], True)] == [
        (row["device"], row["name"], row["addresses"], row["random_mac"]) for row in found
    ]
    assert [True, False] == [bool(row["came_to_capper"]) for row in found]
    assert f"anna: {LAPTOP}\n" in added.out
    assert [TV] == [row["device"] for row in left]
    assert {LAPTOP: "anna", TV: None} == {row["device"]: row["whose"] for row in everybody}


def test_a_device_that_is_claimed_by_its_address(capper, network):
    """A device that is somebody's by address or network is not nobody's."""
    capper("people", "add", "anna", "--device", "192.168.1.0/28", "--device", "fd00::/64")
    capper("people", "add", "tv", "--device", "192.168.1.30")
    none = capper("people", "devices")

    assert (1, "None that is nobody's.\n") == (none.code, none.out)


def test_no_table_to_be_read(capper, home, monkeypatch):
    """Where the system shows no neighbours that is said; what came to capper is shown all the same."""

    def refuse():
        raise OSError("this system has no netlink")

    monkeypatch.setattr(cli, "neighbours", refuse)
    monkeypatch.setattr(cli, "usual_places", lambda: ())
    told = capper("people", "devices")

    assert 1 == told.code
    assert "None to be seen." in told.out
    assert "cannot be read: this system has no netlink" in told.out


def test_an_address_that_may_be_anothers_tomorrow(capper, home, monkeypatch):
    """Who gives an address is told of the MAC behind it."""
    monkeypatch.setattr(cli.Macs, "mac", lambda *_: LAPTOP)
    told = capper("people", "add", "anna", "--device", "192.168.1.20").out

    assert f"`capper people add anna --device {LAPTOP}` keeps it hers" in told


def test_another_language(capper, home):
    """Who is there may be given another language, and keeps her devices."""
    capper("people", "add", "anna", "--device", "203.0.113.77", "--language", "nl")
    told = json.loads(capper("people", "add", "anna", "--language", "de", "--credit-prompts", "mark", "--json").out)

    assert ("de", "mark", ["203.0.113.77"]) == (told["language"], told["credit_prompts"], told["devices"])


def test_a_pause(capper, home):
    """It is told, listed, and ended; half an hour where nothing is said."""
    capper("people", "add", "anna")
    at = datetime.now(UTC)
    told = capper("people", "pause", "anna", "2", "hours")
    shown = capper("people", "list").out
    half = json.loads(capper("people", "pause", "anna", "--json").out)
    ended, again = capper("people", "resume", "anna"), capper("people", "resume", "anna")

    assert "anna is left alone until" in told.out
    assert "(2 hours)" in told.out
    assert ":" in next(line for line in shown.splitlines() if line.startswith("anna"))
    assert 29 * 60 < (datetime.fromisoformat(half["paused_until"]) - at).total_seconds() < 31 * 60
    assert (0, "anna is counted for again\n") == (ended.code, ended.out)
    assert (2, "capper: anna is not left alone just now\n") == (again.code, again.err)


def test_the_household_pauses(capper, home):
    """The devices that are nobody's can be left alone too; who leaves the policy takes her pause along."""
    capper("people", "add", "anna")
    capper("people", "pause", "household", "10")
    capper("people", "pause", "anna", "10")
    capper("people", "remove", "anna")
    listed = json.loads(capper("people", "list", "--json").out)
    capper("people", "add", "anna")

    assert listed["household_paused_until"]
    assert [None] == [one["paused_until"] for one in json.loads(capper("people", "list", "--json").out)["people"]]


def test_unknown_devices_are_somebodys(capper, tmp_path):
    """Where the policy gives them to a person, the list says so."""
    file = tmp_path / "p.toml"
    file.write_text('caps = []\nunknown_devices = "anna"\n[people.anna]\n')
    told = capper("people", "list", "--policy", file).out

    assert "Devices that are nobody's count as anna's." in told
    assert "household" not in told


def test_unknown_devices_are_left_alone(capper, tmp_path):
    """Where the policy says so, so does the list, and who is removed is told."""
    file = tmp_path / "p.toml"
    file.write_text('caps = []\nunknown_devices = "leave"\n[people.anna]\n')
    listed = capper("people", "list", "--policy", file).out
    removed = capper("people", "remove", "anna", "--policy", file).out

    assert "Devices that are nobody's are left alone." in listed
    assert "her devices are left alone from now on" in removed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "household"), "household is what devices are that are nobody's"),
        (("add", ""), "expected a name"),
        (("add", "anna", "--device", "phone"), "`capper people devices` shows which there are"),
        (("add", "anna", "--device", "192.168.1.20/24"), "host bits"),
        (("add", "anna", "--language", "Dutch!"), "--language: expected a language"),
        (("add", "cleo", "--device", "user:ben"), "`capper people remove ben --device user:ben` first"),
        (("remove", "guest"), 'the policy knows no "guest"; did you mean "guests"?'),
        (("remove", "ben", "--device", "user:x"), "user:x is none of ben's devices: user:ben"),
        (("remove", "guests"), 'still speaks of guests: "theirs"'),
        (("pause", "cleo"), 'the policy knows no "cleo"'),
        (("pause", "ben", "a", "while"), 'pause ben: expected minutes or a length like "2 hours", found "a while"'),
        (("pause", "ben", "3", "days"), "expected at most a day"),
        (("resume", "ben"), "ben is not left alone just now"),
    ],
)
def test_refusals(capper, home, words, said):
    """What cannot be done is one sentence and exit code 2, and the policy stays as it was."""
    file = home / "config" / "policy.toml"
    file.parent.mkdir()
    text = 'caps = []\n[people.ben]\ndevices = "user:ben"\n[people.guests]\n[[rules]]\nname = "theirs"\npeople = "guests"\ncaps = []\n'  # fmt: skip
    file.write_text(text)
    told = capper("people", *words)

    assert (2, 1) == (told.code, told.err.count("\n"))
    assert said in told.err
    assert text == file.read_text()


def test_no_policy_is_begun_in_vain(capper, home):
    """Who misspells a device has no new file for it."""
    capper("people", "add", "anna", "--device", "phone")

    assert not (home / "config").exists()
