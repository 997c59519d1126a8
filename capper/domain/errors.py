"""The exceptions of capper, few enough to draw.

CapperError
├── ConfigError          a file or option of the owner's cannot be used as it stands
├── LedgerUnavailable    the ledger did not answer in time; the caller fails open
├── ListenError          the address to listen on is in use, or not ours to use
└── Unrewritable         a body cannot be edited safely; it passes untouched
"""


class CapperError(Exception):
    """Anything capper raises on purpose; its text is one sentence fit for a person."""


class ConfigError(CapperError):
    """A policy, configuration file or option says something that capper cannot do."""


class LedgerUnavailable(CapperError):
    """The ledger is gone, or did not answer before its deadline."""


class ListenError(CapperError):
    """The address to listen on is in use, or not ours to use."""


class Unrewritable(CapperError):
    """A body is too large, in an unknown coding or charset, or damaged."""
