"""Credit nobody asked for, from a response's bytes to the same without it: languages, reason for the visit, what goes."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import unescape
from itertools import islice
from typing import Self

from capper.domain.exchange import Exchange, Outcome, Response
from capper.domain.policy import CreditPrompts
from capper.domain.prompt import Place, Prompt
from capper.gate.arrival import purpose
from capper.recognise.credit import CreditReader, Frame, declared, frame_of, languages
from capper.recognise.credit.frames import UNTOLD
from capper.recognise.credit.packs import Pack, Packs, ReadWords, load_packs
from capper.recognise.credit.sample import plain, sample, unescaped
from capper.recognise.credit.scan import Make, compiled
from capper.rewrite.body import Body, decode, encode, media_type_of, worded
from capper.rewrite.charset import likely
from capper.rewrite.prompts import bodies
from capper.rewrite.prompts.note import noted

_TITLE = re.compile(rb"<title[^>]*>(.{0,400}?)</title", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(rb"<h1[^>]*>(.{0,600}?)</h1", re.IGNORECASE | re.DOTALL)
_BREAKS = re.compile(r"<[^<>\"]*>|[\"{}\[\]<>]+")
_SMALL = 4_000
"""Bytes: a body no larger is read whole, whatever the scan would say of it: a fragment has few words to know it by."""
_MOST = 150
"""Places of a page that are looked at; one with more is an encyclopedia of credit."""
_FEW = 30
_AROUND, _NEAR = 260, 160
"""Bytes on either side of a word that are read with it, and how close words are read together."""
_SUMS = 20
"""Sums that are looked for where else they stand."""
_PARTED = rb"(?:[^0-9A-Za-z]{1,3}|&[#\w]{2,6};)?"
"""What may stand between two digits of a sum."""
_PARAGRAPH, _TELLING = re.compile(rb">[^<>{}=;\"]{180}"), 5
"""What running text is made of, and how many make a page that tells of something."""


@dataclass(frozen=True)
class Stripped:
    """A body without its prompts, and what they were; `data` is the very same object where there were none."""

    data: bytes
    prompts: tuple[Prompt, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspect:
    """A body that a closer look is worth, and the packs of its language."""

    data: bytes
    media_type: str
    charset: str
    packs: tuple[Pack, ...]
    hits: list[int]
    """Where words of credit stand in its own language."""
    small: bool
    """It is read whole, wherever words of credit stand."""


type Change = tuple[Response, tuple[Prompt, ...]]
"""What is delivered instead of a response, and the prompts it lacks."""


@dataclass(frozen=True)
class Credit:
    """What takes prompts out of bodies, with the packs it does so by."""

    packs: Packs

    @classmethod
    def load(cls, make: Make = compiled, read: ReadWords | None = None) -> Self:
        """With the packs that travel with capper; see `load_packs`."""
        return cls(load_packs(make=make, read=read))

    def without(
        self, exchange: Exchange, outcome: Outcome, mode: CreditPrompts, limit: int, note: str = ""
    ) -> Change | None:
        """What is delivered instead of `outcome`'s response, and the prompts it lacks; None where nothing is to change.

        `note` is the language in which a page says so, "" where it does not.

        Raises:
            Unrewritable: the body is damaged, too large, or of a kind that editing would cost too much.
        """
        read = self.glance(exchange, outcome, mode, limit, note)
        return read() if read else None

    def glance(
        self, exchange: Exchange, outcome: Outcome, mode: CreditPrompts, limit: int, note: str = ""
    ) -> Callable[[], Change | None] | None:
        """What `without` has left to do, which may take a while; None where the body has no words of credit in its own language.

        Raises:
            Unrewritable: the body is damaged or too large.
        """
        response = outcome.response or exchange.response
        if mode is CreditPrompts.LEAVE or response is None or not worded(exchange) or not response.body:
            return None
        body = decode(response.headers, response.body, limit, outcome.read)
        suspect = self._suspect(body.data, media_type_of(response), body.charset)
        return partial(self._changed, exchange, response, body, suspect, mode, note) if suspect else None

    def _changed(
        self, exchange: Exchange, response: Response, body: Body, suspect: Suspect, mode: CreditPrompts, note: str
    ) -> Change | None:
        arrived = purpose(self.packs, exchange.request, document=suspect.media_type == "text/html")
        mark = mode is CreditPrompts.MARK
        stripped = self._stripped(suspect, exchange.request.url, mark=mark, arrived=arrived)
        if not stripped.prompts or stripped.data == body.data:
            return None
        left = stripped.data
        if note and mode is CreditPrompts.STRIP and exchange.request.headers.get("Sec-Fetch-Dest") in ("", "document"):
            # What a page shows, and what its scripts would have shown, is one to whoever reads it.
            shown = sum(prompt.place is Place.PAGE for prompt in stripped.prompts)
            left = noted(left, shown or len(stripped.prompts), note)
        return encode(body, response, left), stripped.prompts

    def strip(
        self,
        data: bytes,
        media_type: str,
        url: str,
        charset: str = "",
        *,
        mark: bool = False,
        arrived: Frame = Frame.ANY,
    ) -> Stripped:
        """`data` without its prompts; with `mark` they stay and are outlined. `arrived` is why she looks at it, as far as told.

        Raises:
            Unrewritable: it is of a kind that editing would cost too much.
        """
        suspect = self._suspect(data, media_type, charset)
        return self._stripped(suspect, url, mark=mark, arrived=arrived) if suspect else Stripped(data)

    def _suspect(self, data: bytes, media_type: str, charset: str) -> Suspect | None:
        """A body that a closer look is worth: words of credit in its own language stand in it, or it is small."""
        small = len(data) <= _SMALL
        places = {} if small else self.packs.scanner.places(data)
        if not places and not small:
            return None
        if charset not in ("", "utf-8"):
            charset = likely(data, charset)
        packs = self._spoken(data, media_type, charset, sorted(places))
        spoken = self.packs.bits(packs)
        hits = sorted(place for place, bits in places.items() if bits & spoken)
        return Suspect(data, media_type, charset, packs, hits, small) if hits or small else None

    def _stripped(self, suspect: Suspect, url: str, *, mark: bool, arrived: Frame) -> Stripped:
        data, media_type, charset = suspect.data, suspect.media_type, suspect.charset
        if arrived is Frame.ASKED or (arrived is Frame.READING and media_type != "text/html"):
            return Stripped(data)
        reader = self._reader(data, media_type, url, charset, suspect.packs)
        if reader is None:
            return Stripped(data)
        if reader.frame in UNTOLD and arrived is not Frame.ANY:
            reader = replace(reader, frame=arrived)
        hits = promising(data, suspect.hits, reader, charset) if media_type != "text/plain" else suspect.hits
        if not hits and not suspect.small:
            return Stripped(data)
        stripped, found = bodies.strip(data, media_type, url, reader, charset, hits, mark=mark)
        sums = frozenset(digit for prompt in found for digit in prompt.sums)
        if any(written.search(stripped) for written in map(_written, sorted(sums)[:_SUMS])):
            # What was offered once is often said again in fewer words: in the header, in the page's state.
            again = replace(reader, sums=sums)
            near = sorted({*hits, *said_again(data, suspect.hits, sums)})
            stripped, found = bodies.strip(data, media_type, url, again, charset, near, mark=mark)
        return Stripped(stripped, found) if found else Stripped(data)

    def reader(self, data: bytes, media_type: str, url: str, charset: str) -> CreditReader | None:
        """Who reads a body; None where nobody need: no pack knows its language, or she went there for it."""
        return self._reader(data, media_type, url, charset, self._spoken(data, media_type, charset, ()))

    def _spoken(self, data: bytes, media_type: str, charset: str, hits: Sequence[int]) -> tuple[Pack, ...]:
        """The packs of a body's language, or where its beginning tells of none, of what stands around `hits`, words of credit."""
        packs = languages(self.packs, sample(data, media_type, charset), declared(data))
        if packs or not hits:
            return packs
        around = b" ".join(data[max(hit - _NEAR, 0) : hit + _NEAR] for hit in hits[:_FEW])
        return languages(self.packs, plain(around, charset))

    def _reader(
        self, data: bytes, media_type: str, url: str, charset: str, packs: tuple[Pack, ...]
    ) -> CreditReader | None:
        if not packs:
            return None
        title, heading = (_first(pattern, data, charset) for pattern in (_TITLE, _HEADING))
        frame = frame_of(self.packs, url, title, heading, packs)
        if frame is Frame.ASKED or (frame is Frame.READING and media_type != "text/html"):
            return None
        if frame in UNTOLD and media_type == "text/html" and _tells(data):
            frame = Frame.TOLD
        return CreditReader(packs, self.packs, frame)


