"""What takes long to build is built once, by whichever process comes first."""

import threading

from capper.recognise.kept import Made, kept
from capper.testing import NOON


def test_two_that_come_at_once(tmp_path):
    """The second waits for the first, and reads what that has built."""
    building, go_on, built = threading.Event(), threading.Event(), []

    def build() -> bytes:
        built.append(1)
        building.set()
        assert go_on.wait(30)
        return b"made"

    made, found = Made("things", "1", build, bytes, bytes), []
    threads = [threading.Thread(target=lambda: found.append(kept(tmp_path / "f", "k", made, NOON))) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert building.wait(30)
    go_on.set()
    for thread in threads:
        thread.join()

    assert ([b"made"] * 2, [1]) == (found, built)


def test_a_folder_that_cannot_be(tmp_path, caplog):
    """Then it is built each time, and the log says why."""
    (tmp_path / "file").write_bytes(b"")
    made = Made("things", "1", lambda: b"made", bytes, bytes)

    assert b"made" == kept(tmp_path / "file" / "f", "k", made, NOON)
    assert "things are not kept for the next start" in caplog.text
