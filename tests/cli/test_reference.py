"""The documentation says what the commands say."""

from pathlib import Path

import pytest

from capper.cli.reference import contexts, reference
from capper.settings.policy import CONDITIONS, PERSON, TOP

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_current():
    """docs/cli.md is what `python -m capper.cli.reference` writes."""
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == reference()


def test_every_command_and_option_says_what_it_is_for():
    """No command without a sentence, no option without help."""
    silent = [
        f"{context.command_path} {part.name}"
        for context in contexts()
        for part in (context.command, *context.command.params)
        if not part.help
    ]

    assert silent == []


@pytest.mark.parametrize("key", [*TOP, *PERSON, *CONDITIONS, "name"])
def test_every_key_of_a_policy_is_documented(key):
    """docs/policy.md explains each key."""
    assert f"`{key}`" in (DOCS / "policy.md").read_text(encoding="utf-8")
