"""The documentation says what the commands say, leaves nothing out, and its links lead somewhere."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from capper.cli.reference import contexts, reference
from capper.dashboard.metrics import exposition
from capper.fleet import Board
from capper.journal import Totals
from capper.settings.expectations import Expectation
from capper.settings.options import OPTIONS
from capper.settings.policy import CONDITIONS, CREDIT_CONDITIONS, PERSON, TOP
from capper.testing import NOON

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def text_of(name):
    """The text of a page of docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def commands():
    """Every command that does something, rather than being a noun for others."""
    return [context.command_path for context in contexts() if not hasattr(context.command, "commands")]


def anchors(page):
    """The anchors of a page's headings, as the usual hosts of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_reference_is_current():
    """docs/cli.md is what `python -m capper.cli.reference` writes."""
    assert text_of("cli.md") == reference()


def test_every_command_and_option_says_what_it_is_for():
    """No command without a sentence, no option without help."""
    silent = [
        f"{context.command_path} {part.name}"
        for context in contexts()
        for part in (context.command, *context.command.params)
        if not (part.help or "").strip()
    ]

    assert silent == []


def test_every_option_is_in_the_reference():
    """Below each command's heading stands each of its options: none is hidden."""
    sections = dict(re.findall(r"^## (capper[ \w-]*)\n(.*?)(?=^## |\Z)", text_of("cli.md"), re.MULTILINE | re.DOTALL))
    missing = [
        f"{context.command_path} {flag}"
        for context in contexts()
        for param in context.command.params
        for flag in param.opts
        if flag.startswith("--") and not re.search(rf"{flag}(?![\w-])", sections[context.command_path])
    ]

    assert missing == []


@pytest.mark.parametrize("command", commands())
def test_every_command_is_on_a_page_about_a_task(command):
    """Somebody who reads no reference meets each command where it is of use."""
    told = [page.name for page in PAGES if page.name != "cli.md" and command in page.read_text(encoding="utf-8")]

    assert told != []


@pytest.mark.parametrize("key", [*TOP, *PERSON, *CONDITIONS, *CREDIT_CONDITIONS, "name"])
def test_every_key_of_a_policy_is_documented(key):
    """docs/policy.md explains each key."""
    assert f"`{key}`" in text_of("policy.md")


@pytest.mark.parametrize("key", TOP)
def test_every_key_at_the_top_of_a_policy_has_its_row(key):
    """The table of every key in docs/policy.md leaves none out."""
    (table,) = re.findall(r"^## Every key\n(.*?)^## ", text_of("policy.md"), re.MULTILINE | re.DOTALL)

    assert re.search(rf"^\| `{key}` \|", table, re.MULTILINE)


@pytest.mark.parametrize("key", sorted({field.name for field in fields(Expectation)} - {"line"}))
def test_every_key_of_a_test_is_documented(key):
    """docs/policy.md shows or names each key of `[[tests]]` in the section about them."""
    (section,) = re.findall(
        r"^## What a policy expects of itself\n(.*?)^## ", text_of("policy.md"), re.MULTILINE | re.DOTALL
    )

    assert re.search(rf"^ +{key} = |`{key}`", section, re.MULTILINE)


@pytest.mark.parametrize("key", OPTIONS)
def test_every_setting_has_its_row(key):
    """docs/configuration.md has a row for each key of capper.toml, which says more than its name."""
    (meaning,) = re.findall(rf"^\| `{key}` \| `.*?` \| (.+) \|$", text_of("configuration.md"), re.MULTILINE)

    assert len(meaning.split()) > 3


def test_every_figure_has_its_row():
    """docs/dashboard.md has each figure of /metrics in its table, and none that is no more."""
    told = exposition(
        Totals(), ledger=True, version=0, people=0, rules=0, started=NOON, ends=NOON, workers=Board(1).workers
    ).decode()
    table = text_of("dashboard.md").partition("| figure | |")[2].partition("\n\n")[0]

    assert set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE)) == set(re.findall(r"`(capper_\w+)", table))


def test_every_page_is_linked_from_the_readme():
    """Whoever begins at README.md can get to each page of docs/."""
    linked = {target for target, _ in _LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))}

    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Each link to another page of ours, and to a heading of it, is right."""
    broken = []
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith(("http:", "https:")):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(f"{target}#{anchor}")

    assert broken == []
