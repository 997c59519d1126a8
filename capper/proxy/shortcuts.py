"""Lighter ways through mitmproxy to the same results, for what every request and every piece of a body goes through.

Each replaces a function of its own name, once, for the whole process. What they leave out: searches of all header fields for
each field that is asked for, copies of options that nobody could change, and steps that only its debugging needs.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from mitmproxy import http
from mitmproxy.connection import Connection
from mitmproxy.optmanager import _Option, unset
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import HttpStream, SendHttp
from mitmproxy.proxy.layers.http._events import ResponseHeaders
from mitmproxy.utils.strutils import always_bytes

_OF: Final = "_capper_index_of"
_INDEX: Final = "_capper_index"
_PLAIN: Final = (str, int, bool, type(None))
"""Values that nobody can change, so that a copy is the value itself."""


def take_shortcuts() -> None:
    """Replace them; calling it again does nothing."""
    # mitmproxy checks its own types whenever it makes a message; `python -O` would leave that out, too.
    http.MessageData.__post_init__ = _nothing  # type: ignore[method-assign]
    http.Headers.__contains__ = _holds  # type: ignore[assignment, method-assign]
    http.Headers.__getitem__ = _folded  # type: ignore[assignment, method-assign]
    http.Headers.get = _found  # type: ignore[assignment, method-assign]
    http.Headers.get_all = _all  # type: ignore[method-assign]
    _Option.current = _current  # type: ignore[method-assign]
    Connection.__eq__ = _same  # type: ignore[method-assign]
    Context.fork = _fork  # type: ignore[method-assign]
    HttpStream.start_response_stream = _stream_response  # type: ignore[method-assign]


def _nothing(_: http.MessageData) -> None:
    pass


# Header fields


def _index(headers: http.Headers) -> dict[bytes, bytes]:
    """Values by name in lower case, several joined. Fields are never changed, only replaced: while they are the same it holds."""
    fields, state = headers.fields, vars(headers)
    if state.get(_OF) is fields:
        return cast("dict[bytes, bytes]", state[_INDEX])
    index = {name.lower(): value for name, value in fields}
    if len(index) < len(fields):
        several: dict[bytes, list[bytes]] = {}
        for name, value in fields:
            several.setdefault(name.lower(), []).append(value)
        index = {name: b", ".join(values) for name, values in several.items()}
    state[_OF], state[_INDEX] = fields, index
    return index


def _key(name: str | bytes) -> bytes:
    raw = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else always_bytes(name)
    return raw.lower()


def _holds(self: http.Headers, name: str | bytes) -> bool:
    return _key(name) in _index(self)


def _folded(self: http.Headers, name: str | bytes) -> str:
    value = _index(self).get(_key(name))
    if value is None:
        raise KeyError(name)
    return value.decode("utf-8", "surrogateescape")


def _found(self: http.Headers, name: str | bytes, default: Any = None) -> Any:
    value = _index(self).get(_key(name))
    return default if value is None else value.decode("utf-8", "surrogateescape")


_every = http.Headers.get_all


def _all(self: http.Headers, name: str | bytes) -> list[str]:
    return _every(self, name) if _key(name) in _index(self) else []


# What is copied, compared and made

_copied: Callable[[_Option], Any] = _Option.current


def _current(self: _Option) -> Any:
    value = self._default if self.value is unset else self.value
    return value if isinstance(value, _PLAIN) else _copied(self)


def _same(self: Connection, other: object) -> bool:
    return self is other or (isinstance(other, Connection) and self.id == other.id)


def _fork(self: Context) -> Context:
    """Without the server that a new context has until it is given another, and the random number that names it."""
    forked = object.__new__(Context)
    vars(forked).update(vars(self))
    forked.layers = self.layers.copy()
    return forked


def _stream_response(self: HttpStream) -> CommandGenerator[None]:
    """Without a line for the log on each response."""
    assert self.flow.response
    yield SendHttp(ResponseHeaders(self.stream_id, self.flow.response, end_stream=False), self.context.client)
    self.server_state = self.state_stream_response_body
