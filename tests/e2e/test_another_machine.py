"""A household moves to another machine: backed up while it runs, restored where capper has never been, and capped there."""

import signal

CAPS = 'caps = ["2 per advertiser per day"]\n'


def test_caps_that_were_reached_stay_reached(household):
    """Two ads were shown on the old machine; on the new one there is none left, and the certificate is the same."""
    old, new = household(CAPS, "old", CAPPER_BACKUP_PASSPHRASE="four quiet words"), household(CAPS, "new")
    old.start()
    before = [old.visit() for _ in range(3)]
    file = str(old.folder / "b")
    made = old.run("backup", "create", file, "--state", str(old.state), "--policy", str(old.policy))
    running = old.visit()
    old.stop(signal.SIGKILL)
    new.environ["CAPPER_BACKUP_PASSPHRASE"] = "four quiet words"
    done = new.run("backup", "restore", file, "--state", str(new.state))
    authority = [(one.state / "ca" / "authority.pem").read_bytes() for one in (old, new)]
    new.start()
    after, counted = new.visit(), new.counted()

    assert made.returncode == 0, made.stderr
    assert done.returncode == 0, done.stderr
    assert (before, running, after, counted) == ([True, True, False], False, False, 2)
    assert authority[0] == authority[1]
    assert new.stop() == 0


def test_nothing_is_restored_under_a_capper_that_runs(household):
    """Whatever its ledger is: it would go on with the old keys. Once it has ended, however suddenly, nothing is in the way."""
    capper = household(CAPS, CAPPER_BACKUP_PASSPHRASE="four quiet words").start("--ledger", "memory")
    where = (str(capper.folder / "b"), "--state", str(capper.state), "--ledger", "memory")
    made = capper.run("backup", "create", *where)
    while_it_runs = capper.run("backup", "restore", *where, "--replace")
    capper.stop(signal.SIGKILL)
    after = capper.run("backup", "restore", *where, "--replace")

    assert made.returncode == 0, made.stderr
    assert (while_it_runs.returncode, after.returncode) == (2, 0)
    assert "capper is running there; stop it first" in while_it_runs.stderr


def test_a_restore_that_was_cut_short_is_completed_at_the_start(household):
    """The power went after everything was ready: the next start puts it in place before it counts anything."""
    old, new = household(CAPS, "old", CAPPER_BACKUP_PASSPHRASE="four quiet words"), household(CAPS, "new")
    old.start()
    assert [old.visit() for _ in range(3)] == [True, True, False]
    file = str(old.folder / "b")
    assert old.run("backup", "create", file, "--state", str(old.state)).returncode == 0
    old.stop()
    new.environ["CAPPER_BACKUP_PASSPHRASE"] = "four quiet words"
    assert new.run("backup", "restore", file, "--state", str(new.state)).returncode == 0
    ready = new.state / ".ready"
    ready.mkdir()
    for path in [path for path in new.state.iterdir() if path != ready]:
        path.rename(ready / path.name)
    (new.state / "secret").write_text("of a capper that ran here before")
    new.start()

    assert not new.visit()
    assert "a restore that was cut short is completed" in new.errors()
    assert [path.name for path in new.state.glob("before-restore-*/*")] == ["secret"]
    assert new.stop() == 0


def test_a_newer_cappers_state_is_left_alone(household):
    """`capper run` says whose it is, and neither starts nor changes anything."""
    capper = household(CAPS)
    capper.state.mkdir(mode=0o700)
    (capper.state / "version.json").write_text('{"capper_state": 99}\n')
    ended = capper.launch().wait(60)

    assert ended == 2
    assert "a newer capper has been at work there" in capper.errors()
    assert [path.name for path in capper.state.iterdir()] == ["version.json"]
