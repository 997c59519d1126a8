"""What is done to the system says, when it fails, what was attempted and what helps."""

import os
import stat

import pytest

from capper.domain.errors import ConfigError
from capper.gateway.system import Standing, check_dnsmasq, drop_file, feed_nft, put_file, run_command, standing


@pytest.fixture
def nft(tmp_path, monkeypatch):
    """An `nft` of one's own making, or none: `nft("echo no >&2; exit 1")`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr("capper.gateway.system._ELSEWHERE", ())

    def make(script: str | None) -> None:
        monkeypatch.setenv("PATH", str(folder))
        if script is not None:
            (folder / "nft").write_text(f"#!/bin/sh\n{script}\n")
            (folder / "nft").chmod(0o755)

    return make


def test_no_nft(nft):
    """The package to install is named."""
    nft(None)

    with pytest.raises(ConfigError, match=r"^put it there: `nft` is not installed; install the package nftables$"):
        feed_nft("put it there", "")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo '/dev/stdin:1:1-3: Error: syntax error' >&2; exit 1", "nft: /dev/stdin:1:1-3: Error: syntax error"),
        ("exit 3", "it ended with 3"),
        ("not a program", "ended with|rror|not found"),
    ],
)
def test_nft_objects(nft, script, words):
    """Its own first line is told."""
    nft(script)

    with pytest.raises(ConfigError, match=f"^put it there: .*(?:{words})"):
        feed_nft("put it there", "nonsense")


def test_not_root(nft, monkeypatch):
    """Who is not root is told to become it."""
    nft("echo 'Error: Could not process rule: Operation not permitted' >&2; exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(ConfigError, match=r"run this as root \(sudo\)$"):
        feed_nft("put it there", "")


def test_dnsmasq_refuses(tmp_path, monkeypatch):
    """A dnsmasq too old for the file says so before anything is changed; so does one that is not there."""
    monkeypatch.setattr("capper.gateway.system._ELSEWHERE", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ConfigError, match=r"^configure dnsmasq: `dnsmasq` is not installed; install dnsmasq 2.90 or newer$"
    ):
        check_dnsmasq("configure dnsmasq", "")
    (tmp_path / "dnsmasq").write_text("#!/bin/sh\necho 'dnsmasq: bad option at line 5 of '${2#*=} >&2; exit 1\n")
    (tmp_path / "dnsmasq").chmod(0o755)

    with pytest.raises(ConfigError, match=r"2\.90 or newer with nftset; dnsmasq: bad option at line 5 of the file$"):
        check_dnsmasq("configure dnsmasq", "filter-rr=HTTPS\n")


def test_nothing_stands(nft):
    """Where there is no table, nothing is applied; other tables are not ours."""
    nft("""echo '{"nftables": [{"metainfo": {}}, {"table": {"family": "ip", "name": "capper"}}]}'""")

    assert Standing(applied=False) == standing()


def test_a_file_is_put_whole(tmp_path):
    """It says whether anything changed, anyone can read it, and nothing else is left beside it."""
    file = tmp_path / "capper.conf"
    told = [put_file("a", file, text) for text in ("one", "one", "two")]

    assert [True, False, True] == told
    assert "two" == file.read_text()
    assert 0o644 == stat.S_IMODE(file.stat().st_mode)
    assert [file] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_put(tmp_path):
    """It says where, and why."""
    with pytest.raises(ConfigError, match=r"configure dnsmasq: write .*/none/capper.conf: No such file or directory"):
        put_file("configure dnsmasq", tmp_path / "none" / "capper.conf", "")


def test_a_file_is_dropped(tmp_path):
    """Dropping it twice is no error."""
    file = tmp_path / "capper.conf"
    file.write_text("")

    assert [True, False] == [drop_file("a", file) for _ in range(2)]
    with pytest.raises(ConfigError, match="remove: delete"):
        drop_file("remove", tmp_path)


def test_the_owners_command():
    """It is run without a shell, and what is wrong with it is told."""
    assert run_command("true") is None
    assert "it ended with 1" == run_command("false")
    assert "No such file" in run_command("/no/such/program; echo")
    assert "closing quotation" in run_command('"')
