"""Leaving a person alone for a while, with `capper run` at work."""

import signal

NEVER = 'caps = ["never"]\n[people.anna]\ndevices = ["127.0.0.1"]\n'


def test_a_pause_on_a_running_proxy(household, wait_for):
    """Within seconds her ads are shown, whatever the policy says, and none is counted; a restart changes nothing; then it ends."""
    capper = household(NEVER).start("--ledger", "memory")
    where = ("--state", str(capper.state))
    assert not capper.visit()

    assert capper.run("people", "pause", "anna", "10", "--policy", str(capper.policy), *where).returncode == 0
    wait_for(capper.visit, 5)
    capper.stop(signal.SIGKILL)
    capper.start("--ledger", "memory")
    again = capper.visit()
    assert capper.run("people", "resume", "anna", *where).returncode == 0
    wait_for(lambda: not capper.visit(), 5)

    assert again
    assert capper.stop() == 0


def test_a_person_more(household, wait_for):
    """Who is added while capper runs has a count of her own within seconds; what came before is the household's."""
    capper = household('caps = ["1 per advertiser per day"]\n').start("--ledger", "memory")
    shown = [capper.visit(), capper.visit()]
    added = capper.run("people", "add", "anna", "--device", "127.0.0.1", "--policy", str(capper.policy))
    wait_for(lambda: "policy reloaded" in capper.errors())
    shown += [capper.visit(), capper.visit()]

    assert added.returncode == 0, added.stderr
    assert [True, False, True, False] == shown


def test_the_first_person(household, wait_for):
    """Who begins a policy by adding a person need not start capper again: it gives up the starter policy for it."""
    capper = household()
    policy = capper.folder / "config" / "capper" / "policy.toml"
    usual = capper.options
    capper.options = lambda: [word for word in usual() if word not in {"--policy", str(capper.policy)}]
    capper.start("--ledger", "memory")
    added = capper.run("people", "add", "anna", "--device", "127.0.0.1", "--state", str(capper.state))
    wait_for(lambda: f"policy reloaded: {policy}" in capper.errors())

    assert "is begun, from the starter policy" in added.stdout
    assert capper.visit()
