"""Words as credit packs see them: folded text, tokens, amounts of money, and a lexicon of stems and phrases.

Nothing here backtracks: a phrase is a row of words with gaps of bounded length, so hostile text costs linear time.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST = 4_000
"""Characters of one piece of text that are read; a longer one is prose."""
GAP = 4
"""The most words that `...` in a phrase stands for."""
_LONGEST_NUMBER = 60
_MEMORY = 50_000
"""How many different words a lexicon remembers before it starts afresh."""

AMOUNT, FIGURE, PERCENT, STOP, QUOTE, WORD = "#", "N", "%", ".", '"', "w"

_SILENT = (STOP, QUOTE)

_DROPPED = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff\u2066-\u2069]+")
_LETTERS = {
        "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
        "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "‐": "-", "‑": "-", "−": "-",
}  # fmt: skip
_ODD = re.compile(f"[{''.join(_LETTERS)}]")
_MARKS = re.compile("[\u0300-\u036f]+")
_CURRENCY = (
    r"€|£|₹|\$|¥|zl|zlotych|zlote|pln|r\$|us\$|mx\$|ca\$|au\$|eur[o]?[a-z]{0,6}|usd|gbp|inr|sek|nok|dkk|chf|brl|mxn|kes|ksh|"
    r"kr|tkr|tsek|mkr|kroner?|kronor|krona|rs|sfr|fr|francs?|franken|stutz|pounds?|quid|dollars?|dolares|rupees?|reais|real|pesos?|"
    r"livres? sterling|bucks?"
)
_SCALE = r"k|m|mio|tsd|tys|tus|mil|mila|duizend|tausend|thousand|mille|tusen|tusind|tuhatta|tysiecy|tysiace|lakhs?|lacs?|l|crores?|grand"
_DIGITS = r"\d{1,3}(?:[.,' ]\d{2,3})+(?:[.,]\d{1,2})?(?!\d)|\d{1,9}(?:[.,]\d{1,2})?(?!\d)"
_TOKEN = re.compile(
    r"(?=[^ \t,()\[\]/*+=<>'-])(?:"
    # Most words are no currency before a sum: taken first, they cost one step.
    r"(?P<plain>(?<![^\W\d_])[^\W\d_]++(?!\.? ?\d|\$))|"
    rf"(?P<amount>(?<![\w])(?:{_CURRENCY})\.? ?(?:{_DIGITS})(?:[ .]?(?:{_SCALE})(?![a-z]))?(?:[,.]-|:-)?"
    rf"|(?<![\w.,])(?:{_DIGITS})(?: ?(?:{_SCALE})\.?)?(?:(?:[,.]-|:-)(?!\d)|[ -]?(?:{_CURRENCY})(?![a-z])))"
    rf"|(?P<percent>(?:{_DIGITS}) ?%)|(?P<figure>(?:{_DIGITS})(?:(?:k|lakhs?)(?![a-z]))?)"
    r"|(?P<word>[^\W\d_]+)"
    r"|(?P<stop>[.!?;:\n|•·]+)"
    r"|(?P<quote>[\"“”„«»‟‹›]))"
)


def fold(text: str) -> str:
    """`text` without case, accents, soft hyphens and odd blanks, so that every spelling of a word is one."""
    if text.isascii():
        return text[:LONGEST].lower()
    text = unicodedata.normalize("NFKD", _DROPPED.sub("", text[:LONGEST])).casefold()
    return _ODD.sub(lambda letter: _LETTERS[letter[0]], _MARKS.sub("", text))


class Token(NamedTuple):
    """One word, amount or stop; `kind` is its own name for a word, else one of AMOUNT, FIGURE, STOP, QUOTE."""

    kind: str
    text: str
    start: int
    end: int


def _abbreviates(token: Token) -> bool:
    """Whether a full stop behind it ends no sentence (`eff. rente`), or one so short that it makes no difference."""
    return token.kind == WORD and token.end - token.start <= 4


def tokens(folded: str) -> list[Token]:
    """The tokens of folded text."""
    folded = _BLANKS.sub(" ", folded)
    found: list[Token] = []
    for match in _TOKEN.finditer(folded):
        group = match.lastgroup
        if group == "plain":
            group = "word"
        if group == "percent":
            kind = PERCENT
        elif group == "amount":
            kind = AMOUNT
        elif group == "figure":
            kind = FIGURE
        elif group == "stop":
            kind = STOP
        elif group == "quote":
            kind = QUOTE
        else:
            kind = WORD
        if kind == WORD and len(found) > 1 and found[-1].text == "." and _abbreviates(found[-2]):
            found.pop()
        found.append(Token(kind, match[0], match.start(), match.end()))
    return found


_BLANKS = re.compile(r"[^\S\n]")
_PARTS = re.compile(r"#|N(?![a-z])|\*?(?:(?!N(?![a-z]))[^\W\d_])+\*?|\d+")


class Match(NamedTuple):
    """A word or phrase of a category among tokens: the first, the one behind the last, and those between that are not its own."""

    category: str
    start: int
    end: int
    leapt: tuple[int, ...] = ()

    def covers(self, other: "Match") -> bool:
        """Whether `other` is shorter and made of what this one is made of."""
        return (
            self.start <= other.start
            and other.end <= self.end
            and self.end - self.start > other.end - other.start
            and not any(other.start <= at < other.end for at in self.leapt)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One place of a phrase: the atoms that may stand there, whether it may be left out, and how many words may come before it."""

    atoms: frozenset[int]
    optional: bool = False
    gap: int = 0


