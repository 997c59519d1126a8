"""Output files: whole or not at all, and one sentence when they cannot be."""

import os
import threading
from pathlib import Path

import pytest

from capper.domain.errors import ConfigError
from capper.measure.output import whole_file, written


def test_appears_at_the_end(tmp_path):
    """The file is not there before the block ends, then it is, alone in its folder."""
    path = tmp_path / "out.har"
    with whole_file(path) as file:
        file.write(b"new")
        before = path.exists()

    assert (before, path.read_bytes()) == (False, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_old_file_stays_on_failure(tmp_path):
    """When the block fails the old file is still there, and no draft of the new one is."""
    path = tmp_path / "out.har"
    path.write_bytes(b"old")

    def fail():
        with whole_file(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions(tmp_path):
    """A file that is replaced keeps its permissions; a new one has those asked for."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    old.chmod(0o640)
    for path in (old, new):
        with whole_file(path, 0o600):
            pass

    assert [path.stat().st_mode & 0o777 for path in (old, new)] == [0o640, 0o600]


def test_link(tmp_path):
    """Through a symbolic link its target is replaced, and the link stays."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.touch()
    link.symlink_to(target)
    with whole_file(link) as file:
        file.write(b"x")

    assert link.is_symlink()
    assert target.read_bytes() == b"x"


def test_pipe(tmp_path):
    """A pipe is written as it is, not replaced."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    with whole_file(pipe) as file:
        file.write(b"x")
    reader.join()

    assert found == [b"x"]
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "is a directory"),
        ("none/out.har", "No such file"),
        ("file/out.har", "Not a directory"),
        ("x" * 300, "long"),
    ],
)
def test_refused(tmp_path, name, words):
    """What cannot be written is told before the work, in one sentence."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=words), whole_file(tmp_path / name):
        pass


def test_full_disk(tmp_path):
    """An error while writing becomes a sentence that names the file."""
    with (
        pytest.raises(ConfigError, match=r"out\.har cannot be written: No space left on device"),
        written(tmp_path / "out.har"),
        Path("/dev/full").open("wb", buffering=0) as file,
    ):
        file.write(b"x")
