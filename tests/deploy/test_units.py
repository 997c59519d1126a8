"""deploy/systemd: systemd understands the units, and little is left open."""

import configparser
import re
import shutil
import subprocess

import pytest

UNITS = ("capper.service", "capper-gateway.service", "capper-backup.service", "capper-backup.timer")
SERVICES = {"capper.service": 1.5, "capper-gateway.service": 2.5, "capper-backup.service": 1.8}
"""The most that `systemd-analyze security` may say of each; 10 is a service without any hardening."""

systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def analyze(*arguments: object) -> str:
    """What systemd-analyze says."""
    ended = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False)
    return ended.stdout + ended.stderr


@systemd
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_the_unit(deploy, unit):
    """Nothing is the matter with it but that capper is not installed here."""
    said = analyze("verify", deploy / "systemd" / unit).splitlines()

    assert [line for line in said if unit in line and "/opt/capper/bin/capper is not executable" not in line] == []


@systemd
@pytest.mark.parametrize(("unit", "most"), SERVICES.items())
def test_little_is_left_open(deploy, unit, most):
    """The exposure that systemd works out of the unit stays low."""
    said = analyze("security", "--offline=true", "--no-pager", deploy / "systemd" / unit)

    assert float(re.search(rf"exposure level for {re.escape(unit)}: ([0-9.]+)", said)[1]) <= most


@pytest.mark.parametrize("unit", SERVICES)
def test_every_service_is_bounded(deploy, unit):
    """Memory has a limit, and nobody gains privileges or writes a core file with a person's data in it."""
    text = (deploy / "systemd" / unit).read_text()
    service = configparser.ConfigParser(strict=False, interpolation=None)
    service.optionxform = str
    service.read_string(text)

    assert service["Service"]["NoNewPrivileges"] == "yes"
    assert service["Service"]["ProtectSystem"] == "strict"
    assert service["Service"]["LimitCORE"] == "0"
    assert service["Service"]["UMask"] == "0077"
    assert service["Service"]["MemoryMax"].endswith("M")


def test_capper_feeds_its_watchdog(deploy):
    """The proxy's unit waits until it is ready, and ends it when it falls silent."""
    text = (deploy / "systemd" / "capper.service").read_text()

    assert {"Type=notify", "NotifyAccess=main", "WatchdogSec=20", "Restart=always"} <= set(text.splitlines())
