"""What credit packs say, kept in one file from one start to the next: reading their lists of words takes ten times as long."""

import hashlib
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import orjson

from capper.recognise.credit.packs import Pack, ReadWords, Words, load_words
from capper.recognise.credit.words import Lexicon
from capper.recognise.kept import Made, kept

_MADE_BY: Final = ("packs.py", "words.py", "scan.py", "packfile.py")


def words_once(path: Path, now: datetime) -> ReadWords:
    """What reads a folder's packs and keeps what they say at `path`, for as long as neither they nor capper change."""

    def read(folder: Path) -> Words:
        made = Made("credit packs", "capper", lambda: load_words(folder), _written, _restored)
        return kept(path, _key(folder), made, now)

    return read


def _key(folder: Path) -> str:
    """A digest of the packs and of what reads them."""
    digest = hashlib.sha256()
    code = files("capper.recognise.credit")
    for name, data in (
        *((path.name, path.read_bytes()) for path in sorted(folder.glob("*.toml"))),
        *((name, code.joinpath(name).read_bytes()) for name in _MADE_BY),
    ):
        digest.update(b"%s %d\n" % (name.encode(), len(data)) + data)
    return digest.hexdigest()


def _written(words: Words) -> bytes:
    packs = [
        [
            pack.language,
            pack.lexicon.stored(),
            sorted(pack.common),
            pack.pages,
            pack.triggers,
            sorted(pack.parts),
            pack.begins,
            pack.money.stored(),
        ]
        for pack in words.packs
    ]
    spellings = [(spelling.decode("latin-1"), languages) for spelling, languages in words.written.items()]
    said = [packs, words.paths.stored(), words.members.stored(), words.pages, spellings]
    return orjson.dumps(said)


def _restored(data: bytes) -> Words:
    packs, paths, members, pages, spellings = orjson.loads(data)
    return Words(
        tuple(_pack(*row) for row in packs),
        Lexicon.restored(paths),
        Lexicon.restored(members),
        _pages(pages),
        {spelling.encode("latin-1"): languages for spelling, languages in spellings},
    )


def _pack(
    language: str, lexicon: Any, common: Any, pages: Any, triggers: Any, parts: Any, begins: Any, money: Any
) -> Pack:
    return Pack(
        language,
        Lexicon.restored(lexicon),
        frozenset(common),
        _pages(pages),
        tuple(triggers),
        frozenset(parts),
        tuple(begins),
        Lexicon.restored(money),
    )


def _pages(stored: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {kind: tuple(phrases) for kind, phrases in stored.items()}
