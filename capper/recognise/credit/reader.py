"""Does a piece of text push credit that nobody asked for? Signals for and against, weighed; whose words they are is a pack's."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

from capper.domain.prompt import SILENCE, Reading, digits
from capper.recognise.credit.frames import UNTOLD, WARILY, Frame
from capper.recognise.credit.packs import BESIDE, FOR, Pack, Packs
from capper.recognise.credit.weights import Traits, fit
from capper.recognise.credit.words import AMOUNT, FIGURE, QUOTE, STOP, WORD, Match, Token, fold
from capper.recognise.labels import load_labels

CONTEXT = {
    "marked": 1.5,
    "greeted": 1.25,
    "option": 3.0,
    "later": 2.0,
    "echo": 4.0,
    "credit": 0.5,
    "decided": 1.5,
    "promo": 0.5,
}
"""What signals weigh that come from around a piece, where it does not say them itself."""
ENOUGH = 2.0
WARY = 2.0
"""How much more it takes on a page of her own figures, or of her own money."""
UNWARY = 0.75
"""How much less it takes where nobody asked for anything."""
BELONGS = -2.0
"""A piece no less likely than this is part of a prompt that it stands beside."""
HOPEFUL = -1.0
"""A stretch of a body no less likely than this is looked at as a page is."""
LIKELY = 1.0
"""A piece no less likely than this is about credit, whatever else it says."""
FOREIGN = -7.0
"""A piece less likely than this is about something else."""
_VAGUE = 2.5
"""How much more it takes where neither a sum nor a word of credit stands, and in prose."""
_PROSE = 32
"""Words: so many are prose."""
_OBJECT = frozenset(
    [
        "amount",
        "figure",
        "credit",
        "headroom",
        "preapproved",
        "card",
        "later",
        "borrow",
        "option",
        "prompt",
        "room",
        "raise",
    ]
)
_SPEAKS = frozenset([*FOR, "amount", "figure"]) - {"you"}
_VETO = frozenset(["own", "statement", "intent", "editorial", "set", "scam"])
_NEVER = frozenset(["quoted", "scam"])
_FIRM = frozenset(["credit", "preapproved", "headroom", "borrow", "later"])
"""Without any of them a sum that is there for her may be her own."""
_FOR = frozenset(FOR)
_NONE = frozenset[str]()
_ECHOING = frozenset(["credit", "headroom", "room", "available", "spend", "preapproved"])
"""A sum is said again where any of them stands beside it."""
_WORDS = re.compile(r"[^\W\d_]+|\d+")
_NO_DIGIT = re.compile(r"\D")
_BREAK = Token(STOP, "\n")
_APART = frozenset(["advert"])
_RUNS = ((0, 1), (0, 2), (-1, 1), (-1, 2), (-2, 1), (0, 3), (-2, 3))
"""Pieces that are read together, from the one before which place to the one behind which."""


_PIECES, _READINGS, _WORDS_MET = 2_000, 5_000, 20_000
"""How much of a page is remembered before it starts afresh."""


type Shape = tuple[str, tuple[str, ...]]
"""A language, and what words say in it whatever the sums."""


class Piece(NamedTuple):
    """What a piece of text says in one language, whatever stands around it."""

    signals: frozenset[str]
    traits: Traits
    sums: frozenset[str]
    """The digits of the sums it names."""


@dataclass(frozen=True)
class CreditReader:
    """Reads the pieces of one page with the packs of its languages; remembers what they say as long as it lives."""

    packs: tuple[Pack, ...]
    shared: Packs
    frame: Frame = Frame.ANY
    sums: frozenset[str] = frozenset()
    """Sums that a prompt of this document named: where else they stand beside words of credit, it is said again."""
    _pieces: dict[tuple[str, str], Piece] = field(default_factory=dict, repr=False, compare=False)
    _shapes: dict[Shape, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    _words: dict[str, int] = field(default_factory=dict, repr=False, compare=False)
    _readings: dict[tuple[str, frozenset[str]], Reading] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def echoes(self, text: str) -> bool:
        """Whether a sum is one that a prompt of this document named."""
        return bool(self.sums) and digits(text) in self.sums

    def read(self, text: str, more: frozenset[str] = frozenset()) -> Reading:
        """What `text` says; `more` are signals that its surroundings add."""
        if self.frame is Frame.READING:
            return SILENCE
        known = self._readings.get((text, more))
        if known is None:
            if len(self._readings) >= _READINGS:
                self._readings.clear()
            known = self._readings[text, more] = self._read(fold(text), more)
        return known

    def _read(self, folded: str, more: frozenset[str]) -> Reading:
        if not folded or folded.isspace():
            return SILENCE
        readings = [self._read_as(pack, folded, more) for pack in self.packs]
        if not readings:
            return SILENCE
        warning = next((each for each in readings if each.warning), None)
        if warning:
            return warning
        best = max(readings, key=lambda each: each.score)
        # What greets, or closes something, in any language that it may be in is no prompt of another.
        return (
            best
            if best.prompt
            else next((each for each in readings if each.greeting or "dismiss" in each.signals), best)
        )

    def _read_as(self, pack: Pack, folded: str, more: frozenset[str]) -> Reading:
        piece = self._piece(pack, folded)
        odds = self.shared.weights.weigh([piece.traits], piece.signals)
        around = set(more)
        if piece.sums & self.sums and piece.signals & _ECHOING:
            around.add("echo")
        odds += sum(CONTEXT.get(signal, 0.0) for signal in around - piece.signals)
        return _judged(pack, piece, piece.signals | around, odds, self.frame)

    def _piece(self, pack: Pack, folded: str) -> Piece:
        known = self._pieces.get((pack.language, folded))
        if known is None:
            if len(self._pieces) >= _PIECES:
                self._pieces.clear()
                self._shapes.clear()
            row, signals = signals_of(pack, folded, self._shapes)
            sums = {digits(token.text) for token in row if token.kind in (AMOUNT, FIGURE)} - {""}
            if len(self._words) >= _WORDS_MET:
                self._words.clear()
            traits = self.shared.weights.traits(pack.language, row, self._words)
            known = self._pieces[pack.language, folded] = Piece(frozenset(signals), traits, frozenset(sums))
        return known

    def promising(self, pieces: Sequence[str], at: int) -> bool:
        """Whether the piece of a body that stands at `at`, alone or with those around it, may be a prompt."""
        first = max(at - 2, 0)
        near = [fold(piece) for piece in pieces[first : at + 3]]
        here = at - first
        words = {*_WORDS.findall("\n".join(near))}
        # At the beginning or end several of the runs are one.
        runs = [*dict.fromkeys((max(here + start, 0), min(here + stop, len(near))) for start, stop in _RUNS)]
        return any(self._hopeful(pack, near, runs) for pack in self.packs if pack.lexicon.may_say(_FOR, words))

    def _hopeful(self, pack: Pack, near: Sequence[str], runs: Sequence[tuple[int, int]]) -> bool:
        """Whether any of some runs of pieces, each read as one, may be a prompt."""
        read = [self._piece(pack, folded) for folded in near]
        if all(piece.signals.isdisjoint(_FOR) for piece in read):
            return False
        for start, stop in runs:
            signals = _NONE.union(*(piece.signals for piece in read[start:stop]))
            if (
                not signals.isdisjoint(_FOR)
                and self._odds(pack, near[start:stop], read[start:stop], signals) >= HOPEFUL
            ):
                return True
        return False

    def _odds(self, pack: Pack, run: Sequence[str], read: Sequence[Piece], signals: frozenset[str]) -> float:
        traits = [piece.traits for piece in read]
        if fit(traits):
            return self.shared.weights.weigh(traits, signals)
        row = [token for folded in run for token in (*signals_of(pack, folded)[0], _BREAK)]
        return self.shared.weights.odds(pack.language, row, signals)

    def member(self, name: str) -> frozenset[str]:
        """What the name of a JSON member or of a machine's word says."""
        said = _member(self.shared, name)
        return said & _APART if self.frame is Frame.READING else said

    def apart(self, label: str = "") -> "CreditReader | None":
        """Who reads what is labelled as an advertisement: it is no part of what she came for.

        With a `label`: None where that says nothing of the kind, or where why she came changes nothing.
        """
        if self.frame in UNTOLD or (label and not any(load_labels().read(label, p.language) for p in self.packs)):
            return None
        return self._apart

    @cached_property
    def _apart(self) -> "CreditReader":
        return replace(self, frame=Frame.LANDING)


