"""Several readers, each in a Chromium of her own, over the proxy, day after day: each visit becomes a recording and what was seen.

Pages are real and so is the time they take; the days between visits are virtual. Each visit leaves its files in the folder when it
is over, so that one that is interrupted is the only one lost.
"""

import gzip
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag

from capper.audit.browser import HEIGHT, WIDTH, Missed, Seen, chromium, read, window
from capper.audit.looking import crowding
from capper.audit.marks import tried, words
from capper.audit.met import Load, Look, Notice, Refusal, Run
from capper.audit.plan import LOOPBACK, TRIED, Net, Plan
from capper.audit.yardstick import Marks
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

_MOST_MARKS = 12
_COMEBACKS = 3
"""Loads of a page after an ad on it was refused."""
_KINDS = {
    "iframe": Kind.SUBDOCUMENT,
    "img": Kind.IMAGE,
    "video": Kind.MEDIA,
    "object": Kind.OBJECT,
    "embed": Kind.OBJECT,
}
_SMALL = 8
"""Pixels: what is no wider or no higher is no ad to be seen."""


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

    async def ready(self) -> None:
        """It is."""

    async def admit(self, exchange: Exchange) -> Outcome:
        """As it came."""
        del exchange
        return Outcome()


async def visit(
    plan: Plan,
    state: Path,
    recogniser: Recogniser,
    net: Net,
    marks: Marks,
    progress: Callable[[], object] = lambda: None,
) -> list[Path]:
    """Pay every visit that was not paid yet; the recordings, in the order of readers and days.

    `marks` are tried at the last visit of the first reader. `progress` is called for each load of a page, also of visits that
    were paid before.

    Raises:
        ConfigError: there is no browser, or none of a visit's pages could be read.
    """
    found = []
    if not plan.begun():
        plan.keep()
    async with chromium() as browser, _proxy(state, net) as proxy:
        for person in range(plan.people):
            for day in range(plan.visits):
                one = _Visit(plan, person, day, marks)
                if not one.done.exists():
                    await one.pay(browser, proxy, recogniser, progress)
                else:
                    for _ in range(plan.per_visit):
                        progress()
                found.append(one.recording)
    return found


@asynccontextmanager
async def _proxy(state: Path, net: Net) -> AsyncIterator[str]:
    choices = ProxyOptions(state, LOOPBACK, 0, opened=open_all, resolve=dict(net.resolve), upstream_ca=net.upstream_ca)
    household = Policy()
    master = CapperMaster(choices, Untouched(), lambda: household)
    # A browser that is told to take any certificate asks twice; what does not load is told in the report.
    log = logging.getLogger("mitmproxy.proxy.server")
    before = log.level
    log.setLevel(logging.ERROR)
    await master.start()
    try:
        yield f"http://{LOOPBACK}:{master.addresses[0][1]}"
    finally:
        await master.stop()
        log.setLevel(before)


