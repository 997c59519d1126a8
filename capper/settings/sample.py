"""The configuration file with every key, its default and what it means: `config/capper.toml` is this text."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from capper.settings.load import defaults
from capper.settings.options import MIB, OPTIONS, Address
from capper.settings.policy_text import quote

_HEAD = """\
# capper.toml: every key, its default, and what it means. A key that is left out keeps its default.
# The same can be said by an option of the command (--listen) or in the environment (CAPPER_LISTEN); options are
# stronger than the environment, and the environment is stronger than this file. Relative paths start from this file.
version = 1
"""


def sample() -> str:
    """The text of config/capper.toml."""
    return _HEAD + "".join(_entry(key, default) for key, default in defaults().items())


def _entry(key: str, default: Any) -> str:
    option = OPTIONS[key]
    comment = "\n".join(f"# {line}" for line in textwrap.wrap(option.help, 116))
    value = literal(key, default)
    example = "" if option.example == value else f"\n# {key} = {option.example}"
    return f"\n{comment}{example}\n{key} = {value}\n"


def literal(key: str, value: Any) -> str:
    """A setting's value as TOML."""
    match value:
        case None:
            return '""'
        case Address() | Path():
            return quote(str(value))
        case bool():
            return str(value).lower()
        case int() if key.startswith("max_") and value % MIB == 0:
            return quote(f"{value // MIB} MiB")
        case int():
            return str(value)
        case tuple():
            return f"[{', '.join(quote(str(item)) for item in value)}]"
        case dict() if not value:
            return "{}"
        case dict():
            return f"{{ {', '.join(f'{quote(name)} = {quote(text)}' for name, text in value.items())} }}"
        case _:
            return quote(str(value))


def table() -> str:
    """The keys as a table in Markdown, for docs/configuration.md."""
    return "\n".join(["| key | default | what it means |", "|---|---|---|", *_rows()])


def _rows() -> Iterator[str]:
    for key, default in defaults().items():
        yield f"| `{key}` | `{literal(key, default)}` | {OPTIONS[key].help.replace('|', chr(92) + '|')} |"
