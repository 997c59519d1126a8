"""The secret's file: private, whole, and noticed when it changes."""

import json
import multiprocessing
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from capper.domain.errors import ConfigError
from capper.ledger.secret import Secret


def test_is_made_private_and_whole(tmp_path):
    """A new secret is a file of mode 0600 in a folder of mode 0700, with nothing left beside it."""
    path = tmp_path / "new" / "secret"
    Secret.load_or_create(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_is_the_same_when_read_again(tmp_path):
    """What was made is found again, and another file is another secret."""
    first, second = Secret.load_or_create(tmp_path / "a"), Secret.load_or_create(tmp_path / "a")

    assert first.root("anna") == second.root("anna")
    assert first.root("anna") != first.root("ben")
    assert first.root("anna") != Secret.load_or_create(tmp_path / "b").root("anna")


def test_holds_no_name(tmp_path):
    """Not even the name of who was forgotten can be read in the file."""
    secret = Secret.load_or_create(tmp_path / "secret")
    secret.forget("annabel")

    assert b"annabel" not in (tmp_path / "secret").read_bytes()
    assert len(json.loads((tmp_path / "secret").read_bytes())["salts"]) == 1


def test_forgetting_changes_one_viewers_keys(tmp_path):
    """Forgetting gives her other keys, each time others, that last; everyone else keeps theirs."""
    secret = Secret.load_or_create(tmp_path / "secret")
    anna, ben = secret.root("anna"), secret.root("ben")
    secret.forget("anna")
    once = secret.root("anna")
    secret.forget("anna")

    assert len({anna, once, secret.root("anna")}) == 3
    assert secret.root("ben") == ben
    assert Secret.load_or_create(tmp_path / "secret").root("anna") == secret.root("anna")


def test_rotating_changes_everyones_keys(tmp_path):
    """A new master key gives everyone other keys, that last."""
    secret = Secret.load_or_create(tmp_path / "secret")
    old = secret.root("anna")
    secret.rotate()

    assert secret.root("anna") != old
    assert Secret.load_or_create(tmp_path / "secret").root("anna") == secret.root("anna")


def test_without_a_path_it_lives_in_memory():
    """A replay's secret touches no file and can forget all the same."""
    secret = Secret()
    old = secret.root("anna")
    secret.forget("anna")

    assert secret.root("anna") != old
    assert not secret.refresh()


def test_another_processs_change_is_noticed(tmp_path):
    """`refresh` reads the file again when it was replaced, and only then."""
    ours, theirs = (Secret.load_or_create(tmp_path / "secret") for _ in range(2))
    untouched = ours.refresh()
    theirs.forget("anna")
    noticed = ours.refresh()

    assert (untouched, noticed, ours.refresh()) == (False, True, False)
    assert ours.root("anna") == theirs.root("anna")


def test_two_who_change_it_lose_nothing(tmp_path):
    """Twenty viewers forgotten by two processes' worth of secrets at once are all forgotten."""
    secrets = [Secret.load_or_create(tmp_path / "secret") for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: secrets[n % 2].forget(f"viewer {n}"), range(20)))

    assert len(json.loads((tmp_path / "secret").read_bytes())["salts"]) == 20


def _root(path):
    return Secret.load_or_create(path).root("anna")


def test_processes_that_start_together_share_one(tmp_path):
    """Several processes that find no secret make one, not several."""
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        roots = pool.map(_root, [tmp_path / "secret"] * 6, chunksize=1)

    assert len(set(roots)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_one_that_others_can_read_is_refused(tmp_path, mode):
    """A secret that is not a secret is refused, with what to do about it."""
    path = tmp_path / "secret"
    Secret.load_or_create(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=rf"can be read by others \(mode {mode:04o}\): run chmod 600 {path}"):
        Secret.load_or_create(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe\x00", "can't decode"),
        (b"[]", "not a secret made by capper"),
        (b'{"key": "x"}', "not a secret made by capper"),
        (b'{"capper_secret": 2}', "version is 2"),
        (b'{"capper_secret": 1}', "missing"),
        (b'{"capper_secret": 1, "key": 5, "salts": {}}', "missing"),
        (b'{"capper_secret": 1, "key": "AAAA", "salts": {}}', "3 bytes instead of 32"),
        (b'{"capper_secret": 1, "key": "A\xc3\xa4", "salts": {}}', "ASCII"),
        (b'{"capper_secret": 1, "key": "' + b"A" * 43 + b'=", "salts": {"x": 1}}', "bytes-like"),
        (b"[" * 100_000, ""),
    ],
)
def test_a_damaged_or_foreign_file_is_refused(tmp_path, text, says):
    """Whatever is in the file, the refusal names it, says what is wrong and what to do, and the file stays."""
    path = tmp_path / "secret"
    path.write_bytes(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="put the right file back, or move this one away") as refused:
        Secret.load_or_create(path)

    assert says in str(refused.value)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == text


def test_a_folder_in_its_place_is_refused(tmp_path):
    """A folder where the secret should be gives one clear sentence."""
    (tmp_path / "secret").mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        Secret.load_or_create(tmp_path / "secret")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    """A file where the secret's folder should be gives one clear sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"use .*/file/secret as the ledger's secret"):
        Secret.load_or_create(tmp_path / "file" / "secret")


@pytest.mark.parametrize("damage", ["gone", "garbage", "open"])
def test_damage_while_running_leaves_the_keys_as_they_were(tmp_path, damage):
    """A secret that breaks under a running process is still used as it was read, and the problem is told."""
    path = tmp_path / "secret"
    secret = Secret.load_or_create(path)
    root = secret.root("anna")
    if damage == "gone":
        path.unlink()
    elif damage == "garbage":
        path.write_bytes(b"garbage")
    else:
        path.chmod(0o644)
        os.utime(path, (1, 1))

    assert not secret.refresh()
    assert secret.root("anna") == root
    assert "cannot be read again" in secret.problem


def test_forgetting_with_a_broken_file_says_so(tmp_path):
    """Forgetting that cannot be made to last is refused, not pretended."""
    path = tmp_path / "secret"
    secret = Secret.load_or_create(path)
    path.unlink()
    with pytest.raises(ConfigError, match="change the ledger's secret"):
        secret.forget("anna")
