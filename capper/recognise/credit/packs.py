"""Credit packs: what a language has for credit nobody asked for, and for what only looks like it; read from TOML."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.packaged import packaged_config
from capper.recognise.credit.scan import Make, Scanner, compiled, spelled
from capper.recognise.credit.weights import Weights, load_weights
from capper.recognise.credit.words import AMOUNT, Lexicon, Token, composed, fold, tokens, with_amounts

FOR = (
    "credit", "card", "headroom", "room", "preapproved", "decided", "promo", "available", "ready", "yours", "you", "spend", "borrow", "later", "raise", "urge",
    "ease", "fanfare", "popular", "upto", "need", "prompt",
)  # fmt: skip
"""Categories that speak for a prompt."""
AGAINST = ("own", "statement", "intent", "editorial", "set", "business", "warning", "named", "scam")
"""Categories that speak against it."""
BESIDE = ("action", "greeting", "aside", "dismiss")
"""Categories that say what else a piece of a page is."""
PAGES = ("loan", "help", "news", "statement", "legal")
"""Kinds of pages a person opens on purpose."""

_SHARED = "common.toml"
_WEIGHTS = "weights"
_TRIGGERING = ("credit", "headroom", "preapproved", "borrow", "later", "need", "raise")
_TELLING = 7
_PLAIN = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+)*")


@dataclass(frozen=True, eq=False)
class Pack:
    """One language's words; `common` are the little words a language is known by."""

    language: str
    lexicon: Lexicon
    common: frozenset[str]
    pages: Mapping[str, tuple[str, ...]]
    """What titles and main headings say, folded, by the kind of page."""
    triggers: tuple[str, ...]
    parts: frozenset[str] = frozenset()
    """What number words are made of, and how they begin."""
    begins: tuple[str, ...] = ()
    money: Lexicon = field(default_factory=Lexicon)

    def read(self, text: str) -> list[Token]:
        """The tokens of folded `text`, amounts in words among them."""
        return with_amounts(tokens(text), self._is_number, self.money.knows)

    def _is_number(self, word: str) -> bool:
        return word.startswith(self.begins) and composed(word, self.parts)


@dataclass(frozen=True, eq=False)
class Words:
    """What the files of a folder say; see `Packs`."""

    packs: tuple[Pack, ...]
    paths: Lexicon
    members: Lexicon
    pages: Mapping[str, tuple[str, ...]]
    written: Mapping[bytes, int]
    """What is scanned for, as `Scanner` takes it."""


type ReadWords = Callable[[Path], Words]


@dataclass(frozen=True, eq=False)
class Packs:
    """All packs, and what all languages share: words in paths, names of JSON members."""

    packs: tuple[Pack, ...]
    paths: Lexicon
    members: Lexicon
    pages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """As a pack's, whatever the language."""
    scanner: Scanner = field(default_factory=lambda: Scanner({}))
    weights: Weights = field(default_factory=Weights)

    @cached_property
    def common(self) -> Mapping[str, tuple[Pack, ...]]:
        """The packs that know each of the little words."""
        known: dict[str, tuple[Pack, ...]] = {}
        for pack in self.packs:
            for word in pack.common:
                known[word] = (*known.get(word, ()), pack)
        return known

    def bits(self, packs: Collection[Pack]) -> int:
        """The bits the scanner knows these packs by."""
        return sum(1 << number for number, pack in enumerate(self.packs) if pack in packs)

    def get(self, language: str) -> Pack | None:
        """The pack of a language tag such as `nl-BE`; Norwegian is `no` whichever of its two it is."""
        tag = language.strip().lower().replace("_", "-").partition("-")[0]
        tag = {"nb": "no", "nn": "no"}.get(tag, tag)
        return next((pack for pack in self.packs if pack.language == tag), None)


def load_packs(folder: Path | None = None, make: Make = compiled, read: ReadWords | None = None) -> Packs:
    """The packs of a folder, by default those that travel with capper.

    Args:
        make: compiles what is scanned for.
        read: takes the place of `load_words`.

    Raises:
        ConfigError: names the file and what is wrong with it.
    """
    folder = folder or packaged_config() / "credit"
    words = (read or load_words)(folder)
    scanner, weights = Scanner(words.written, make), load_weights(folder / _WEIGHTS)
    return Packs(words.packs, words.paths, words.members, words.pages, scanner, weights)


