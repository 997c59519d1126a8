"""What a policy expects of itself: the `[[tests]]` beside its rules, as they are read. `capper.policies.trial` tries them."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta

from capper.domain.cap import MOST, Cap
from capper.domain.decision import Verdict
from capper.domain.identity import HOUSEHOLD
from capper.domain.sighting import Format
from capper.settings.names import a_domain, a_name, an_advertiser
from capper.settings.reader import Table, a_choice, a_length, a_text, an_integer, near, spell_value

_MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Expectation:
    """One ad that somebody is about to see, what was shown to her before, and what is to become of it."""

    name: str
    line: int
    """Where it begins in the file."""
    expect: Verdict
    rule: str | None = None
    """Which rule is to speak; `caps` for those at the top. None: whichever."""
    cap: Cap | None = None
    """Which cap is to withhold it, or to be the nearest. None: whichever."""
    person: str = HOUSEHOLD
    advertiser: tuple[str, ...] = ()
    campaign: str | None = None
    creative: str | None = None
    category: tuple[str, ...] = ()
    site: str | None = None
    network: str | None = None
    format: Format = Format.BANNER
    seen: tuple[timedelta, ...] = ()
    """How long ago each time was that she was shown it."""


def read_expectations(top: Table, people: Collection[str], rules: Collection[str]) -> Iterator[Expectation]:
    """Every entry of `[[tests]]`; `rules` are the names that may speak."""
    for number, table in enumerate(top.listed_tables("tests"), 1):
        expect = table.take("expect", a_choice(Verdict), None)
        if "expect" not in table.data:
            table.reader.wrong(table.where, 'expect is missing; write expect = "show" or expect = "withhold"')
        found = Expectation(
            table.take("name", a_name, f"test {number}"),
            table.reader.document.line(table.where),
            expect or Verdict.SHOW,
            rule=table.take("rule", _one_of(("caps", *rules)), None),
            cap=table.take("cap", lambda value: Cap.parse(a_text(value, 'a cap like "3 per day"')), None),
            person=table.take("person", _one_of((HOUSEHOLD, *people)), HOUSEHOLD),
            advertiser=table.take_list("advertiser", an_advertiser, "text") or (),
            campaign=table.take("campaign", a_text, None),
            creative=table.take("creative", a_text, None),
            category=table.take_list("category", a_text, "text") or (),
            site=table.take("site", a_domain, None),
            network=table.take("network", a_domain, None),
            format=table.take("format", a_choice(Format), Format.BANNER),
            seen=table.take("seen", _seen, ()),
        )
        table.close()
        yield found


def _one_of(known: Collection[str]) -> Callable[[object], str]:
    def read(value: object) -> str:
        name = a_text(value, f"one of {', '.join(known)}")
        if name not in known:
            raise ValueError(f"expected one of {', '.join(known)}, found {spell_value(value)}{near(name, known)}")
        return name

    return read


def _seen(value: object) -> tuple[timedelta, ...]:
    """A number of times, the last a minute ago and a minute between two; or how long ago each was."""
    if isinstance(value, list):
        ago = a_length(timedelta(seconds=1), _LONGEST, "2 hours")
        if len(value) > MOST:
            raise ValueError(f"expected at most {MOST} times, found {len(value)}")
        return tuple(ago(each) for each in value)
    try:
        times = an_integer(0, MOST)(value)
    except ValueError as exc:
        raise ValueError(f'{exc}; or write how long ago: ["2 hours", "1 day"]') from exc
    return tuple(number * _MINUTE for number in range(1, times + 1))
