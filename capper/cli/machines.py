"""The devices that can be told by name, as the proxy names them: those of the policy, and those that are to be seen now."""

from collections.abc import Iterator
from datetime import UTC, datetime

from capper.cli.governing import policy_for
from capper.devices.leasefiles import LeaseFiles, usual_places
from capper.devices.neighbours import neighbours
from capper.devices.present import Device, present
from capper.devices.strangers import read_strangers, strangers_file
from capper.domain.errors import ConfigError
from capper.proxy.viewer import Caller
from capper.settings import Settings
from capper.settings.names import a_device, is_mac

_HERE = ("127.0.0.1", "::1")


def machines(settings: Settings, device: str | None = None) -> Iterator[tuple[str, str]]:
    """What the proxy calls each device (`Caller.machine`), and how to show it to a person; of `device` alone where one is named.

    Raises:
        ConfigError: `device` is none.
    """
    people = {item: one.name for one in policy_for(settings).people.values() for item in one.devices}
    users = [item.removeprefix("user:") for item in (*people, device or "") if item.startswith("user:")]
    for one in _devices(settings, people, device):
        label = _label(one, people)
        for caller in _callers(one, users if device is None or device.startswith("user:") else []):
            yield caller.machine(), f"{label} as {caller.user}" if caller.user else label


def _devices(settings: Settings, people: dict[str, str], device: str | None) -> list[Device]:
    seen = _present(settings)
    if device is None:
        named = {one.name for one in seen}
        return [*seen, *(Device(item) for item in people if item not in named), *map(Device, _HERE)]
    try:
        name = a_device(device)
    except ValueError as exc:
        raise ConfigError(f"--device: {exc}") from exc
    if name.startswith("user:"):
        return [*seen, *map(Device, _HERE)]
    return [one for one in seen if name == one.name or name in one.addresses] or [Device(name)]


def _present(settings: Settings) -> list[Device]:
    try:
        found = neighbours()
    except OSError:
        found = []
    now = datetime.now(UTC)
    leases = LeaseFiles((*usual_places(), *map(str, settings.leases)), lambda: now)
    leases.refresh()
    return present(found, leases.now, read_strangers(strangers_file(settings.state), now), settings.lan)


def _callers(device: Device, users: list[str]) -> Iterator[Caller]:
    """Every way in which the device may have come: with its MAC known or not, with a password or none."""
    if device.name.startswith("wireguard:"):
        yield Caller("", None, device.name.removeprefix("wireguard:"))
        return
    if device.name.startswith("user:"):
        return
    mac = device.name if is_mac(device.name) else None
    for user in (None, *users):
        if mac:
            yield Caller("", user, mac=mac)
        for address in device.addresses if mac else (device.name, *device.addresses):
            yield Caller(address, user)


def _label(device: Device, people: dict[str, str]) -> str:
    known = [item for item in (device.label, *device.addresses[:1]) if item and item != device.name]
    whose = people.get(device.name) or next((people[item] for item in device.addresses if item in people), "")
    return f"{device.name}{f' ({", ".join(known)})' if known else ''}{f', {whose}' if whose else ''}"