@dataclass(frozen=True, slots=True)
class Phrase:
    """A row of steps and the category it stands for."""

    category: str
    steps: tuple[Step, ...]


@dataclass
class Lexicon:
    """Words and phrases by category; built once per pack, read-only but for what it remembers of words met.

    A word is written `limit` (that very word), `limit*` (a word that begins so), `*limit` (one that ends so) or `*limit*`.
    A phrase is several words; `a|b` is one of these, `a?` may be missing, `...` stands for up to four words, `#` for an
    amount of money.
    """

    exact: dict[str, set[int]] = field(default_factory=dict)
    prefixes: dict[str, set[int]] = field(default_factory=dict)
    suffixes: dict[str, set[int]] = field(default_factory=dict)
    inner: dict[str, set[int]] = field(default_factory=dict)
    phrases: dict[int, list[Phrase]] = field(default_factory=dict)
    _atoms: dict[str, int] = field(default_factory=dict)
    _known: dict[str, frozenset[int]] = field(default_factory=dict)
    _starts: set[int] = field(default_factory=set)

    def add(self, category: str, entries: Iterable[str]) -> None:
        """Add the words and phrases of a category.

        Raises:
            ValueError: an entry cannot be read.
        """
        for entry in entries:
            phrase = Phrase(category, tuple(self._steps(entry)))
            if not phrase.steps or all(step.optional for step in phrase.steps):
                raise ValueError(f"{entry!r} says nothing")
            first = phrase.steps[0]
            if first.optional or first.gap:
                raise ValueError(f"{entry!r} begins with what may be missing")
            for atom in first.atoms:
                self.phrases.setdefault(atom, []).append(phrase)

    def _steps(self, entry: str) -> Iterator[Step]:
        gap = 0
        for part in entry.split():
            if part == "...":
                gap = GAP
                continue
            optional = part.endswith("?") and len(part) > 1
            alternatives = (part[:-1] if optional else part).split("|")
            rows = [self._words(alternative) for alternative in alternatives]
            if len(rows) == 1:
                for number, word in enumerate(rows[0]):
                    yield Step(frozenset([self._atom(word)]), optional, 0 if number else gap)
            elif any(len(row) != 1 for row in rows):
                raise ValueError(f"{entry!r}: each of {part!r} must be one word")
            else:
                yield Step(frozenset(self._atom(row[0]) for row in rows), optional, gap)
            gap = 0
        if gap:
            raise ValueError(f"{entry!r} ends with ...")

    @staticmethod
    def _words(text: str) -> list[str]:
        words = [part if part in (AMOUNT, FIGURE) else fold(part) for part in _PARTS.findall(text)]
        if not words:
            raise ValueError(f"{text!r} holds no word")
        return words

    def _atom(self, word: str) -> int:
        if word in self._atoms:
            return self._atoms[word]
        number = self._atoms[word] = len(self._atoms)
        stem = word.strip("*")
        if word[0] == "*" and word[-1] == "*":
            self.inner.setdefault(stem, set()).add(number)
        elif word[0] == "*":
            self.suffixes.setdefault(stem, set()).add(number)
        elif word[-1] == "*":
            self.prefixes.setdefault(stem, set()).add(number)
        else:
            self.exact.setdefault(word, set()).add(number)
        return number

    def atoms(self, word: str) -> frozenset[int]:
        """Which atoms a word is."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) > _MEMORY:
                self._known.clear()
            found = set(self.exact.get(word, ()))
            size = min(len(word), 40)
            for length in range(2, size + 1):
                found |= self.prefixes.get(word[:length], set())
                found |= self.suffixes.get(word[-length:], set())
            if self.inner:
                for stem, atoms in self.inner.items():
                    if stem in word:
                        found |= atoms
            known = self._known[word] = frozenset(found)
        return known

    def _of(self, token: Token) -> frozenset[int]:
        if token.kind in (FIGURE, PERCENT):
            return self.atoms(token.text) | self.atoms(FIGURE)
        return self.atoms(token.text if token.kind == WORD else token.kind)

    def within(self, words: Iterable[str]) -> set[str]:
        """Categories that may have something among these words, in whatever order they stand: what `match` finds and more."""
        present = set(self.atoms(AMOUNT)) | self.atoms(FIGURE)
        for word in words:
            present |= self.atoms(word)
        found: set[str] = set()
        for atom in present:
            for phrase in self.phrases.get(atom, ()):
                if phrase.category not in found and all(
                    step.optional or not present.isdisjoint(step.atoms) for step in phrase.steps
                ):
                    found.add(phrase.category)
        return found

    def match(self, row: Sequence[Token]) -> list[Match]:
        """What of `row` the lexicon holds; of one category at one place the longest."""
        read = [None if token.kind in _SILENT else self._of(token) for token in row]
        found: list[Match] = []
        for at, atoms in enumerate(read):
            if not atoms:
                continue
            best: dict[str, Match] = {}
            for atom in atoms:
                for phrase in self.phrases.get(atom, ()):
                    fit = _fits(phrase.steps, 1, read, at + 1)
                    known = best.get(phrase.category)
                    if fit is not None and (known is None or fit[0] > known.end):
                        best[phrase.category] = Match(phrase.category, at, *fit)
            found += best.values()
        return found


def _fits(
    steps: Sequence[Step], number: int, read: Sequence[frozenset[int] | None], at: int
) -> tuple[int, tuple[int, ...]] | None:
    """Where the rest of a phrase ends, tried from `at`, and what it leaps over; None where it does not fit.

    Greedy: the first fit of each step.
    """
    leapt: tuple[int, ...] = ()
    while number < len(steps):
        step = steps[number]
        for skipped in range(step.gap + 1):
            here = at + skipped
            if here >= len(read):
                if step.optional:
                    break
                return None
            atoms = read[here]
            if atoms is None:
                # `...` reaches into the next sentence; words that stand together do not.
                if step.gap:
                    continue
                if step.optional:
                    break
                return None
            if step.atoms & atoms:
                if skipped:
                    leapt += tuple(range(at, here))
                at = here + 1
                break
        else:
            if not step.optional:
                return None
        number += 1
    return at, leapt


def with_amounts(row: list[Token], is_number: Callable[[str], bool], is_money: Callable[[str], bool]) -> list[Token]:
    """`row` with amounts written in words as one token each: number words, figures among them, then what money is called.

    A figure with a name for money that the currencies lack (`1.500 pavos`) is an amount as well.
    """
    out: list[Token] = []
    at = 0
    while at < len(row):
        end, worded = at, False
        while end < len(row) and (row[end].kind == FIGURE or (row[end].kind == WORD and is_number(row[end].text))):
            worded = worded or row[end].kind == WORD
            end += 1
        if at < end < len(row) and row[end].kind == WORD and is_money(row[end].text):
            out.append(Token(AMOUNT, "" if worded else row[at].text, row[at].start, row[end].end))
            at = end + 1
        else:
            out.append(row[at])
            at += 1
    return out


def composed(word: str, parts: frozenset[str]) -> bool:
    """Whether a word is made of `parts` and nothing else, as `zweitausend` is of numbers."""
    if len(word) > _LONGEST_NUMBER:
        return False
    reached = {0}
    for end in range(1, len(word) + 1):
        if any(end - len(part) in reached for part in parts if word.endswith(part, 0, end)):
            reached.add(end)
    return len(word) in reached
