"""The language and the clock of whoever reads a page: its words, numbers, days and times."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property

from babel.core import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

from capper.domain.daily import date_of
from capper.domain.policy import Policy
from capper.rewrite.wording import Speech, catalogue, language_of


@dataclass(frozen=True)
class Tongue:
    """How one reader is spoken to at one moment."""

    speech: Speech
    now: datetime

    @property
    def language(self) -> str:
        """The tag that a page says it is written in."""
        return self.speech.language

    @cached_property
    def gettext(self) -> Callable[[str], str]:
        """A message in the reader's language."""
        return catalogue(self.language).gettext

    @cached_property
    def ngettext(self) -> Callable[[str, str, int], str]:
        """A message by number."""
        return catalogue(self.language).ngettext

    @cached_property
    def _locale(self) -> Locale:
        return Locale.parse(self.language)

    def number(self, value: int) -> str:
        """A whole number."""
        return str(format_decimal(value, locale=self._locale))

    def day(self, day: int) -> str:
        """A day by its number (`domain.daily`): `Mon 23 Nov`."""
        return str(format_skeleton("EEEdMMM", date_of(day), locale=self._locale))

    def date(self, when: datetime) -> str:
        """A day in full."""
        return str(format_date(when.astimezone(self.speech.zone), "long", locale=self._locale))

    def moment(self, when: datetime) -> str:
        """A time as people say it: the hour alone today, with its day else."""
        there = when.astimezone(self.speech.zone)
        skeleton = "Hm" if there.date() == self.now.astimezone(self.speech.zone).date() else "EEEdMMMHm"
        return str(format_skeleton(skeleton, there, tzinfo=self.speech.zone, locale=self._locale))

    def length(self, length: timedelta) -> str:
        """A length of minutes or of hours."""
        minutes = length // timedelta(minutes=1)
        if minutes % 60:
            return self.ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
        return self.ngettext("{n} hour", "{n} hours", minutes // 60).format(n=minutes // 60)


def tongue_for(policy: Policy | None, chosen: str | None, accepted: str, now: datetime) -> Tongue:
    """How to speak to somebody: in the language of the policy, else in one that her browser accepts."""
    zone: tzinfo = policy.zone if policy else UTC
    return Tongue(Speech(language_of(chosen, accepted), zone), now)
