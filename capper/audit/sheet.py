"""An audit's result as a page: the score and what it is made of, each finding with how to mend it, figures, pictures."""

import xml.etree.ElementTree as ET
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from capper.audit.findings import Finding
from capper.audit.met import Capped, Run, page_of
from capper.audit.result import Result, amount
from capper.audit.scoring import repeats
from capper.domain.frequency import binned, shares
from capper.domain.identity import Level
from capper.measure.page import add, bars, begun, columns, ended, lettered, named, tabled, wide
from capper.measure.whatif import PAID_ASSUMES

_STYLE: Final = """
.score { display: flex; align-items: center; gap: 1.5rem; flex-wrap: wrap }
.score svg { width: 9rem; flex: none } .score p { flex: 1 1 16rem; margin: 0 }
.ring { fill: none; stroke: var(--line); stroke-width: 14 } .arc { fill: none; stroke-width: 14; stroke: var(--after) }
svg .figure { font-size: 44px; font-weight: 600 }
.good { stroke: #2c7a4b } .fair { stroke: #b7791f } .poor { stroke: #b83232 }
section.fault { border-inline-start: 4px solid var(--line); padding-inline-start: .9rem; margin: 1.4rem 0; break-inside: avoid-page }
section.fault ul { margin: .4rem 0; padding-inline-start: 1.1rem } section.fault li { overflow-wrap: anywhere }
section.fault h3 { margin: 0 0 .2rem; font-size: 1rem } section.fault p { margin: .2rem 0 }
figure { margin: 0 0 1rem; break-inside: avoid } figure img { max-width: 100%; max-height: 30rem; border: 1px solid var(--line) }
.seen { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); gap: 1rem }
code { font-size: .85em; color: var(--soft) }
"""
_MOST_FINDINGS: Final = 40
"""Of one kind, in the page; JSON has all of them."""
_MOST_PAGES: Final = 60
_GRADES = ((80, "good"), (50, "fair"), (0, "poor"))


