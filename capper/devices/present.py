"""The devices of the household's networks as they can be seen now: one row for each, whatever addresses it has."""

import ipaddress
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from capper.devices.leasefiles import Leased
from capper.devices.neighbours import Neighbour, is_random
from capper.settings.names import is_mac

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HERE = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the policy would name it, with the addresses it has now and what it calls itself.

    `seen` is when it last came to capper, where that was noted; None for one that is only on the network.
    """

    name: str
    addresses: tuple[str, ...] = ()
    label: str = ""
    seen: datetime | None = None

    @property
    def random(self) -> bool:
        """Whether its MAC is one it made up, and may make up anew."""
        return is_mac(self.name) and is_random(self.name)


def present(
    neighbours: Iterable[Neighbour],
    leased: Leased,
    strangers: Mapping[str, datetime],
    lan: Sequence[Network],
    ways_out: Collection[bytes] = (),
) -> list[Device]:
    """All of them, those that came to capper last first; routers, and what is not on `lan` (if any is named), left out.

    `ways_out`: packed addresses of routers that do not say in the table what they are.
    """
    rows = list(neighbours)
    routers = {one.mac for one in rows if one.router or one.address in ways_out}
    addresses: dict[str, set[Address]] = {}
    for address, mac in (*((one.address, one.mac) for one in rows), *leased.macs.items()):
        addresses.setdefault(mac, set()).add(ipaddress.ip_address(address))
    near = {mac for mac, found in addresses.items() if mac not in routers and any(_on(one, lan) for one in found)}
    named = [*(name for name in strangers), *sorted(near - set(strangers), key=lambda mac: _order(addresses[mac]))]
    return [
        Device(name, _shown(addresses.get(name, set())), _label(name, leased), strangers.get(name)) for name in named
    ]


def _label(name: str, leased: Leased) -> str:
    return "(this machine)" if name in _HERE else leased.names.get(name, "")


def _on(address: Address, lan: Sequence[Network]) -> bool:
    return any(address in network for network in lan) if lan else address.is_private


def _order(found: set[Address]) -> tuple[int, int]:
    first = min(found, key=lambda one: (one.version, int(one)))
    return first.version, int(first)


def _shown(found: set[Address]) -> tuple[str, ...]:
    """In order, IPv4 first; those of the cable alone only where there are no others."""
    wide = [one for one in found if not one.is_link_local] or found
    return tuple(str(one) for one in sorted(wide, key=lambda one: (one.version, int(one))))
