"""What is worked out from addresses is remembered, to be quick about the next request, and forgotten within minutes.

Who could read the process's memory would learn from it where somebody was.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

FORGOTTEN_AFTER = timedelta(minutes=10)
"""How often a process that serves people calls `forget`."""


class _Memory(Protocol):
    def cache_clear(self) -> None: ...


_memories: WeakValueDictionary[int, _Memory] = WeakValueDictionary()
"""By `id`, for dictionaries have no hash."""


def remembered[Value](most: int) -> "Callable[[Callable[..., Value]], _lru_cache_wrapper[Value]]":
    """`functools.lru_cache`, emptied by `forget`: for functions of addresses and of who advertised."""

    def remembering(function: Callable[..., Value]) -> "_lru_cache_wrapper[Value]":
        memory = lru_cache(most)(function)
        _memories[id(memory)] = memory
        return memory

    return remembering


class Shelf[Key, Value](dict[Key, Value]):
    """A dictionary that begins anew when it would hold more than `most`, and that `forget` empties."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        _memories[id(self)] = self

    def __setitem__(self, key: Key, value: Value) -> None:
        if len(self) >= self._most:
            self.clear()
        super().__setitem__(key, value)

    def cache_clear(self) -> None:
        """Let go of all."""
        self.clear()


def forget() -> None:
    """Let go of everything that is remembered in this process."""
    for memory in list(_memories.values()):
        memory.cache_clear()
