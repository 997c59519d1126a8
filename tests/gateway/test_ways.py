"""What the settings say about the ways in."""

import ipaddress
from dataclasses import replace

import pytest

from capper.domain.errors import ConfigError
from capper.gateway.nftables import Redirect
from capper.gateway.ours import HOST
from capper.gateway.ways import hosts_for, near_side, redirect_for, transparent_listener
from capper.recognise.hosts import HostSet
from capper.settings import Open, Settings
from capper.settings.options import Address
from capper.settings.sites import sites_file, write_sites

LAN = (ipaddress.ip_network("192.168.1.0/24"),)
USUAL = Address("192.168.1.2", 8080)


@pytest.mark.parametrize(
    ("mode", "address"),
    [
        ("transparent", USUAL),
        ("transparent@8081", Address("192.168.1.2", 8081)),
        ("transparent@:8081", Address("", 8081)),
        ("transparent@:::8081", Address("::", 8081)),
        ("Transparent@10.0.0.1:8081", Address("10.0.0.1", 8081)),
    ],
)
def test_where_redirected_connections_arrive(mode, address):
    """It is where mitmproxy would listen for such a mode."""
    assert address == transparent_listener(Settings(listen=USUAL, mode=("regular", mode)))


@pytest.mark.parametrize(
    "modes", [("regular",), ("wireguard:transparent@8081",), ("transparent@x",), ("transparent@0",)]
)
def test_no_listener(modes):
    """Without one, or with one that makes no sense, the way to say it is told."""
    with pytest.raises(ConfigError, match="transparent@:8081"):
        transparent_listener(Settings(mode=modes))


def test_the_redirect():
    """It takes the household's networks to that port."""
    settings = Settings(listen=USUAL, mode=("transparent@:8081",), lan=LAN)

    assert Redirect(8081, LAN, ("br-lan",)) == redirect_for(settings, ("br-lan",))


def test_a_redirect_for_nobody():
    """Without a network to serve, every redirected client would be refused."""
    with pytest.raises(ConfigError, match="lan ="):
        redirect_for(Settings(mode=("transparent@:8081",)), ())


@pytest.mark.parametrize(
    ("host", "near"), [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.168.1.2", "192.168.1.2")]
)
def test_the_near_side(host, near):
    """A listener at every address is at loopback too."""
    assert Address(near, 8081) == near_side(Address(host, 8081))


def test_hosts(tmp_path):
    """Ad hosts and sites, a person's own too; or every host, where all is opened."""
    ads = HostSet(["ads.test"])
    settings = Settings(state=tmp_path, sites=("news.test",), credit_sites=False)
    write_sites(sites_file(tmp_path), ["shop.test"])

    assert HostSet(["ads.test", "news.test", "shop.test", HOST]) == hosts_for(settings, ads)
    assert hosts_for(replace(settings, credit_sites=True), ads).covers("www.wehkamp.nl")
    assert hosts_for(replace(settings, open=Open.ALL), ads) is None
