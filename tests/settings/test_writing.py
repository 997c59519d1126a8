"""Files that are written whole or not at all."""

import os
import stat
import threading

import pytest

from capper.domain.errors import ConfigError
from capper.settings.writing import alone, put


def test_a_new_file_is_its_owners(tmp_path):
    """Folders on the way are made; nobody else may read either."""
    file = tmp_path / "a" / "b.toml"
    put(file, b"x")

    assert b"x" == file.read_bytes()
    assert [0o600, 0o700] == [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)]


def test_an_old_file_stays_as_readable_as_it_was(tmp_path):
    """Mode and owner are the old one's: root may edit what capper's own user must read."""
    file = tmp_path / "policy.toml"
    file.write_text("old")
    file.chmod(0o644)
    if os.geteuid() == 0:
        os.chown(file, 65534, 65534)
    before = file.stat()
    put(file, b"new")
    after = file.stat()

    assert b"new" == file.read_bytes()
    assert (before.st_mode, before.st_uid, before.st_gid) == (after.st_mode, after.st_uid, after.st_gid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_is_the_folders_owners(tmp_path):
    """A pause that root begins can be read by the account that capper runs under."""
    os.chown(tmp_path, 65534, 65534)
    put(tmp_path / "pauses.toml", b"x")
    about = (tmp_path / "pauses.toml").stat()

    assert (65534, 65534, 0o600) == (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode))


def test_a_link_leads_on(tmp_path):
    """Who keeps the file elsewhere keeps it there."""
    (tmp_path / "dotfiles").mkdir()
    target, link = tmp_path / "dotfiles" / "policy.toml", tmp_path / "policy.toml"
    target.write_text("old")
    link.symlink_to(target)
    put(link, b"new")

    assert link.is_symlink()
    assert b"new" == target.read_bytes()


def test_a_place_that_cannot_be_written(tmp_path):
    """It is told in one sentence, and nothing is left behind."""
    file = tmp_path / "file"
    file.write_text("x")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (file / "below", tmp_path, loop):
        with pytest.raises(ConfigError, match=r"^write "):
            put(path, b"x")
    with pytest.raises(ConfigError, match=r"^write "), alone(file / "below"):
        pass

    assert {"file", "loop"} == {path.name for path in tmp_path.iterdir()}


def test_one_at_a_time(tmp_path):
    """Of two that change a file at once neither undoes the other's work."""
    file = tmp_path / "count"
    file.write_text("0")

    def add() -> None:
        for _ in range(25):
            with alone(file):
                put(file, str(int(file.read_text()) + 1).encode())

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert "100" == file.read_text()
