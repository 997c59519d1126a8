"""T5 and T6: what becomes of "the same ad" by which key, and by which rung of the ladder real ads are known."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from capper.recognise.ad import AdReader
from capper.recognise.domains import site_of
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.kind import Kind
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.recognise.recogniser import Recogniser
from capper.rewrite.auction import payload
from capper.rewrite.auction.layout import load_layouts
from tables.row import Row, at_most, exactly, told

_EXCHANGE = "https://exchange.example/openrtb2/bid"
_PAGE = "https://www.news.example/story"


def t5(data: Path | None) -> list[Row]:
    """How many of real ads are repeats of another, by what they are told apart."""
    file = data / "pages" / "ad-markup-2020.csv.gz" if data else None
    if file is None or not file.is_file():
        return [told("repeat share by key", "not computed: no ../shared/data/pages/ad-markup-2020.csv.gz here")]
    with gzip.open(file, "rt", encoding="utf-8", newline="") as rows:
        landings = [row["landing_url"] for row in csv.DictReader(rows) if row["landing_url"].startswith("http")]
    parts = [urlsplit(url) for url in landings]
    keys = {
        "full address": landings,
        "address without its query": [f"{each.scheme}://{each.netloc}{each.path}" for each in parts],
        "registrable domain": [site_of(url) for url in landings],
    }
    return [told("ads with a landing page, a part of the 1,379 of the reference", str(len(landings)))] + [
        told(f"repeat share by {name}, %", f"{100 * (1 - len(set(found)) / len(found)):.1f}")
        for name, found in keys.items()
    ]


def t6(data: Path | None) -> list[Row]:
    """By which rung requests of a crawl and bids of real exchanges are known."""
    if data is None or not (data / "requests").is_dir():
        return [told("identity by rung", "not computed: no ../shared/data here")]
    return _requests(data) + _bids(data)


def _requests(data: Path) -> list[Row]:
    recogniser = _recogniser(data)
    rungs: Counter[str] = Counter()
    nobodys = mistaken = number = 0
    verdicts = _lines(data / "requests" / "crawl2019.verdicts.jsonl.gz")
    for row, verdict in zip(_lines(data / "requests" / "crawl2019.jsonl.gz"), verdicts, strict=True):
        number += 1
        source = row["source"]
        ad = recogniser.is_ad(row["url"], source, Kind(row["type"]))
        if ad:
            rungs[recogniser.read_url(row["url"], source).basis] += 1
        if verdict["ghostery"] == verdict["ubo"] == "none":
            nobodys += 1
            mistaken += ad
    ads = rungs.total()
    by_rung = ", ".join(f"{name} {100 * count / ads:.1f}" for name, count in rungs.most_common())
    return [
        told(f"of {number} requests, ads", str(ads)),
        told("known by their address alone, by rung, %", by_rung),
        at_most(
            f"taken for ads, of {nobodys} that no list names for either of two other engines, %",
            100 * mistaken / nobodys,
            0.1,
        ),
    ]


def _bids(data: Path) -> list[Row]:
    reader, layouts = AdReader(load_networks()), load_layouts()
    rungs: Counter[str] = Counter()
    with_crid = keyed = 0
    for file in sorted((data / "adtech" / "bidder-ortb").iterdir()):
        body = file.read_bytes()
        for bid in payload.find(body, _EXCHANGE, layouts, page=_PAGE, exchange=True).bids:
            ad = read_offer(reader, bid.offer)
            rungs[ad.basis] += 1
            if _at(body, bid.path).get("crid"):
                with_crid += 1
                keyed += ad.creative is not None
    by_rung = ", ".join(f"{name} {count}" for name, count in rungs.most_common())
    return [
        exactly(f"bids with a crid, {with_crid}: those whose creative is known", keyed, with_crid),
        told(f"{rungs.total()} bids of real exchanges by rung", by_rung),
    ]


def _at(body: bytes, path: tuple[Any, ...]) -> dict[str, Any]:
    value = json.loads(body)
    for step in path:
        value = value[step]
    return value if isinstance(value, dict) else {}


def _recogniser(data: Path) -> Recogniser:
    """By one list alone, that of the verdicts."""
    text = gzip.decompress((data / "lists" / "easylist-20260822.txt.gz").read_bytes()).decode("utf-8", "replace")
    return Recogniser(Engines.build([FilterList("easylist", text, ListKind.ADS)]), AdReader(load_networks()))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)
