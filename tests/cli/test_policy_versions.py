"""capper policy apply, diff, history, rollback, set, test: on an embedded ledger, one command after the other."""

import asyncio
import json

import pytest

from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret
from capper.testing import NOON

LOOSE, STRICT = 'caps = ["9 per advertiser per day"]\n', 'caps = ["2 per advertiser per day"]\n'


@pytest.fixture
def file(home):
    """The owner's policy file."""
    path = home / "config" / "policy.toml"
    path.parent.mkdir()
    path.write_text(LOOSE)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A Valkey that stays up, so that each command need not start one."""
    from capper.ledger.embedded import EmbeddedServer

    server = EmbeddedServer(tmp_path_factory.mktemp("v"))
    server.ensure()
    yield server
    server.stop()


@pytest.fixture
def capper(capper, server, monkeypatch):
    monkeypatch.setenv("CAPPER_LEDGER", f"unix://{server.socket}")
    return capper


def numbers(capper):
    told = capper("policy", "history", "--json").out
    return [(one["number"], one["note"], one["in_force"]) for one in json.loads(told)]


def test_before_anything_was_applied(capper, file):
    """The file is the policy: history says so and exits 1, a rollback has nothing to go back from."""
    history, back, diff = (capper("policy", word) for word in ("history", "rollback", "diff"))

    assert (history.code, history.out) == (1, f"No policy was applied; {file} is the policy.\n")
    assert (back.code, "nothing to go back from" in back.err) == (2, True)
    assert (diff.code, diff.out) == (0, f"{file} is the policy, and no other was applied.\n")


def test_apply_and_roll_back(capper, file):
    """Each is a further version; what commands go by is the one in force, whatever the file says."""
    first = capper("policy", "apply", "--note", "first", "--by", "anna")
    file.write_text(STRICT)
    second = capper("policy", "apply")
    shown = json.loads(capper("policy", "show", "--json").out)["caps"]
    back = capper("policy", "rollback")
    after = json.loads(capper("policy", "show", "--json").out)["caps"]

    assert [told.out for told in (first, second, back)] == [
        f"Version {number} is in force for every capper on this ledger.\n" for number in (1, 2, 3)
    ]
    assert (shown, after) == (["2 per advertiser per day"], ["9 per advertiser per day"])
    assert numbers(capper) == [(3, "back to version 1", True), (2, "", False), (1, "first", False)]
    assert "anna" in capper("policy", "history").out
    assert file.read_text() == STRICT


def test_applying_the_same_again(capper, file):
    """Nothing is put in force twice."""
    capper("policy", "apply")
    again = capper("policy", "apply")

    assert (again.code, again.out) == (0, "Version 1 says the same, and is in force.\n")
    assert len(numbers(capper)) == 1


def test_a_dry_run(capper, file):
    """What would be different is shown, and nothing is changed."""
    first = capper("policy", "apply", "--dry-run")
    capper("policy", "apply")
    file.write_text(STRICT)
    second, back = capper("policy", "apply", "--dry-run"), capper("policy", "rollback", "--dry-run")

    assert first.out == f"{file} would be the first version. Nothing was changed.\n"
    assert second.out.splitlines()[3:] == [
        f"-{LOOSE.strip()}",
        f"+{STRICT.strip()}",
        "",
        "This would be version 2. Nothing was changed.",
    ]
    assert (back.code, [one[0] for one in numbers(capper)]) == (0, [1])


def test_a_dry_run_refuses_what_would_be_refused(capper, file):
    """A policy that fails its own tests is refused by its file's name, with what can be done; --force shows what would change."""
    capper("policy", "apply")
    file.write_text(f'{STRICT}[[tests]]\nadvertiser = "shoes.example"\nexpect = "withhold"\n')
    refused, forced = (capper("policy", "apply", "--dry-run", *more) for more in ((), ("--force", "--json")))

    assert 2 == refused.code
    assert refused.err.startswith(f"capper: {file} line 2: test 1: expected withhold, found show")
    assert "add --force" in refused.err
    assert {"number": 2, "dry_run": True} == {key: json.loads(forced.out)[key] for key in ("number", "dry_run")}
    assert [1] == [one[0] for one in numbers(capper)]


