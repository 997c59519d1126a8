"""The only reader of configuration: the policy and its hot reload, capper.toml, the environment, and where files lie."""

from capper.settings.load import first_words, load_settings, own_file, policy_file
from capper.settings.options import Address, Enrolment, Log, Open, Settings
from capper.settings.policy import Reading, load_policy, parse_policy, read_policy
from capper.settings.policy_text import policy_text
from capper.settings.watch import PolicySource

__all__ = [
    "Address",
    "Enrolment",
    "Log",
    "Open",
    "PolicySource",
    "Reading",
    "Settings",
    "first_words",
    "load_policy",
    "load_settings",
    "own_file",
    "parse_policy",
    "policy_file",
    "policy_text",
    "read_policy",
]
