"""Which words mark an item as paid for, in every language of config/labels, and whom they name. Data: no code knows a word."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.domain.mark import Mark
from capper.packaged import packaged_config
from capper.recognise.domains import listed

LONGEST = 90
"""A longer text is a sentence, not a label."""
_HEAD = 4
"""A text that is a label begins with the first letters of one: what is compared first."""
_LONGEST_NAME = 50
_MOST_WORDS = 6
_MOST_AFTER_COLON = 4
"""More words than that after `Sponsored:` are a headline."""
_AROUND = " \t-\u2013\u2014•·*|()[]{}<>:.…→\u203a»«\u200b\u200e\xa0\xad\"'"
_BEFORE = ("", "-", "- ", "\u2013 ", "\u2014 ", "\xe2\x80\x93", "\xe2\x80\x94", "(", "[", "*", "* ", "**", "•", "• ", "\xe2\x80\xa2", "|", "| ", "· ", "\xc2\xb7 ", ">", "» ", "\xc2\xbb ", ": ", "... ", "\u200b")  # fmt: skip
_AFTER = (
    "",
    ".",
    " ",
    ":",
    ": ",
    ". ",
    " ·",
    " \xc2",
    " |",
    " -",
    " \u2013",
    " \u2014",
    " \xe2",
    " •",
    "\xa0",
    "\xc2\xa0",
    ")",
    "]",
    "*",
    " *",
)
"""What may stand before and after a label: as it is, and as UTF-8 read as latin-1."""
_LETTERS = frozenset(letter for code in range(ord("a"), ord("z") + 1) for letter in (chr(code), chr(code).upper()))
_SPLIT = re.compile(r"\w(?: \w){3,30}")
_PARTS = re.compile(r"(\s*:\s+|\s+[-\u2013\u2014/]\s+|\s*[|·•]\s*)")
_PROSE = re.compile(r"[!?;,\"“”<>{}=\\]|(?<=\w{4})\.\s|\bhttps?:")
_TIME = re.compile(
    r"\d+\s?(?:\w{1,3}|min\w*|sek\w*|sec\w*|hours?|timmar|tim|std|stunden|uur|dag\w*|days?)\.?|[\d.:/\s-]+"
)


@dataclass(frozen=True, slots=True)
class Words:
    """One language's: labels that stand alone, those that are also said of other things, and those a name follows."""

    language: str
    labels: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    nobody: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labels:
    """Reads labels; `spoken` are the attributes that hold one, `flags` those that are one unless their value is in `off`."""

    languages: tuple[Words, ...] = ()
    spoken: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()

    @cached_property
    def _sure(self) -> frozenset[str]:
        return frozenset(word for words in self.languages for word in words.labels)

    @cached_property
    def _doubtful(self) -> dict[str, set[str]]:
        """The languages in which a word that may mean other things is a label."""
        found: dict[str, set[str]] = {}
        for words in self.languages:
            for word in words.doubtful:
                if word not in self._sure:
                    found.setdefault(word, set()).add(words.language)
        return found

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(words.language for words in self.languages)

    @cached_property
    def _nobody(self) -> frozenset[str]:
        return frozenset(name for words in self.languages for name in words.nobody)

    @cached_property
    def _phrases(self) -> re.Pattern[str]:
        phrases = sorted({phrase for words in self.languages for phrase in words.by}, key=len, reverse=True)
        return re.compile(rf"(?:{'|'.join(map(re.escape, phrases)) or '(?!)'})(?!\w)\s*:?\s*(.*)")

    @cached_property
    def _heads(self) -> frozenset[str]:
        words = (word for each in self.languages for word in (*each.labels, *each.doubtful, *each.by))
        return _LETTERS.union(*(_heads(word) for word in {word[: _HEAD + 1] for word in words}))

    def likely(self, texts: Iterable[str]) -> set[str]:
        """Those of the texts that begin as a label does, and letters that stand alone: quick, and without losing a label.

        Texts have no blanks around them; their bytes may have been read as latin-1.
        """
        heads = self._heads
        return {text for text in texts if text[:_HEAD] in heads}

    def read(self, text: str, language: str = "") -> Mark | None:
        """What a text says that stands on its own; None where it is no label, or one that means something else in `language`.

        Args:
            language: the page's, as its `lang` says (`de-AT`); words that are doubtful in another language only are none here.
        """
        if len(text) > LONGEST:
            return None
        plain = " ".join(text.split()).strip(_AROUND)
        if _SPLIT.fullmatch(plain):
            plain = plain.replace(" ", "")
        lower = plain.lower()
        if len(lower) != len(plain) or not lower:
            return None
        tongue = language.lower().partition("-")[0].partition("_")[0]
        tongue = {"nb": "no", "nn": "no"}.get(tongue, tongue)
        return self._alone(lower, tongue) or self._named(plain) or self._parted(plain, tongue)

    def is_name(self, text: str) -> bool:
        """Whether a text that follows a label can be the name of somebody."""
        name = text.strip(_AROUND)
        return _is_name(name) and name.lower() not in self._nobody

    def _alone(self, lower: str, tongue: str) -> Mark | None:
        if lower in self._sure:
            return Mark()
        languages = self._doubtful.get(lower)
        if languages is None or not (tongue in languages or tongue not in self._known or languages >= {"en"}):
            return None
        return Mark(doubtful=True)

    def _named(self, plain: str) -> Mark | None:
        """`Sponsored by Shoe House`, or `Sponsored by` alone."""
        match = self._phrases.fullmatch(plain.lower())
        if match is None:
            return None
        name = plain[match.start(1) :].strip(_AROUND)
        if not name:
            return Mark(open=True)
        if name.lower() in self._nobody:
            return Mark()
        return Mark(_host(name) or name) if _is_name(name) else None

    def _parted(self, plain: str, tongue: str) -> Mark | None:
        """`Annons: Shoe House`, `Ad · shoes.example`, `3 min | Sponsored`."""
        parts = _PARTS.split(plain, maxsplit=2)
        if len(parts) < 3:
            # `ANNONS I SAMARBETE MED ...`
            word, _, rest = plain.partition(" ")
            return self._named(rest) if rest and self._alone(word.lower(), tongue) else None
        first = self._alone(parts[0].strip(_AROUND).lower(), tongue)
        rest = "".join(parts[2:]).strip(_AROUND)
        if first:
            named = self._named(rest)
            if named:
                return named
            after_colon = ":" in parts[1] and len(rest.split()) <= _MOST_AFTER_COLON and _is_name(rest)
            known = rest.lower() in self._nobody
            return Mark("" if known else _host(rest) or (rest if after_colon else ""), doubtful=first.doubtful)
        last = self._alone(parts[-1].strip(_AROUND).lower(), tongue) if ":" not in "".join(parts[1::2]) else None
        return last if last and not _PROSE.search(plain) else None


