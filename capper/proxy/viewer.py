"""Whose request this is: by the WireGuard mode, the proxy user or the address it came from, as the policy's people say."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from capper.domain.identity import Viewer
from capper.domain.policy import Policy

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Caller:
    """What the proxy knows of the device behind a connection."""

    address: str
    user: str | None = None
    wireguard: str | None = None

    def device(self, agent: str) -> str:
        """The name of the device whatever connection it uses; two browsers of one machine are two devices."""
        where = f"wireguard:{self.wireguard}" if self.wireguard else self.address
        return f"{where}/{self.user or ''}/{_digest(agent)}"


@dataclass(frozen=True, slots=True)
class Household:
    """The people of a policy, by device; made once for each policy.

    Several people may claim a device: a WireGuard name or user outranks an address, an address a network, and the
    narrower network the wider. What nobody claims belongs to the policy's `unknown_devices`.
    """

    policy: Policy
    names: Mapping[str, str]
    addresses: Mapping[Address, str]
    networks: tuple[tuple[Network, str], ...]

    def viewer(self, caller: Caller) -> Viewer:
        """The person whose counts this caller's sightings belong to."""
        return self.policy.viewer(self._name(caller) or self.policy.unknown_devices)

    def _name(self, caller: Caller) -> str | None:
        for kind, value in (("wireguard", caller.wireguard), ("user", caller.user)):
            if value and (name := self.names.get(f"{kind}:{value}")):
                return name
        if caller.wireguard:
            # Behind WireGuard every client has the same address.
            return None
        address = parse_address(caller.address)
        if address is None:
            return None
        inside = (name for network, name in self.networks if address in network)
        return self.addresses.get(address) or next(inside, None)


def household(policy: Policy) -> Household:
    """The policy's people, indexed by device. MAC addresses are not looked up here."""
    names: dict[str, str] = {}
    addresses: dict[Address, str] = {}
    networks: list[tuple[Network, str]] = []
    for person in policy.people.values():
        for device in person.devices:
            if device.startswith(("user:", "wireguard:")):
                names.setdefault(device, person.name)
            elif "/" in device:
                if network := _parse_network(device):
                    networks.append((network, person.name))
            elif address := parse_address(device):
                addresses.setdefault(address, person.name)
    networks.sort(key=lambda row: row[0].prefixlen, reverse=True)
    return Household(policy, names, addresses, tuple(networks))


def parse_address(text: str) -> Address | None:
    """An IP address, without its zone, and as IPv4 where it is IPv4 in IPv6's clothes."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if isinstance(mapped, ipaddress.IPv4Address) else address


def _parse_network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _digest(agent: str) -> str:
    return blake2b(agent.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
