"""What may stand in generated configuration: each value is checked against its form, so that none can say anything else."""

import re

_INTERFACE = re.compile(r"[A-Za-z0-9_.@:-]{1,15}")
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)


def checked_interface(name: str) -> str:
    """The name of a network interface.

    Raises:
        ValueError: it is none that Linux would allow, or one that would need quoting.
    """
    if not _INTERFACE.fullmatch(name) or name in {".", ".."}:
        raise ValueError(f"expected the name of a network interface like br-lan, found {name!r}")
    return name


def is_host(name: str) -> bool:
    """Whether it is a host's name, in ASCII and lower case, that DNS can be asked for; an address is none."""
    return _HOST.fullmatch(name) is not None and not name[-1].isdigit()