def promising(data: bytes, hits: list[int], reader: CreditReader, charset: str) -> list[int]:
    """Those of the places a scan found that have the words of a prompt around them."""
    kept: list[int] = []
    judged, good, looked = -_AROUND, False, 0
    for hit in hits:
        if hit - judged > _NEAR:
            judged, looked = hit, looked + 1
            if looked > _MOST:
                break
            *before, begun = _pieces(data[max(hit - _AROUND, 0) : hit], charset)
            ended, *behind = _pieces(data[hit : hit + _AROUND], charset)
            before, behind = [*filter(_said, before)], [*filter(_said, behind)]
            good = reader.promising([*before, begun + ended, *behind], len(before))
        if good:
            kept.append(hit)
    return kept


def said_again(data: bytes, hits: list[int], sums: frozenset[str]) -> list[int]:
    """Those of the places a scan found that have one of the sums around them, however its digits are parted."""
    places = [match.start() for sum_ in sorted(sums)[:_SUMS] for match in islice(_written(sum_).finditer(data), _MOST)]
    return [hit for at in places for hit in hits[bisect_left(hits, at - _AROUND) : bisect_left(hits, at + _AROUND)]]


def _written(sum_: str) -> re.Pattern[bytes]:
    return re.compile(_PARTED.join(digit.encode() for digit in sum_))


def _pieces(data: bytes, charset: str) -> list[str]:
    """What stands between tags, quotes and brackets, those of a document in an attribute among them."""
    return _BREAKS.split(unescape(unescaped(data, charset)))


def _tells(data: bytes) -> bool:
    """Whether a page is running text: several long paragraphs."""
    return next(islice(_PARAGRAPH.finditer(data), _TELLING - 1, None), None) is not None


def _said(piece: str) -> bool:
    """Whether a piece says anything, or is what stands between an element's attributes."""
    piece = piece.strip()
    return bool(piece) and piece[-1] not in "=:,"


def _first(pattern: re.Pattern[bytes], data: bytes, charset: str) -> str:
    match = pattern.search(data)
    return plain(match[1], charset) if match else ""
