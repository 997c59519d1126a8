"""Lists of hosts that must not be opened, in the syntax of AdGuard's HttpsExclusions: a host a line, `//` comments."""

import re
from collections.abc import Iterator

from capper.recognise.filterlist import not_text

_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST = 253
_COMMENTS = ("//", "#", "!", "[")


def exclusions(text: str) -> Iterator[str]:
    """The hosts a list names, in lower case and ASCII; each speaks for its subdomains.

    A line for one application (`host$app=...`) is left out: a proxy does not see which application asks, and such lines
    name whole clouds. Of `ping.*.host` what follows the star is named: that closes more, never less. Addresses are left
    out, because a connection without a name is never opened.
    """
    for line in text.removeprefix("\ufeff").splitlines():
        name = line.strip()
        if name and not name.startswith(_COMMENTS) and (host := _host(name)):
            yield host


def _host(name: str) -> str | None:
    name, _, modifiers = name.partition("$")
    if modifiers:
        return None
    name = name[: 2 * _LONGEST].partition(" ")[0].partition("#")[0].rpartition("*")[2].strip("\"'.").lower()
    try:
        name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    # What ends in a digit is an address; a top-level domain alone would close a country.
    if len(name) > _LONGEST or "." not in name or name[-1].isdigit() or not _HOST.fullmatch(name):
        return None
    return name


def exclusions_refusal(text: str) -> str | None:
    """Why `text` is no such list, in words that follow `this is not a list of hosts:`; None when it is one."""
    if why := not_text(text):
        return why
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(_COMMENTS)]
    named = sum(1 for _ in exclusions(text))
    special = sum(1 for line in lines if "$" in line and _HOST.fullmatch(line.partition("$")[0].lower()))
    if not named:
        return "it names no host"
    # Filter rules and prose name a host here and there by chance.
    return "most of its lines are no hosts" if (named + special) * 2 < len(lines) else None
