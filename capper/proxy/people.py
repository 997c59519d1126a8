"""Who is behind each connection, and whether capper leaves that person alone now: asked for every request, in microseconds."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePath

from mitmproxy import connection
from mitmproxy.proxy import mode_specs

from capper.devices.leasefiles import LeaseFiles, usual_places
from capper.devices.macs import Macs
from capper.devices.strangers import Strangers, forget_strangers, strangers_file
from capper.domain.identity import Viewer
from capper.domain.policy import Policy
from capper.proxy.viewer import Caller, Household, household, parse_address
from capper.settings import Settings
from capper.settings.pauses import Pauses, pauses_file

EVERY = 10.0
"""Seconds between two looks at the lease files."""

_MOST = 4096
"""Callers whose viewer is remembered; a flood of more has them looked up anew."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known of devices and pauses besides the policy; by default nothing is.

    `mac` gives the MAC behind a packed address, `paused` says whether a person is left alone, `strange` takes note of a
    device that is nobody's.
    """

    mac: Callable[[bytes], str | None] = lambda _: None
    paused: Callable[[str], bool] = lambda _: False
    strange: Callable[[str], None] = lambda _: None


@dataclass(slots=True)
class Keeping:
    """The sources of a running capper: the kernel's neighbours, DHCP leases, the state folder's pauses and strangers."""

    leases: LeaseFiles
    macs: Macs
    pauses: Pauses
    strangers: Strangers | None
    clock: Callable[[], datetime] = _now
    household: Household = field(default_factory=lambda: household(Policy()))

    @classmethod
    def begin(cls, settings: Settings, clock: Callable[[], datetime] = _now) -> "Keeping":
        """As the settings say; at journal level 0 no stranger is remembered, and who was is forgotten."""
        file = strangers_file(settings.state)
        if not settings.journal_level:
            forget_strangers(file)
        leases = LeaseFiles((*usual_places(), *map(str, settings.leases)), clock)
        leases.refresh()
        strangers = Strangers(file, clock()) if settings.journal_level else None
        return cls(leases, Macs(lambda: leases.now), Pauses(pauses_file(settings.state), clock), strangers, clock)

    def sources(self) -> Sources:
        """What `People` asks."""
        return Sources(self.macs.mac, self.pauses.holds, self._strange)

    def _strange(self, device: str) -> None:
        if self.strangers is not None:
            self.strangers.note(device, self.clock())

    async def keep(self, policy: Callable[[], Policy]) -> None:
        """Read the lease files when they change and write down strangers, until cancelled; neither holds up the traffic."""
        while True:
            await asyncio.sleep(EVERY)
            await asyncio.to_thread(self.leases.refresh)
            await self.write(policy)

    async def write(self, policy: Callable[[], Policy]) -> None:
        """Write strangers down if it is time to."""
        if self.strangers is None:
            return
        if self.household.policy is not policy():
            self.household = household(policy())
        if content := self.strangers.due(self.clock(), self.household.claims):
            await asyncio.to_thread(self.strangers.write, content)


class People:
    """The people of the policy in force, by connection."""

    def __init__(
        self,
        policy: Callable[[], Policy],
        user: Callable[[connection.Client], str | None] = lambda _: None,
        sources: Sources = Sources(),
    ) -> None:
        self._policy, self._user, self._sources = policy, user, sources
        self._household = household(policy())
        self._viewers: dict[Caller, Viewer | None] = {}

    def caller(self, client: connection.Client) -> Caller:
        """What is known of the device behind a connection."""
        mode, address = client.proxy_mode, client.peername[0]
        if isinstance(mode, mode_specs.WireGuardMode):
            return Caller(address, self._user(client), PurePath(mode.data).stem or "wireguard")
        plain, packed = _place(address)
        return Caller(plain, self._user(client), mac=self._sources.mac(packed) if packed else None)

    def viewer(self, caller: Caller) -> Viewer:
        """Whose count it is; a device that is nobody's is taken note of."""
        policy = self._policy()
        if self._household.policy is not policy or len(self._viewers) >= _MOST:
            self._household, self._viewers = household(policy), {}
        if caller not in self._viewers:
            name = self._household.person(caller)
            self._viewers[caller] = policy.viewer(name) if name else None
        viewer = self._viewers[caller]
        if viewer is None:
            self._sources.strange(caller.name)
            return policy.viewer(policy.unknown_devices)
        return viewer

    def paused(self, viewer: Viewer) -> bool:
        """Whether nothing of this person's is to be counted or changed now."""
        return self._household.policy.leaves_alone(viewer) or self._sources.paused(viewer.name)

    def leaves_alone(self, client: connection.Client) -> bool:
        """The same for whoever is behind a connection."""
        return self.paused(self.viewer(self.caller(client)))


@lru_cache(maxsize=_MOST)
def _place(address: str) -> tuple[str, bytes | None]:
    """An address as it is compared, and packed where a MAC may be behind it: not this machine's own."""
    parsed = parse_address(address)
    if parsed is None:
        return address, None
    return str(parsed), None if parsed.is_loopback else parsed.packed
