"""Requests that no reader made by following a link or typing an address, by their head alone."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

OURS: Final = ("none", "same-origin")
"""What a browser calls the site of a request that no other site made."""
_LED: Final = ("navigate", "document")
_CLIMBING: Final = ("..", "\\", "\0")


def is_prying(headers: Mapping[str, str]) -> bool:
    """Whether another site asks for a page in the background or within one of its own, rather than leading there.

    Browsers say so of secure hosts alone. `headers` are found by their names in lower case.
    """
    if headers.get("sec-fetch-site", "none") in OURS:
        return False
    return (headers.get("sec-fetch-mode", "navigate"), headers.get("sec-fetch-dest", "document")) != _LED


def climbs(path: str) -> bool:
    """Whether a path is one that nobody follows a link to: up, back or through what a file system reads otherwise."""
    plain = unquote(unquote(path))
    return any(part in plain for part in _CLIMBING)
