"""What capper needs of one HTTP request and its response, free of any proxy."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from capper.domain.decision import Decision
from capper.domain.identity import Viewer
from capper.domain.prompt import Prompt


def origin_of(url: str) -> str:
    """`scheme://host:port` of a URL, as it is written and without a user; "" for what is no URL."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class Headers:
    """HTTP header fields: ordered, repeatable, names compared without case. Immutable; edits return a copy."""

    __slots__ = ("_fields", "_index")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple(fields)
        self._index: dict[str, str] = {}
        for name, value in self._fields:
            key = name.lower()
            self._index[key] = f"{self._index[key]}, {value}" if key in self._index else value

    def get(self, name: str, default: str = "") -> str:
        """The field's value, several joined by `, ` (RFC 9110 section 5.3)."""
        return self._index.get(name.lower(), default)

    def has_any(self, names: Collection[str]) -> bool:
        """Whether there is a field called one of `names`, which are in lower case."""
        return not self._index.keys().isdisjoint(names)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._index

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(self._fields)

    def __repr__(self) -> str:
        return f"Headers({list(self._fields)!r})"

    def with_(self, name: str, value: str) -> Self:
        """A copy in which `name` has this one value, where it first stood."""
        key = name.lower()
        fields: list[tuple[str, str]] = []
        for old in self._fields:
            if old[0].lower() != key:
                fields.append(old)
            elif name:
                fields.append((old[0], value))
                name = ""
        return type(self)([*fields, (name, value)] if name else fields)

    def without(self, *names: str) -> Self:
        """A copy that lacks every field called one of `names`."""
        keys = {name.lower() for name in names}
        return type(self)(field for field in self._fields if field[0].lower() not in keys)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the client sent it; `url` is absolute."""

    method: str
    url: str
    headers: Headers = Headers()  # noqa: RUF009  immutable
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A response; `body` is in its content coding, as it came over the wire.

    `unrecorded` is the size of a body that a recording tells of but does not hold; `body` is empty then.
    """

    status: int
    headers: Headers = Headers()  # noqa: RUF009  immutable
    body: bytes = b""
    unrecorded: int = 0

    def carrying(self, body: bytes, headers: Headers | None = None) -> Self:
        """The same response with another body."""
        return replace(self, body=body, headers=self.headers if headers is None else headers)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, its response once there is one, whose it is and when it was made.

    `device` tells apart the devices of one viewer, so that two browsers' page loads are two. `kind` is the browser's
    own word for the resource type where it is known (a HAR's `_resourceType`); `page` is the browser's own name for the
    page load this belongs to (a HAR's `pageref`).
    """

    request: Request
    viewer: Viewer
    at: datetime
    response: Response | None = None
    device: str = ""
    kind: str | None = None
    page: str | None = None


class Action(StrEnum):
    """What becomes of an exchange."""

    PASS = "pass"  # noqa: S105  not a password
    FORWARD = "forward"
    ANSWER = "answer"
    REWRITE = "rewrite"


# One is made for each exchange with an ad; a dataclass takes three times as long to make.
class Outcome(NamedTuple):
    """What the gate made of an exchange.

    PASS: as it came, byte for byte. FORWARD: the origin is asked by `request` instead. ANSWER: `response` is ours and the
    origin is not asked. REWRITE: `response` takes the place of the origin's. `note` says why something that might have
    been rewritten was left alone.
    """

    action: Action = Action.PASS
    response: Response | None = None
    decisions: tuple[Decision, ...] = ()
    note: str = ""
    request: Request | None = None
    lost: tuple[tuple[str, float], ...] = ()
    """What a publisher is paid less for the slots, by currency ("" where none was named), for a thousand impressions."""
    paid: tuple[tuple[str, float], ...] = ()
    """What the slots' best bids would have paid as the answer came, likewise."""
    prompts: tuple[Prompt, ...] = ()
    read: bytes | None = None
    """The body that is delivered without its content codings, where somebody took them off."""
