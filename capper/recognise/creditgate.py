"""Where in a body a word of credit may stand: one scan of its bytes for all packs, so that other bodies cost next to nothing."""

import unicodedata
from collections.abc import Iterable
from html.entities import codepoint2name

import numpy as np

SHORTEST = 5
"""Bytes: of a shorter word no four stand at an even place wherever it begins."""
_REACH = 120
"""Bytes: no stem is longer, however its letters are written."""
_LOWER = 0x20202020
_MIX = 0x9E3779B1
_MIX_BEHIND = 0x85EBCA6B
_SHIFT, _SHIFT_JOINED = 14, 10
_LONG = 7
_ONE_BEHIND, _ONE_BEFORE = 0x10000, 0x20000
_COMMON = b"etaoinsrldcumpfgbhvwkyjxqz"
_WORN = frozenset(
    # What HTML, scripts and English are full of.
    b"cont lock rans line disp ding onta pres comp serv oter rese oper ages plac elec sele vali vanc valu ring onen read prom "
    b"sign vert romo redi couv king roll ndin requ ute; prev rest alit riva empr rate priv for\xa0 your tion ment play spla form "
    b"cons cont cond inte nter ters ting able ance ence ient text styl func unct ctio read oade load posi siti tive stat tate atio "
    b"port orta imag mage ight righ left tain ontai aine aini cent ente nten tent blan ank lank clas lass titl itle href http imit "
    b"data name prop rope pert type valu alue para aram ject obje cript scri ript down dden hidd hide show over olor colo back grou "
    b"roun ound bloc bord orde rder idth widt heig eigh padd addi marg argi font mily fami link user erty mode date upda pdat ates "
    b"tran ansf tter lett ette tten ever very them heme this that with ould from have fina nanc inan ance".split()
)
_RARITY = {byte: rank for rank, byte in enumerate(_COMMON)} | dict.fromkeys(b" -_.:", 0)


class Scanner:
    """Finds stems in bytes, whatever their case and however their letters beyond ASCII are written.

    1. Every four bytes at an even place are looked up in a table: two groups of four speak for each stem, one of which
       stands at an even place.
    2. Where the table says so, what stands beside the four is looked up with them: the two bytes behind, of a short stem the
       one behind or before.
    3. Where that table says so too, the stem itself is compared.
    """

    def __init__(self, stems: Iterable[tuple[str, int]]) -> None:
        """`stems` with a bit for each language they are of."""
        self._fours = np.zeros(1 << (32 - _SHIFT), dtype=bool)
        self._joined = np.zeros(1 << (32 - _SHIFT_JOINED), dtype=bool)
        self._stems: dict[tuple[int, int], dict[bytes, list[tuple[int, bytes]]]] = {(0, 6): {}, (0, 5): {}, (-1, 4): {}}
        self._of: dict[bytes, int] = {}
        """By what is looked up, from where to where beside the four bytes' place, and how far into the stem that place is."""
        for stem, languages in stems:
            for written in _spellings(stem.casefold()):
                if SHORTEST <= len(written) <= _REACH:
                    if written not in self._of:
                        self._add(written)
                    self._of[written] = self._of.get(written, 0) | languages

    def _add(self, stem: bytes) -> None:
        size = 7 if len(stem) >= _LONG else SHORTEST
        best = max(range(len(stem) - size + 1), key=lambda at: _rarity(stem[at : at + 5]))
        for at in (best, best + 1):
            group = stem[at : at + 4]
            words = np.frombuffer(group, np.uint32)
            self._fours[_mixed(words)] = True
            if at + 6 <= len(stem):
                beside, spot, window = stem[at + 4] | stem[at + 5] << 8, (0, 6), stem[at : at + 6]
            elif at + 5 <= len(stem):
                beside, spot, window = stem[at + 4] | _ONE_BEHIND, (0, 5), stem[at : at + 5]
            else:
                beside, spot, window = stem[at - 1] | _ONE_BEFORE, (-1, 4), stem[at - 1 : at + 4]
            self._joined[_joined(words, np.array([beside], np.uint32))] = True
            self._stems[spot].setdefault(window, []).append((at, stem))

    def find(self, data: bytes) -> list[int]:
        """Where stems begin, in order; none for a body that need not be read."""
        return sorted(self.places(data))

    def places(self, data: bytes) -> dict[int, int]:
        """Where stems begin, and the bits of the languages they are of."""
        places: dict[int, int] = {}
        for start in (0, 2):
            count = (len(data) - start) // 4
            if count <= 0:
                continue
            words = np.frombuffer(data, np.uint32, count, start)
            found = np.flatnonzero(self._fours.take(_mixed(words)))
            groups = words[found]
            behind = words[np.minimum(found + 1, count - 1)]
            before = words[np.maximum(found - 1, 0)] >> np.uint32(24)
            likely = self._joined.take(_joined(groups, behind & np.uint32(0xFFFF)))
            likely |= self._joined.take(_joined(groups, behind & np.uint32(0xFF) | np.uint32(_ONE_BEHIND)))
            likely |= self._joined.take(_joined(groups, before | np.uint32(_ONE_BEFORE)))
            # What stands at either end may have nothing beside it to look up.
            likely |= (found == count - 1) | (found == 0)
            self._compare(data, found[likely].tolist(), start, places)
        return places

    def _compare(self, data: bytes, found: list[int], start: int, places: dict[int, int]) -> None:
        six, five, four = self._stems.values()
        for index in found:
            at = index * 4 + start
            window = data[at - 1 : at + 6].lower() if at else b" " + data[:6].lower()
            stems = (*six.get(window[1:], ()), *five.get(window[1:6], ()), *four.get(window[:5], ()))
            if not stems:
                continue
            around = data[max(at - _REACH, 0) : at + _REACH].lower()
            place = min(at, _REACH)
            for offset, stem in stems:
                if place >= offset and around.startswith(stem, place - offset):
                    places[at - offset] = places.get(at - offset, 0) | self._of[stem]


