"""Why an ad was withheld, in the words of the person it was withheld from. Owner of `babel`.

Catalogues lie in `capper/locale`; a language is complete or absent (a test sees to it).
"""

import gettext
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from babel.core import Locale, negotiate_locale
from babel.dates import format_date, format_datetime, format_skeleton

from capper.domain.cap import Cap
from capper.domain.decision import Decision
from capper.domain.identity import Ad, Level
from capper.domain.mute import Why
from capper.domain.window import Calendar, CalendarUnit, Life, Rolling, Scope, Session, Spacing, Within
from capper.remembered import remembered

LANGUAGES = ("en", "nl", "sv", "de")
LOCALE_DIR = Path(__file__).parent.parent / "locale"
LONGEST_NAME = 60
_LONGEST_HEADER = 400

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Speech:
    """The language a person reads and the clock she lives by."""

    language: str = "en"
    zone: tzinfo = UTC


class Deed(StrEnum):
    """What she can do about a withheld ad; the words that addresses carry."""

    ONCE = "once"
    NEVER = "never"
    WHY = "why"


@dataclass(frozen=True, slots=True)
class Words:
    """Why an ad was withheld, in parts that a small placeholder may leave out; any part but `why` may be empty."""

    who: str
    why: str
    when: str = ""
    short: str = ""
    """`3/3`, for a slot that holds no more."""
    label: str = ""
    """One sentence for those who cannot see the placeholder, or point at it."""
    language: str = "en"
    deeds: tuple[tuple[Deed, str], ...] = ()
    """What she can do about it, each with its label; `link` leads to where."""
    link: str = field(default="", compare=False)

    @property
    def sentence(self) -> str:
        """`shoes.example - 3 of 3 today, again at 14:10`, with an en dash."""
        reason = ", ".join(part for part in (self.why, self.when) if part)
        return f"{self.who} \N{EN DASH} {reason}" if self.who else reason


@lru_cache(1024)
def language_of(chosen: str | None, accepted: str = "") -> str:
    """The language to speak: the one the policy names for the person, else what her browser accepts, else English.

    Args:
        accepted: an Accept-Language field.
    """
    preferred = [chosen] if chosen else []
    weighed = [_weighed(part) for part in accepted[:_LONGEST_HEADER].split(",")]
    preferred += [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]
    tags = [
        tag.replace("_", "-") for tag in preferred if tag.isascii() and tag.replace("-", "").replace("_", "").isalnum()
    ]
    return negotiate_locale(tags, LANGUAGES, sep="-") or "en"


def words(decision: Decision, speech: Speech, now: datetime) -> Words:
    """Why `decision` withheld its ad, and when such an ad may be shown again."""
    _ = catalogue(speech.language).gettext
    who, why = _who(decision, _), _why(decision, speech, _)
    cap = decision.cap
    counted = cap is not None and cap.count > 0 and not isinstance(cap.window, Spacing)
    told = Words(
        who,
        why,
        when=_when(decision.reopens, now, speech, _),
        short=f"{decision.count}/{cap.count}" if cap and counted else "",
        language=speech.language,
    )
    return replace(told, label=_("Ad withheld: {reason}").format(reason=told.sentence))


def reserved(decision: Decision, speech: Speech) -> Words:
    """That an ad was withheld, in words that a page's scripts may read: they say what the page sees anyway, and no more."""
    return _reserved(", ".join(decision.ad.advertisers), speech.language)


@remembered(1024)
def _reserved(who: str, language: str) -> Words:
    _ = catalogue(language).gettext
    told = Words(presentable(who), _("not shown for now"), language=language)
    return replace(told, label=_("Ad withheld: {reason}").format(reason=told.sentence))


def leading(told: Words, link: str, deeds: tuple[Deed, ...], *, muted: bool = False) -> Words:
    """The words with what she can do about it at `link`; without one, as they are. `muted`: she has said never before."""
    if not link:
        return told
    return replace(told, link=link, deeds=_labelled(deeds, told.language, muted=muted))


@cache
def _labelled(deeds: tuple[Deed, ...], language: str, *, muted: bool) -> tuple[tuple[Deed, str], ...]:
    _ = catalogue(language).gettext
    labels = {
        Deed.ONCE: _("show once"),
        Deed.NEVER: _("undo") if muted else _("never again"),
        Deed.WHY: _("why?"),
    }
    return tuple((deed, labels[deed]) for deed in deeds)


