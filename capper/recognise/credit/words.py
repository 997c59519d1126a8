"""Words as credit packs see them: folded text, tokens, amounts of money, and a lexicon of stems and phrases.

Nothing here backtracks: a phrase is a row of words with gaps of bounded length, so hostile text costs linear time.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from sys import intern
from typing import Any, NamedTuple, Self

from capper.remembered import Shelf

LONGEST = 4_000
"""Characters of one piece of text that are read; a longer one is prose."""
GAP = 4
"""The most words that `...` in a phrase stands for."""
_LONGEST_NUMBER = 60
_MEMORY = 10_000
"""How many different words a lexicon remembers before it starts afresh."""
_SHORTEST_STEM, _LONGEST_STEM = 2, 40

AMOUNT, FIGURE, PERCENT, STOP, QUOTE, WORD = "#", "N", "%", ".", '"', "w"

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
    r"((?<![^\W\d_])[^\W\d_]++(?!\.? ?\d|\$))|"
    rf"((?<![\w])(?:{_CURRENCY})\.? ?(?:{_DIGITS})(?:[ .]?(?:{_SCALE})(?![a-z]))?(?:[,.]-|:-)?"
    rf"|(?<![\w.,])(?:{_DIGITS})(?: ?(?:{_SCALE})\.?)?(?:(?:[,.]-|:-)(?!\d)|[ -]?(?:{_CURRENCY})(?![a-z])))"
    rf"|((?:{_DIGITS}) ?%)|((?:{_DIGITS})(?:(?:k|lakhs?)(?![a-z]))?)"
    r"|([^\W\d_]+)"
    r"|([.!?;:\n|•·]+)"
    r"|([\"“”„«»‟‹›]))"
)


def fold(text: str) -> str:
    """`text` without case, accents, soft hyphens and odd blanks, so that every spelling of a word is one."""
    if text.isascii():
        return text[:LONGEST].lower()
    text = unicodedata.normalize("NFKD", _DROPPED.sub("", text[:LONGEST])).casefold()
    return _ODD.sub(lambda letter: _LETTERS[letter[0]], _MARKS.sub("", text))


class Token(NamedTuple):
    """One word, amount or stop; `kind` is its own name for a word, else one of AMOUNT, FIGURE, PERCENT, STOP, QUOTE."""

    kind: str
    text: str


def tokens(folded: str) -> list[Token]:
    """The tokens of folded text."""
    found: list[Token] = []
    for plain, amount, percent, figure, word, stop, quote in _TOKEN.findall(_BLANKS.sub(" ", folded)):
        if plain or word:
            # A full stop ends no sentence behind `eff.`, or one so short that it makes no difference.
            if len(found) > 1 and found[-1] == _STOP and found[-2].kind == WORD and len(found[-2].text) <= _ABBREVIATED:
                found.pop()
            found.append(Token(WORD, plain or word))
        elif stop:
            found.append(Token(STOP, stop))
        elif amount:
            found.append(Token(AMOUNT, amount))
        elif figure:
            found.append(Token(FIGURE, figure))
        else:
            found.append(Token(PERCENT, percent) if percent else Token(QUOTE, quote))
    return found


_BLANKS = re.compile(r"[^\S\n ]")
_STOP = Token(STOP, ".")
_ABBREVIATED = 4
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


class Step(NamedTuple):
    """One place of a phrase: the atoms that may stand there, whether it may be left out, and how many words may come before it."""

    atoms: tuple[int, ...]
    optional: bool = False
    gap: int = 0


@cache
def _step(atoms: tuple[int, ...], optional: bool, gap: int) -> Step:  # noqa: FBT001
    """One object for all that are alike, in whatever language: there are few."""
    return Step(atoms, optional, gap)


@cache
def _said(*categories: str) -> tuple[str, ...]:
    """As of steps."""
    return categories


class Phrase(NamedTuple):
    """A category and the steps that stand for it behind a first word."""

    category: str
    rest: tuple[Step, ...]
    needs: tuple[int, ...]
    """Atoms of which one stands among them; none where all of them may be missing."""


class Phrases(NamedTuple):
    """Phrases that begin with one word."""

    needs: frozenset[int] = frozenset()
    """All that any of them needs."""
    phrases: tuple[Phrase, ...] = ()

    def among(self, atoms: frozenset[int]) -> list[Phrase]:
        """Those that may go on where these atoms stand."""
        return [phrase for phrase in self.phrases if not atoms.isdisjoint(phrase.needs)]


class Met(NamedTuple):
    """What a word is to a lexicon."""

    atoms: frozenset[int]
    alone: tuple[str, ...] = ()
    """Categories that it stands for by itself."""
    close: Phrases = Phrases()
    """What begins with it and goes on with the very next word."""
    loose: Phrases = Phrases()
    """What goes on further behind."""
    free: tuple[Phrase, ...] = ()
    """What may go on with nothing."""


_NOTHING = Met(frozenset())

type _Sizes = dict[str, tuple[int, ...]]
"""By the letters they begin or end with, how long stems are."""


class Lexicon:
    """Words and phrases by category; built once per pack, read-only but for what it remembers of words met.

    A word is written `limit` (that very word), `limit*` (a word that begins so), `*limit` (one that ends so) or `*limit*`.
    A phrase is several words; `a|b` is one of these, `a?` may be missing, `...` stands for up to four words, `#` for an
    amount of money. What a word, or a part of one, is written like is an atom: a number.
    """

    def __init__(self) -> None:
        self._exact: dict[str, int] = {}
        self._prefixes: dict[str, int] = {}
        self._suffixes: dict[str, int] = {}
        self._inner: dict[str, int] = {}
        self._alone: list[tuple[str, ...]] = []
        """By atom."""
        self._phrases: dict[int, tuple[Phrase, ...]] = {}
        """By the atom they begin with."""
        self._known: Shelf[str, Met] = Shelf(_MEMORY)
        self._sizes: tuple[_Sizes, _Sizes] | None = None

    def add(self, category: str, entries: Iterable[str]) -> None:
        """Add the words and phrases of a category.

        Raises:
            ValueError: an entry cannot be read.
        """
        for entry in entries:
            steps = tuple(self._read(entry))
            if not steps or all(step.optional for step in steps):
                raise ValueError(f"{entry!r} says nothing")
            first, *rest = steps
            if first.optional or first.gap:
                raise ValueError(f"{entry!r} begins with what may be missing")
            needed = next((step.atoms for step in rest if not step.optional), ())
            phrase = Phrase(category, tuple(rest), needed)
            for atom in first.atoms:
                if rest:
                    self._phrases[atom] = (*self._phrases.get(atom, ()), phrase)
                elif category not in self._alone[atom]:
                    self._alone[atom] = _said(*self._alone[atom], category)
        self._sizes = None

    def stored(self) -> list[Any]:
        """All that was added, as JSON has it; what is alike is there once."""
        steps: dict[Step, int] = {}
        phrases: dict[Phrase, int] = {}
        begun = [
            (atom, [phrases.setdefault(phrase, len(phrases)) for phrase in some])
            for atom, some in self._phrases.items()
        ]
        rows = [
            (category, [steps.setdefault(step, len(steps)) for step in rest], needs)
            for category, rest, needs in phrases
        ]
        return [
            self._exact,
            self._prefixes,
            self._suffixes,
            self._inner,
            self._alone,
            [*map(tuple, steps)],
            rows,
            begun,
        ]

    @classmethod
    def restored(cls, stored: list[Any]) -> Self:
        """What `stored` gave, as a lexicon again."""
        lexicon = cls()
        (lexicon._exact, lexicon._prefixes, lexicon._suffixes, lexicon._inner, alone, steps, rows, begun) = stored
        lexicon._alone = [_said(*map(intern, categories)) for categories in alone]
        made = [_step(tuple(atoms), optional, gap) for atoms, optional, gap in steps]
        phrases = [
            Phrase(intern(category), tuple([made[at] for at in rest]), tuple(needs)) for category, rest, needs in rows
        ]
        lexicon._phrases = {atom: tuple([phrases[at] for at in some]) for atom, some in begun}
        return lexicon

    def _read(self, entry: str) -> Iterator[Step]:
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
                    yield _step((self._atom(word),), optional, 0 if number else gap)
            elif any(len(row) != 1 for row in rows):
                raise ValueError(f"{entry!r}: each of {part!r} must be one word")
            else:
                yield _step(tuple(sorted({self._atom(row[0]) for row in rows})), optional, gap)
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
        table = self._exact
        if word[0] == "*" and word[-1] == "*":
            table = self._inner
        elif word[0] == "*":
            table = self._suffixes
        elif word[-1] == "*":
            table = self._prefixes
        number = table.setdefault(word.strip("*"), len(self._alone))
        if number == len(self._alone):
            self._alone.append(())
        return number

    def knows(self, word: str) -> bool:
        """Whether a word is in it, or part of a phrase."""
        return self._of(word) is not _NOTHING

    def _of(self, word: str) -> Met:
        known = self._known.get(word)
        if known is None:
            known = self._known[word] = self._met(self._atoms(word))
        return known

    def _atoms(self, word: str) -> set[int]:
        if self._sizes is None:
            self._sizes = (
                _sizes(self._prefixes, slice(_SHORTEST_STEM)),
                _sizes(self._suffixes, slice(-_SHORTEST_STEM, None)),
            )
        begins, ends = self._sizes
        found = {self._exact.get(word)}
        # Few words begin or end as any stem does.
        found.update([self._prefixes.get(word[:size]) for size in begins.get(word[:_SHORTEST_STEM], ())])
        found.update([self._suffixes.get(word[-size:]) for size in ends.get(word[-_SHORTEST_STEM:], ())])
        found.update([atom for stem, atom in self._inner.items() if stem in word])
        found.discard(None)
        return found  # type: ignore[return-value]

    def _met(self, atoms: set[int]) -> Met:
        if not atoms:
            return _NOTHING
        alone = dict.fromkeys(category for atom in sorted(atoms) for category in self._alone[atom])
        phrases = [phrase for atom in sorted(atoms) for phrase in self._phrases.get(atom, ())]
        kinds: dict[str, list[Phrase]] = {"close": [], "loose": [], "free": []}
        for phrase in phrases:
            second = phrase.rest[0]
            kinds["free" if not phrase.needs else "loose" if second.optional or second.gap else "close"].append(phrase)
        close, loose = (
            Phrases(frozenset(atom for phrase in some for atom in phrase.needs), tuple(some))
            for some in (kinds["close"], kinds["loose"])
        )
        return Met(frozenset(atoms), tuple(alone), close, loose, tuple(kinds["free"]))

    def _read_as(self, kind: str, text: str) -> Met | None:
        """What a token is; None where it ends a sentence or stands for no word."""
        if kind in (WORD, AMOUNT):
            return self._of(text if kind == WORD else AMOUNT)
        if kind in (STOP, QUOTE):
            return None
        # Figures are without number: none is remembered.
        own = self._atoms(text) if self._is_own(text) else set[int]()
        return self._met(own | self._of(FIGURE).atoms) if own else self._of(FIGURE)

    def _is_own(self, figure: str) -> bool:
        """Whether a figure may be in it for its own sake."""
        return figure[-1].isalpha() or figure in self._exact

    def shape(self, row: Sequence[Token]) -> tuple[str, ...]:
        """What `match` goes by: rows that differ in sums and figures alone have the same."""
        return tuple(
            text if kind == WORD or (kind in (FIGURE, PERCENT) and self._is_own(text)) else kind for kind, text in row
        )

    def match(self, row: Sequence[Token]) -> list[Match]:
        """What of `row` the lexicon holds; of one category at one place the longest."""
        known = self._known
        read = [known.get(text) if kind == WORD else None for kind, text in row]
        read = [met or self._read_as(*token) for met, token in zip(read, row, strict=True)]
        present = _NOTHING.atoms.union(*(met.atoms for met in read if met is not None))
        found: list[Match] = []
        for at, met in enumerate(read):
            if met is None or met is _NOTHING:
                continue
            best = {category: Match(category, at, at + 1) for category in met.alone}
            for category, rest, _ in _begun(met, read[at + 1] if at + 1 < len(read) else None, present):
                fit = _fits(rest, read, at + 1)
                longest = best.get(category)
                if fit is not None and (longest is None or fit[0] > longest.end):
                    best[category] = Match(category, at, *fit)
            found += best.values()
        return found

    def may_say(self, categories: AbstractSet[str], words: Iterable[str]) -> bool:
        """Whether any of these categories may be among some words and sums, in whatever order they stand."""
        known = self._known
        met = [known.get(word) or self._of(word) for word in (*words, AMOUNT, FIGURE)]
        if any(not categories.isdisjoint(each.alone) for each in met):
            return True
        present = _NOTHING.atoms.union(*(each.atoms for each in met))
        return any(
            category in categories and all(step.optional or not present.isdisjoint(step.atoms) for step in rest)
            for each in met
            for some in (each.close, each.loose)
            if not some.needs.isdisjoint(present)
            for category, rest, needs in some.phrases
            if not present.isdisjoint(needs)
        ) or any(phrase.category in categories for each in met for phrase in each.free)


def _sizes(stems: Iterable[str], mark: slice) -> _Sizes:
    """How long the stems are that begin, or end, alike."""
    found: dict[str, set[int]] = {}
    for stem in stems:
        if _SHORTEST_STEM <= len(stem) <= _LONGEST_STEM:
            found.setdefault(stem[mark], set()).add(len(stem))
    return {letters: tuple(sizes) for letters, sizes in found.items()}


def _begun(met: Met, behind: Met | None, present: frozenset[int]) -> tuple[Phrase, ...]:
    """The phrases that a word may begin where one stands right behind it, and what is present further on."""
    begun = met.free
    if behind is not None and not met.close.needs.isdisjoint(behind.atoms):
        begun = (*met.close.among(behind.atoms), *begun)
    if not met.loose.needs.isdisjoint(present):
        begun = (*begun, *met.loose.among(present))
    return begun


def _fits(steps: Sequence[Step], read: Sequence[Met | None], at: int) -> tuple[int, tuple[int, ...]] | None:
    """Where some steps end, tried from `at`, and what they leap over; None where they do not fit.

    Greedy: the first fit of each step.
    """
    leapt: tuple[int, ...] = ()
    for atoms, optional, gap in steps:
        for here in range(at, at + gap + 1):
            if here >= len(read):
                if optional:
                    break
                return None
            met = read[here]
            if met is None:
                # `...` reaches into the next sentence; words that stand together do not.
                if gap:
                    continue
                if optional:
                    break
                return None
            if not met.atoms.isdisjoint(atoms):
                if here > at:
                    leapt += tuple(range(at, here))
                at = here + 1
                break
        else:
            if not optional:
                return None
    return at, leapt


def with_amounts(row: list[Token], is_number: Callable[[str], bool], is_money: Callable[[str], bool]) -> list[Token]:
    """`row` with amounts written in words as one token each: number words, figures among them, then what money is called.

    A figure with a name for money that the currencies lack (`1.500 pavos`) is an amount as well.
    """
    if not any(token.kind == WORD and is_money(token.text) for token in row):
        return row
    out: list[Token] = []
    numbers: list[Token] = []
    for token in row:
        if token.kind == FIGURE or (token.kind == WORD and is_number(token.text)):
            numbers.append(token)
            continue
        if numbers and token.kind == WORD and is_money(token.text):
            worded = any(number.kind == WORD for number in numbers)
            out.append(Token(AMOUNT, "" if worded else numbers[0].text))
        else:
            out += (*numbers, token)
        numbers.clear()
    return [*out, *numbers]


def composed(word: str, parts: frozenset[str]) -> bool:
    """Whether a word is made of `parts` and nothing else, as `zweitausend` is of numbers."""
    if len(word) > _LONGEST_NUMBER:
        return False
    reached = {0}
    for end in range(1, len(word) + 1):
        if any(end - len(part) in reached for part in parts if word.endswith(part, 0, end)):
            reached.add(end)
    return len(word) in reached
