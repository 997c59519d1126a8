"""What keeps capper fast from one change to the next: the work of its operations, and how that grows with what is known.

    python -m benchmarks.limits             what each is today, beside its limit; exits with 1 where one is broken
    python -m benchmarks.limits --json      the same for machines

Work is counted in bytecode instructions and growth is a ratio, so that neither asks how fast or how busy the machine is.
"""

import argparse
import asyncio
import json
import sys
import tomllib
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.counting import instructions
from benchmarks.operations import Operations
from benchmarks.timing import least_in_turns

LIMITS = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit, and what was found."""

    name: str
    found: float
    most: float

    @property
    def broken(self) -> bool:
        """Whether it is."""
        return self.found > self.most


async def measured(table: dict[str, Any]) -> AsyncIterator[Limit]:
    """Every limit of the table."""
    operations = Operations()
    for name, limit in table["work"].items():
        work = await getattr(operations, name)()
        yield Limit(name, await instructions(work), limit["today"] * table["margin"])
    for name, limit in table["growth"].items():
        few, many = [await getattr(operations, name)(limit[size]) for size in ("few", "many")]
        yield Limit(f"{name}, work", await instructions(many) / await instructions(few), limit["work"])
        times = await least_in_turns(few, many)
        yield Limit(f"{name}, time", times[1] / times[0], limit["time"])


async def report(*, as_json: bool) -> int:
    """Tell them; 1 where one is broken."""
    found = []
    async for limit in measured(tomllib.loads(LIMITS.read_text("utf-8"))):
        found.append(limit)
        if not as_json:
            word = "BROKEN" if limit.broken else "kept"
            print(f"{limit.name:28} {limit.found:>12,.2f}   at most {limit.most:>12,.2f}   {word}", flush=True)
    if as_json:
        print(json.dumps([asdict(limit) for limit in found]))
    return int(any(limit.broken for limit in found))


def main() -> int:
    """Measure them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    return asyncio.run(report(as_json=parser.parse_args().json))


if __name__ == "__main__":
    sys.exit(main())
