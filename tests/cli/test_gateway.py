"""`capper gateway`: text to review, and one sentence when something cannot be done."""

import pytest

PLAIN = """\
listen = "192.168.1.2:8080"
mode = ["regular", "transparent@:8081"]
lan = ["192.168.1.0/24"]
sites = ["news.test"]
"""


@pytest.fixture
def gateway(capper, home, tmp_path):
    """Run `capper gateway ARGS` with the configuration of a small household."""
    (home / "config").mkdir()
    (home / "config" / "capper.toml").write_text(PLAIN)
    return lambda *args: capper("gateway", *args)


def test_hosts(gateway):
    """Ad hosts and the owner's sites, one a line."""
    told = gateway("hosts")

    assert 0 == told.code
    assert {"doubleclick.net", "news.test"} <= set(told.out.splitlines())


def test_pac(gateway):
    """The file names where the proxy listens, or what is asked for."""
    usual, asked = gateway("pac"), gateway("pac", "--proxy", "gateway.lan:1", "--proxy", "[fd00::1]:2")

    assert 'var capperProxy = "PROXY 192.168.1.2:8080; DIRECT";' in usual.out
    assert 'var capperProxy = "PROXY gateway.lan:1; PROXY [fd00::1]:2; DIRECT";' in asked.out
    assert (2, "") == (gateway("pac", "--proxy", "x").code, usual.err)


def test_nft(gateway):
    """The redirect goes to the transparent listener, for the household's networks."""
    told = gateway("nft", "--interface", "br-lan")

    assert "ip saddr { 192.168.1.0/24 } tcp dport @redirected counter redirect to :8081" in told.out
    assert "expected the name of a network interface" in gateway("nft", "--interface", "a b").err


def test_dnsmasq(gateway):
    """Ad hosts and sites fill the sets."""
    told = gateway("dnsmasq")

    assert "/news.test" in told.out
    assert "filter-rr=HTTPS,SVCB" in told.out


def test_no_transparent_listener(gateway, home):
    """Without one the line that is missing is told."""
    (home / "config" / "capper.toml").write_text('lan = ["192.168.1.0/24"]\n')
    told = gateway("nft")

    assert (2, "") == (told.code, told.out)
    assert 'mode = ["regular", "transparent@:8081"]' in told.err


def test_wireguard(gateway, home):
    """The same person's profile comes again, with a QR code unless that is not wanted."""
    first, second = (gateway("wireguard", "anna", "--endpoint", "home.test:51821", "--no-qr") for _ in range(2))
    drawn = gateway("wireguard", "anna", "--endpoint", "home.test:51821").out

    assert first.out == second.out
    assert "Endpoint = home.test:51821" in first.out
    assert f"wireguard:{home}/state/wireguard/anna.conf@0.0.0.0:51821" in first.out
    assert "█" in drawn
    assert "█" not in first.out


@pytest.mark.parametrize(("name", "endpoint"), [("../anna", "h:1"), ("anna", "h")])
def test_wireguard_refused(gateway, name, endpoint):
    """A name that is no word, and an endpoint without a port."""
    told = gateway("wireguard", name, "--endpoint", endpoint)

    assert 2 == told.code
    assert told.err.startswith("capper: a listener for")


def test_dry_runs_do_nothing(gateway, tmp_path, monkeypatch):
    """What would be done is printed, without an nft and without rights."""
    monkeypatch.setenv("PATH", "")
    file = tmp_path / "capper.conf"
    put, gone = (gateway(verb, "--dry-run", "--dnsmasq", file) for verb in ("apply", "remove"))

    assert (0, 0) == (put.code, gone.code)
    assert "add table inet capper" in put.out
    assert "nftset=/" in put.out
    assert "delete table inet capper" in gone.out
    assert f"rm {file}" in gone.out
    assert not file.exists()


def test_a_tool_is_missing(gateway, tmp_path, monkeypatch):
    """Every command that needs nft or dnsmasq says which package to install, and changes nothing."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("capper.gateway.system._ELSEWHERE", ())
    file = tmp_path / "capper.conf"
    told = [
        gateway(*words)
        for words in (["apply", "--dnsmasq", file], ["remove", "--dnsmasq", file], ["status"], ["watch"])
    ]

    assert {2} == {each.code for each in told}
    assert "`dnsmasq` is not installed; install dnsmasq 2.90 or newer" in told[0].err
    assert all("`nft` is not installed; install the package nftables" in each.err for each in told[1:])
    assert not file.exists()
