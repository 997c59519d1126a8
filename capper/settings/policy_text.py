"""A `Policy` written as the file it could have been read from: what `capper policy show` prints and other tools save."""

import json
from collections.abc import Iterable, Iterator

from capper.domain.cap import spell_length
from capper.domain.policy import CreditRule, Person, Policy, Rule
from capper.settings.expectations import Expectation
from capper.settings.policy import CONDITIONS, CREDIT_CONDITIONS, VERSION


def policy_text(policy: Policy, tests: Iterable[Expectation] = ()) -> str:
    """The policy as TOML; `read_policy(policy_text(policy, tests), name)` has the same policy and tests."""
    return "\n".join([*_lines(policy), *_tests(tests)]) + "\n"


def _lines(policy: Policy) -> Iterator[str]:
    yield f"version = {VERSION}"
    yield f"time_zone = {quote(str(policy.zone))}"
    yield f"session_gap = {quote(spell_length(policy.session_gap))}"
    yield f"retention = {quote(spell_length(policy.retention))}"
    yield f"mute_for = {quote(spell_length(policy.mute_for))}"
    yield f"stop_when_bought = {str(policy.stop_when_bought).lower()}"
    yield f"unknown_devices = {quote(policy.unknown_devices)}"
    yield f"credit_prompts = {quote(policy.credit_prompts)}"
    yield f"credit_note = {str(policy.credit_note).lower()}"
    yield f"house_ads = {_list(policy.house_ads)}"
    yield f"caps = {_list(map(str, policy.default.caps))}"
    for person in policy.people.values():
        yield from _person(person)
    for number, rule in enumerate(policy.rules, 1):
        yield from _rule(rule, number)
    for entry in policy.credit:
        yield from _credit(entry)


def _person(person: Person) -> Iterator[str]:
    yield ""
    yield f"[people.{quote(person.name)}]"
    yield from of_person(person)


def of_person(person: Person) -> Iterator[str]:
    """The lines of a person's table in a policy, below its heading."""
    if person.language:
        yield f"language = {quote(person.language)}"
    if person.credit_prompts:
        yield f"credit_prompts = {quote(person.credit_prompts)}"
    if person.credit_note is not None:
        yield f"credit_note = {str(person.credit_note).lower()}"
    if person.house_ads is not None:
        yield f"house_ads = {_list(person.house_ads)}"
    if person.journal_level is not None:
        yield f"journal_level = {person.journal_level}"
    yield f"devices = {_list(person.devices)}"


def _rule(rule: Rule, number: int) -> Iterator[str]:
    yield ""
    lines = of_rule(rule)
    yield next(lines)
    if rule.name == f"rule {number}":
        next(lines)  # it is called so anyway
    yield from lines


def of_rule(rule: Rule) -> Iterator[str]:
    """The lines of a rule: its heading, its name, and the rest."""
    yield "[[rules]]"
    yield f"name = {quote(rule.name)}"
    for key in CONDITIONS:
        if values := getattr(rule, key):
            yield f"{key} = {_list(values)}"
    yield f"caps = {_list(map(str, rule.caps))}"


def _credit(rule: CreditRule) -> Iterator[str]:
    yield ""
    yield "[[credit]]"
    for key in CREDIT_CONDITIONS:
        if values := getattr(rule, key):
            yield f"{key} = {_list(values)}"
    yield f"credit_prompts = {quote(rule.credit_prompts)}"


def _tests(tests: Iterable[Expectation]) -> Iterator[str]:
    for test in tests:
        yield ""
        yield "[[tests]]"
        yield f"name = {quote(test.name)}"
        for key in ("person", "campaign", "creative", "site", "network", "format", "rule", "cap", "expect"):
            if (value := getattr(test, key)) is not None:
                yield f"{key} = {quote(str(value))}"
        for key in ("advertiser", "category"):
            if values := getattr(test, key):
                yield f"{key} = {_list(values)}"
        if test.seen:
            yield f"seen = {_list(map(spell_length, test.seen))}"


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(quote, values))}]"


def quote(text: str) -> str:
    """A TOML basic string: JSON's escapes are a part of TOML's, once no surrogate pair is written."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