type _Words = np.ndarray[tuple[int], np.dtype[np.uint32]]


def _mixed(words: _Words) -> _Words:
    mixed = words | np.uint32(_LOWER)
    mixed *= np.uint32(_MIX)
    mixed >>= np.uint32(_SHIFT)
    return mixed


def _joined(words: _Words, behind: _Words) -> _Words:
    mixed = (words | np.uint32(_LOWER)) * np.uint32(_MIX)
    mixed ^= (behind | np.uint32(_LOWER & 0xFFFF)) * np.uint32(_MIX_BEHIND)
    mixed >>= np.uint32(_SHIFT_JOINED)
    return mixed


def _rarity(group: bytes) -> int:
    """How seldom a page that says nothing of credit is likely to hold both fours of these five bytes."""
    worn = (group[:4] in _WORN) + (group[1:] in _WORN)
    return sum(_RARITY.get(byte, 8) for byte in group) - 40 * worn


def _spellings(stem: str) -> list[bytes]:
    """A stem's bytes in every way a page writes letters beyond ASCII; each way throughout."""
    if stem.isascii():
        return [stem.encode()]
    ways = [stem.encode("utf-8")]
    for encoding in ("cp1252", "cp1250"):
        try:
            ways.append(stem.encode(encoding))
        except UnicodeEncodeError:
            continue
    ways += (
        "".join(letter if letter.isascii() else write(letter) for letter in stem).encode("ascii", "ignore").lower()
        for write in (_named, _decimal, _hexadecimal, _escaped, _bare)
    )
    return list(dict.fromkeys(ways))


def _named(letter: str) -> str:
    name = codepoint2name.get(ord(letter))
    return f"&{name};" if name else f"&#{ord(letter)};"


def _decimal(letter: str) -> str:
    return f"&#{ord(letter)};"


def _hexadecimal(letter: str) -> str:
    return f"&#x{ord(letter):x};"


def _escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}"


def _bare(letter: str) -> str:
    """Without its accent, as messages often are."""
    plain = unicodedata.normalize("NFKD", letter)[0]
    return {"ø": "o", "æ": "ae", "ł": "l", "ß": "ss"}.get(letter, plain)
