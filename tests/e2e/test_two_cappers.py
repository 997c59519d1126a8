"""Two `capper run` on one redis-server: the policy that is applied on one is in force on both, and a bad one on neither."""

import json
import shutil
import subprocess
import time

import pytest

NEVER = 'caps = ["never"]\n'
ALWAYS = "caps = []\n"
BAD = 'caps = ["3 per advertisr per day"]\n'
FAILING = f'{NEVER}[[tests]]\nadvertiser = "shoes.example"\nexpect = "show"\n'
WITHIN = 1.0
"""Seconds after the command has ended; it is in force on the first before that."""


@pytest.fixture
def redis_url(tmp_path):
    """A redis-server of this test's own."""
    sock = tmp_path / "s"
    command = ["redis-server", "--port", "0", "--unixsocket", str(sock), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not sock.exists():
        assert process.poll() is None
        time.sleep(0.01)
    yield f"unix://{sock}"
    process.terminate()
    process.wait(20)


@pytest.fixture
def two(household, redis_url):
    """Two cappers with the same secret, as two hosts have it; each has a policy file of its own."""
    first, second = (household(name=name, policy=ALWAYS, CAPPER_LEDGER=redis_url) for name in ("one", "two"))
    first.start()
    second.state.mkdir(mode=0o700)
    shutil.copy(first.state / "secret", second.state / "secret")
    second.start()
    return first, second


def policy(capper, *words):
    """A command about the policy, on one of the hosts."""
    return capper.run("policy", *words, "--state", str(capper.state))


def apply(capper, text, *words):
    """Save the policy on one of the hosts, and apply it."""
    draft = capper.folder / "draft.toml"
    draft.write_text(text)
    return policy(capper, "apply", str(draft), *words)


def seconds_until(cappers, number):
    """How long it takes until a version is in force on each of them."""
    began = time.monotonic()
    while not all(f"reloaded: version {number} of the policy" in capper.errors() for capper in cappers):
        assert time.monotonic() - began < 20, [capper.errors() for capper in cappers]
        time.sleep(0.01)
    return time.monotonic() - began


def test_applied_on_one_in_force_on_both(two, household, redis_url):
    """Within a second; a rollback too. One that is started later goes by what is in force, whatever its file says."""
    first, second = two
    assert (first.visit(), second.visit()) == (True, True)

    took, seen = [], []
    for number, change in enumerate(
        (
            lambda: apply(first, NEVER, "--note", "enough"),
            lambda: apply(second, ALWAYS),
            lambda: policy(second, "rollback"),
        ),
        1,
    ):
        told = change()
        assert told.returncode == 0, told.stderr
        took.append(seconds_until(two, number))
        seen.append([capper.visit() for capper in two])
    second.stop()
    second.start()
    history = json.loads(policy(second, "history", "--json").stdout)

    assert seen == [[False, False], [True, True], [False, False]]
    assert max(took) < WITHIN, took
    assert not second.visit()
    assert "policy       version 3, as it was applied" in second.said()
    assert [one["note"] for one in history] == ["back to version 1", "", "enough"]
    assert [capper.stop() for capper in two] == [0, 0]


def test_a_bad_policy_gets_in_force_on_neither(two, wait_for):
    """It is refused before it is stored, by `apply`; and a file that is saved is a draft, until `rollback 0` lets files hold again."""
    first, second = two
    apply(first, NEVER)
    seconds_until(two, 1)
    refused = [apply(second, text) for text in (BAD, FAILING)]
    second.policy.write_text("# mine\n" + ALWAYS)
    wait_for(lambda: "differs from version 1, which is in force" in second.errors())
    kept = [one["number"] for one in json.loads(policy(first, "history", "--json").stdout)]
    seen = [capper.visit() for capper in two]
    policy(second, "rollback", "0")
    wait_for(lambda: f"reloaded: {second.policy}" in second.errors())

    assert [told.returncode for told in refused] == [2, 2]
    assert "did you mean 'advertiser'" in refused[0].stderr
    assert "expected show, found withhold" in refused[1].stderr
    assert (kept, seen, second.visit()) == ([1], [False, False], True)
    assert [capper.stop() for capper in two] == [0, 0]