def load_words(folder: Path) -> Words:
    """What the files of a folder say.

    Raises:
        ConfigError: names the file and what is wrong with it.
    """
    shared = _read(folder / _SHARED)
    everywhere = _texts(shared, "words", _SHARED)
    packs = tuple(load_pack(path, everywhere) for path in sorted(folder.glob("??.toml")))
    members, paths = _lexicon(shared, "members"), _lexicon(shared, "paths")
    named = [entry.split() for entry in _texts(shared, "members", _SHARED).get("prompt", ())]
    stems = [joint.join(words) for words in named for joint in ("", "_", "-", " ")]
    every = (1 << len(packs)) - 1
    written = spelled(
        [
            *((stem, every) for stem in stems),
            *((stem, 1 << n) for n, pack in enumerate(packs) for stem in pack.triggers),
        ]
    )
    return Words(packs, paths, members, _pages(shared, _SHARED), written)


def _lexicon(shared: Mapping[str, object], section: str) -> Lexicon:
    """A lexicon of what all languages share.

    Raises:
        ConfigError: an entry cannot be read.
    """
    lexicon = Lexicon()
    try:
        for category, entries in _texts(shared, section, _SHARED).items():
            lexicon.add(category, entries)
    except ValueError as exc:
        raise ConfigError(f"{_SHARED}: [{section}]: {exc}") from exc
    return lexicon


def load_pack(path: Path, everywhere: Mapping[str, tuple[str, ...]] | None = None) -> Pack:
    """The pack in one file, with the words of `everywhere` added.

    Raises:
        ConfigError: names what is wrong.
    """
    table = _read(path)
    money = Lexicon()
    numbers = _texts(table, "numbers", path.name)
    money.add(AMOUNT, numbers.get("money", ()))
    return Pack(
        language=path.stem,
        lexicon=_words(table, everywhere or {}, path.name),
        common=frozenset(fold(" ".join(_texts(table, "language", path.name).get("common", ()))).split()),
        pages={name: phrases for name, phrases in _pages(table, path.name).items() if name in PAGES},
        triggers=tuple(_triggers(table, path.name)),
        parts=frozenset(fold(" ".join(numbers.get("parts", ()))).split()),
        begins=tuple(fold(" ".join(numbers.get("parts", ()))).split()),
        money=money,
    )


def _words(table: Mapping[str, object], everywhere: Mapping[str, tuple[str, ...]], file: str) -> Lexicon:
    """A pack's words and phrases by what they say, those of all languages among them."""
    lexicon = Lexicon()
    for section, known in (("for", FOR), ("against", AGAINST), ("beside", BESIDE)):
        for category, entries in _texts(table, section, file).items():
            if category not in known:
                raise ConfigError(f"{file}: [{section}] has no {category!r}; it has {', '.join(known)}")
            try:
                lexicon.add(category, entries)
            except ValueError as exc:
                raise ConfigError(f"{file}: {category}: {exc}") from exc
    for category, entries in everywhere.items():
        lexicon.add(category, entries)
    return lexicon


def _pages(table: Mapping[str, object], file: str) -> dict[str, tuple[str, ...]]:
    return {kind: tuple(map(fold, phrases)) for kind, phrases in _texts(table, "pages", file).items()}


def _triggers(table: Mapping[str, object], file: str) -> Iterator[str]:
    """What the scan looks for: the pack's triggers, and each phrase for credit that holds none of them."""
    known = [part.replace("_", " ") for part in _texts(table, "language", file).get("triggers", ())]
    yield from known
    words = _texts(table, "for", file)
    for category in _TRIGGERING:
        for entry in words.get(category, ()):
            text = entry.strip("*").casefold()
            if len(text) >= _TELLING and _PLAIN.fullmatch(text) and not any(trigger in text for trigger in known):
                yield text


def sections(path: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """The words of a pack as they are written, by section.

    Raises:
        ConfigError: it cannot be read.
    """
    table = _read(path)
    return {section: _texts(table, section, path.name) for section in ("for", "against", "beside")}


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"read credit pack {path.name}: {exc}") from exc


def _texts(table: Mapping[str, object], section: str, file: str) -> dict[str, tuple[str, ...]]:
    """A section of lists of texts; a text of several lines is one entry a line, so that long lists stay readable."""
    found = table.get(section, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{file}: [{section}] must be a table")
    return {name: tuple(_entries(value, f"{file}: {section}.{name}")) for name, value in found.items()}


def _entries(value: object, where: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from (part.strip() for part in re.split(r"[\n,]", value) if part.strip())
        return
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{where} must be a text or a list of texts")
    yield from value