def test_a_version_is_named_by_its_number(capper, file):
    """Where a command takes a policy it takes a version too; 0 is the file."""
    capper("policy", "apply")
    file.write_text(STRICT)
    caps = [
        json.loads(capper("policy", "explain", "--advertiser", "shoes.example", "--policy", name, "--json").out)["caps"]
        for name in ("1", "0")
    ]
    shown = [json.loads(capper("policy", "show", name, "--json").out)["caps"] for name in ("1", "0")]

    assert [["9 per advertiser per day"], ["2 per advertiser per day"]] == shown
    assert shown == [[one["cap"] for one in each] for each in caps]


def test_a_difference_for_a_program(capper, file):
    """With --json the lines of a difference stand between the names of what is compared."""
    capper("policy", "apply")
    same = capper("policy", "diff", "--json")
    file.write_text(STRICT)
    told = capper("policy", "diff", "--json")

    assert (0, []) == (same.code, json.loads(same.out)["diff"])
    assert (1, "version 1", str(file)) == (told.code, *(json.loads(told.out)[key] for key in ("from", "to")))
    assert f"+{STRICT.strip()}" in json.loads(told.out)["diff"]


def test_back_to_the_file(capper, file):
    """Version 0 is the file of each host, and so is what the first version is rolled back to."""
    capper("policy", "apply")
    file.write_text(STRICT)
    back = capper("policy", "rollback")
    shown = json.loads(capper("policy", "show", "--json").out)["caps"]

    assert back.out == "Version 2 leaves the policy to the file of each host.\n"
    assert shown == ["2 per advertiser per day"]
    assert "the file of each host, in force" in capper("policy", "history").out


def test_diff(capper, file, home):
    """Between what is in force and the file, a version or another file; between two versions. Exits with 1 on a difference."""
    capper("policy", "apply")
    file.write_text(STRICT)
    capper("policy", "apply")
    other = home / "other.toml"
    other.write_text(LOOSE)

    for words, heads in (
        ((), None),
        (("1",), ["--- version 2", "+++ version 1"]),
        (("1", "2"), ["--- version 1", "+++ version 2"]),
        (("0", "1"), [f"--- {file}", "+++ version 1"]),
        ((str(other),), ["--- version 2", f"+++ {other}"]),
    ):
        told = capper("policy", "diff", *words)
        assert (told.code, told.out.splitlines()[:2]) == (
            (1, heads) if heads else (0, [f"No difference between version 2 and {file}."])
        )


@pytest.mark.parametrize(
    "words", [("show", "7"), ("test", "7"), ("explain", "--policy", "7"), ("rollback", "7"), ("diff", "7")]
)
def test_a_version_that_is_not_kept(capper, file, words):
    """Says which are."""
    capper("policy", "apply")
    told = capper("policy", *words)

    assert (told.code, told.err) == (2, "capper: version 7 is not kept, only 1 to 1, and 0 for the file\n")


def test_a_bad_policy_is_refused(capper, file):
    """One that cannot be used in any case, one that fails its tests unless forced."""
    file.write_text('caps = ["3 per advertisr per day"]')
    bad = capper("policy", "apply", "--force")
    file.write_text(f'{LOOSE}[[tests]]\nadvertiser = "shoes.example"\nexpect = "withhold"\n')
    failing, test, check = (capper("policy", word) for word in ("apply", "test", "check"))
    kept = capper("policy", "history").code
    forced = capper("policy", "apply", "--force")

    assert (bad.code, failing.code, kept, forced.code, test.code, check.code) == (2, 2, 1, 0, 1, 1)
    assert "did you mean 'advertiser'" in bad.err
    for told in (failing.err, test.out, check.out):
        assert "expected withhold, found show by the caps at the top: 0 of 9" in told


