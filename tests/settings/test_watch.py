"""The policy in force while its file changes."""

import os
import shutil

import pytest

from capper.domain.cap import Cap
from capper.domain.errors import ConfigError
from capper.settings.toml import read_text
from capper.settings.watch import PolicySource, stamp
from capper.testing import FrozenClock


def caps(*texts):
    return "caps = [" + ", ".join(f'"{text}"' for text in texts) + "]\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(caps("1 per day"))
    return path


class Watched:
    """A source, its clock and what it told; `look` moves the clock on far enough for a change to be seen and read."""

    def __init__(self, path, **parts):
        self.clock = FrozenClock()
        self.told = []
        self.source = PolicySource(path, self.clock, self.told.append, **parts)

    def look(self, times=2):
        for _ in range(times):
            self.clock.forward(seconds=1)
            policy = self.source.current()
        return [str(cap) for cap in policy.default.caps]


def test_a_change_is_taken_up(file):
    """A saved file is in force two looks later, and that is told once."""
    watched = Watched(file)
    file.write_text(caps("2 per day"))

    assert watched.look() == ["2 per advertiser per day"]
    assert watched.look(3) == ["2 per advertiser per day"]
    assert watched.told == [f"policy reloaded: {file}"]


def test_it_is_looked_at_once_a_second(file):
    """However often it is asked, the file is looked at once a second."""
    looks = []
    watched = Watched(file, look=lambda path: looks.append(path) or stamp(path))
    for _ in range(100):
        watched.source.current()
        watched.clock.forward(milliseconds=50)

    assert len(looks) == 1 + 4


def test_a_clock_set_back_does_not_stop_it(file):
    """After the clock was set back by an hour the file is still looked at."""
    watched = Watched(file)
    watched.clock.forward(hours=-1)
    file.write_text(caps("2 per day"))
    watched.source.current()

    assert watched.look(1) == ["2 per advertiser per day"]


def test_an_atomic_rename_is_taken_up(file, tmp_path):
    """A new file of the same size and time of change, renamed over the old, is a change."""
    watched = Watched(file)
    new = tmp_path / "new"
    new.write_text(caps("3 per day"))
    shutil.copystat(file, new)
    new.replace(file)

    assert watched.look() == ["3 per advertiser per day"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("caps = [", "the file ends before"),
        ('caps = ["3 per dya"]', "found 'dya'"),
        ("", "is empty; to cap nothing write caps = []"),
    ],
)
def test_a_bad_file_leaves_the_old_policy(file, text, problem):
    """A file that cannot be used leaves the old policy in force and says why, once; a good one heals it."""
    watched = Watched(file)
    file.write_text(text)

    assert watched.look(5) == ["1 per advertiser per day"]
    assert len(watched.told) == 1
    assert watched.told[0].startswith("the policy in force stays as it was: ")
    assert problem in str(watched.source.problem)

    file.write_text(caps("4 per day"))
    assert watched.look() == ["4 per advertiser per day"]
    assert watched.source.problem is None


def test_a_vanished_file_leaves_the_old_policy(file):
    """Deleted, replaced by a directory, then back: the old policy holds, each change is told once."""
    watched = Watched(file)
    file.unlink()
    assert watched.look(4) == ["1 per advertiser per day"]
    file.mkdir()
    (file / "inside").touch()
    assert watched.look(4) == ["1 per advertiser per day"]
    (file / "inside").unlink()
    file.rmdir()
    file.write_text(caps("2 per day"))
    assert watched.look(4) == ["2 per advertiser per day"]

    assert watched.told == [
        f"the policy in force stays as it was: {file} does not exist",
        f"the policy in force stays as it was: {file} is a directory; a file is needed",
        f"policy reloaded: {file}",
    ]


def test_a_half_written_file_is_not_read(file):
    """While an editor is still writing, nothing is read: a truncated policy would mean unlimited."""
    watched = Watched(file)
    seen = []
    for text in ("caps = []\n", caps("5 per day"), caps("5 per day", "9 per week")):
        file.write_text(text)
        seen.append(watched.look(1))

    assert seen == [["1 per advertiser per day"]] * 3
    assert watched.look(1) == ["5 per advertiser per day", "9 per advertiser per week"]


def test_a_file_changed_while_it_is_read_is_read_again(file):
    """What was read is dropped when the file changed meanwhile."""
    reads = []

    def read(path):
        text = read_text(path)
        if reads:
            path.write_text(caps(f"{len(reads) + 6} per day"))
        reads.append(text)
        return "caps = []" if len(reads) == 2 else text

    watched = Watched(file, read=read)
    file.write_text(caps("2 per day"))
    assert watched.look(2) == ["1 per advertiser per day"]
    assert watched.told == []


def test_a_touched_file_is_told_as_unchanged(file):
    """A file saved without a change keeps the policy, with the same caps."""
    watched = Watched(file)
    os.utime(file, (1, 1))

    assert watched.look() == ["1 per advertiser per day"]
    assert watched.told == [f"policy unchanged: {file}"]


