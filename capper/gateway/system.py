"""Applies what the generators wrote: runs `nft`, and puts a file in its place; says what was attempted when that fails."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.gateway.nftables import SETS, TABLE

NFT_SECONDS = 20.0
_ELSEWHERE = ("/usr/sbin", "/sbin")
"""Where it is although an ordinary account's PATH may not say so."""


def feed_nft(attempt: str, text: str) -> None:
    """Have `nft` do what `text` says, all of it or nothing.

    Raises:
        ConfigError: nft is not there, may not, or objects.
    """
    _nft(attempt, "-f", "-", text=text)


def _nft(attempt: str, *arguments: str, text: str = "") -> str:
    nft = _program("nft")
    if nft is None:
        raise ConfigError(f"{attempt}: `nft` is not installed; install the package nftables")
    try:
        ended = subprocess.run(  # noqa: S603  a fixed command; its input is made of checked values
            [nft, *arguments], input=text, capture_output=True, text=True, timeout=NFT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ConfigError(f"{attempt}: {nft}: {exc}") from exc
    if ended.returncode:
        said = ended.stderr.strip().partition("\n")[0] or f"it ended with {ended.returncode}"
        hint = "; run this as root (sudo)" if os.geteuid() and "permitted" in said else ""
        raise ConfigError(f"{attempt}: nft: {said}{hint}")
    return ended.stdout


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *_ELSEWHERE)))


def check_dnsmasq(attempt: str, text: str) -> None:
    """Have dnsmasq read a configuration without using it: one that it refuses would leave the household without names.

    Raises:
        ConfigError: dnsmasq is not there, or refuses it, as versions before 2.90 and builds without nftset do.
    """
    dnsmasq = _program("dnsmasq")
    if dnsmasq is None:
        raise ConfigError(f"{attempt}: `dnsmasq` is not installed; install dnsmasq 2.90 or newer")
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        try:
            ended = subprocess.run(  # noqa: S603  a fixed command
                [dnsmasq, "--test", f"--conf-file={file.name}"],
                capture_output=True,
                text=True,
                timeout=NFT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise ConfigError(f"{attempt}: {dnsmasq}: {exc}") from exc
        said = ended.stderr.strip().replace(file.name, "the file")
    if ended.returncode:
        raise ConfigError(f"{attempt}: it needs dnsmasq 2.90 or newer with nftset; {said or 'it refuses the file'}")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the kernel has of the redirect: whether it is there, whether it works, and how many addresses it knows."""

    applied: bool
    working: bool = False
    lasting: bool = False
    ads4: int = 0
    ads6: int = 0


def standing() -> Standing:
    """The redirect as it stands.

    Raises:
        ConfigError: nft is not there or may not.
    """
    attempt = "look at the redirect"
    tables = json.loads(_nft(attempt, "-j", "list", "tables"))["nftables"]
    if not any(f"{row['family']} {row['name']}" == TABLE for item in tables if (row := item.get("table"))):
        return Standing(applied=False)
    leases = _elements(attempt, "redirected")
    lasting = bool(leases) and not any(isinstance(one, dict) for one in leases)
    four, six = (len(_elements(attempt, name)) for name in SETS)
    return Standing(applied=True, working=bool(leases), lasting=lasting, ads4=four, ads6=six)


def _elements(attempt: str, name: str) -> list[object]:
    found = json.loads(_nft(attempt, "-j", "list", "set", *TABLE.split(), name))["nftables"]
    return [one for item in found for one in item.get("set", {}).get("elem", ())]


def put_file(attempt: str, path: Path, text: str) -> bool:
    """Write a file whole or not at all; returns whether it was another before.

    Raises:
        ConfigError: it cannot be written there.
    """
    try:
        if path.exists() and path.read_text() == text:
            return False
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
            part.write(text)
        part_path = Path(part.name)
        part_path.chmod(0o644)
        part_path.replace(path)
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise ConfigError(f"{attempt}: write {path}: {reason}{_root_hint(exc)}") from exc
    return True


def drop_file(attempt: str, path: Path) -> bool:
    """Delete a file; returns whether there was one.

    Raises:
        ConfigError: it cannot be deleted.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise ConfigError(f"{attempt}: delete {path}: {exc.strerror}{_root_hint(exc)}") from exc
    return True


def _root_hint(exc: Exception) -> str:
    return "; run this as root (sudo)" if isinstance(exc, PermissionError) and os.geteuid() else ""


def run_command(command: str) -> str | None:
    """Run the owner's own command, without a shell; None if it went well, else what is the matter."""
    try:
        ended = subprocess.run(  # noqa: S603  the owner's own words
            shlex.split(command), capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as exc:
        return str(exc)
    return None if ended.returncode == 0 else ended.stderr.strip() or f"it ended with {ended.returncode}"