def _heads(word: str) -> Iterator[str]:
    """How a label may begin: as it is or in capitals, in UTF-8 or latin-1, with marks before it, with its letters apart."""
    for cased in (word, word.upper(), word[:1].upper() + word[1:], word.title()):
        for form in (cased, cased.encode().decode("latin-1"), " ".join(cased)):
            # A short word ends before its head does.
            whole = [form + after for after in _AFTER] if len(form) < _HEAD else [form]
            for before in _BEFORE:
                yield from (f"{before}{each}"[:_HEAD] for each in whole)


def _is_name(text: str) -> bool:
    words = text.split()
    if not 0 < len(words) <= _MOST_WORDS or len(text) > _LONGEST_NAME or _PROSE.search(text) or _TIME.fullmatch(text):
        return False
    # A name begins with a capital (`eBay` has one), a sentence that goes on does not.
    return bool(_host(text)) or any(char.isupper() or char.isdigit() for char in words[0])


def _host(text: str) -> str:
    """The host that a name is written as; "" for another name."""
    host = text.lower().removeprefix("www.").partition("/")[0]
    return host if "." in host and " " not in host and listed(host) else ""


@cache
def load_labels(folder: Path | None = None) -> Labels:
    """Read every *.toml of `folder`, by default those that travel with capper.

    Raises:
        ConfigError: names the file and the key.
    """
    folder = folder or packaged_config() / "labels"
    try:
        tables = {file: tomllib.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.toml"))}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"read the labels in {folder}: {exc}") from exc
    if not tables:
        raise ConfigError(f"read the labels in {folder}: no *.toml there")
    languages = tuple(_words(file, table) for file, table in tables.items() if "language" in table)
    marks = [_attributes(file, table) for file, table in tables.items() if "language" not in table]
    spoken, flags, off = (
        tuple(dict.fromkeys(word for mark in marks for word in mark[name])) for name in ("spoken", "flags", "off")
    )
    return Labels(languages, spoken, flags, frozenset(off))


def _words(file: Path, table: dict[str, Any]) -> Words:
    lists = ("labels", "doubtful", "by", "nobody")
    for unknown in table.keys() - {"language", *lists}:
        raise ConfigError(f"{file}: {unknown}: expected one of language, {', '.join(lists)}")
    if not isinstance(table["language"], str):
        raise ConfigError(f"{file}: language: expected a text")
    return Words(table["language"], *(tuple(_texts(file, name, table.get(name, []))) for name in lists))


def _attributes(file: Path, table: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    names = ("spoken", "flags", "off")
    inner = table.get("attributes")
    if not isinstance(inner, dict) or table.keys() != {"attributes"} or inner.keys() - set(names):
        raise ConfigError(f"{file}: expected a language, or attributes with {', '.join(names)}")
    return {name: tuple(_texts(file, name, inner.get(name, []))) for name in names}


def _texts(file: Path, key: str, value: object) -> Iterator[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ConfigError(f"{file}: {key}: expected a list of texts")
    for item in value:
        if item != " ".join(item.lower().split()):
            raise ConfigError(f"{file}: {key}: expected lower case, not {item!r}")
        yield item