@lru_cache(4096)
def _member(shared: Packs, name: str) -> frozenset[str]:
    words = [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", fold_case(name))]
    row = [Token(WORD, word) for word in words[:20]]
    return frozenset(match.category for match in shared.members.match(row))


def fold_case(name: str) -> str:
    """A machine's word in ASCII with its case, which parts it."""
    return name.encode("ascii", "ignore").decode()[:200]


def _judged(pack: Pack, piece: Piece, signals: frozenset[str], odds: float, frame: Frame) -> Reading:
    """What a piece says where `signals`, its own and those of its surroundings, make a prompt at `odds`."""
    warning = "warning" in signals
    enough = ENOUGH + (WARY if frame in WARILY else -UNWARY if frame is Frame.LANDING else 0.0)
    barred = bool(signals & _NEVER) or (frame in (Frame.OWN, Frame.ELSEWHERE) and not signals & _FIRM)
    if not signals & _OBJECT or not signals & _FOR or piece.traits.length > _PROSE:
        enough += _VAGUE
    prompt = not warning and not barred and odds >= enough and bool(signals & _SPEAKS)
    against = "scam" in signals or (bool(signals & _VETO) and not prompt and odds < BELONGS)
    return Reading(
        score=odds,
        signals=signals,
        pack=pack.language,
        prompt=prompt,
        support=not warning and not against and odds >= BELONGS and bool(signals & _SPEAKS),
        against=against,
        foreign=odds < FOREIGN or (odds < LIKELY and bool(signals & {"business", "action"})),
        warning=warning,
        greeting="greeting" in signals and not prompt,
        action="action" in signals,
        sums=piece.sums if "amount" in signals else frozenset(),
    )


def signals_of(
    pack: Pack, folded: str, known: dict[Shape, frozenset[str]] | None = None
) -> tuple[list[Token], set[str]]:
    """The tokens of a folded piece, without quotation marks, and the signals in it.

    `known` is what words say that differ in sums and figures alone; it grows.
    """
    everything = row = pack.read(folded)
    kinds = {token.kind for token in everything}
    if QUOTE in kinds:
        row = [token for token in everything if token.kind != QUOTE]
    shape = pack.language, pack.lexicon.shape(everything)
    said = known.get(shape) if known is not None else None
    if said is None:
        said = frozenset(_said(pack, everything, row))
        if known is not None:
            known[shape] = said
    signals = set(said)
    if AMOUNT in kinds:
        signals.add("amount")
    elif FIGURE in kinds and any(_round(token) for token in row):
        signals.add("figure")
    return row, signals


def _said(pack: Pack, everything: Sequence[Token], row: Sequence[Token]) -> Iterator[str]:
    """What the words of a piece say, with and without its quotation marks."""
    matches = _resolved(pack.lexicon.match(row))
    yield from (match.category for match in matches)
    if len(everything) > len(row) and _quotes(everything, matches):
        yield "quoted"


def _round(token: Token) -> bool:
    """Whether a figure may be a sum of credit: hundreds at least."""
    if token.kind != FIGURE:
        return False
    digits = _NO_DIGIT.sub("", token.text)
    return 3 <= len(digits) <= 7 and not (len(digits) == 4 and digits.startswith(("19", "20")))


def _quotes(everything: Sequence[Token], matches: Sequence[Match]) -> bool:
    """Whether words about credit stand in quotation marks with others around them: somebody tells of them."""
    marks = [at for at, token in enumerate(everything) if token.kind == QUOTE]
    if len(marks) < 2:
        return False
    first, last = marks[0], marks[-1]
    outside = sum(token.kind == WORD for token in (*everything[:first], *everything[last:]))
    # Matches are of what stands between the marks.
    places = [at for at, token in enumerate(everything) if token.kind != QUOTE]
    return outside >= 3 and any(first < places[match.start] < last for match in matches if match.category in FOR)


def _resolved(matches: Iterable[Match]) -> list[Match]:
    """Of a longer and a shorter match at one place on opposite sides the longer speaks."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda match: match.start - match.end):
        side = match.category in FOR
        if match.category == "credit" and any(other.category == "card" and other.covers(match) for other in kept):
            continue
        if match.category in BESIDE or not any(
            (other.category in FOR) is not side
            and other.category not in BESIDE
            and other.category != "prompt"
            and other.covers(match)
            for other in kept
        ):
            kept.append(match)
    return kept