def test_what_commands_change_is_applied(capper, file):
    """If the file said what is in force; otherwise it is told that it is not."""
    capper("policy", "apply")
    device = capper("people", "add", "anna", "--device", "192.168.1.20")
    value = capper("policy", "set", "time_zone", "Europe/Amsterdam")
    file.write_text("# a draft\n" + file.read_text())
    draft = capper("policy", "set", "caps", "never")

    assert "In force as version 2." in device.out
    assert "In force as version 3." in value.out
    assert f"Version 3 stays in force, from which {file} differs" in draft.out
    assert [one[:2] for one in numbers(capper)] == [(3, "set time_zone"), (2, "people add anna"), (1, "")]


def test_a_change_for_a_program(capper, home):
    """With --json `init` and `set` tell the file, and what became of the key."""
    begun = json.loads(capper("policy", "init", home / "p.toml", "--json").out)
    put = json.loads(capper("policy", "set", "caps", "never", "--policy", home / "p.toml", "--json").out)
    gone = json.loads(capper("policy", "set", "time_zone", "--unset", "--policy", home / "p.toml", "--json").out)

    assert begun == {"file": str(home / "p.toml")}
    assert put == {"file": str(home / "p.toml"), "begun": False, "key": "caps", "set": True, "note": ""}
    assert ("time_zone", False) == (gone["key"], gone["set"])


def test_a_household_with_another_secret(capper, file, server, caplog):
    """Where a host was added without the household's secret, what looks for versions says why it finds none."""

    async def attend(*, present):
        stranger = RedisLedger(connect(f"unix://{server.socket}"), secret)
        await stranger.versions.attend(NOON, present=present)
        await stranger.close()

    secret = Secret()
    asyncio.run(attend(present=True))
    told = capper("policy", "history")
    asyncio.run(attend(present=False))

    assert told.code == 1
    assert ["another capper counts there under another secret"] == [
        record.getMessage().split(": ", 1)[1].split(",")[0] for record in caplog.records
    ]


def test_a_ledger_of_each_capper_s_own(capper, file, monkeypatch):
    """In memory nothing can be applied, and that is said."""
    monkeypatch.setenv("CAPPER_LEDGER", "memory")

    for word in ("apply", "history", "rollback", "diff"):
        told = capper("policy", word)
        assert (told.code, "the policy file is the policy" in told.err) == (2, True)


def test_a_ledger_that_is_gone(capper, file, monkeypatch, caplog):
    """What looks goes by the file and says so; what would change something exits with 3."""
    capper("policy", "apply")
    monkeypatch.setenv("CAPPER_LEDGER", "unix:///nowhere/at/all")
    shown, applied = capper("policy", "show"), capper("policy", "apply")

    assert (shown.code, applied.code) == (0, 3)
    assert f"whether a policy was applied is not known, so this goes by {file}" in caplog.text


def test_a_new_secret_keeps_the_policy(capper, file):
    """Counting begins anew, the versions are there as before."""
    capper("policy", "apply", "--note", "first")
    file.write_text(STRICT)
    capper("policy", "apply")
    before = numbers(capper)

    assert capper("ledger", "rotate", "--yes").code == 0
    assert numbers(capper) == before


def test_doctor_says_that_the_file_differs(capper, file):
    """And goes by what is in force."""
    capper("policy", "apply")
    same = json.loads(capper("doctor", "--json").out)
    file.write_text(STRICT)
    other = json.loads(capper("doctor", "--json").out)
    found = [[one["detail"] for one in told if one["what"] == "policy"] for told in (same, other)]

    assert found == [["version 1: 1 caps"], [f"version 1 is in force, and {file} differs from it", "version 1: 1 caps"]]


def test_hostile_notes_and_policies(capper, file):
    """What would move a terminal's cursor is shown as its escape."""
    file.write_text(LOOSE + "# \u202e\n")
    capper("policy", "apply", "--note", "\x1b[2J", "--by", "\u202eanna")
    file.write_text(LOOSE)
    told = capper("policy", "history").out + capper("policy", "diff").out

    assert [char for char in told if char in "\x1b\u202e"] == []
