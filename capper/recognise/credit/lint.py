"""What is wrong with a credit pack, or odd about it, before anybody's pages are read with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.recognise.credit.packs import AGAINST, BESIDE, FOR, PAGES, load_pack, sections
from capper.recognise.credit.scan import SHORTEST
from capper.recognise.credit.words import fold

_NEEDED = frozenset([*FOR, *AGAINST, *BESIDE]) - {"action", "aside", "dismiss", "scam"}
_SHORT_STEM = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a pack; `wrong` if it cannot be used as it is."""

    file: str
    sentence: str
    wrong: bool = False


def lint(path: Path) -> Iterator[Finding]:
    """Everything there is to say about the pack at `path`; nothing where it is in order."""
    name = path.name
    try:
        pack = load_pack(path)
    except ConfigError as exc:
        yield Finding(name, str(exc), wrong=True)
        return
    read = sections(path)
    words = {**read["for"], **read["against"], **read["beside"]}
    for category in sorted(_NEEDED - words.keys()):
        yield Finding(name, f"{category} is missing: nothing is known to say it", wrong=category == "warning")
    if len(pack.common) < 15:
        yield Finding(name, "language.common holds fewer than 15 little words: the language will not be recognised")
    if not pack.triggers:
        yield Finding(name, "language.triggers is empty: no page in this language will be read", wrong=True)
    for trigger in pack.triggers:
        if len(trigger.encode()) < SHORTEST:
            yield Finding(name, f"trigger {trigger!r} is shorter than {SHORTEST} bytes: it is never found")
    for kind in PAGES:
        if kind not in pack.pages and kind != "legal":
            yield Finding(name, f"pages.{kind} is missing: such a page is known by its address alone")
    yield from _entries(name, words)


def _entries(name: str, words: dict[str, tuple[str, ...]]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    sides = {category: side for side, group in (("for", FOR), ("against", AGAINST)) for category in group}
    for category, entry in chain.from_iterable(((key, item) for item in items) for key, items in words.items()):
        folded = fold(entry)
        before = seen.setdefault(f"{sides.get(category)} {folded}", category)
        against = {"for": "against", "against": "for"}.get(sides.get(category, ""))
        other = against and seen.get(f"{against} {folded}")
        if other:
            yield Finding(name, f"{entry!r} speaks for ({category}) and against ({other})")
        elif before == category and list(map(fold, words[category])).count(folded) > 1:
            yield Finding(name, f"{category}: {entry!r} stands there twice")
            words[category] = tuple(item for item in words[category] if fold(item) != folded)
        for part in folded.split():
            stem = part.strip("*?")
            if "*" in part and len(stem) < _SHORT_STEM:
                yield Finding(name, f"{category}: {entry!r} fits too many words")
