"""Lets the beginning of a page pass while the rest of it is on its way, and the rest once it was judged."""

from typing import Any, Final

from mitmproxy import http
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import HttpStream, SendHttp
from mitmproxy.proxy.layers.http._events import ResponseData
from mitmproxy.proxy.layers.http._hooks import HttpResponseHook

from capper.rewrite.html.prelude import Prelude

_REST: Final = "capper-rest"


def begin(response: http.Response, most: int) -> Prelude:
    """Let a response's page pass as far as it may; what waits is sent after the `response` hook, by `follow`."""
    prelude = Prelude(most)

    def released(piece: bytes) -> list[bytes]:
        # An empty piece would end a chunked body.
        passing = prelude.take(piece) if piece else b""
        return [passing] if passing else []

    response.stream = released
    return prelude


def follow(flow: http.HTTPFlow, rest: bytes) -> None:
    """Send `rest` behind what has passed of the flow's response; the last that is said holds."""
    flow.metadata[_REST] = rest


_send_response = HttpStream.send_response


def _sent_whole(self: HttpStream, already_streamed: bool = False) -> CommandGenerator[Any]:  # noqa: FBT001, FBT002  mitmproxy's
    """mitmproxy's own, with what is left of the body between the hook and the end."""
    steps = _send_response(self, already_streamed)
    reply = None
    try:
        while True:
            command = steps.send(reply)
            reply = yield command
            if isinstance(command, HttpResponseHook) and (rest := self.flow.metadata.pop(_REST, b"")):
                yield SendHttp(ResponseData(self.stream_id, rest), self.context.client)
    except StopIteration as end:
        return end.value


def send_the_rest() -> None:
    """Teach mitmproxy to send what waits; calling it again does nothing."""
    HttpStream.send_response = _sent_whole  # type: ignore[method-assign]
