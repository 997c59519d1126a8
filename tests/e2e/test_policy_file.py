"""The policy file while `capper run` runs: whatever becomes of it, a policy is in force, and what is wrong is told once."""

import shutil
import time

import pytest

NEVER = 'caps = ["never"]\n'


def delete(file):
    file.unlink()


def make_a_folder(file):
    file.unlink()
    file.mkdir()
    (file / "x").touch()


def half_write(file):
    file.write_text('caps = ["3 per adver')


def empty(file):
    file.write_text("")


def scramble(file):
    file.write_bytes(b"\xff\xfe\0caps")


def misspell(file):
    file.write_text('caps = ["3 per advertisr per day"]\n[[rulez]]\n')


def lock(file):
    """A link that leads to itself: it is there, and nobody can read it."""
    file.unlink()
    file.symlink_to(file)


@pytest.mark.parametrize("damage", [delete, make_a_folder, half_write, empty, scramble, misspell, lock])
def test_a_policy_gone_bad(household, damage, wait_for):
    """The old policy stays in force and that is said once; once the file is mended, what it says holds within seconds."""
    capper = household().start("--ledger", "memory")
    assert capper.visit()

    damage(capper.policy)
    wait_for(lambda: "the policy in force stays as it was" in capper.errors())
    for _ in range(2):
        time.sleep(1.1)  # the file is looked at each second, and what was said must not be said again
        assert capper.visit()
    complaints = [line for line in capper.errors().splitlines() if "stays as it was" in line]
    if capper.policy.is_dir():
        shutil.rmtree(capper.policy)
    capper.policy.unlink(missing_ok=True)
    capper.policy.write_text(NEVER)
    wait_for(lambda: "policy reloaded" in capper.errors())

    assert len(complaints) == 1
    assert str(capper.policy) in complaints[0]
    assert not capper.visit()
    assert capper.stop() == 0


def test_a_policy_saved_while_nobody_reads(household, wait_for):
    """What was saved while no page was loaded holds for the first page that is."""
    capper = household().start("--ledger", "memory")

    capper.policy.write_text(NEVER)
    wait_for(lambda: "policy reloaded" in capper.errors())

    assert not capper.visit()
