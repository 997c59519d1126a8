"""What a household is made of: nothing of hers is left out silently, and nothing else comes along."""

import socket

import pytest

from capper.backup.contents import sources
from capper.backup.records import Place
from capper.domain.errors import ConfigError
from capper.settings import load_settings


@pytest.fixture
def found(tmp_path):
    """Every file that would be kept, by place and name, with the settings of capper.toml as given."""
    state = tmp_path / "config" / "state"
    state.mkdir(parents=True)
    (state / "secret").write_text("")

    def look(text: str = "") -> dict[tuple[str, str], str]:
        config = tmp_path / "config" / "capper.toml"
        config.write_text(f'state = "state"\n{text}')
        kept = sources(load_settings(config, environ={}), config)
        return {(str(one.file.place), one.file.name): one.file.origin for one in kept}

    return look


def test_whatever_lies_in_the_state_folder_is_kept(found, tmp_path):
    """Also what a later capper puts there; the secret comes first."""
    (tmp_path / "config" / "state" / "a new thing" / "deep").mkdir(parents=True)
    (tmp_path / "config" / "state" / "a new thing" / "deep" / "file.bin").write_bytes(b"x")

    assert list(found()) == [("state", "secret"), ("state", "a new thing/deep/file.bin"), ("config", "capper.toml")]


def test_what_is_made_anew_or_a_servers_own_is_left_out(found, tmp_path):
    """Caches, hidden names, sockets, studies, what an earlier restore kept aside, and every embedded server's folder."""
    state = tmp_path / "config" / "state"
    for name in ("credit", "lists", "ledger", "other", "before-restore-2026", ".new", "lost+found", "studies"):
        (state / name).mkdir()
    for name in (
        "credit/packs.bin",
        "credit/scan.bin",
        "lists/engines.bin",
        "ledger/x",
        "other/server.lock",
        "other/aof",
        "studies/studies.json",
        "before-restore-2026/secret",
    ):
        (state / name).write_text("")
    for name in (".new/x", "lost+found/x", ".part", "version.json", "upstream-ca.pem", "lists/.lock"):
        (state / name).write_text("")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(state / "s"))

        assert list(found()) == [("state", "secret"), ("config", "capper.toml")]


def test_every_file_that_settings_name_is_kept(found, tmp_path):
    """Inside the settings' folder by their names, from elsewhere with where they were; two of one name are two."""
    config = tmp_path / "config"
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    for path in ("config/my.toml", "config/users", "config/a.txt", "x/a.txt", "y/a.txt", "x/ca.pem", "config/w.conf"):
        (tmp_path / path).write_text("")
    kept = found(
        f'policy = "my.toml"\nproxy_auth = "@users"\nlists = ["a.txt", "{tmp_path}/x/a.txt", "{tmp_path}/y/a.txt"]\n'
        f'upstream_ca = "{tmp_path}/x/ca.pem"\nmode = ["regular", "wireguard:{config}/w.conf@51821"]\n'
    )

    assert {one: origin for one, origin in kept.items() if one[0] != Place.STATE} == {
        ("config", "capper.toml"): "",
        ("config", "my.toml"): "",
        ("config", "users"): "",
        ("config", "a.txt"): "",
        ("config", "w.conf"): "",
        ("elsewhere", "a.txt"): f"{tmp_path}/x/a.txt",
        ("elsewhere", "2-a.txt"): f"{tmp_path}/y/a.txt",
        ("elsewhere", "ca.pem"): f"{tmp_path}/x/ca.pem",
    }


def test_a_link_to_a_file_is_the_file(found, tmp_path):
    """A secret that lies on another disk is in the backup."""
    (tmp_path / "far").write_text("secret")
    (tmp_path / "config" / "state" / "secret").unlink()
    (tmp_path / "config" / "state" / "secret").symlink_to(tmp_path / "far")

    assert ("state", "secret") in found()


def test_a_link_to_a_folder_is_told(found, tmp_path):
    """Rather than left out, or followed in circles."""
    (tmp_path / "config" / "state" / "lists").symlink_to(tmp_path)

    with pytest.raises(ConfigError, match="lists: it is a link to another folder"):
        found()


@pytest.mark.parametrize("missing", ['policy = "gone.toml"', 'lists = ["gone.txt"]', 'proxy_auth = "@gone"'])
def test_a_file_that_is_named_and_not_there_is_told(found, missing):
    """A backup that lacks what the settings name would not start anywhere."""
    with pytest.raises(ConfigError, match=r"back up .*gone.*: No such file"):
        found(missing)


async def test_a_file_that_cannot_be_read_ends_the_backup(lived, monkeypatch):
    """No backup is better than one with a hole in it."""
    from pathlib import Path

    real = Path.open

    def refused(self, *args, **kwargs):
        if self.name == "sites.txt" and args == ("rb",):
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ConfigError, match=r"sites\.txt: Permission denied"):
        await lived.backup()
