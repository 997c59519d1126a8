"""A household brought to another machine: everything is there, counts go on, and what cannot be used changes nothing."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.domain.window import from_ms, to_ms
from capper.settings.version import CURRENT, state_version


async def test_counts_go_on_where_they_were(lived, machine):
    """On a new machine anna is over her cap and ben is not; her list and her journal are there."""
    new = machine("new")
    done = await new.restore(await lived.backup())
    [anna], [ben] = [await new.shown(viewer, "shoes.example", 1, "again") for viewer in ("anna", "ben")]

    assert done.entries > 8
    assert (done.known, done.expired, done.aside, done.notes) == (0, 0, (), ())
    assert (anna.shown, ben.shown) == (False, True)
    assert await new.record("anna") == ([("shoes.example", 3)], [b"a record"])
    assert await new.record("ben") == ([("shoes.example", 2)], [])


async def test_mutes_hold_on_the_new_machine(lived, machine):
    """Whom anna muted stays muted, by name, until it would have ended."""
    new, now = machine("new"), datetime.now(UTC)
    mute = Mute(
        Level.ADVERTISER, "boats.example", Why.CLICKED, from_ms(to_ms(now)), from_ms(to_ms(now)) + timedelta(days=90)
    )
    before = lived.ledger()
    await before.mute("anna", mute, now)
    await before.close()
    await new.restore(await lived.backup())
    after = new.ledger()
    found = await after.mutes("anna", now)
    await after.close()

    assert found == [mute]
    assert [answer.shown for answer in await new.shown("anna", "boats.example", 1, "later")] == [False]


async def test_every_entry_expires_when_it_would_have(lived, machine):
    """Each key has the very millisecond it was to expire at."""
    new = machine("new")
    before = await lived.lives()
    await new.restore(await lived.backup())

    assert await new.lives() == before
    assert all(expires > 0 for expires in before.values())


async def test_the_same_occasion_is_known_again(lived, machine):
    """What was claimed just before the backup is not counted a second time after it."""
    new = machine("new")
    await new.restore(await lived.backup())
    [again] = await new.shown("anna", "shoes.example", 1)

    assert again.repeated
    assert await new.record("anna") == ([("shoes.example", 3)], [b"a record"])


async def test_files_are_as_they_were(lived, machine):
    """Every file has its bytes and its mode; what capper makes by itself is not carried along."""
    new = machine("new")
    await new.restore(await lived.backup())
    old_state, new_state = lived.settings.state, new.settings.state
    secret, wireguard = (stat.S_IMODE((new_state / name).stat().st_mode) for name in ("secret", "wireguard/anna.conf"))
    kept = ("sites.txt", "wireguard/anna.conf", "secret")

    assert {name: (new_state / name).read_bytes() for name in kept} == {
        name: (old_state / name).read_bytes() for name in kept
    }
    assert (secret, wireguard) == (0o600, 0o600)
    assert new.config.read_bytes() == lived.config.read_bytes()
    assert (new.config.parent / "policy.toml").read_bytes() == (lived.config.parent / "policy.toml").read_bytes()
    assert not (new_state / "lists" / "engines.bin").exists()
    assert state_version(new_state) == CURRENT
    assert [path.name for path in new_state.iterdir() if path.name.startswith(".")] == []
    assert [path.name for path in new.config.parent.iterdir() if path.name.startswith(".")] == []


async def test_to_a_server_and_back(lived, machine, redis):
    """From the embedded Valkey to a redis-server and from there to another embedded one: the counts are the same."""
    middle, last = machine("middle"), machine("last")
    done = await middle.restore(await lived.backup(), ledger=redis)
    (middle.config).write_text(middle.config.read_text() + f'ledger = "{redis}"\n')
    lives = await middle.lives()
    await last.restore(await middle.backup(), ledger="embedded")
    last.config.write_text(lived.config.read_text())

    assert done.notes == (f"the counts are in {redis}",)
    assert lives == await lived.lives() == await last.lives()
    assert await last.record("anna") == ([("shoes.example", 3)], [b"a record"])


async def test_a_server_keeps_what_it_has_counted_since(machine, redis):
    """Restored to the server it came from, newer counts stand, and nothing is counted twice."""
    house = machine("old", f'ledger = "{redis}"\n')
    await house.shown("anna", "shoes.example", 1)
    await house.shown("anna", "bikes.example", 1, "b")
    backup = await house.backup()
    await house.shown("anna", "shoes.example", 1, "later")
    ledger = house.ledger()
    await ledger.link("SET", "of somebody else", "x")
    await ledger.close()
    done = await machine("new").restore(backup)
    again = await house.restore(backup, replace=True)

    assert (done.entries, again.entries) == (0, 0)
    assert done.known == again.known > 0
    assert (await house.record("anna"))[0] == [("shoes.example", 2), ("bikes.example", 1)]


async def test_an_embedded_ledger_elsewhere(machine):
    """Counts in a folder that the settings name go to the same folder of the new machine, unless a server holds it."""
    old, new = machine("old", 'ledger = "embedded:counts"\n'), machine("new")
    await old.shown("anna", "shoes.example", 3)
    data = await old.backup()
    done = await new.restore(data)
    ledger = new.ledger()
    await ledger.health()
    with pytest.raises(ConfigError, match="capper is running there"):
        await new.restore(data, replace=True)
    await ledger.close()

    assert (new.config.parent / "counts" / "appendonlydir").is_dir()
    assert (done.entries, done.known) == (len(await new.lives()), 0)
    assert (await new.record("anna"))[0] == [("shoes.example", 3)]


async def test_what_has_expired_is_left_out(lived, machine, monkeypatch):
    """Years later nothing of the ledger is alive; the rest comes back all the same."""
    import io

    from capper.backup.restore import Target, restore
    from capper.backup.sealing import Opener

    new, data = machine("new"), await lived.backup()
    opened = Opener(io.BytesIO(data), "four quiet words here", "b")
    done = await restore(opened, "b", Target(new.config, {}), datetime.now(UTC) + timedelta(days=500))

    assert (done.entries, done.known) == (0, 0)
    assert done.expired > 8
    assert await new.record("anna") == ([], [])


async def test_what_is_there_is_not_replaced_unasked(lived, machine, tree):
    """On a machine where capper has run already, nothing changes, and the way out is named."""
    new = machine("new", "")
    await new.shown("carl", "cars.example", 2)
    before, data = tree(new.config.parent), await lived.backup()
    with pytest.raises(ConfigError, match=r"would be replaced; nothing was changed\. With --replace"):
        await new.restore(data)

    assert tree(new.config.parent) == before
    assert (await new.record("carl"))[0] == [("cars.example", 2)]


async def test_what_is_replaced_is_kept_aside(lived, machine):
    """With --replace the backup's household lives on, and all of what was there stands in a folder of its own."""
    new = machine("new", "journal_level = 1\n")
    await new.shown("carl", "cars.example", 2)
    (new.settings.state / "sites.txt").write_text("old.example\n")
    secret, settings = new.settings.secret_file.read_bytes(), new.config.read_bytes()
    done = await new.restore(await lived.backup(), replace=True)
    kept = {path.name.partition(".before")[0]: path for path in done.aside}
    old = next(path for path in done.aside if path.is_dir())

    assert (await new.record("anna"))[0] == [("shoes.example", 3)]
    assert (await new.record("carl"))[0] == []
    assert (old / "secret").read_bytes() == secret
    assert (old / "sites.txt").read_text() == "old.example\n"
    assert (old / "ledger").is_dir()
    assert kept["capper.toml"].read_bytes() == settings
    assert "policy.toml" not in kept, "it was the same"


