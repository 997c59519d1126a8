"""Households to be backed up: real state folders with a real ledger, small enough for a quick key derivation."""

import asyncio
import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from capper.backup.create import create
from capper.backup.restore import Restored, Target, restore
from capper.backup.sealing import Argon2, Opener
from capper.domain.decision import Answer, prepare
from capper.ledger import open_ledger
from capper.ledger.secret import Secret
from capper.settings import Settings, load_settings
from capper.settings.policy import parse_policy
from capper.testing import a_sighting, an_ad

QUICK = Argon2(memory_kib=64, passes=1, lanes=1)
"""Tests need no strength, and there are many of them."""
PASSPHRASE = "four quiet words here"
POLICY = """\
caps = ["3 per advertiser per day", "9 per advertiser per week", "1 per creative per page", "5 per creative per session"]
[people.anna]
devices = ["user:anna"]
[people.ben]
devices = ["user:ben"]
"""


def claims(now: datetime, viewer: str, advertiser: str, occasion: str):
    """One sighting and what is asked of the ledger about it."""
    policy = parse_policy(POLICY, "policy")
    sighting = a_sighting(an_ad(advertiser), viewer=viewer, occasion=occasion, page=occasion)
    return prepare(policy, sighting, now)[1], policy.session_gap


@dataclass(frozen=True)
class Household:
    """One machine: its capper.toml, and what is counted on it."""

    config: Path

    @property
    def settings(self) -> Settings:
        return load_settings(self.config, environ={})

    def ledger(self):
        settings = self.settings
        secret = Secret.load_or_create(settings.secret_file)
        return open_ledger(settings.ledger, secret, folder=settings.ledger_folder, deadline=None)

    async def shown(self, viewer: str, advertiser: str, times: int, start: str = "o") -> list[Answer]:
        """Show an advertiser's ad so many times."""
        ledger = self.ledger()
        try:
            answers = []
            for number in range(times):
                now = datetime.now(UTC)
                claim, gap = claims(now, viewer, advertiser, f"{start}{number}")
                answers += await ledger.claim(viewer, [claim], now, gap)
            return answers
        finally:
            await ledger.close()

    async def record(self, viewer: str) -> tuple[list[tuple[str, int]], list[bytes]]:
        """How often each advertiser has been shown, and what was noted."""
        ledger = self.ledger()
        try:
            now = datetime.now(UTC)
            entries = await ledger.entries(viewer, now)
            return [(entry.name, len(entry.times)) for entry in entries], await ledger.notes(viewer, now)
        finally:
            await ledger.close()

    async def note(self, viewer: str, record: bytes) -> None:
        ledger = self.ledger()
        await ledger.note(viewer, [record], datetime.now(UTC), timedelta(hours=24))
        await ledger.close()

    async def lives(self) -> dict[bytes, int]:
        """Every key and when it expires, in ms since the epoch."""
        ledger = self.ledger()
        keys = [key async for found in ledger.link.scan(b"*") for key in found]
        lives = {key: await ledger.link("PEXPIRETIME", key) for key in keys}
        await ledger.close()
        return lives

    async def backup(self, passphrase: str = PASSPHRASE) -> bytes:
        """A backup of it all."""
        file = io.BytesIO()
        await create(file, self.settings, self.config, passphrase, datetime.now(UTC), derivation=QUICK)
        return file.getvalue()

    async def restore(self, data: bytes, *, replace: bool = False, passphrase: str = PASSPHRASE, **given) -> Restored:
        """Bring a backup back here."""
        opened = Opener(io.BytesIO(data), passphrase, "b")
        return await restore(opened, "b", Target(self.config, given, replace), datetime.now(UTC))


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Household]:
    """A machine of a name of its own, on which nothing is yet; with `settings`, a capper.toml and a policy are."""

    def make(name: str, settings: str | None = None) -> Household:
        folder = tmp_path / name
        folder.mkdir()
        if settings is not None:
            (folder / "capper.toml").write_text(f'policy = "policy.toml"\nstate = "state"\n{settings}')
            (folder / "policy.toml").write_text(POLICY)
        return Household(folder / "capper.toml")

    return make


@pytest.fixture
async def lived(machine) -> Household:
    """A household in which anna saw three ads for shoes, ben one, and much else is kept."""
    house = machine("old", "")
    await house.shown("anna", "shoes.example", 3)
    await house.shown("ben", "shoes.example", 1)
    await house.note("anna", b"a record")
    state = house.settings.state
    (state / "sites.txt").write_text("shop.example\n")
    (state / "wireguard").mkdir()
    (state / "wireguard" / "anna.conf").write_text("[Interface]\n")
    (state / "wireguard" / "anna.conf").chmod(0o600)
    (state / "lists").mkdir()
    (state / "lists" / "engines.bin").write_bytes(b"made anew")
    return house


@pytest.fixture
def tree() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder that is not an embedded server's, and its bytes."""

    def look(folder: Path) -> dict[str, bytes]:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "ledger" not in path.parts
        }

    return look


@pytest.fixture
def redis(tmp_path_factory) -> Iterator[str]:
    """The address of a redis-server of the test's own."""
    folder = tmp_path_factory.mktemp("r")
    sock = folder / "s"
    server = shutil.which("redis-server")
    assert server, "redis-server is not installed; `make test` installs it"
    command = [server, "--port", "0", "--unixsocket", str(sock), "--dir", str(folder), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        asyncio.run(_answering(f"unix://{sock}"))
        yield f"unix://{sock}"
        process.terminate()


async def _answering(url: str) -> None:
    from capper.domain.errors import LedgerUnavailable
    from capper.ledger.link import connect

    for _ in range(2000):
        link = connect(url)
        try:
            await link("PING")
        except LedgerUnavailable:
            await asyncio.sleep(0.005)
        else:
            return
        finally:
            await link.close()
    pytest.fail("the redis-server did not start")
