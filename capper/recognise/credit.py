"""Does a piece of text push credit that nobody asked for? Signals for and against, weighed; whose words they are is a pack's."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from capper.domain.prompt import SILENCE, Reading, digits
from capper.recognise.creditpack import AGAINST, BESIDE, FOR, Pack, Packs
from capper.recognise.creditwords import AMOUNT, FIGURE, QUOTE, WORD, Token, fold

WEIGHTS = {
    "credit": 2.0,
    "card": 1.0,
    "headroom": 2.5,
    "preapproved": 2.5,
    "room": 1.0,
    "decided": 2.0,
    "available": 1.0,
    "ready": 1.5,
    "yours": 1.5,
    "you": 0.5,
    "spend": 1.0,
    "borrow": 1.5,
    "later": 1.5,
    "raise": 1.5,
    "urge": 1.0,
    "ease": 0.7,
    "fanfare": 0.7,
    "popular": 1.0,
    "option": 1.5,
    "promo": 1.0,
    "marked": 1.0,
    "purse": 1.0,
    "echo": 2.5,
    "upto": 1.0,
    "need": 1.5,
    "round": 0.5,
    "prompt": 2.5,
    "amount": 1.0,
    "figure": 0.5,
    "span": 1.0,
    "own": -4.0,
    "statement": -2.5,
    "intent": -3.0,
    "editorial": -4.0,
    "set": -4.0,
    "named": -1.5,
    "business": -1.0,
    "quoted": -2.0,
}
ENOUGH = 4.0
LONG = 200
SLOGAN = 100
"""A piece of text longer than this is prose, and needs more than a slogan does."""
_OBJECT = frozenset(["credit", "card", "preapproved", "headroom", "room", "borrow", "later", "prompt"])
_PUSH = frozenset(
    [
        "upto",
        "need",
        "preapproved",
        "decided",
        "ready",
        "available",
        "yours",
        "urge",
        "raise",
        "ease",
        "fanfare",
        "spend",
        "prompt",
        "headroom",
        "promo",
        "option",
    ]
)
_WEAK = frozenset(["upto", "available", "ease", "spend", "promo"])
_WORDS = re.compile(r"[^\W\d_]+")
_SCALED = re.compile(
    r"\d ?(?:k|tkr|tsek|mkr|tsd|tys|tus\w*|mil\w*|duizend|tausend|thousand|tuhatta|lakhs?|lacs?|l|crores?|grand)\b"
)
_VETO = frozenset(["own", "statement", "intent", "editorial", "set"])
_NEVER = frozenset(["own", "editorial", "set", "intent", "quoted"])
FIRM = frozenset(["credit", "preapproved"])
"""Without either a sum that is there for her may be her own."""
_FIRM_HERS = FIRM | {"decided", "yours", "fanfare", "later", "headroom"}
_GROWN = frozenset(["room", "borrow", "card", "credit", "headroom", "decided", "ease"])
_SUPPORT = frozenset([*FOR, "amount"]) - {"you", "amount", "room", "prompt"}


class Frame(StrEnum):
    """Why a person is on a page, where its address, title or main heading tells."""

    ANY = "any"
    ASKED = "asked"
    """She went there for it: a loan, help, news, the law."""
    HERS = "hers"
    """Her own figures: a statement, a contract, settings."""
    OWN = "own"
    """Her own money: a gift card, a refund, points, benefits, what a prepaid account holds."""
    PAYING = "paying"


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
        readings = [_reading(pack, folded, more, self.frame, self.sums) for pack in self.packs]
        if not readings:
            return SILENCE
        warning = next((each for each in readings if each.warning), None)
        return warning or max(readings, key=lambda each: each.score)

    def promising(self, text: str) -> bool:
        """Whether a stretch of a body may hold a prompt, by every word for one that stands in it."""
        folded = fold(text)
        words = frozenset(_WORDS.findall(folded))
        return any(
            _may(pack.lexicon.within(words) | {"amount"}) and _may(_promise(pack, folded)) for pack in self.packs
        )

    def member(self, name: str) -> frozenset[str]:
        """What the name of a JSON member or of a machine's word says."""
        return _member(self.shared, name)


