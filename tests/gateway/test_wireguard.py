"""WireGuard listeners: keys that are made once and kept, and a profile that a phone can import."""

import json
import shutil
import stat
import subprocess

import mitmproxy_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.gateway.wireguard import Tunnel, keep_tunnel, tunnel_name


def fields(profile: str) -> dict[str, str]:
    return dict(line.split(" = ", 1) for line in profile.splitlines() if " = " in line)


def test_the_profile():
    """It has the device's own key, the server's public one, and all IPv4 traffic in the tunnel."""
    tunnel = Tunnel.create()
    keys = json.loads(tunnel.server_file())
    found = fields(tunnel.profile("home.example:51821"))

    assert {
        "PrivateKey": keys["client_key"],
        "Address": "10.0.0.1/32",
        "DNS": "10.0.0.53",
        "PublicKey": mitmproxy_rs.wireguard.pubkey(keys["server_key"]),
        "AllowedIPs": "0.0.0.0/0",
        "Endpoint": "home.example:51821",
        "PersistentKeepalive": "25",
    } == found


@pytest.mark.skipif(not shutil.which("wg"), reason="no wg here (apt-get install wireguard-tools)")
def test_the_keys_are_wireguards():
    """WireGuard's own tool makes the same public key of the server's."""
    tunnel = Tunnel.create()
    key = json.loads(tunnel.server_file())["server_key"]
    public = subprocess.run(["wg", "pubkey"], input=key, capture_output=True, text=True, check=True).stdout.strip()

    assert public == fields(tunnel.profile("h:1"))["PublicKey"]


def test_ipv6_is_taken_only_if_asked():
    """With `ipv6` no IPv6 traffic goes around the tunnel."""
    assert fields(Tunnel.create().profile("[fd00::1]:51821", ipv6=True))["AllowedIPs"] == "0.0.0.0/0, ::/0"


def test_keys_are_kept(tmp_path):
    """Asked again, it is the same listener; its file is its owner's alone."""
    file, tunnel = keep_tunnel(tmp_path / "wireguard", "anna")
    again = keep_tunnel(tmp_path / "wireguard", "anna")[1]

    assert tunnel.server_file() == again.server_file()
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert 0o700 == stat.S_IMODE(file.parent.stat().st_mode)


def test_a_file_of_mitmproxys_is_read():
    """Keys that mitmproxy made are kept."""
    keys = {name: mitmproxy_rs.wireguard.genkey() for name in ("server_key", "client_key")}

    assert keys == json.loads(Tunnel.parse(json.dumps(keys)).server_file())


@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=4).map(json.dumps))
def test_a_file_of_something_else(text):
    """It is refused, and what it holds is not repeated: it may be half a key."""
    with pytest.raises(ValueError, match="two WireGuard keys") as told:
        Tunnel.parse(text)

    assert told.value.__cause__ is None
    assert 'expected {"server_key": ..., "client_key": ...} with two WireGuard keys' == str(told.value)


def test_a_folder_that_cannot_be_made(tmp_path):
    """It is told which file was to be written."""
    (tmp_path / "wireguard").write_text("")

    with pytest.raises(ConfigError, match=r"keep WireGuard keys in .*anna\.conf"):
        keep_tunnel(tmp_path / "wireguard", "anna")


@pytest.mark.parametrize("name", ["../anna", "anna ben", "", "-a", "a" * 33, "an\nna", "anna.conf"])
def test_a_name_is_a_word(name):
    """It becomes a file's name."""
    with pytest.raises(ValueError, match="one word"):
        tunnel_name(name)


@pytest.mark.parametrize("endpoint", ["home", "home:", "home:0", "home:65536", "a b:1", "fd00::1:5", "h:1\nDNS = x"])
def test_an_endpoint_is_an_address(endpoint):
    """Nothing else gets into the profile."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        Tunnel.create().profile(endpoint)


def test_keys_are_not_shown():
    """A tunnel in a log or a traceback shows nothing."""
    assert repr(Tunnel.create()) == "Tunnel(...)"
