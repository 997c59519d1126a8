"""Devices of the policy by which nobody can be recognised as the settings are, and listeners that are nobody's."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from capper.domain.policy import Policy
from capper.settings.names import is_mac


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What does not fit together, and what to do about it; `device` as the policy names it."""

    device: str
    what: str
    advice: str


def listeners(modes: Collection[str]) -> dict[str, str]:
    """The names of the WireGuard listeners among the settings' modes, each with its mode."""
    found = {}
    for mode in modes:
        kind, _, rest = mode.partition(":")
        if kind.partition("@")[0].casefold() == "wireguard":
            found[PurePath(rest.rpartition("@")[0] or rest).stem or "wireguard"] = mode
    return found


def mismatches(policy: Policy, modes: Collection[str], auth: str, problem: str) -> Iterator[Mismatch]:
    """Everything that keeps a person from being recognised.

    Args:
        modes, auth: the settings' `mode` and `proxy_auth`.
        problem: why the neighbour table cannot be read; empty if it can.
    """
    tunnels = listeners(modes)
    for person in policy.people.values():
        for device in person.devices:
            kind, colon, name = device.partition(":")
            if kind == "wireguard" and name not in tunnels:
                advice = f"capper gateway wireguard {name} --endpoint HOST:PORT says what `mode` needs"
                yield Mismatch(device, f"{person.name}'s {device}: no listener has a file of that name", advice)
            elif kind == "user" and colon and not _may_come(name, auth):
                advice = f'proxy_auth = "@FILE", an htpasswd file with {name}' if auth else "proxy_auth asks for names"
                yield Mismatch(device, f"{person.name}'s {device}: the proxy asks nobody for that name", advice)
            elif is_mac(device) and problem:
                advice = "name an address too, or a file of leases (`leases`)"
                yield Mismatch(
                    device, f"{person.name}'s {device}: the neighbour table cannot be read: {problem}", advice
                )
    claimed = {device for person in policy.people.values() for device in person.devices}
    for name in tunnels:
        if f"wireguard:{name}" not in claimed:
            advice = f"capper people add {name} --device wireguard:{name}"
            yield Mismatch(
                f"wireguard:{name}",
                f"wireguard:{name}: whoever comes in by this listener is nobody in particular",
                advice,
            )


def _may_come(name: str, auth: str) -> bool:
    """Whether somebody could give this name; of a file of names it is not known."""
    return auth.startswith("@") or auth.partition(":")[0] == name
