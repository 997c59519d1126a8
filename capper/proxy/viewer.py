"""Whose request this is: by the WireGuard mode, the proxy user, the device's MAC or its address, as the policy's people say."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from capper.domain.policy import Policy
from capper.settings.names import is_mac

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Caller:
    """What the proxy knows of the device behind a connection."""

    address: str
    user: str | None = None
    wireguard: str | None = None
    mac: str | None = None

    @property
    def name(self) -> str:
        """What the policy would call this device: the strongest that is known of it."""
        if self.wireguard:
            return f"wireguard:{self.wireguard}"
        return f"user:{self.user}" if self.user else self.mac or self.address

    def device(self, agent: str) -> str:
        """The name of the device whatever connection and address it uses; two browsers of one machine are two devices."""
        return f"{self.machine()}/{_digest(agent)}"

    def machine(self) -> str:
        """The name of the device, with all browsers and apps on it."""
        where = f"wireguard:{self.wireguard}" if self.wireguard else self.mac or self.address
        return f"{where}/{self.user or ''}"


@dataclass(frozen=True, slots=True)
class Household:
    """The people of a policy, by device; made once for each policy.

    Several people may claim a device: a WireGuard name or user outranks a MAC, a MAC an address (which may be given to
    another device), an address a network, and the narrower network the wider. What nobody claims belongs to the policy's
    `unknown_devices`.
    """

    policy: Policy
    names: Mapping[str, str]
    addresses: Mapping[Address, str]
    networks: tuple[tuple[Network, str], ...]

    def person(self, caller: Caller) -> str | None:
        """Who claims this caller's device; None if nobody does."""
        for kind, value in (("wireguard", caller.wireguard), ("user", caller.user)):
            if value and (name := self.names.get(f"{kind}:{value}")):
                return name
        if caller.wireguard:
            # Behind WireGuard every client has the same address.
            return None
        if caller.mac and (name := self.names.get(caller.mac)):
            return name
        address = parse_address(caller.address)
        if address is None:
            return None
        inside = (name for network, name in self.networks if address in network)
        return self.addresses.get(address) or next(inside, None)

    def claims(self, device: str) -> bool:
        """Whether a device, as `Caller.name` has it, is somebody's."""
        return device in self.names or self.person(Caller(device)) is not None


def household(policy: Policy) -> Household:
    """The policy's people, indexed by device."""
    names: dict[str, str] = {}
    addresses: dict[Address, str] = {}
    networks: list[tuple[Network, str]] = []
    for person in policy.people.values():
        for device in person.devices:
            if device.startswith(("user:", "wireguard:")) or is_mac(device):
                names.setdefault(device, person.name)
            elif "/" in device:
                if network := _parse_network(device):
                    networks.append((network, person.name))
            elif address := parse_address(device):
                addresses.setdefault(address, person.name)
    networks.sort(key=lambda row: row[0].prefixlen, reverse=True)
    return Household(policy, names, addresses, tuple(networks))


@lru_cache(maxsize=4096)
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