@lru_cache(4096)
def _member(shared: Packs, name: str) -> frozenset[str]:
    words = [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", fold_case(name))]
    row = [Token(WORD, word, 0, 0) for word in words[:20]]
    return frozenset(category for category, _, _ in shared.members.match(row))


def fold_case(name: str) -> str:
    """A machine's word in ASCII with its case, which parts it."""
    return name.encode("ascii", "ignore").decode()[:200]


@lru_cache(20_000)
def _reading(pack: Pack, folded: str, more: frozenset[str], frame: Frame, echoed: frozenset[str]) -> Reading:
    everything = pack.read(folded)
    row = [token for token in everything if token.kind != QUOTE]
    matches = _resolved(pack.lexicon.match(row))
    signals = {category for category, _, _ in matches}
    kinds = {token.kind for token in row}
    if AMOUNT in kinds:
        signals.add("amount")
    elif FIGURE in kinds and any(_round(token) for token in row):
        signals.add("figure")
    if _quotes(everything, row, matches):
        signals.add("quoted")
    signals |= more
    sums = {digits(token.text) for token in row if token.kind in (AMOUNT, FIGURE)} - {""}
    if "amount" in signals and (
        any(_is_round(each) for each in sums) or any(token.kind == AMOUNT and _scaled(token) for token in row)
    ):
        signals.add("round")
    if "raise" in signals and "amount" in signals and sum(token.kind in (AMOUNT, FIGURE) for token in row) == 2:
        # From so much to so much.
        signals.add("span")
    if sums & echoed and signals & {"credit", "headroom", "room", "available", "spend", "preapproved"}:
        signals.add("echo")
    if (
        "amount" in signals
        and "spend" in signals
        and signals & {"you", "ready", "available", "ease", "later", "yours", "marked"}
    ):
        signals.add("purse")

    warning = "warning" in signals
    score = sum(WEIGHTS.get(signal, 0.0) for signal in signals)
    enough = ENOUGH + (2 if len(folded) > LONG else 0) + (1.5 if frame in (Frame.HERS, Frame.OWN) else 0)
    if not signals & {"amount", "figure", "preapproved", "option", "prompt", "raise", "headroom", "decided"}:
        enough += 1
    against = bool(signals & _VETO)
    barred = signals & (_NEVER - {"own"} if "preapproved" in signals else _NEVER)
    if (frame is Frame.OWN and not signals & FIRM) or (
        frame is Frame.HERS and "raise" in signals and not signals & _FIRM_HERS
    ):
        barred = barred | {"frame"}
    prompt = (
        not warning
        and not barred
        and score >= enough
        and _offers(signals)
        and _pushes(signals)
        and _addresses(signals, len(folded))
    )
    return Reading(
        score=score,
        signals=frozenset(signals),
        pack=pack.language,
        prompt=prompt,
        support=not warning and not against and bool(signals & _SUPPORT),
        against=against and not prompt,
        warning=warning,
        greeting="greeting" in signals and not prompt,
        action="action" in signals,
        sums=frozenset(sums) if "amount" in signals else frozenset(),
    )


def _promise(pack: Pack, folded: str) -> set[str]:
    row = [token for token in pack.read(folded) if token.kind != QUOTE]
    signals = {category for category, _, _ in pack.lexicon.match(row) if category in FOR}
    if any(token.kind == AMOUNT for token in row):
        signals.add("amount")
    elif any(token.kind == FIGURE for token in row):
        signals.add("figure")
    return signals


def _may(signals: set[str]) -> bool:
    """Whether a prompt may be among words that say this, with what only its own place can tell."""
    score = sum(WEIGHTS.get(signal, 0.0) for signal in signals if signal not in AGAINST)
    if "amount" in signals:
        score += WEIGHTS["round"] + WEIGHTS["span"] * ("raise" in signals) + WEIGHTS["purse"] * ("spend" in signals)
    return score >= ENOUGH - WEIGHTS["marked"] and _offers(signals | {"marked"}) and bool(signals & _PUSH)


def _offers(signals: set[str]) -> bool:
    """Whether credit is spoken of at all, or a sum as only credit is."""
    if signals & {"credit", "headroom", "preapproved", "option"}:
        return True
    if "card" in signals and signals & {"amount", "yours"}:
        return True
    if "amount" in signals:
        return bool(signals & (_OBJECT | {"spend", "ready", "available", "yours", "decided", "marked", "echo"}))
    return "prompt" in signals or {"room", "raise", "you"} <= signals or {"later", "decided"} <= signals


def _addresses(signals: set[str], size: int) -> bool:
    """Whether somebody is spoken to: prose tells of credit without; a slogan need not say to whom it speaks."""
    if size > LONG:
        return "amount" in signals and bool(signals & {"you", "yours"})
    if signals & {"you", "yours", "urge", "preapproved", "option", "echo", "need"}:
        return True
    if size <= SLOGAN and ("prompt" in signals or ("credit" in signals and signals & {"decided", "ready", "raise"})):
        return True
    summed = bool(signals & {"amount", "figure"})
    return summed and bool(
        signals & {"marked", "prompt", "ready", "headroom"}
        or (size <= SLOGAN and "raise" in signals and signals & _GROWN)
        or (
            size <= SLOGAN
            and "round" in signals
            and signals & {"later", "borrow"}
            and signals & {"purse", "upto", "ease"}
        )
    )


def _pushes(signals: set[str]) -> bool:
    """Whether anything urges: that a sum is available, or easy, is the least of it and needs a sum for somebody."""
    push = signals & _PUSH
    if "echo" in signals:
        return True
    if push <= _WEAK:
        return (
            bool(push)
            and "amount" in signals
            and ({"upto", "later"} <= signals or bool(signals & {"you", "ease", "fanfare", "marked", "purse", "need"}))
        )
    return True


def _is_round(sum_: str) -> bool:
    """Whether a sum is round as a limit is, not odd as a price, a wage or a refund is."""
    return len(sum_) <= 7 and int(sum_) >= 200 and int(sum_) % 50 == 0


def _round(token: Token) -> bool:
    """Whether a figure may be a sum of credit: hundreds at least."""
    digits = re.sub(r"\D", "", token.text)
    return token.kind == FIGURE and 3 <= len(digits) <= 7 and not (len(digits) == 4 and digits.startswith(("19", "20")))


def _scaled(token: Token) -> bool:
    """Whether an amount is written in words, or in thousands and more, as a limit is and a price is not."""
    return not token.text or bool(_SCALED.search(token.text))


def _quotes(everything: Sequence[Token], row: Sequence[Token], matches: Sequence[tuple[str, int, int]]) -> bool:
    """Whether words about credit stand in quotation marks with others around them: somebody tells of them."""
    marks = [token.start for token in everything if token.kind == QUOTE]
    if len(marks) < 2:
        return False
    first, last = marks[0], marks[-1]
    outside = sum(token.kind == WORD and not first < token.start < last for token in row)
    return outside >= 3 and any(first < row[at].start < last for category, at, _ in matches if category in FOR)


def _resolved(matches: Iterable[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Of a longer and a shorter match at one place on opposite sides the longer speaks."""
    kept: list[tuple[str, int, int]] = []
    for match in sorted(matches, key=lambda match: match[1] - match[2]):
        category, start, end = match
        side = category in FOR
        if category == "credit" and any(
            other == "card" and begin <= start and end <= stop and stop - begin > end - start
            for other, begin, stop in kept
        ):
            continue
        if category in BESIDE or not any(
            (other in FOR) is not side
            and other not in BESIDE
            and other != "prompt"
            and begin <= start
            and end <= stop
            and stop - begin > end - start
            for other, begin, stop in kept
        ):
            kept.append(match)
    return kept


# Languages

_FEW = 150


def languages(packs: Packs, text: str, tag: str = "") -> tuple[Pack, ...]:
    """The packs a text may be in, the likeliest first, two at most; `tag` is what the document says of itself."""
    words = re.findall(r"[^\W\d_]+", fold(text))[:1500]
    told = packs.get(tag) if tag else None
    counts = []
    often = Counter(words)
    for pack in packs.packs:
        little = sum(often[word] for word in pack.common if word in often)
        # Of a long text the little words tell enough.
        of_credit = sum(bool(pack.lexicon.atoms(word)) for word in words) if len(words) <= _FEW else 0
        counts.append((little * 1.0 + of_credit * 0.7, pack))
    counts.sort(key=lambda pair: -pair[0])
    best = counts[0][0] if counts else 0
    if best <= 0:
        return (told,) if told else ()
    likely = [pack for count, pack in counts if count >= best * 0.75][:2]
    if told is not None and told not in likely:
        likely = [told, likely[0]]
    return tuple(likely)


# Frames


def frame_of(packs: Packs, url: str, title: str = "", heading: str = "", languages_: Sequence[Pack] = ()) -> Frame:
    """Why a person is on a page: the words of its address, then of its title and main heading."""
    path = unquote(urlsplit(url).path)[:500] if url else ""
    row = [Token(WORD, word, 0, 0) for word in re.findall(r"[^\W\d_]+", fold(path))]
    named = {category for category, _, _ in packs.paths.match(row)}
    for frame, kinds in _FRAMES:
        if named & kinds:
            return frame
    told = fold(f"{title}\n{heading}")
    if told.strip():
        pages = [packs.pages, *(pack.pages for pack in languages_)]
        for frame, kinds in _FRAMES:
            for kind in kinds:
                phrases = [fold(phrase) for each in pages for phrase in each.get(kind, ())]
                if kind in _TOLD and any(phrase_in(phrase, told, begins=kind == "help") for phrase in phrases):
                    return frame
    return Frame.ANY


_FRAMES = (
    (Frame.ASKED, frozenset(["loan", "help", "news", "jobs", "legal"])),
    (Frame.OWN, frozenset(["own"])),
    (Frame.HERS, frozenset(["statement", "settings"])),
    (Frame.PAYING, frozenset(["checkout"])),
)
_TOLD = frozenset(["loan", "help", "jobs", "legal", "own", "statement", "settings"])
"""Of a title or heading `news` may be what a shop calls its own."""


def phrase_in(phrase: str, text: str, *, begins: bool = False) -> bool:
    """Whether a phrase stands in a text at the beginning of a word; `begins`: at the beginning of a line."""
    if begins:
        return any(line.strip().startswith(phrase) for line in text.splitlines())
    at = text.find(phrase)
    while at > 0 and phrase[:1].isalnum() and text[at - 1].isalnum():
        at = text.find(phrase, at + 1)
    return at >= 0


__all__ = ["AGAINST", "CreditReader", "Frame", "frame_of", "languages"]
