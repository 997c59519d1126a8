"""Tries the "i" of ads as a reader would: clicks it, looks what comes of it, and refuses the ad where that is offered."""

import re
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from capper.audit.browser import Missed, faults, read

if TYPE_CHECKING:
    from capper.audit.browser import Frame, Locator, Page, Response

_PATIENCE = 6_000
"""Milliseconds for something to come of a click: a machine may be slow, and so may an ad's server."""
_LOOK = 100
"""Milliseconds between two looks whether it has."""
_SETTLE = 1_500
"""Milliseconds until what comes of a click is there whole."""
_SHAPE = "() => document.body ? document.body.innerHTML.length + location.href : ''"
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Mark:
    """The "i" of an ad, after a click.

    `frames` are the addresses of the documents that may be the ad's: the mark's own, those around it, those in it. `came` is what
    came of the click. `said` are the words of the control by which the ad was refused, "" where none was found; `at` is when.
    """

    frames: tuple[str, ...]
    works: bool
    came: str
    said: str
    at: datetime


def words(phrases: Iterable[str]) -> re.Pattern[str]:
    """A control that says one of these and nothing else."""
    return re.compile(rf"^\W*(?:{'|'.join(map(re.escape, phrases))})\W*$", re.IGNORECASE)


async def tried(page: "Page", selectors: Sequence[str], refusals: re.Pattern[str], most: int) -> list[Mark]:
    """The marks of the ads on the page that is open: one of each document, at most so many."""
    found: list[Mark] = []
    home = page.url
    for number in range(len(page.frames)):
        if number >= len(page.frames) or len(found) >= most:
            break
        frame = page.frames[number]
        try:
            mark = frame.locator(", ".join(selectors)).first
            if not await mark.count() or not await mark.is_visible():
                continue
            found.append(await _one(page, frame, mark, refusals))
            if page.url != home and isinstance(await read(page, home), Missed):
                break
        except faults():
            continue
    return found


async def _one(page: "Page", frame: "Frame", mark: "Locator", refusals: re.Pattern[str]) -> Mark:
    frames = tuple(_documents(page, frame))
    before, was, known = await frame.evaluate(_SHAPE), page.url, frozenset(page.frames)
    async with _opened(page) as (windows, failed):
        await mark.click(force=True, timeout=_PATIENCE)
        for _ in range(_PATIENCE // _LOOK):
            if windows or page.url != was or await _differs(page, frame, before, known):
                break
            await page.wait_for_timeout(_LOOK)
        await page.wait_for_timeout(_SETTLE)
        if windows or page.url != was:
            where = windows[0] if windows else page
            works, came, inside = where.url not in failed, failed.get(where.url, where.url), where.frames
        else:
            works = await _differs(page, frame, before, known)
            new = [each for each in page.frames if each not in known]
            came, inside = "the ad changed" if works else "", [frame, *frame.child_frames, *new]
        said = await _refused(page, inside, refusals) if works else ""
    return Mark(frames, works, came, said, datetime.now(UTC))


async def _differs(page: "Page", frame: "Frame", before: object, known: Collection["Frame"]) -> bool:
    """Whether a frame went, changed or opened others since it was `before` and the page had the `known` ones."""
    if frame.is_detached() or any(each not in known for each in page.frames):
        return True
    with suppress(faults()):
        return bool(await frame.evaluate(_SHAPE) != before)
    return True  # it is on its way to another document


def _documents(page: "Page", frame: "Frame") -> Iterable[str]:
    around, each = [frame], frame.parent_frame
    while each:
        around.append(each)
        each = each.parent_frame
    return (one.url for one in (*around, *frame.child_frames) if one != page.main_frame)


@asynccontextmanager
async def _opened(page: "Page") -> AsyncIterator[tuple[list["Page"], dict[str, str]]]:
    """The windows that open meanwhile, which are closed at the end, and why addresses that somebody was led to failed."""
    windows: list[Page] = []
    failed: dict[str, str] = {}

    def answered(answer: "Response") -> None:
        if answer.request.is_navigation_request() and answer.status >= 400:
            failed[answer.url] = f"{answer.url} (the answer is {answer.status})"

    def opened(other: "Page") -> None:
        windows.append(other)

    context = page.context
    context.on("page", opened)
    context.on("response", answered)
    try:
        yield windows, failed
    finally:
        context.remove_listener("page", opened)
        context.remove_listener("response", answered)
        for each in windows:
            await each.close()


async def _refused(page: "Page", frames: Collection["Frame"], refusals: re.Pattern[str]) -> str:
    """Say that it was enough, by the first control that offers to; its words."""
    for frame in frames:
        control = frame.get_by_text(refusals).or_(frame.get_by_role("button", name=refusals)).first
        with suppress(faults()):
            if await control.count() and await control.is_visible():
                said = " ".join((await control.inner_text()).split()) or await control.get_attribute("aria-label")
                await control.click(timeout=_PATIENCE)
                await page.wait_for_timeout(_SETTLE)
                return (said or "a control without words")[:_LONGEST]
    return ""
