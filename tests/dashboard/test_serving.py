"""The owner's port: where it is, what it asks for, and what happens if it is taken."""

import socket
from dataclasses import replace

import pytest

from capper.dashboard.keys import OWNER
from capper.dashboard.serving import OwnerPages
from capper.domain.errors import ConfigError
from capper.settings import Address, Settings


def at(house, address: Address | None) -> Settings:
    return replace(house.settings, dashboard=address)


async def test_nothing_is_served_unless_it_is_asked_for(house):
    """No port, no token, and serving ends at once."""
    pages = OwnerPages.open(at(house, None))
    await pages.serve(house)

    assert (None, [], []) == (pages.url, pages.rows(), list(house.settings.state.glob("*.token")))


def test_off_loopback_a_token_is_needed(house):
    """It is made, and `capper run` says where it is; never what it is."""
    told = []
    for host in ("0.0.0.0", "127.0.0.1"):
        pages = OwnerPages.open(at(house, Address(host, 0)))
        told.append(" ".join(what for _, what in pages.rows()))
        pages.listener.close()
    file = house.settings.state / OWNER

    assert [True, False] == [str(file) in each for each in told]
    assert file.read_text().strip() not in told[0]


def test_a_port_that_is_taken(house):
    """It is said which, and by which key."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"dashboard = 127\.0\.0\.1:\d+: Address already in use"):
            OwnerPages.open(at(house, Address(*taken.getsockname())))
