"""What is ready takes its place whole, whenever the power goes."""

import shutil
from pathlib import Path

import pytest

from capper.backup.swap import NEW, commit, exchanged, finish, in_the_way, interrupted
from capper.domain.errors import ConfigError

STAMP = "before-restore-2026"


@pytest.fixture
def state(tmp_path):
    """A state folder with an old household in it, and a new one made ready."""
    state = tmp_path / "state"
    (state / "ledger").mkdir(parents=True)
    (state / "ledger" / "aof").write_text("old")
    (state / "secret").write_text("old")
    (state / "sites.txt").write_text("old")
    (state / NEW / "ledger").mkdir(parents=True)
    (state / NEW / "ledger" / "aof").write_text("new")
    (state / NEW / "secret").write_text("new")
    return state


def whole(state: Path) -> bool:
    """Whether all that is in force is new, and all that was is aside."""
    new = (state / "secret").read_text(), (state / "ledger" / "aof").read_text()
    old = [(state / STAMP / name).read_text() for name in ("secret", "sites.txt", "ledger/aof")]
    return (*new, *old, (state / "sites.txt").exists()) == ("new", "new", "old", "old", "old", False)


def test_everything_changes_places(state):
    """What is new is in force, what is old is aside, also what the new household does not have."""
    commit(state)

    assert finish(state, STAMP) == state / STAMP
    assert whole(state)
    assert not interrupted(state)


def test_nothing_ready_changes_nothing(state):
    """Without a commit what was made ready is not used."""
    assert finish(state, STAMP) is None
    assert (state / "secret").read_text() == "old"


@pytest.mark.parametrize("steps", range(1, 7))
def test_power_cut_after_any_step(state, monkeypatch, steps):
    """Cut short after any of its steps, it is completed when it is run again."""
    commit(state)
    left = [steps]

    def until_the_power_goes(real):
        def move(self, target):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return real(self, target)

        return move

    with monkeypatch.context() as patched:
        for name in ("rename", "replace"):
            patched.setattr(Path, name, until_the_power_goes(getattr(Path, name)))
        try:
            finish(state, STAMP)
        except KeyboardInterrupt:
            assert interrupted(state)
    finish(state, STAMP)

    assert whole(state)
    assert not interrupted(state)


def test_a_file_that_cannot_be_moved_aside_stays(tmp_path, monkeypatch):
    """As one that is mounted by itself: it is as it was, and so is what was exchanged before it."""
    for name in ("a", "b"):
        (tmp_path / name).write_text("old")
        (tmp_path / f".{name}").write_text("new")
    rename = Path.rename

    def busy(self, target):
        if self.name == "b":
            raise OSError(16, "Device or resource busy")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", busy)
    with (
        pytest.raises(ConfigError, match="Device or resource busy"),
        exchanged({tmp_path / name: tmp_path / f".{name}" for name in ("a", "b")}, STAMP),
    ):
        pytest.fail("one stays")

    assert [(tmp_path / name).read_text() for name in ("a", "b")] == ["old", "old"]


def test_owners_files_change_back_if_one_cannot_change(tmp_path):
    """Of several files none is replaced if the block ends badly."""
    for name in ("a", "b"):
        (tmp_path / name).write_text("old")
        (tmp_path / f".{name}").write_text("new")
    drafts = {tmp_path / name: tmp_path / f".{name}" for name in ("a", "b")} | {tmp_path / "c": tmp_path / ".a"}
    with pytest.raises(ConfigError, match=r"restore to .*c"), exchanged(drafts, STAMP):
        pytest.fail("the third has no draft any more")

    assert [(tmp_path / name).read_text() for name in ("a", "b")] == ["old", "old"]
    assert not list(tmp_path.glob(f"*{STAMP}"))


def test_what_capper_says_of_itself_is_not_in_the_way(tmp_path):
    """A folder that a service manager has made, or that only says its version, is as good as none."""
    assert in_the_way(tmp_path / "none") == []
    (tmp_path / "version.json").write_text("{}")
    (tmp_path / ".hidden").write_text("")
    (tmp_path / "lost+found").mkdir()

    assert in_the_way(tmp_path) == []
    (tmp_path / "secret").write_text("")
    shutil.copy(tmp_path / "secret", tmp_path / f"{STAMP}-x")

    assert in_the_way(tmp_path) == ["secret"]
