"""What looking for credit prompts adds to a body: milliseconds of CPU, and as many times `json.loads` of an auction's 100 kB.

python -m benchmarks.credit [../shared/data/pages]

With a folder of saved pages, those as well: the least of three for each, whichever they are. Last, what loading costs.

Each round has other numbers in every sentence, so that no text is met twice; words are, as they are in a proxy that has run a while.
"""

import gc
import gzip
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.auctions import yardstick
from benchmarks.timing import least_and_median
from capper.domain.errors import Unrewritable
from capper.gate.credit import Credit
from capper.recognise.credit.packfile import words_once
from capper.recognise.credit.scan import compiled_once

SHOP = "https://shop.example/"
ROUNDS = 15
PLAIN = (
    "<div class=card><h3>Scarf {n}</h3><p>Woven in Leith from lambswool, {n} cm long and soft on the neck.</p></div>\n"
)
WORDED = "<div class=card><h3>Order {n}</h3><p>Your order {n} has been paid with your card; the invoice of £{n}.50 is in your account.</p></div>\n"
NEAR = "<p>Article {n}: a credit limit of £{n}00 was agreed in {n} cases, the bank wrote, and interest is due on the amount.</p>\n"
PROMPT = "<section class=banner><h2>You have been pre-approved to borrow up to £{n}00</h2><a href=/x>Claim it now</a></section>"


@dataclass(frozen=True)
class Row:
    """A body, made anew each round, and the most it may cost, in milliseconds."""

    name: str
    media_type: str
    begin: str
    line: str
    """`{n}` is a number of its own."""
    end: str
    size: int
    limit: float

    def body(self, turn: int) -> bytes:
        """The body of one round."""
        count = self.size // len(self.line)
        lines = "".join(self.line.replace("{n}", str(1000 + turn * count + each)) for each in range(count))
        return (self.begin + lines + self.end).replace("{n}", str(1000 + turn)).encode()


def rows() -> Iterator[Row]:
    """What is measured."""
    html, begin, end = (
        "text/html",
        "<!doctype html><html lang=en><title>Shop</title><body><p>Welcome back</p>",
        "</body></html>",
    )
    yield Row("page without the vocabulary", html, begin, PLAIN, end, 210_000, 0.3)
    yield Row("page of orders and invoices", html, begin, WORDED, end, 210_000, 6)
    yield Row("page of articles, one of them about credit", html, begin + NEAR, PLAIN, end, 210_000, 6)
    yield Row("page with a prompt", html, begin + PROMPT, PLAIN, end, 210_000, 6)
    state = '<script>window.__STATE__={"hero":{"title":"You have been pre-approved to borrow up to £{n}00"},"items":['
    item = (
        '{"id":{n},"name":"Scarf {n}","text":"Woven in Leith from lambswool","price":{"amount":{n},"currency":"GBP"}},'
    )
    yield Row(
        "page with a prompt, and state of 210 kB with it",
        html,
        begin + PROMPT + state,
        item,
        "0]}</script>" + end,
        210_000,
        12,
    )
    answer = '{"hero":{"title":"You have been pre-approved to borrow up to £{n}00"},"items":['
    yield Row("answer with a prompt", "application/json", answer, item, "0]}", 210_000, 6)


def cost(credit: Credit, row: Row) -> tuple[float, float]:
    """The least and the median time, in milliseconds of CPU."""
    times = []
    for turn in range(ROUNDS):
        body = row.body(turn)
        start = time.process_time()
        stripped = credit.strip(body, row.media_type, SHOP, "utf-8")
        times.append((time.process_time() - start) * 1000)
        assert ("prompt" in row.name) == bool(stripped.prompts), row.name
    return least_and_median(times)


def saved(credit: Credit, path: Path) -> float:
    """The least time of one saved page; one that cannot be edited costs what it takes to see that."""
    body = gzip.decompress(path.read_bytes())
    times = []
    for _ in range(3):
        start = time.process_time()
        with suppress(Unrewritable):
            credit.strip(body, "text/html", SHOP, "utf-8")
        times.append((time.process_time() - start) * 1000)
    return min(times)


def loading() -> Iterator[float]:
    """How long loading takes at the first start and the next, in milliseconds of CPU."""
    with tempfile.TemporaryDirectory() as folder:
        now = datetime.now(UTC)
        make, read = compiled_once(Path(folder, "scan.bin"), now), words_once(Path(folder, "packs.bin"), now)
        for _ in range(2):
            start = time.process_time()
            Credit.load(make, read)
            yield (time.process_time() - start) * 1000


def table(pages: Sequence[Path]) -> Iterator[str]:
    """Lines of a table in Markdown."""
    credit = Credit.load()
    # As `capper run` does: what is loaded once is no garbage to look through.
    gc.collect()
    gc.freeze()
    yard = yardstick()
    yield "| what looking for credit prompts adds | bytes | least, ms | median, ms | times `json.loads` | limit, ms |"
    yield "|---|--:|--:|--:|--:|--:|"
    for row in rows():
        least, median = cost(credit, row)
        yield f"| {row.name} | {len(row.body(0)):,} | {least:.2f} | {median:.2f} | {least / yard:.1f} | {row.limit:g} |"
    times = sorted(saved(credit, path) for path in pages)
    if times:
        yield ""
        yield f"| {len(times)} saved pages | ms | times `json.loads` |"
        yield "|---|--:|--:|"
        for name, share in (("median", 0.5), ("95 of 100", 0.95), ("all", 1.0)):
            time_ = times[min(int(len(times) * share), len(times) - 1)]
            yield f"| {name} | {time_:.2f} | {time_ / yard:.1f} |"
    yield ""
    yield "| loading | ms | times `json.loads` |"
    yield "|---|--:|--:|"
    for name, time_ in zip(("first start", "next start"), loading(), strict=True):
        yield f"| {name} | {time_:.0f} | {time_ / yard:.0f} |"


def main() -> None:
    """Print the tables."""
    pages = sorted(Path(sys.argv[1]).rglob("*.html.gz")) if len(sys.argv) > 1 else []
    for line in table(pages):
        print(line, flush=True)


if __name__ == "__main__":
    main()
