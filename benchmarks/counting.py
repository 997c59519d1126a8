"""How much work something is, in bytecode instructions: the same on every machine, however busy it is.

What C code does in between is not counted, so growth is measured in time as well (`timing.least_in_turns`), with a wide margin.
"""

import sys
from collections.abc import Awaitable, Callable

_TOOL = 4
"""One of the numbers that `sys.monitoring` leaves to others than debuggers, coverage and profilers."""

type Work = Callable[[], Awaitable[object]]
"""One operation, different from the one before where the code would remember it."""


async def instructions(work: Work, warm: int = 3) -> int:
    """How many instructions `work` runs once it has been run before."""
    for _ in range(warm):
        await work()
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    monitoring = sys.monitoring
    monitoring.use_tool_id(_TOOL, "counting")
    try:
        monitoring.register_callback(_TOOL, monitoring.events.INSTRUCTION, count)
        monitoring.set_events(_TOOL, monitoring.events.INSTRUCTION)
        await work()
    finally:
        monitoring.set_events(_TOOL, monitoring.events.NO_EVENTS)
        monitoring.free_tool_id(_TOOL)
    return counted
