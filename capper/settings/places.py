"""Where capper keeps its files on this system: the owner's configuration, and the state nobody edits."""

from collections.abc import Mapping
from pathlib import Path

import platformdirs

from capper.packaged import packaged_config

CONFIG_VARIABLE = "CAPPER_CONFIG"


def config_dir() -> Path:
    """The folder in which the owner's capper.toml and policy.toml are looked for."""
    return platformdirs.user_config_path("capper", appauthor=False)


def state_dir() -> Path:
    """The folder for the ledger, its secret, the certificate authority and the lists, unless `state` says another."""
    return platformdirs.user_state_path("capper", appauthor=False)


def config_file(given: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The configuration file in use: the one given, CAPPER_CONFIG's, else the owner's if there is one."""
    if given is not None:
        return given
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named).expanduser()
    usual = config_dir() / "capper.toml"
    return usual if usual.exists() else None


def own_policy() -> Path:
    """Where the owner's policy is looked for when none is named."""
    return config_dir() / "policy.toml"


def packaged_policy() -> Path:
    """The starter policy."""
    return packaged_config() / "policy.toml"
