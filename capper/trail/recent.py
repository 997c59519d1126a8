"""A mapping that forgets, by age and by number."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta


class Recent[Key: Hashable, Value]:
    """A mapping that forgets: at most `most` values, the longest unused first, none after `life` since it was put.

    What is over is let go as others are put, so that a day's rush does not stay in memory.
    """

    def __init__(self, most: int, life: timedelta) -> None:
        self._most, self._life = most, life
        self._values: OrderedDict[Key, tuple[datetime, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def put(self, key: Key, value: Value, now: datetime) -> None:
        """Remember `value`, which replaces an older one."""
        values = self._values
        values[key] = (now, value)
        values.move_to_end(key)
        while values:
            longest_unused, _ = next(iter(values.values()))
            if len(values) <= self._most and now - longest_unused < self._life:
                break
            values.popitem(last=False)

    def get(self, key: Key, now: datetime) -> Value | None:
        """The value put under `key`, if it is not too old."""
        found = self._values.get(key)
        if found is None:
            return None
        put, value = found
        if now - put >= self._life:
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return value