def removed(count: int, language: str) -> str:
    """That so many credit prompts were taken out of a page."""
    ngettext = catalogue(language).ngettext
    return ngettext("{n} credit prompt removed", "{n} credit prompts removed", count).format(n=count)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The words of one language."""
    return gettext.translation("capper", LOCALE_DIR, [language])


def _who(decision: Decision, _: Translate) -> str:
    spoke = decision.mute or decision.cap
    level = spoke.level if spoke else None
    name = presentable(", ".join(decision.ad.advertisers))
    match level:
        case Level.CREATIVE:
            return _("this ad of {name}").format(name=name) if name else _("this ad")
        case Level.CAMPAIGN:
            return _("this campaign of {name}").format(name=name) if name else _("this campaign")
        case Level.CATEGORY:
            return presentable(", ".join(decision.ad.categories)) or name
    return name or (presentable(decision.ad.label) if _readable(decision.ad) else "")


def _readable(ad: Ad) -> bool:
    return ad.identified and not ad.creative and not ad.campaign


def _why(decision: Decision, speech: Speech, _: Translate) -> str:
    cap = decision.cap
    if decision.mute:
        return _("you bought there") if decision.mute.why is Why.BOUGHT else _("muted by you")
    if cap is None:
        return _("not shown")
    if cap.level is None or cap.count == 0:
        return _("never, by your own rule")
    if isinstance(cap.window, Spacing):
        return _("at most once per {length}").format(length=_length(cap.window.length, speech))
    pattern = _pattern(cap, _)
    length = _length(cap.window.length, speech) if isinstance(cap.window, Rolling) else ""
    return pattern.format(count=decision.count, limit=cap.count, length=length)


def _pattern(cap: Cap, _: Translate) -> str:
    match cap.window:
        case Calendar(CalendarUnit.DAY):
            return _("{count} of {limit} today")
        case Calendar(CalendarUnit.WEEK):
            return _("{count} of {limit} this week")
        case Calendar(CalendarUnit.MONTH):
            return _("{count} of {limit} this month")
        case Session():
            return _("{count} of {limit} in this session")
        case Within(Scope.PAGE):
            return _("{count} of {limit} on this page")
        case Within(Scope.POD):
            return _("{count} of {limit} in this break")
        case Life():
            return _("{count} of {limit} in all")
        case _:
            return _("{count} of {limit} per {length}")


def _when(reopens: datetime | None, now: datetime, speech: Speech, _: Translate) -> str:
    if reopens is None:
        return ""
    # Rounded up: a person who comes back at the minute we named must not be a few seconds early.
    reopens = (reopens + timedelta(minutes=1, microseconds=-1)).astimezone(speech.zone)
    # To the minute, so that the same words are made once.
    reopens = reopens.replace(second=0, microsecond=0)
    time = _format("Hm", reopens, speech)
    days = (reopens.date() - now.astimezone(speech.zone).date()).days
    at_midnight = not (reopens.hour or reopens.minute)
    if days <= 0:
        return _("again at {time}").format(time=time)
    if days == 1:
        return _("again tomorrow") if at_midnight else _("again tomorrow at {time}").format(time=time)
    if days < 7:
        weekday = format_datetime(reopens, "EEEE", tzinfo=speech.zone, locale=_locale(speech.language))
        pattern = _("again on {weekday}") if at_midnight else _("again on {weekday} at {time}")
        return pattern.format(weekday=weekday, time=time)
    same_year = reopens.year == now.astimezone(speech.zone).year
    date = _format("MMMMd", reopens, speech) if same_year else format_date(reopens, "long", _locale(speech.language))
    return _("again on {date}").format(date=date)


@lru_cache(1024)
def _format(skeleton: str, when: datetime, speech: Speech) -> str:
    return format_skeleton(skeleton, when, tzinfo=speech.zone, locale=_locale(speech.language))


def _length(length: timedelta, speech: Speech) -> str:
    """A length in a unit of which it holds several: `24 hours` cannot be taken for a calendar day."""
    ngettext = catalogue(speech.language).ngettext
    seconds = length // timedelta(seconds=1)
    if seconds % 86_400 == 0 and seconds > 86_400:
        return ngettext("{n} day", "{n} days", seconds // 86_400).format(n=seconds // 86_400)
    if seconds % 3600 == 0 and seconds > 3600:
        return ngettext("{n} hour", "{n} hours", seconds // 3600).format(n=seconds // 3600)
    if seconds % 60 == 0 and seconds > 60:
        return ngettext("{n} minute", "{n} minutes", seconds // 60).format(n=seconds // 60)
    return ngettext("{n} second", "{n} seconds", seconds).format(n=seconds)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


@remembered(1024)
def presentable(text: str) -> str:
    """A name that came from an ad, without what could disturb the text around it (controls, bidi overrides)."""
    kept = "".join(char if unicodedata.category(char)[0] not in "CZ" else " " for char in text[: LONGEST_NAME * 4])
    kept = " ".join(kept.split())
    return kept if len(kept) <= LONGEST_NAME else kept[: LONGEST_NAME - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _weighed(part: str) -> tuple[float, str]:
    tag, _, weight = part.partition(";")
    weight = weight.strip().removeprefix("q=")
    try:
        return (min(float(weight), 1.0) if weight else 1.0), tag.strip()
    except ValueError:
        return 0.0, tag.strip()