def sheet(result: Result, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """The file; `pictures` are JPEG screenshots by the name that a load's look gives."""
    run = result.run
    page, main = begun(f"Audit: {result.score} of 100", _STYLE)
    add(main, "h1", "How these pages treat their readers")
    add(main, "p", f"{_over(run)}.")
    _score(main, result)
    _difference(main, result)
    for note in notes(result):
        add(main, "p", note, **{"class": "aside"})
    _losses(main, result)
    _findings(main, result)
    _marks(main, run)
    _frequency(main, run)
    _policy(main, run.capped, result.policy)
    _pages(main, run)
    _pictures(main, run, pictures or {})
    return ended(page, result.made)


def _over(run: Run) -> str:
    people, sessions = {load.person for load in run.loads}, {(load.person, load.session) for load in run.loads}
    told = (
        _many(len(run.loads), "load of a page", "loads of pages"),
        _many(len(people), "reader"),
        _many(len(sessions), "session"),
        _many(len(run.meetings), "ad"),
    )
    return f"{', '.join(told[:-1])}: {told[-1]} met"


def notes(result: Result) -> Iterator[str]:
    """What a reader of the figures must know, in sentences."""
    run = result.run
    if not run.loads:
        yield "No load of a page was found: there is nothing to judge, and the score says nothing."
    if run.bodiless:
        yield (
            f"The recordings lack {_many(run.bodiless, 'body', 'bodies')} of {_many(run.entries, 'answer')}: ads in them cannot"
            " be seen, so that there may be more than is said here. Save them with contents."
        )
    if run.loads and not run.live:
        yield "From recordings: where ads stand on the screen, and what their marks do, is not known and not judged."
    housed = sum(load.housed for load in run.loads)
    if housed:
        yield f"{_many(housed, 'ad')} met had a house ad, for readers who let the site know."
    for page, reason in run.unhoused:
        yield f"On {page} {reason}."
    if run.untold:
        yield f"Of {_many(run.untold, 'refusal')} it is not known whose ad was meant: whether it was kept to is not judged."
    if run.missed:
        yield f"{_many(len(run.missed), 'load of a page', 'loads of pages')} failed, as this one: {run.missed[0]}."
    unknown = sum(not each.ad.identified for each in run.meetings)
    if unknown:
        yield f"Of {_many(unknown, 'ad')} nothing is known: repeats among them cannot be told."


def _score(parent: ET.Element, result: Result) -> None:
    line = ET.SubElement(parent, "div", {"class": "score"})
    line.append(_dial(result.score))
    worst = max(result.losses, key=lambda each: each.points, default=None)
    said = "Nothing was found that a reader could mind." if worst is None else (
        f"Most was lost by: {result.yardstick.faults[worst.code].title}."
    )  # fmt: skip
    add(line, "p", f"{result.score} of 100, by version {result.yardstick.version} of the score. {said}")


def _dial(score: int) -> ET.Element:
    svg = ET.Element("svg", viewBox="0 0 140 140", role="img")
    add(svg, "title", f"{score} of 100")
    round_ = 2 * 3.14159265 * 60
    ET.SubElement(svg, "circle", {"class": "ring", "cx": "70", "cy": "70", "r": "60"})
    grade = next(name for least, name in _GRADES if score >= least)
    arc = {"cx": "70", "cy": "70", "r": "60", "transform": "rotate(-90 70 70)", "class": f"arc {grade}"}
    ET.SubElement(svg, "circle", arc | {"stroke-dasharray": f"{round_ * score / 100:.1f} {round_:.1f}"})
    lettered(svg, 70, 86, str(score), "figure", "middle")
    return svg


def _difference(parent: ET.Element, result: Result) -> None:
    found = result.difference
    if found is None:
        return
    add(parent, "h2", "Since the audit before")
    if not found.comparable:
        add(parent, "p", "That one went by another version of the score: the two scores cannot be compared.")
    else:
        add(parent, "p", f"The score changed by {found.score:+d}.")
    rows = [("new", *row) for row in found.new] + [("gone", *row) for row in found.gone]
    if rows:
        tabled(parent, "Findings that came and went", ["what", "finding", "of", "where"], rows)


def _losses(parent: ET.Element, result: Result) -> None:
    if not result.losses:
        return
    add(parent, "h2", "What the score is made of")
    lost = sorted(result.losses, key=lambda each: -each.points)
    titles = result.yardstick.faults
    drawn = [(titles[each.code].title, {"after": each.points}) for each in lost]
    title = "Points lost by each kind of finding; the table below has the numbers"
    wide(parent, "Drawing: points lost").append(bars(title, drawn, "-{:.1f}".format))
    faults = result.yardstick.faults
    rows = [
        [
            faults[each.code].title,
            f"{each.affected:,} of {each.whole:,} {faults[each.code].of}",
            f"{each.points:.1f} of {each.most:g}",
        ]
        for each in lost
    ]
    tabled(parent, "Points lost", ["finding", "#affected", "#points lost"], rows)


def _findings(parent: ET.Element, result: Result) -> None:
    add(parent, "h2", "Findings")
    if not result.findings:
        add(parent, "p", "None.")
    over = set(map(id, result.over))
    for code in dict.fromkeys(each.code for each in result.findings):
        fault = result.yardstick.faults[code]
        mine = [each for each in result.findings if each.code == code]
        part = ET.SubElement(parent, "section", {"class": "fault"})
        add(part, "h3", fault.title)
        add(part, "code", code)
        listed = ET.SubElement(part, "ul")
        for each in mine[:_MOST_FINDINGS]:
            _told(ET.SubElement(listed, "li"), each, broken=id(each) in over)
        if len(mine) > _MOST_FINDINGS:
            add(part, "p", f"... and {len(mine) - _MOST_FINDINGS:,} more.")
        add(part, "p", f"How to mend it: {fault.mend}")


def _told(item: ET.Element, finding: Finding, *, broken: bool) -> None:
    """One finding in a list: of what, how many, where, and what it was seen by."""
    named(ET.SubElement(item, "strong"), finding.subject)
    value, limit = (amount(each, finding.unit) for each in (finding.value, finding.limit))
    over = ", over budget" if broken else ""
    add(item, "span", f": {value}, at most {limit}{over}. ")
    named(ET.SubElement(item, "span"), finding.where)
    if finding.evidence:
        add(item, "div", f"Seen: {', '.join(finding.evidence)}", **{"class": "aside"})


def _marks(parent: ET.Element, run: Run) -> None:
    """What the "i" of each ad did, and whether refusals were kept to."""
    tried = [(load, notice) for load in run.loads if load.look for notice in load.look.notices]
    if not tried and not run.choices:
        return
    add(parent, "h2", 'The "i" of ads')
    if tried:
        rows = [
            [one.where, page_of(load.url), one.came or "nothing", one.said or "nothing to refuse it by"]
            for load, one in tried
        ]
        tabled(parent, "Marks that were clicked", ["ad of", "page", "what came of it", "refused by"], rows)
    if run.choices:
        rows = [[one.subject, one.where, one.said, f"{one.again:,}", f"{one.loads:,}"] for one in run.choices]
        tabled(parent, "Ads that were refused", ["advertiser", "page", "by", "#came again", "#loads since"], rows)


def _frequency(parent: ET.Element, run: Run) -> None:
    """How often the same advertiser within a session."""
    counts = Counter(repeats(run, Level.ADVERTISER).values())
    if not counts:
        return
    add(parent, "h2", "How often the same advertiser")
    add(parent, "p", "Of the advertisers that a reader met within a session, the share that was met exactly so often.")
    title = "The share of advertisers by how often they were met in a session; the table below has the numbers"
    wide(parent, "Drawing: how often the same advertiser").append(columns(title, after=binned(shares(counts))))
    rows = [[str(times), f"{count:,}"] for times, count in sorted(counts.items())]
    tabled(parent, "Advertisers, by how often they were met in a session", ["times", "#advertisers"], rows)


def _policy(parent: ET.Element, capped: Capped, policy: str) -> None:
    add(parent, "h2", "What a reader's policy would have done")
    add(parent, "p", f"With {policy}, {capped.withheld:,} of {_many(capped.met, 'ad')} would have been withheld.")
    if capped.rules:
        tabled(
            parent, "Withheld, by cap", ["cap", "#ads"], [[cap, f"{count:,}"] for cap, count in capped.rules.items()]
        )
    for line in revenue(capped):
        add(parent, "p", line)


def revenue(capped: Capped) -> Iterator[str]:
    """What it would have cost, in sentences with what is assumed; nothing where no answer carries a price."""
    for currency, paid in capped.paid.items():
        lost, name = capped.lost.get(currency, 0.0), currency or "of an unnamed currency"
        left = f"{paid - lost:.4f}"
        yield (
            f"The winning bids in the auctions seen pay {paid:.4f} {name}; with the runners-up in the place of those withheld"
            f" {left} ({(paid - lost) / paid - 1:+.1%})."
        )
    if capped.paid:
        yield PAID_ASSUMES


def _pages(parent: ET.Element, run: Run) -> None:
    ads = Counter(each.load for each in run.meetings)
    pages: dict[str, list[int]] = {}
    for number, load in enumerate(run.loads):
        pages.setdefault(page_of(load.url), []).append(number)
    rows = []
    for page, numbers in list(pages.items())[:_MOST_PAGES]:
        weight = max(run.loads[number].ad_size for number in numbers) / 1024
        whole = max(run.loads[number].size for number in numbers) / 1024
        rows.append(
            [
                page,
                f"{len(numbers):,}",
                f"{sum(ads[n] for n in numbers) / len(numbers):.1f}",
                f"{weight:,.0f}",
                f"{whole:,.0f}",
            ]
        )
    if rows:
        add(parent, "h2", "Pages")
        tabled(parent, "Pages that were read", ["page", "#loads", "#ads a load", "#kB of ads", "#kB in all"], rows)
    if len(pages) > _MOST_PAGES:
        add(parent, "p", f"... and {len(pages) - _MOST_PAGES:,} more pages.")


def _pictures(parent: ET.Element, run: Run, pictures: Mapping[str, bytes]) -> None:
    shown = [(load, load.look.picture) for load in run.loads if load.look and load.look.picture in pictures]
    if not shown:
        return
    add(parent, "h2", "As they were seen")
    grid = ET.SubElement(parent, "div", {"class": "seen"})
    for load, name in shown:
        figure = ET.SubElement(grid, "figure")
        told = f"{page_of(load.url)}, {load.person}, {load.at:%Y-%m-%d %H:%M}"
        source = f"data:image/jpeg;base64,{b64encode(pictures[name]).decode()}"
        ET.SubElement(figure, "img", {"src": source, "alt": f"Screenshot of {told}"})
        add(figure, "figcaption", told, **{"class": "aside"})


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def summary(result: Result) -> Sequence[str]:
    """The result in a few lines."""
    return [f"{result.score} of 100. {_over(result.run)}.", *notes(result)]
