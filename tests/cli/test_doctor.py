"""capper doctor."""

import json
import os
import socket
from datetime import UTC, datetime, timedelta

import pytest

from capper.cli import doctor as doctors
from capper.ledger.secret import Secret
from capper.proxy.authority import AUTHORITY_LIFE, load_authority
from capper.settings import load_settings
from capper.testing import NOON


@pytest.fixture
def examine(capper, home):
    """Run the doctor: its findings by what they are about, as (state, detail, advice)."""

    def run(*args, code=0):
        result = capper("doctor", "--ledger", "memory", *args, "--json")
        assert result.code == code, result.err
        found = {}
        for row in json.loads(result.out):
            found.setdefault(row["what"], []).append((row["state"], row["detail"], row["advice"]))
        return found

    return run


def states(found):
    return {what: [row[0] for row in rows] for what, rows in found.items()}


def settings(home, **options):
    return load_settings(None, {"state": home / "state", **options}, {})


def test_a_new_machine(examine, home):
    """Before the first start nothing fails, nothing is made, and what is missing is said to come."""
    found = examine()

    assert states(found) == {
        "python": ["ok"],
        "settings": ["ok"],
        "policy": ["ok"],
        "state": ["ok"],
        "ledger": ["warn"],
        "certificate": ["ok"],
        "lists": ["warn"],
        "port": [found["port"][0][0]],
        "clock": ["ok"],
    }
    assert found["settings"][0][1] == "the defaults"
    assert not (home / "state").exists()


def test_the_embedded_ledger_is_tried(capper, home):
    """Before the first start it is tried whether the embedded server would run, without leaving a trace."""
    rows = {row["what"]: row for row in json.loads(capper("doctor", "--json").out)}

    assert rows["ledger"]["state"] == "ok", rows["ledger"]
    assert "valkey" in rows["ledger"]["detail"] or "redis" in rows["ledger"]["detail"]
    assert not (home / "state").exists()


def test_the_table_says_the_same(capper, home):
    """Without --json the same is a table."""
    out = capper("doctor", "--ledger", "memory").out

    assert all(what in out for what in ("python", "policy", "ledger", "clock"))


def test_a_ledger_that_is_gone(examine, home):
    """A ledger that does not answer fails, without its password, and the other checks go on."""
    found = examine("--ledger", "redis://:hunter2@127.0.0.1:1/0", code=1)

    assert found["ledger"][0][0] == "fail"
    assert "hunter2" not in str(found)
    assert states(found)["clock"] == ["ok"]


def test_a_bad_policy_fails(examine, home):
    """A policy that cannot be used is told whole; one with an idle rule is a warning."""
    (home / "config").mkdir()
    file = home / "config" / "policy.toml"
    file.write_text("caps = 3")
    bad = examine(code=1)["policy"]
    file.write_text('caps = ["5 per day", "3 per week"]')

    assert (bad[0][0], "line 1: caps: expected a cap" in bad[0][1]) == ("fail", True)
    assert examine()["policy"][0][2] == "capper policy check"


def test_a_misspelt_variable_is_noticed(examine, monkeypatch):
    """A CAPPER_ variable that means nothing is a warning with the likely one."""
    monkeypatch.setenv("CAPPER_LISTN", "8080")

    assert examine()["settings"][1][:2] == (
        "warn",
        'CAPPER_LISTN means nothing to capper; did you mean "CAPPER_LISTEN"?',
    )


def test_secrets_that_others_can_read_fail(examine, home):
    """Secrets and their folder must be the owner's alone."""
    folder = home / "state"
    folder.mkdir(mode=0o755)
    secret = folder / "secret"
    secret.write_text("x")
    secret.chmod(0o644)

    found, folders = doctors.state_folder(folder)

    assert ("fail", f"chmod 600 {secret}") == (found.state, found.advice)
    assert f"{secret} can be read by others (mode 0644)" in found.detail
    assert doctors.warn("state", f"{folder} can be looked into by others", f"chmod 700 {folder}") == folders


