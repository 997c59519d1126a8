"""What is allowed in a policy and yet hardly meant: rules and caps that never get to speak."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from capper.domain.cap import Cap
from capper.domain.policy import EVERYWHERE, CreditRule, Policy, Rule
from capper.domain.rulebook import RuleBook, parents
from capper.domain.window import Calendar, CalendarUnit, Life, Rolling, Spacing, Window, lifespan
from capper.settings.policy import CONDITIONS, CREDIT_CONDITIONS, Reading
from capper.settings.toml import Note, Where

_BY_DOMAIN = ("advertiser", "site", "network")


def review(reading: Reading) -> list[Note]:
    """Everything in a readable policy that its owner should look at again, in the file's order."""
    policy = reading.policy
    places: list[tuple[Where, str]] = [*_idle_caps(policy.default, ("caps",)), *_general(policy), *_idle_houses(policy)]
    book = RuleBook([rule.conditions for rule in policy.rules])
    for place, rule in enumerate(policy.rules):
        places += _idle_caps(rule, ("rules", place, "caps"))
        if (shade := _first_around(book, policy.rules, rule)) != place:
            name = policy.rules[shade].name
            places.append((("rules", place), f'never speaks: "{name}" above it fits everything that it fits'))
    places += _idle_credit(policy.credit)
    return sorted([*reading.notes, *(reading.document.note(where, text) for where, text in places)])


def covers(wide: Rule, narrow: Rule) -> bool:
    """Whether every sighting that `narrow` fits is fitted by `wide` too."""
    return all(_covers(key, getattr(wide, key), getattr(narrow, key)) for key in CONDITIONS)


def _first_around(book: RuleBook, rules: Sequence[Rule], rule: Rule) -> int:
    """The place of the first rule that covers `rule`, which is its own where no other does."""

    def called(key: str) -> Collection[str]:
        names = rule.conditions.get(key, ())[:1]
        return parents(names) if key in _BY_DOMAIN else names

    found = book.first(called, lambda place: covers(rules[place], rule))
    assert found is not None, "a rule covers itself"
    return found


def _idle_credit(rules: tuple[CreditRule, ...]) -> Iterator[tuple[Where, str]]:
    for place, rule in enumerate(rules):
        for number, wide in enumerate(rules[:place], 1):
            if all(_covers(key, getattr(wide, key), getattr(rule, key)) for key in CREDIT_CONDITIONS):
                yield ("credit", place), f"never speaks: entry {number} above it fits everything that it fits"
                break


def _idle_houses(policy: Policy) -> Iterator[tuple[Where, str]]:
    """Sites that may be told anyway, since one above them may."""
    people: list[tuple[Where, tuple[str, ...]]] = [
        (("people", name), person.house_ads or ()) for name, person in policy.people.items()
    ]
    for where, sites in [((), policy.house_ads), *people]:
        for site in sites:
            wide = next((other for other in sites if other in ({EVERYWHERE} | parents((site,))) - {site}), None)
            if wide:
                yield (*where, "house_ads"), f'"{site}" is told anyway: "{wide}" is'


def _covers(key: str, wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    if not wide:
        return True
    return bool(narrow) and all(any(_within(key, value, around) for around in wide) for value in narrow)


def _within(key: str, value: str, around: str) -> bool:
    return value == around or (key in _BY_DOMAIN and value.endswith(f".{around}"))


def _idle_caps(rule: Rule, where: Where) -> Iterator[tuple[Where, str]]:
    for place, cap in enumerate(rule.caps):
        if cap in rule.caps[:place]:
            yield (*where, place), f'"{cap}" is there twice'
        elif strict := next((other for other in rule.caps if other != cap and implies(other, cap)), None):
            yield (*where, place), f'"{cap}" never speaks: "{strict}" is reached first'


def implies(strict: Cap, loose: Cap) -> bool:
    """Whether `loose` can never be reached while `strict` holds."""
    if strict.level is None:
        return True
    if strict.level is not loose.level:
        return False
    if strict.count == 0:
        return loose.count > 0
    if strict.window == loose.window:
        return strict.count <= loose.count
    if strict.count > loose.count or loose.count == 0:
        return False
    return _spans(strict.window, loose.window)


def _spans(long: Window, short: Window) -> bool:
    """Whether everything that counts in `short` counts in `long` at the same moment."""
    match long, short:
        case Life(), _:
            return True
        case ((Rolling(whole) | Spacing(whole)), _):
            return whole >= lifespan(short, timedelta.max)
        case Calendar(CalendarUnit.WEEK | CalendarUnit.MONTH), Calendar(CalendarUnit.DAY):
            return True
    return False


def _general(policy: Policy) -> Iterator[tuple[Where, str]]:
    for place, rule in enumerate(policy.rules):
        if not any(getattr(rule, key) for key in CONDITIONS):
            yield ("rules", place), "has no condition, so it fits every ad: caps at the top never hold"
            break
    if any(cap.level is None for cap in policy.default.caps):
        yield ("caps",), '"never" at the top withholds every ad that no rule fits, named or not'
    if any(isinstance(cap.window, Calendar) for cap in policy.caps()) and str(policy.zone) == "UTC":
        yield ("time_zone",), "calendar caps turn at midnight UTC; set time_zone to turn with your own"
    for name, person in policy.people.items():
        if not person.devices:
            yield ("people", name), "has no devices, so nobody on the network is ever recognised as this person"
