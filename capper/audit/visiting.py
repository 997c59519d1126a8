"""Several readers, each in a Chromium of her own, over the proxy, day after day: each visit becomes a recording and what was seen.

Pages are real and so is the time they take; the days between visits are virtual. Each visit leaves its files in the folder when it
is over, so that one that is interrupted is the only one lost.
"""

import gzip
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag

from capper.audit.browser import HEIGHT, WIDTH, Seen, chromium, marks, read, window
from capper.audit.looking import crowding
from capper.audit.met import Load, Look, Notice, Run
from capper.domain.errors import ConfigError
from capper.domain.exchange import Exchange, Outcome
from capper.domain.policy import Policy
from capper.measure.entry import moment
from capper.proxy.master import CapperMaster, ProxyOptions
from capper.proxy.opening import open_all
from capper.recognise.domains import site_of
from capper.recognise.kind import Kind
from capper.recognise.recogniser import Recogniser

if TYPE_CHECKING:
    from capper.audit.browser import Browser

LOOPBACK = "127.0.0.1"
_MOST_MARKS = 12
_KINDS = {
    "iframe": Kind.SUBDOCUMENT,
    "img": Kind.IMAGE,
    "video": Kind.MEDIA,
    "object": Kind.OBJECT,
    "embed": Kind.OBJECT,
}
_SMALL = 8
"""Pixels: what is no wider or no higher is no ad to be seen."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who reads what: each of `people` pays `visits` visits, a virtual day apart, to every page, and follows `depth` links from each."""

    pages: tuple[str, ...]
    folder: Path
    begin: datetime
    people: int = 1
    visits: int = 3
    depth: int = 1
    seed: int = 0
    selectors: tuple[str, ...] = ()
    """Of the marks that are tried at the last visit of the first reader."""

    @property
    def loads(self) -> int:
        """How many pages are loaded at most."""
        return self.people * self.visits * len(self.pages) * (1 + self.depth)


@dataclass(frozen=True, slots=True)
class Net:
    """How the proxy gets to the pages: names that are elsewhere than they say, and whom it trusts besides."""

    resolve: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    upstream_ca: Path | None = None


class Untouched:
    """A gate that lets everything pass as it came: what is judged is the page, and that is done afterwards."""

    max_body = 0

    def foresees(self, exchange: Exchange) -> bool:
        """Nothing."""
        del exchange
        return False

    def wants(self, exchange: Exchange) -> bool:
        """Nothing."""
        del exchange
        return False

    def begins(self, exchange: Exchange) -> bool:
        """Nothing."""
        del exchange
        return False

    async def admit(self, exchange: Exchange) -> Outcome:
        """As it came."""
        del exchange
        return Outcome()


async def visit(
    plan: Plan, state: Path, recogniser: Recogniser, net: Net, progress: Callable[[], object] = lambda: None
) -> list[Path]:
    """Pay every visit that was not paid yet; the recordings, in the order of readers and days.

    `progress` is called for each load of a page, also of visits that were paid before.

    Raises:
        ConfigError: there is no browser, or no page could be loaded.
    """
    found = []
    async with chromium() as browser, _proxy(state, net) as proxy:
        for person in range(plan.people):
            for day in range(plan.visits):
                one = _Visit(plan, person, day)
                if not one.done.exists():
                    await one.pay(browser, proxy, recogniser, progress)
                else:
                    for _ in range(len(plan.pages) * (1 + plan.depth)):
                        progress()
                found.append(one.recording)
    return found


@asynccontextmanager
async def _proxy(state: Path, net: Net) -> AsyncIterator[str]:
    choices = ProxyOptions(state, LOOPBACK, 0, opened=open_all, resolve=dict(net.resolve), upstream_ca=net.upstream_ca)
    household = Policy()
    master = CapperMaster(choices, Untouched(), lambda: household)
    await master.start()
    try:
        yield f"http://{LOOPBACK}:{master.addresses[0][1]}"
    finally:
        await master.stop()