def test_what_keeps_several_from_looking_is_told_once(capper, home):
    """A secret that others can read stops the policy, the people and the ledger from being looked at; one line says so."""
    Secret.load_or_create(home / "state" / "secret")
    (home / "state" / "secret").chmod(0o644)
    found = json.loads(capper("doctor", "--json", "--ledger", "redis://127.0.0.1:1").out)

    assert ["state"] == [row["what"] for row in found if "secret" in row["detail"]]
    assert "port" in {row["what"] for row in found}


def test_a_state_that_is_a_file_fails(home):
    """A file where the state folder should be is told."""
    (home / "state").write_text("")

    assert [row.state for row in doctors.state_folder(home / "state")] == ["fail"]


@pytest.mark.parametrize(
    ("age", "state"), [(timedelta(0), "ok"), (AUTHORITY_LIFE - timedelta(days=30), "warn"), (AUTHORITY_LIFE, "fail")]
)
def test_the_certificate_runs_out(home, age, state):
    """A certificate that ends soon is a warning, one that has ended a failure, each with what to do."""
    load_authority(home, NOON)
    later = NOON + age + timedelta(days=3)
    checks = doctors.guarded("certificate", lambda: doctors.certificate(home, later))
    (found,) = checks

    assert found.state == state
    assert state == "ok" or "install the new" in found.advice + found.detail


def test_a_port_in_use(home):
    """A port that is taken is a warning: it may be capper itself."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        (found,) = doctors.port(settings(home, listen=listen))
    (free,) = doctors.port(settings(home, listen=listen))

    assert (found.state, free.state) == ("warn", "ok")


@pytest.mark.parametrize(
    ("workers", "steers", "states"), [(1, True, []), (2, True, ["ok"]), (3, True, ["warn"]), (2, False, ["warn"])]
)
def test_several_workers(home, monkeypatch, workers, steers, states):
    """There are processors for them, and the system can keep a device at one."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr("capper.proxy.steering.can_steer", lambda: steers)
    found = list(doctors.workers(settings(home, workers=workers)))

    assert states == [finding.state for finding in found]


def test_a_clock_set_back(home):
    """Files newer than now mean that the clock is wrong."""
    file = home / "x"
    file.write_text("")
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))

    assert [row.state for row in doctors.clock(home, NOON - timedelta(hours=1))] == ["warn"]
    assert [row.state for row in doctors.clock(home, NOON)] == ["ok"]
    assert [row.state for row in doctors.clock(home / "none", datetime(1970, 1, 2, tzinfo=UTC))] == ["fail"]


def test_an_old_python_fails():
    """Older Pythons are told what to install."""
    (found,) = doctors.python((3, 11, 9))

    assert (found.state, found.advice) == ("fail", "install Python 3.12 or newer")


def test_lists_out_of_date(home):
    """Subscribed lists that are due or failed are warnings."""
    from capper.recognise.filterlist import ListKind
    from capper.recognise.lists import ListStore

    source = home / "list.txt"
    source.write_text(
        "[Adblock Plus 2.0]\n! Expires: 1 days\n" + "".join(f"||ad{number}.example^\n" for number in range(50))
    )
    ListStore(home).add(str(source), ListKind.ADS, NOON)

    assert [row.state for row in doctors.filter_lists(home, NOON)] == ["ok"]
    assert [row.detail for row in doctors.filter_lists(home, NOON + timedelta(days=2))] == ["out of date: list"]


def test_people_who_cannot_be_recognised(examine, home, capper):
    """A device by which nobody can be known is a warning with what to do; who pauses is named."""
    capper("people", "add", "anna", "--device", "user:anna")
    warned = examine()["people"]
    capper("people", "remove", "anna", "--device", "user:anna")
    capper("people", "add", "anna", "--device", "192.168.1.20")
    capper("people", "pause", "anna")
    fine = examine()["people"]

    assert [("warn", "anna's user:anna: the proxy asks nobody for that name", "proxy_auth asks for names")] == warned
    assert ["ok", "ok"] == [row[0] for row in fine]
    assert fine[0][1].startswith("left alone: anna until ")
    assert "anna; devices: 1" == fine[1][1]