def test_a_bad_file_at_the_start_is_refused(file):
    """At the start there is no old policy to keep, so a bad file is an error."""
    file.write_text("caps = 3")

    with pytest.raises(ConfigError, match=r"line 1: caps: expected a cap like"):
        PolicySource(file)


def test_it_holds_caps(file):
    """The source gives policies."""
    assert PolicySource(file).policy.default.caps == (Cap.parse("1 per day"),)


def test_an_own_policy_that_is_begun(file, tmp_path):
    """The starter policy gives way to the owner's own as soon as there is one; from then on that one is looked at."""
    own = tmp_path / "own.toml"
    watched = Watched(file, successor=own)
    before = watched.look()
    own.write_text(caps("2 per day"))
    begun = watched.look()
    own.write_text(caps("3 per day"))
    file.write_text(caps("4 per day"))

    assert ["1 per advertiser per day"] == before
    assert ["2 per advertiser per day"] == begun
    assert ["3 per advertiser per day"] == watched.look()
    assert [f"policy reloaded: {own}"] * 2 == watched.told


def test_an_own_policy_that_cannot_be_used(file, tmp_path):
    """It leaves the starter policy in force, and says so, until it is mended."""
    own = tmp_path / "own.toml"
    own.write_text("caps = [")
    watched = Watched(file, successor=own)
    broken = watched.look()
    own.write_text(caps("2 per day"))

    assert ["1 per advertiser per day"] == broken
    assert "stays as it was" in watched.told[0]
    assert ["2 per advertiser per day"] == watched.look()


def test_an_applied_version_takes_the_files_place(file):
    """It is in force at once; the file is not, however often it is saved, and that it differs is said with what to do."""
    watched = Watched(file)
    adopted = watched.source.adopt(1, caps("7 per day"))
    in_force = watched.look()
    file.write_text(caps("2 per day"))

    assert (adopted, in_force, watched.look(4)) == (True, ["7 per advertiser per day"], ["7 per advertiser per day"])
    differs = (
        f"{file} differs from version 1, which is in force; `capper policy diff` shows in what, `capper policy apply` puts"
        " the file in force"
    )
    assert watched.told == ["policy reloaded: version 1 of the policy", differs, differs]


def test_the_file_of_an_applied_version_says_the_same(file):
    """A file with what is in force is told of as such, whatever its line ends; comments alone are a difference."""
    watched = Watched(file)
    watched.source.adopt(3, file.read_text())
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    watched.look()
    same = list(watched.told)
    file.write_text("# mine\n" + caps("1 per day"))
    watched.look()

    assert same == ["policy unchanged: version 3 of the policy", *[f"{file} says what is in force: version 3"] * 2]
    assert f"{file} differs from version 3" in watched.told[-1]


@pytest.mark.parametrize(
    "text", ['caps = ["3 per advertisr per day"]', "", "keys_of_tomorrow = true", "caps = [", "\x00"]
)
def test_a_version_that_cannot_be_used_here(file, text):
    """It never gets in force: the policy stays, and so does which version it is."""
    watched = Watched(file)
    watched.source.adopt(1, caps("7 per day"))

    assert not watched.source.adopt(2, text)
    assert (watched.look(), watched.source.version) == (["7 per advertiser per day"], 1)
    assert "the policy in force stays as it was: version 2 of the policy" in watched.told[-1]
    assert watched.source.problem


def test_back_to_the_file(file):
    """A version without text puts the file in force, as it is now, and it is followed again."""
    watched = Watched(file)
    watched.source.adopt(1, caps("7 per day"))
    watched.source.adopt(2, None)
    at_once = [str(cap) for cap in watched.source.policy.default.caps]
    file.write_text(caps("2 per day"))

    assert (at_once, watched.look()) == (["1 per advertiser per day"], ["2 per advertiser per day"])
    assert watched.source.version is None


def test_back_to_a_file_that_cannot_be_used(file):
    """The policy stays as it is until the file is mended."""
    watched = Watched(file)
    watched.source.adopt(1, caps("7 per day"))
    file.write_text("caps = [")
    watched.source.adopt(2, None)
    meanwhile = watched.look()
    file.write_text(caps("2 per day"))

    assert (meanwhile, watched.look()) == (["7 per advertiser per day"], ["2 per advertiser per day"])


def test_a_version_in_place_of_a_broken_file(file):
    """What is in force does not depend on the file, and that the file is broken is said."""
    watched = Watched(file)
    file.unlink()

    assert watched.source.adopt(1, caps("7 per day"))
    assert watched.look() == ["7 per advertiser per day"]
    assert watched.told[1] == f"version 1 of the policy is in force; the file cannot be used: {file} does not exist"


def test_that_the_file_differs_is_not_said_of_each_version(file):
    """Once when the first version takes the file's place; a host whose file is never edited has a quiet log."""
    watched = Watched(file)
    for number in (1, 2, 3):
        watched.source.adopt(number, caps(f"{number} per week"))

    assert len([line for line in watched.told if "differs" in line]) == 1
