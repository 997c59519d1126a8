"""A decision in sentences: what became of the ad, by which cap, and when that changes."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from capper.cli.tables import moment
from capper.domain.cap import Cap, spell_length
from capper.domain.decision import Verdict
from capper.domain.identity import HOUSEHOLD, Basis, Level
from capper.domain.mute import Why
from capper.domain.window import Calendar, Life, Rolling, Session, Spacing, Window, Within
from capper.journal import Record

BASES = {
    Basis.ADOMAIN: "the auction's answer names the advertiser",
    Basis.DECLARED: "the ad's markup names it",
    Basis.CLICK: "it is where a click leads",
    Basis.CRD: "the ad's address carries it",
    Basis.SPONSOR: "the ad says who paid for it",
    Basis.BUYER: "the exchange's id of the advertiser",
    Basis.CM360: "the ad server's ids",
    Basis.CRID: "the buyer's id of the creative",
    Basis.REMEMBERED: "its file was part of an ad met before",
    Basis.URL: "the file's own address",
    Basis.LIKENESS: "it looks like an ad met before",
    Basis.UNIDENTIFIED: "nothing names it",
}
"""How each rung of the identity ladder came to its answer, in words."""

_MUTED = {
    Why.ASKED: "{who} muted {ad}",
    Why.CLICKED: '{who} turned {ad} away by the "i" of one of its ads',
    Why.BOUGHT: "{who} bought from {ad}",
}

_LEADS = {
    (False, True): "Withheld",
    (False, False): "Shown",
    (True, True): "It would be withheld now",
    (True, False): "It would be shown now",
}
"""By whether the ad is only supposed, and whether it is withheld."""


def sentence(record: Record, now: datetime, zone: tzinfo, *, supposed: bool = False) -> str:
    """What became of an ad and why; `supposed` for one that has not been there yet."""
    if record.prompt:
        return _taken_out(record)
    if record.verdict is None and (record.advertisers or record.creative):
        return f"{'Muted' if record.mute else 'No longer muted'}: {record.label}, {record.note}."
    if record.verdict is None:
        return f"Left as it was: {record.note}."
    withheld = record.verdict is Verdict.WITHHOLD
    lead = _LEADS[supposed, withheld]
    cap = _cap(record)
    parts = [f"{lead}: {_withheld(record, cap) if withheld else _shown(record, cap)}."]
    if withheld and (cap or record.mute):
        parts += _opening(record, cap, now, zone)
    if record.repeated:
        parts.append("It is part of a sighting that was decided on before, and was not counted again.")
    if not record.counted:
        parts.append("It was not counted in the ledger, which did not answer.")
    return " ".join(parts)


def facts(record: Record, now: datetime, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """The record, name by name, for a table."""
    yield "when", moment(record.time, now, zone)
    yield "person", record.viewer
    if record.prompt:
        yield "kind", record.prompt
        yield "words of", f"the {record.pack} pack" if record.pack else "no one pack"
        yield "signals", ", ".join(record.signals)
    if record.verdict is None:
        return
    for name, value in (("advertiser", ", ".join(record.advertisers)), ("campaign", record.campaign)):
        yield name, value or "not known"
    yield "creative", record.creative or "not known"
    yield "known because", BASES[record.basis]
    yield "format", record.format or ""
    yield "muted", record.mute or ""
    yield "rule", rule_name(record.rule)
    yield "cap", f"{record.cap}, {record.count} counted before" if record.cap else "none"
    yield "opens again", moment(record.reopens, now, zone)
    if record.site:
        yield "site", record.site
    if record.entry is not None:
        yield "HAR entry", str(record.entry)


def _taken_out(record: Record) -> str:
    words = f" by the {record.pack} pack" if record.pack else ""
    signals = f", told{words} from: {', '.join(record.signals)}" if record.signals else ""
    return f"Credit nobody asked for: {record.prompt}; {record.note}{signals}."


def rule_name(name: str) -> str:
    """A rule as a person would look for it in the policy file."""
    return "the caps at the top" if name == "caps" else f'"{name}"'


def _withheld(record: Record, cap: Cap | None) -> str:
    if record.mute:
        return _MUTED[record.mute].format(who=_who(record), ad=record.label)
    if cap is None:
        return f"{record.label}, by {rule_name(record.rule)}"
    if cap.count == 0:
        what = "ads like this" if cap.level is None else _subject(record, cap)
        return f"{rule_name(record.rule)} {'say' if record.rule == 'caps' else 'says'} never to show {what}"
    if isinstance(cap.window, Spacing):
        return f'{_subject(record, cap)} was shown to {_who(record)} too short a while ago, and the cap is "{cap}"'
    return (
        f"{_subject(record, cap)} was shown to {_who(record)} {_times(record.count)} {_within(cap.window)},"
        f' and the cap is "{cap}"'
    )


def _shown(record: Record, cap: Cap | None) -> str:
    if cap is None:
        if record.basis is Basis.UNIDENTIFIED:
            return "nothing tells whose ad it is, and such an ad is never capped by guess"
        return f"no cap of {rule_name(record.rule)} speaks about {record.label}"
    if record.repeated or cap.count == 0:
        return f'{_subject(record, cap)}; the nearest cap is "{cap}"'
    return f'{_subject(record, cap)}, {_ordinal(record.count + 1)} time of {cap.count} by the cap "{cap}"'


def _opening(record: Record, cap: Cap | None, now: datetime, zone: tzinfo) -> Iterator[str]:
    if record.reopens is not None:
        done = record.reopens <= now
        yield f"It {'could' if done else 'can'} be shown again from {moment(record.reopens, now, zone)}."
    elif cap is None:
        return
    elif isinstance(cap.window, Within):
        yield f"It can be shown again on the next {cap.window.scope}."
    elif isinstance(cap.window, Life) and cap.count:
        yield "It can be shown again when the ledger has forgotten it."


def _cap(record: Record) -> Cap | None:
    try:
        return Cap.parse(record.cap) if record.cap else None
    except ValueError:
        # A journal of another version's; the record still says what it says.
        return None


def _subject(record: Record, cap: Cap) -> str:
    match cap.level:
        case Level.CREATIVE:
            return f"this ad of {', '.join(record.advertisers)}" if record.advertisers else f"the ad {record.label}"
        case Level.CAMPAIGN:
            return f"this campaign of {', '.join(record.advertisers)}" if record.advertisers else record.label
        case Level.CATEGORY:
            return f"the line of business of {record.label}"
        case _:
            return record.label


def _who(record: Record) -> str:
    return "the household" if record.viewer == HOUSEHOLD else record.viewer


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _ordinal(count: int) -> str:
    tail = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{tail}"


def _within(window: Window) -> str:
    match window:
        case Rolling(length) | Spacing(length):
            return f"in the last {spell_length(length)}"
        case Calendar(unit):
            return f"this calendar {unit}"
        case Session():
            return "in this session"
        case Within(scope):
            return f"on this {scope}"
        case Life():
            return "so far"
