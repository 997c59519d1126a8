"""Does a piece of text push credit that nobody asked for? Signals for and against, weighed; whose words they are is a pack's."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from capper.domain.prompt import SILENCE, Reading, digits
from capper.recognise.credit.frames import WARILY, Frame
from capper.recognise.credit.packs import BESIDE, FOR, Pack, Packs
from capper.recognise.credit.words import AMOUNT, FIGURE, QUOTE, STOP, WORD, Match, Token, fold

CONTEXT = {"marked": 1.5, "option": 3.0, "later": 2.0, "echo": 4.0, "credit": 0.5, "decided": 1.5, "promo": 0.5}
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
_BREAK = Token(STOP, "\n", 0, 0)
_RUNS = ((0, 1), (0, 2), (-1, 1), (-1, 2), (-2, 1), (0, 3), (-2, 3))
"""Pieces that are read together, from the one before which place to the one behind which."""


@dataclass(frozen=True)
class CreditReader:
    """Reads the pieces of one page with the packs of its languages."""

    packs: tuple[Pack, ...]
    shared: Packs
    frame: Frame = Frame.ANY
    sums: frozenset[str] = frozenset()
    """Sums that a prompt of this document named: where else they stand beside words of credit, it is said again."""

    def echoes(self, text: str) -> bool:
        """Whether a sum is one that a prompt of this document named."""
        return bool(self.sums) and digits(text) in self.sums

    def read(self, text: str, more: frozenset[str] = frozenset()) -> Reading:
        """What `text` says; `more` are signals that its surroundings add."""
        folded = fold(text)
        if not folded or folded.isspace():
            return SILENCE
        readings = [_reading(pack, self.shared, folded, more, self.frame, self.sums) for pack in self.packs]
        if not readings:
            return SILENCE
        warning = next((each for each in readings if each.warning), None)
        if warning:
            return warning
        best = max(readings, key=lambda each: each.score)
        # What greets in any language that it may be in is no prompt of another.
        return best if best.prompt else next((each for each in readings if each.greeting), best)

    def promising(self, pieces: Sequence[str], at: int) -> bool:
        """Whether the piece of a body that stands at `at`, alone or with those around it, may be a prompt."""
        first = max(at - 2, 0)
        near = [fold(piece) for piece in pieces[first : at + 3]]
        here = at - first
        for pack in self.packs:
            read = [signals_of(pack, piece) for piece in near]
            for start, stop in _RUNS:
                run = read[max(here + start, 0) : here + stop]
                row = [token for tokens, _ in run for token in (*tokens, _BREAK)]
                signals = set[str]().union(*(signals for _, signals in run))
                if signals & _FOR and self.shared.weights.odds(pack.language, row, signals) >= HOPEFUL:
                    return True
        return False

    def member(self, name: str) -> frozenset[str]:
        """What the name of a JSON member or of a machine's word says."""
        return _member(self.shared, name)


@lru_cache(4096)
def _member(shared: Packs, name: str) -> frozenset[str]:
    words = [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", fold_case(name))]
    row = [Token(WORD, word, 0, 0) for word in words[:20]]
    return frozenset(match.category for match in shared.members.match(row))


def fold_case(name: str) -> str:
    """A machine's word in ASCII with its case, which parts it."""
    return name.encode("ascii", "ignore").decode()[:200]


@lru_cache(20_000)
def _reading(
    pack: Pack, shared: Packs, folded: str, more: frozenset[str], frame: Frame, echoed: frozenset[str]
) -> Reading:
    row, signals = signals_of(pack, folded)
    odds = shared.weights.odds(pack.language, row, signals)
    sums = {digits(token.text) for token in row if token.kind in (AMOUNT, FIGURE)} - {""}
    around = set(more)
    if sums & echoed and signals & {"credit", "headroom", "room", "available", "spend", "preapproved"}:
        around.add("echo")
    odds += sum(CONTEXT.get(signal, 0.0) for signal in around - signals)
    signals |= around

    warning = "warning" in signals
    enough = ENOUGH + (WARY if frame in WARILY else -UNWARY if frame is Frame.LANDING else 0.0)
    barred = bool(signals & _NEVER) or (frame in (Frame.OWN, Frame.ELSEWHERE) and not signals & _FIRM)
    if not signals & _OBJECT or not signals & _FOR or sum(token.kind == WORD for token in row) > _PROSE:
        enough += _VAGUE
    prompt = not warning and not barred and odds >= enough and bool(signals & _SPEAKS)
    against = "scam" in signals or (bool(signals & _VETO) and not prompt and odds < BELONGS)
    return Reading(
        score=odds,
        signals=frozenset(signals),
        pack=pack.language,
        prompt=prompt,
        support=not warning and not against and odds >= BELONGS and bool(signals & _SPEAKS),
        against=against,
        foreign=odds < FOREIGN or (odds < LIKELY and bool(signals & {"business", "action"})),
        warning=warning,
        greeting="greeting" in signals and not prompt,
        action="action" in signals,
        sums=frozenset(sums) if "amount" in signals else frozenset(),
    )


def signals_of(pack: Pack, folded: str) -> tuple[list[Token], set[str]]:
    """The tokens of a folded piece, without quotation marks, and the signals in it."""
    everything = pack.read(folded)
    row = [token for token in everything if token.kind != QUOTE]
    matches = _resolved(pack.lexicon.match(row))
    signals = {match.category for match in matches}
    kinds = {token.kind for token in row}
    if AMOUNT in kinds:
        signals.add("amount")
    elif FIGURE in kinds and any(_round(token) for token in row):
        signals.add("figure")
    if _quotes(everything, row, matches):
        signals.add("quoted")
    return row, signals


def _round(token: Token) -> bool:
    """Whether a figure may be a sum of credit: hundreds at least."""
    digits = re.sub(r"\D", "", token.text)
    return token.kind == FIGURE and 3 <= len(digits) <= 7 and not (len(digits) == 4 and digits.startswith(("19", "20")))


def _quotes(everything: Sequence[Token], row: Sequence[Token], matches: Sequence[Match]) -> bool:
    """Whether words about credit stand in quotation marks with others around them: somebody tells of them."""
    marks = [token.start for token in everything if token.kind == QUOTE]
    if len(marks) < 2:
        return False
    first, last = marks[0], marks[-1]
    outside = sum(token.kind == WORD and not first < token.start < last for token in row)
    return outside >= 3 and any(first < row[match.start].start < last for match in matches if match.category in FOR)


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
