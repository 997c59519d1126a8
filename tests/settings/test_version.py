"""The state folder's version: older is brought up to date, newer is left alone and refused, and nothing is dropped."""

import json

import pytest

from capper.domain.errors import ConfigError
from capper.settings.version import CURRENT, STEPS, VERSION_FILE, check_state, ready_state, state_version, write_version


def test_nothing_is_of_no_version(tmp_path):
    """A folder that is missing or empty has none; making it ready gives it this capper's."""
    folder = tmp_path / "a" / "state"

    assert state_version(folder) is None
    assert ready_state(folder) is None
    assert json.loads((folder / VERSION_FILE).read_text()) == {"capper_state": CURRENT}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert ready_state(folder) == CURRENT


def test_a_file_system_of_its_own_is_as_good_as_empty(tmp_path):
    """What a service manager or a file system puts there is no state of capper's."""
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".hidden").write_text("")

    assert state_version(tmp_path) is None


@pytest.mark.parametrize("sign", ["secret", "ca", "ledger", "lists", "sites.txt", "wireguard"])
def test_what_was_there_before_versions_is_version_0(tmp_path, sign):
    """Any of the files that an older capper left; it stays, and the version is said from then on."""
    (tmp_path / sign).write_text("kept")

    assert (state_version(tmp_path), ready_state(tmp_path), state_version(tmp_path)) == (0, 0, CURRENT)
    assert (tmp_path / sign).read_text() == "kept"


def test_a_newer_state_is_refused_and_left_alone(tmp_path):
    """The message says what happened and what to do; no file is changed or made."""
    write_version(tmp_path, CURRENT + 1)
    (tmp_path / "secret").write_text("newer")
    for use in (check_state, ready_state):
        with pytest.raises(ConfigError, match=r"a newer capper has been at work there.* Nothing was changed"):
            use(tmp_path)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        VERSION_FILE: f'{{"capper_state": {CURRENT + 1}}}\n',
        "secret": "newer",
    }


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"capper_state": "1"}', '{"capper_state": -1}', "[" * 100_000, "\xff"]
)
def test_a_version_that_cannot_be_read_is_not_guessed(tmp_path, text):
    """A damaged file could stand for a newer state."""
    (tmp_path / VERSION_FILE).write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigError, match=r"version\.json: it does not say a version; it should say"):
        ready_state(tmp_path)


def test_steps_run_once_each_in_their_order(tmp_path):
    """From wherever a folder is to the newest version, and where one fails the next start goes on from there."""
    (tmp_path / "secret").write_text("")
    done: list[str] = []

    def fails(_):
        raise OSError(28, "No space left on device")

    steps = (*STEPS, lambda _: done.append("two"), fails, lambda _: done.append("four"))
    with pytest.raises(ConfigError, match=r"bring the state folder up to date.*No space left"):
        ready_state(tmp_path, steps)
    between = state_version(tmp_path)
    mended = (*steps[: CURRENT + 1], lambda _: done.append("three"), steps[-1])

    assert (between, ready_state(tmp_path, mended), state_version(tmp_path)) == (CURRENT + 1, CURRENT + 1, CURRENT + 3)
    assert done == ["two", "three", "four"]


def test_a_new_folder_needs_no_steps(tmp_path):
    """What has never been written in an old form need not be changed."""
    steps = (*STEPS, lambda _: pytest.fail("there is nothing to change"))

    assert ready_state(tmp_path / "new", steps) is None
    assert state_version(tmp_path / "new") == len(steps)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    """A file in the way, in one sentence."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match=r"make the state folder .*file"):
        ready_state(tmp_path / "file" / "state")