@dataclass(frozen=True, slots=True)
class _Visit:
    plan: Plan
    person: int
    day: int

    @property
    def name(self) -> str:
        return f"reader-{self.person + 1}"

    def _file(self, ending: str) -> Path:
        return self.plan.folder / "visits" / self.name / f"{self.day + 1:03}{ending}"

    @property
    def recording(self) -> Path:
        return self._file(".har.gz")

    @property
    def done(self) -> Path:
        """What was seen; written last."""
        return self._file(".json")

    async def pay(self, browser: "Browser", proxy: str, recogniser: Recogniser, progress: Callable[[], object]) -> None:
        self.done.parent.mkdir(parents=True, exist_ok=True)
        raw = self._file(".raw.har")
        chance = Random(f"{self.plan.seed}:{self.person}:{self.day}")  # noqa: S311  which link is followed is no secret
        looks: list[dict[str, Any]] = []
        async with window(browser, proxy, har=raw, memory=self.done.parent / "memory.json") as page:
            for start in self.plan.pages:
                url: str | None = start
                for _ in range(1 + self.plan.depth):
                    seen = await read(page, url) if url else None
                    progress()
                    if seen:
                        looks.append({"url": seen.url, "look": asdict(self._look(seen, recogniser, len(looks)))})
                    url = _onward(seen, chance) if seen else None
        if self.person == 0 and self.day == self.plan.visits - 1:
            await self._try(browser, proxy, looks)
        self._keep(raw)
        self.done.write_text(json.dumps(looks, indent=1))

    def _look(self, seen: Seen, recogniser: Recogniser, number: int) -> Look:
        boxes = [
            box
            for tag, url, box in seen.boxes
            if min(box.width, box.height) > _SMALL and recogniser.is_ad(url, seen.url, _KINDS[tag])
        ]
        picture = self._file(f"-{number + 1}.jpg")
        picture.write_bytes(seen.picture)
        name = picture.relative_to(self.plan.folder).as_posix()
        return Look(WIDTH, HEIGHT, seen.tall, *crowding(boxes, WIDTH, HEIGHT), picture=name)

    async def _try(self, browser: "Browser", proxy: str, looks: list[dict[str, Any]]) -> None:
        """The marks of the ads, in a window that is not recorded: what a click leads to is no page of the publisher's."""
        tried = 0
        for look in {each["url"]: each for each in looks}.values():
            async with window(browser, proxy) as page:
                if await read(page, look["url"]) is None:
                    continue
                found = await marks(page, self.plan.selectors, _MOST_MARKS - tried)
            tried += len(found)
            look["look"]["notices"] = [asdict(Notice(site_of(where), works, came)) for where, works, came in found]

    def _keep(self, raw: Path) -> None:
        """The recording as of the visit's virtual day, and of this reader."""
        har = json.loads(raw.read_bytes())
        entries = har["log"]["entries"]
        times = [at for at in (moment(entry.get("startedDateTime")) for entry in entries) if at]
        shift = self.plan.begin + timedelta(days=self.day) - min(times, default=self.plan.begin)
        loads = 0
        for entry in entries:
            # What Playwright calls a page is a window, whatever is loaded in it.
            loads += _begins_page(entry)
            entry["pageref"] = f"{self.name} {self.day} {loads}"
            at = moment(entry.get("startedDateTime"))
            entry["startedDateTime"] = ((at or self.plan.begin) + shift).isoformat()
            entry["_viewer"] = self.name
        with gzip.open(self.recording, "wb", compresslevel=6) as file:
            file.write(json.dumps(har).encode())
        raw.unlink()


def _begins_page(entry: Mapping[str, Any]) -> bool:
    fields = {field["name"].lower(): field["value"] for field in entry["request"]["headers"]}
    return fields.get("sec-fetch-dest") == "document" and 200 <= entry["response"]["status"] < 300


def _onward(seen: Seen, chance: Random) -> str | None:
    """A link to another page of the same site."""
    here, site = urldefrag(seen.url).url, site_of(seen.url)
    links = [urldefrag(url).url for url in seen.links if url.startswith(("http://", "https://"))]
    same = sorted({url for url in links if url != here and site_of(url) == site})
    return chance.choice(same) if same else None


# What was seen, put beside what was recorded


def seen_too(run: Run, folder: Path) -> Run:
    """The run with what the browsers saw of its loads.

    Raises:
        ConfigError: what was seen is not as it was written.
    """
    looks: dict[tuple[str, str], list[Look]] = {}
    for file in sorted((folder / "visits").glob("reader-*/*.json")):
        if file.name != "memory.json":
            for url, look in _read(file):
                looks.setdefault((file.parent.name, url), []).append(look)
    loads: list[Load] = []
    for load in run.loads:
        mine = looks.get((load.person, load.url))
        loads.append(replace(load, look=mine.pop(0)) if mine else load)
    return replace(run, loads=tuple(loads))


def _read(file: Path) -> list[tuple[str, Look]]:
    try:
        rows = json.loads(file.read_text("utf-8"))
        return [
            (row["url"], Look(**(row["look"] | {"notices": tuple(Notice(**each) for each in row["look"]["notices"])})))
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ConfigError(f"{file} cannot be read: remove it, and that visit is paid again ({exc})") from exc


def pictures(run: Run, folder: Path, most: int = 12) -> dict[str, bytes]:
    """The screenshots of the first loads of different pages, for the report."""
    first: dict[str, str] = {}
    for load in run.loads:
        if load.look and load.look.picture:
            first.setdefault(load.url, load.look.picture)
    return {name: (folder / name).read_bytes() for name in list(first.values())[:most] if (folder / name).is_file()}