@dataclass(frozen=True, slots=True)
class _Visit:
    plan: Plan
    person: int
    day: int
    marks: Marks

    @property
    def name(self) -> str:
        return f"reader-{self.person + 1}"

    def _file(self, ending: str, day: int | None = None) -> Path:
        return self.plan.visited / self.name / f"{(self.day if day is None else day) + 1:03}{ending}"

    @property
    def recording(self) -> Path:
        return self._file(".har.gz")

    @property
    def done(self) -> Path:
        """What was seen; written last."""
        return self._file(".json")

    async def pay(self, browser: "Browser", proxy: str, recogniser: Recogniser, progress: Callable[[], object]) -> None:
        self.done.parent.mkdir(parents=True, exist_ok=True)
        raw, memory = self._file(".raw.har"), self._file(_MEMORY)
        chance = Random(f"{self.plan.seed}:{self.person}:{self.day}")  # noqa: S311  which link is followed is no secret
        looks: list[dict[str, Any]] = []
        missed: list[Missed] = []
        # Of the day before, not of an attempt at this visit that was interrupted.
        before = self._file(_MEMORY, self.day - 1)
        async with window(browser, proxy, raw, memory=before, remember=memory) as page:
            for start in self.plan.pages:
                url: str | None = start
                for _ in range(1 + self.plan.depth):
                    seen = await read(page, url) if url else None
                    progress()
                    url = None
                    if isinstance(seen, Seen):
                        looks.append({"url": seen.url, "look": asdict(self._look(seen, recogniser, len(looks)))})
                        url = _onward(seen, chance)
                    elif seen:
                        missed.append(seen)
        if not looks:
            raise ConfigError(f"no page could be read: {missed[0].url}: {missed[0].why}")
        self._keep(raw, self.recording, self.day)
        refusals: list[dict[str, Any]] = []
        if self.person == 0 and self.day == self.plan.visits - 1:
            refusals = await self._try(browser, proxy, looks, memory)
        found = {"looks": looks, "missed": [asdict(each) for each in missed], "refusals": refusals}
        draft = self._file(".draft")
        draft.write_text(json.dumps(found, indent=1))
        draft.replace(self.done)

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

    async def _try(
        self, browser: "Browser", proxy: str, looks: list[dict[str, Any]], memory: Path
    ) -> list[dict[str, Any]]:
        """The marks of the ads on each page, in windows apart: what a click leads to is no page of the publisher's."""
        left, found = _MOST_MARKS, []
        for number, look in enumerate({each["url"]: each for each in looks}.values()):
            raw, url = self._file(".raw.har"), look["url"]
            async with window(browser, proxy, raw, memory=memory) as page:
                seen = await read(page, url)
                marks = [] if isinstance(seen, Missed) else await tried(
                    page, self.marks.selectors, words(self.marks.refusals), left
                )  # fmt: skip
                said = [each for each in marks if each.said]
                for _ in range(_COMEBACKS if said else 0):
                    await read(page, url)
            left -= len(marks)
            look["look"]["notices"] = [
                asdict(Notice(site_of(next(iter(each.frames), url)), each.works, each.came, each.said))
                for each in marks
            ]
            if said:
                self._keep(raw, self._file(f"-{number + 1}{TRIED}"))
                found += [
                    {
                        "recording": number + 1,
                        "frames": each.frames,
                        "at": each.at.isoformat(),
                        "said": each.said,
                        "page": url,
                    }
                    for each in said
                ]
            raw.unlink(missing_ok=True)
        return found

    def _keep(self, raw: Path, to: Path, day: int | None = None) -> None:
        """The recording as of this reader, and of the visit's virtual day, if it is of one."""
        har = json.loads(raw.read_bytes())
        entries = har["log"]["entries"]
        times = [at for at in (moment(entry.get("startedDateTime")) for entry in entries) if at]
        begin = self.plan.begin + timedelta(days=day or 0)
        shift = timedelta() if day is None else begin - min(times, default=begin)
        loads = 0
        for entry in entries:
            # What Playwright calls a page is a window, whatever is loaded in it.
            loads += _begins_page(entry)
            entry["pageref"] = f"{self.name} {self.day} {loads}"
            at = moment(entry.get("startedDateTime"))
            entry["startedDateTime"] = ((at or begin) + shift).isoformat()
            entry["_viewer"] = self.name
        with gzip.open(to, "wb", compresslevel=6) as file:
            file.write(json.dumps(har).encode())
        raw.unlink()


_MEMORY = ".memory"
"""Cookies and storage at the end of a visit."""


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


@dataclass(frozen=True, slots=True)
class Visited:
    """What the browsers saw: each reader's looks at an address in their order, loads that failed, what was said to ads."""

    looks: Mapping[tuple[str, str], Sequence[Look]]
    missed: tuple[str, ...]
    refusals: Mapping[Path, Sequence[Refusal]]
    """By the recording in which they were said."""

    def beside(self, run: Run) -> Run:
        """The run with what was seen of its loads."""
        left = {key: list(looks) for key, looks in self.looks.items()}
        loads: list[Load] = []
        for load in run.loads:
            mine = left.get((load.person, load.url))
            loads.append(replace(load, look=mine.pop(0)) if mine else load)
        return replace(run, loads=tuple(loads), missed=self.missed)


def visited(plan: Plan) -> Visited:
    """What was seen at all visits of a plan.

    Raises:
        ConfigError: it is not as it was written.
    """
    looks: dict[tuple[str, str], list[Look]] = {}
    missed: list[str] = []
    refusals: dict[Path, list[Refusal]] = {}
    for file in sorted(plan.visited.glob("reader-*/*.json")):
        try:
            found = json.loads(file.read_text("utf-8"))
            for row in found["looks"]:
                looks.setdefault((file.parent.name, row["url"]), []).append(_look(row["look"]))
            missed += [f"{row['url']}: {row['why']}" for row in found["missed"]]
            for row in found["refusals"]:
                recording = file.with_name(f"{file.stem}-{row['recording']}{TRIED}")
                refusals.setdefault(recording, []).append(
                    Refusal(tuple(row["frames"]), datetime.fromisoformat(row["at"]), row["said"], row["page"])
                )
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise ConfigError(f"{file} cannot be read: remove it, and that visit is paid again ({exc})") from exc
    return Visited(looks, tuple(missed), refusals)


def _look(row: Mapping[str, Any]) -> Look:
    return Look(**{**row, "notices": tuple(Notice(**each) for each in row["notices"])})


def pictures(run: Run, folder: Path, most: int = 12) -> dict[str, bytes]:
    """The screenshots of the first loads of different pages, for the report."""
    first: dict[str, str] = {}
    for load in run.loads:
        if load.look and load.look.picture:
            first.setdefault(load.url, load.look.picture)
    return {name: (folder / name).read_bytes() for name in list(first.values())[:most] if (folder / name).is_file()}