async def test_what_cannot_be_moved_aside_is_not_begun(lived, machine, monkeypatch):
    """A folder of the state that is mounted by itself would stop the exchange half way: nothing is changed."""
    data = await lived.backup()
    monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "ledger")
    with pytest.raises(ConfigError, match=r"ledger is mounted there by itself .*unmount it"):
        await lived.restore(data, replace=True)

    assert (await lived.record("anna"))[0] == [("shoes.example", 3)]
    assert [path.name for path in lived.settings.state.iterdir() if path.name[0] == "."] == []


async def test_settings_that_name_the_old_folder(lived, machine):
    """Where capper.toml names the state folder of the old machine, its owner must mend that."""
    lived.config.write_text(lived.config.read_text().replace('"state"', f'"{lived.settings.state}"'))
    old, new = lived.settings.state, machine("new")
    done = await new.restore(await lived.backup(), state=new.config.parent / "at")

    assert done.notes == (f"{new.config} names {old}, where the state was: it is in {done.state} now",)


async def test_a_running_capper_is_not_pulled_from_under(lived, machine):
    """While a server holds the embedded ledger nothing is restored over it, not even with --replace."""
    data, ledger = await lived.backup(), lived.ledger()
    await ledger.health()
    try:
        with pytest.raises(ConfigError, match="capper is running there; stop it first"):
            await lived.restore(data, replace=True)
    finally:
        await ledger.close()

    assert (await lived.record("anna"))[0] == [("shoes.example", 3)]


async def test_a_ledger_that_is_away_changes_nothing(lived, machine, tmp_path):
    """A server that does not answer ends the restore before any file is in place."""
    new = machine("new")
    with pytest.raises(LedgerUnavailable):
        await new.restore(await lived.backup(), ledger=f"unix://{tmp_path}/nobody")

    assert [path for path in new.config.parent.rglob("*") if path.is_file()] == []


async def test_files_from_elsewhere_are_put_where_they_can_be_found(machine, tmp_path):
    """A policy and a list outside the settings' folder come back beside them, and where they were is told."""
    house = machine("old", "")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "caps.toml").write_text('caps = ["never"]\n')
    (tmp_path / "far" / "rules.txt").write_text("||ads.example^\n")
    house.config.write_text(
        f'policy = "{tmp_path}/far/caps.toml"\nstate = "state"\nlists = ["{tmp_path}/far/rules.txt"]\n'
    )
    await house.shown("anna", "shoes.example", 1)
    new = machine("new")
    done = await new.restore(await house.backup())
    base = new.config.parent

    assert (base / "policy.toml").read_text() == 'caps = ["never"]\n'
    assert (base / "elsewhere" / "rules.txt").read_text() == "||ads.example^\n"
    assert done.notes == (
        f"{base}/policy.toml was at {tmp_path}/far/caps.toml: move it there, or mend what names it",
        f"{base}/elsewhere/rules.txt was at {tmp_path}/far/rules.txt: move it there, or mend what names it",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_root_hands_everything_to_the_services_account(lived, machine, tmp_path):
    """Restored by root into a folder of a service's, every file of the state is the service's."""
    new = machine("new")
    state = new.config.parent / "state"
    state.mkdir()
    os.chown(state, 12345, 12345)
    await new.restore(await lived.backup())
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in state.rglob("*")}

    assert owners == {(12345, 12345)}
