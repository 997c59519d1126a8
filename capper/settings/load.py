"""Settings from everywhere they may be said: a command's options, then CAPPER_* in the environment, then capper.toml, then the defaults."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.settings.options import OPTIONS, Settings
from capper.settings.places import config_file, own_policy, packaged_policy
from capper.settings.reader import Reader, a_version
from capper.settings.toml import parse, read_text
from capper.settings.writing import put

PREFIX = "CAPPER_"
VERSION = 1
"""The form of capper.toml."""


def load_settings(
    path: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings in force.

    Args:
        path: the configuration file; None looks at CAPPER_CONFIG, then at the owner's configuration folder.
        overrides: a command's options by key; those that are None were not given.

    Raises:
        ConfigError: everything that is wrong in one source, a line each.
    """
    found = config_file(path, environ)
    values = read_settings(read_text(found), str(found), found.absolute().parent) if found else {}
    values |= _from_environment(environ)
    values |= _from_options(overrides or {})
    if values.get("state") is None:
        values.pop("state", None)
    settings = Settings(**values)
    if settings.policy is None and own_policy().exists():
        settings = replace(settings, policy=own_policy())
    _check(settings)
    return settings


def read_settings(text: str, name: str, base: Path) -> dict[str, Any]:
    """What a configuration file says, by key; relative paths start from `base`."""
    reader = Reader(parse(text, name))
    top = reader.top()
    top.take("version", a_version(VERSION), VERSION)
    values: dict[str, Any] = {}
    for key, option in OPTIONS.items():
        value = top.take(key, lambda raw, option=option: (option.read(raw, base),), None)  # type: ignore[misc]
        if value is not None:
            values[key] = value[0]
    top.close()
    reader.finish()
    return values


def policy_file(settings: Settings) -> Path:
    """The policy file in force: the owner's, or the starter policy."""
    return settings.policy or packaged_policy()


def own_file(settings: Settings) -> tuple[Path, bool]:
    """The owner's policy file, and whether it had to be begun, from the starter policy.

    Raises:
        ConfigError: it cannot be written.
    """
    path = settings.policy or own_policy()
    begun = settings.policy is None and not path.exists()
    if begun:
        put(path, read_text(packaged_policy()).encode())
    return path, begun


def first_words(settings: Settings) -> str:
    """What to tell an owner who has no policy yet; empty for one who has."""
    if settings.policy is not None:
        return ""
    return f"The starter policy holds. Your own would be {own_policy()}; `capper policy init` begins one."


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    given = {key: environ[variable] for key in OPTIONS if (variable := PREFIX + key.upper()) in environ}
    return dict(_read_each({key: OPTIONS[key].words(text) for key, text in given.items()}, PREFIX))


def _from_options(overrides: Mapping[str, object]) -> dict[str, Any]:
    if unknown := sorted(set(overrides) - set(OPTIONS)):
        raise TypeError(f"no such setting: {', '.join(unknown)}")
    return dict(_read_each({key: value for key, value in overrides.items() if value is not None}, "--"))


def _read_each(given: Mapping[str, object], prefix: str) -> Iterator[tuple[str, Any]]:
    wrong: list[str] = []
    for key, value in given.items():
        try:
            yield key, OPTIONS[key].read(value, Path.cwd())
        except ValueError as exc:
            name = f"{prefix}{key.upper()}" if prefix == PREFIX else f"{prefix}{key.replace('_', '-')}"
            wrong.append(f"{name}: {exc}")
    if wrong:
        raise ConfigError("\n".join(wrong))


def _check(settings: Settings) -> None:
    if not (settings.listen.loopback or settings.lan or settings.proxy_auth):
        raise ConfigError(
            f"listen = {settings.listen} can be reached from other machines, and nothing says who may use it: name your"
            " network (--lan 192.168.1.0/24) or a password (--proxy-auth NAME:PASSWORD), here or in capper.toml, or listen"
            " on 127.0.0.1"
        )
    if settings.workers > 1 and settings.ledger == "memory":
        raise ConfigError(
            f"workers = {settings.workers} with ledger = memory would count for each worker apart; name a ledger that they can"
            " share, like embedded, or have one worker"
        )
    if settings.state.exists() and not settings.state.is_dir():
        raise ConfigError(f"state = {settings.state} is a file; a folder is needed")


def defaults() -> dict[str, Any]:
    """Every key's default; None where it depends on the system."""
    plain = Settings()
    return {part.name: getattr(plain, part.name) for part in fields(Settings)} | {"state": None}
