"""Which exchanges are under way, and when there is a pause."""

import asyncio
from typing import Final

from mitmproxy import http

_PAUSE: Final = 0.5
"""Seconds without a request or an answer."""


class Flight:
    """The addon that knows which exchanges are under way, so that stopping can wait for them."""

    def __init__(self) -> None:
        self._flows: set[str] = set()
        self._stirred = asyncio.Event()
        self._stirred.set()  # by the start
        self.landed = asyncio.Event()
        self.landed.set()

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        self._flows.add(flow.id)
        self.landed.clear()

    def response(self, flow: http.HTTPFlow) -> None:
        self._flows.discard(flow.id)
        self._stirred.set()
        if not self._flows:
            self.landed.set()

    error = response

    async def pause(self, seconds: float = _PAUSE) -> None:
        """Wait until something was answered (at first: for nothing), and then nothing for a moment."""
        await self._stirred.wait()
        while self._stirred.is_set():
            self._stirred.clear()
            await asyncio.sleep(seconds)
