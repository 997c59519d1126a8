"""What a person chooses for herself in a policy: caps, in a rule for her alone after all that its owner wrote, her privacy level, that no site is told."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from capper.domain.cap import Cap
from capper.domain.errors import ConfigError
from capper.domain.policy import Person, Policy, Rule
from capper.settings.policy import CONDITIONS, read_policy
from capper.settings.policy_edit import change_person
from capper.settings.policy_set import set_value
from capper.settings.policy_text import of_rule


def own_rule(person: str) -> str:
    """What the person's own rule is called. What the owner wrote for her under another name is not hers to change."""
    return f"{person}'s own caps"


def with_own_caps(policy: Policy, person: str, caps: Sequence[Cap]) -> Policy:
    """The policy with these caps as the person's own, in the place of those she has, else in a rule after all others."""
    own = Rule(own_rule(person), tuple(caps), people=(person,))
    rules = [own if rule.name == own.name else rule for rule in policy.rules]
    return replace(policy, rules=tuple(rules if own in rules else [*rules, own]))


def set_own_caps(text: str, name: str, person: str, caps: Sequence[Cap]) -> str:
    """The policy with these caps as the person's own; a rule of hers that is there already is changed, else one is added last.

    Raises:
        ConfigError: `text` (called `name` in messages) cannot be used or changed.
    """
    policy = read_policy(text, name).policy
    place = next((place for place, rule in enumerate(policy.rules) if rule.name == own_rule(person)), None)
    if place is not None:
        if not _is_own(policy.rules[place], person):
            raise ConfigError(f'"{own_rule(person)}" in {name} asks for more than {person}; change it by hand')
        words = [str(cap) for cap in caps] or ["[]"]
        return set_value(text, name, f"rules[{place + 1}].caps", words)
    wanted = with_own_caps(policy, person, caps)
    after = f"{text.rstrip()}\n\n{'\n'.join(of_rule(wanted.rules[-1]))}\n"
    try:
        if read_policy(after, name).policy == wanted:
            return after
    except ConfigError:
        pass
    raise ConfigError(f"{name} is written in a way to which no rule can be added; add one for {person} by hand")


def set_own_level(text: str, name: str, person: str, level: int) -> str:
    """The policy with `level` as the most that is written down of a person.

    Raises:
        ConfigError: `text` (called `name` in messages) cannot be used or changed, or does not know her.
    """
    return _changed(text, name, person, lambda one: replace(one, journal_level=level))


def set_own_silence(text: str, name: str, person: str) -> str:
    """The policy in which no site is told that an ad was withheld from this person, whatever the household lets others know.

    Raises:
        ConfigError: as `set_own_level`.
    """
    return _changed(text, name, person, lambda one: replace(one, house_ads=()))


def _changed(text: str, name: str, person: str, change: Callable[[Person], Person]) -> str:
    if person not in read_policy(text, name).policy.people:
        raise ConfigError(f"{name} knows nobody called {person}")
    return change_person(text, name, person, change)


def _is_own(rule: Rule, person: str) -> bool:
    asked = {key for key in CONDITIONS if getattr(rule, key)}
    return asked == {"people"} and rule.people == (person,)
