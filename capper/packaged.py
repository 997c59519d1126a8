"""Where the configuration that travels with capper lies: in the wheel, or beside the package in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def packaged_config() -> Path:
    """The folder with capper.toml, policy.toml, networks/, lists/ as they were shipped."""
    inside = _PACKAGE / "config"
    return inside if inside.is_dir() else _PACKAGE.parent / "config"
