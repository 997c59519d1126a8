"""What is wrong with what readers met: each rule takes a run and the limits, and returns findings. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from capper.audit.met import Load, Meeting, Run, page_of
from capper.domain.identity import Level
from capper.recognise.domains import site_of

Limits = Mapping[str, float]
_WEEK = timedelta(days=7)
_KB = 1024
_MOST_EVIDENCE = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: what it is of, for whom and where, how many, and the limit called `rule` that this is beyond.

    `affected` numbers what it touches (ads or loads, by their index; see `Fault.of`): the score counts each once.
    """

    code: str
    subject: str
    where: str
    value: float
    limit: float
    rule: str
    evidence: tuple[str, ...] = ()
    affected: frozenset[int] = frozenset()
    unit: str = ""

    @property
    def excess(self) -> float:
        """How far beyond the limit."""
        return self.value - self.limit


def find(run: Run, limits: Limits) -> list[Finding]:
    """Every fault, the furthest beyond its limit first within each kind."""
    found = [finding for rule in _RULES for finding in rule(run, limits)]
    order = {code: place for place, code in enumerate(dict.fromkeys(each.code for each in found))}
    return sorted(found, key=lambda each: (order[each.code], -each.excess, each.subject, each.where))


# Repeats


def _repeats(run: Run, limits: Limits) -> Iterator[Finding]:
    """Of each session: the same creative, campaign, advertiser more often than the limit.

    A wider level is a finding of its own only where it has more repeats than what is already said of a narrower one.
    """
    sessions: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, each in enumerate(run.meetings):
        load = run.loads[each.load]
        sessions[load.person, load.session].append(number)
    for (person, session), numbers in sessions.items():
        told: list[frozenset[int]] = []
        for level in (Level.CREATIVE, Level.CAMPAIGN, Level.ADVERTISER):
            rule = f"repeats_per_{level}_per_session"
            new = []
            for name, mine in _grouped(run, numbers, level):
                if len(mine) > limits[rule] and frozenset(mine) not in told:
                    where = f"{person}, session {session + 1}"
                    new.append(frozenset(mine))
                    yield _finding(f"repeat-{level}", run, name, where, mine, rule, limits)
            told += new


def _grouped(run: Run, numbers: Iterable[int], level: Level) -> list[tuple[str, list[int]]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for number in numbers:
        for name in run.meetings[number].ad.keys(level):
            groups[name].append(number)
    return sorted(groups.items())


def _finding(code: str, run: Run, subject: str, where: str, numbers: list[int], rule: str, limits: Limits) -> Finding:
    """Of ads that were met too often: those beyond the limit are affected."""
    most, evidence = limits[rule], _evidence(run, numbers)
    return Finding(code, subject, where, len(numbers), most, rule, evidence, frozenset(numbers[int(most) :]), "times")


def _weekly(run: Run, limits: Limits) -> Iterator[Finding]:
    """The same advertiser over several sessions, within any seven days."""
    rule = "repeats_per_advertiser_per_week"
    everybody: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(run.meetings):
        everybody[run.loads[each.load].person].append(number)
    for person, numbers in everybody.items():
        for name, mine in _grouped(run, numbers, Level.ADVERTISER):
            busiest = _busiest(run, mine)
            if len(busiest) > limits[rule] and len({run.loads[run.meetings[n].load].session for n in busiest}) > 1:
                yield _finding("repeat-advertiser", run, name, f"{person}, seven days", busiest, rule, limits)


def _busiest(run: Run, numbers: list[int]) -> list[int]:
    """The most of them within any seven days."""
    times = [run.loads[run.meetings[number].load].at for number in numbers]
    best: tuple[int, int] = (0, 0)
    start = 0
    for end, at in enumerate(times):
        while at - times[start] >= _WEEK:
            start += 1
        best = max(best, (end + 1 - start, start))
    return numbers[best[1] : best[1] + best[0]]


def _slots(run: Run, limits: Limits) -> Iterator[Finding]:
    """The same creative in the same place of the same page, within a session."""
    rule = "repeats_per_slot_per_session"
    places: dict[tuple[str, int, str, int, str], list[int]] = defaultdict(list)
    for number, each in enumerate(run.meetings):
        load = run.loads[each.load]
        if each.ad.creative:
            places[load.person, load.session, page_of(load.url), each.place, each.ad.creative].append(number)
    for (person, session, page, place, creative), numbers in sorted(places.items()):
        if len(numbers) > limits[rule]:
            where = f"{person}, session {session + 1}, ad {place} of {page}"
            yield _finding("repeat-slot", run, creative, where, numbers, rule, limits)


# On one page


def _twice(run: Run, limits: Limits) -> Iterator[Finding]:
    """The same advertiser twice on a load of a page, and twice in a break of a film."""
    loads: dict[int, list[Meeting]] = defaultdict(list)
    for each in run.meetings:
        loads[each.load].append(each)
    for code, place, limit in (
        ("twice-in-pod", "pod", "advertisers_twice_per_pod"),
        ("twice-on-page", "page", "advertisers_twice_per_page"),
    ):
        pages: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
        for number, ads in loads.items():
            for name, times in _again(ads, place):
                pages[name, page_of(run.loads[number].url)][number] = times
        most = int(limits[limit])
        for (name, page), found in sorted(pages.items()):
            worst = max(found.values())
            if worst > 1 + most:
                touched = {number for number, times in found.items() if times > 1 + most}
                yield Finding(
                    code, name, page, worst, 1 + most, limit, _loads(run, touched), frozenset(touched), "at once"
                )


def _again(ads: list[Meeting], place: str) -> Iterator[tuple[str, int]]:
    """Each advertiser that is met more than once, and how often: in one break, or beside each other on the page."""
    # What follows another in a break is not beside it.
    places = ((each.pod or "", each) for each in ads if bool(each.pod) == (place == "pod"))
    counts = Counter((pod, name) for pod, each in places for name in each.ad.advertisers)
    for (_, name), times in counts.items():
        if times > 1:
            yield name, times


def _crowded(run: Run, limits: Limits) -> Iterator[Finding]:
    per_load = Counter(each.load for each in run.meetings)
    yield from _by_page("crowded", run, "ads on a page", "ads_per_page", limits, lambda n, _: per_load[n])
    yield from _by_page("crowded", run, "ads on a screen", "ads_per_screen", limits, _on_screen)
    yield from _by_page("crowded", run, "of a screen under ads", "ad_share_of_screen", limits, _share, "share")


def _on_screen(_: int, load: Load) -> int:
    return load.look.most_on_screen if load.look else 0


def _share(_: int, load: Load) -> float:
    return round(load.look.share, 3) if load.look else 0.0


def _by_page(
    code: str, run: Run, subject: str, rule: str, limits: Limits, measure: Callable[[int, Load], float], unit: str = ""
) -> Iterator[Finding]:
    """One finding for each page of which a load is beyond the limit."""
    most = limits[rule]
    pages: dict[str, dict[int, float]] = defaultdict(dict)
    for number, load in enumerate(run.loads):
        if (value := measure(number, load)) > most:
            pages[page_of(load.url)][number] = value
    for page, values in sorted(pages.items()):
        worst, evidence = max(values.values()), _loads(run, values)
        yield Finding(code, subject, page, worst, most, rule, evidence, frozenset(values), unit)


def _heavy(run: Run, limits: Limits) -> Iterator[Finding]:
    yield from _by_page("heavy", run, "ads", "ad_weight_kb", limits, lambda _, load: round(load.ad_size / _KB), "kB")


def _prompts(run: Run, limits: Limits) -> Iterator[Finding]:
    def counted(kind: str) -> Callable[[int, Load], float]:
        return lambda _, load: load.prompts.count(kind)

    for kind in sorted({kind for load in run.loads for kind in load.prompts}):
        yield from _by_page("credit-prompt", run, kind, "credit_prompts", limits, counted(kind))


def _unasked(run: Run, limits: Limits) -> Iterator[Finding]:
    yield from _sources("sound", run, "loud_players", limits, lambda load: load.loud)
    yield from _sources("motion", run, "moving_pictures", limits, lambda load: load.moving)


def _sources(code: str, run: Run, rule: str, limits: Limits, those: Callable[[Load], list[str]]) -> Iterator[Finding]:
    """One finding for each page, whose evidence is where they are from."""
    for each in _by_page(code, run, "", rule, limits, lambda _, load: len(those(load))):
        urls = (url for number in sorted(each.affected) for url in those(run.loads[number]))
        evidence = tuple(dict.fromkeys(url.partition("?")[0] for url in urls))[:_MOST_EVIDENCE]
        yield replace(each, subject=site_of(evidence[0]), evidence=evidence)


# Over time


def _retargeted(run: Run, limits: Limits) -> Iterator[Finding]:
    """Ads of a shop on other sites, once its product was looked at."""
    most = limits["retargeted_ads"]
    looked: dict[tuple[str, str], int] = {}
    followed: dict[tuple[str, str], list[int]] = defaultdict(list)
    by_load: dict[int, list[int]] = defaultdict(list)
    for number, each in enumerate(run.meetings):
        by_load[each.load].append(number)
    for place, load in enumerate(run.loads):
        for number in by_load[place]:
            each = run.meetings[number]
            for name in each.ad.advertisers:
                if name != each.site and (load.person, name) in looked:
                    followed[load.person, name].append(number)
        if load.product:
            looked.setdefault((load.person, site_of(load.url)), place)
    for (person, name), numbers in sorted(followed.items()):
        if len(numbers) > most:
            seen = run.loads[looked[person, name]]
            where = f"{person}, after {page_of(seen.url)}"
            yield _finding("retargeted", run, name, where, numbers, "retargeted_ads", limits)


def _marks(run: Run, limits: Limits) -> Iterator[Finding]:
    """Marks that do nothing when they are clicked."""
    dead: dict[tuple[str, str], list[int]] = defaultdict(list)
    came: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    tried = ((load, notice) for load in run.loads if load.look for notice in load.look.notices)
    for number, (load, notice) in enumerate(tried):
        if not notice.works:
            place = notice.where, page_of(load.url)
            dead[place].append(number)
            came[place].setdefault(notice.came or "nothing came of a click")
    rule = "dead_choices"
    for (where, page), numbers in sorted(dead.items()):
        if len(numbers) > limits[rule]:
            evidence = tuple(came[where, page])[:_MOST_EVIDENCE]
            yield Finding(
                "choices-dead", where, page, len(numbers), limits[rule], rule, evidence, frozenset(numbers), "times"
            )


def _choices(run: Run, limits: Limits) -> Iterator[Finding]:
    """Advertisers that were refused by an ad's own notice and came again."""
    rule = "unkept_choices"
    for number, each in enumerate(run.choices):
        if each.again > limits[rule]:
            where = f"{each.person}, refused on {each.where}" if each.where else each.person
            evidence = (f"\u201c{each.said}\u201d was said; {each.loads:,} loads of pages followed",)
            affected = frozenset([number])
            yield Finding(
                "choices-unkept", each.subject, where, each.again, limits[rule], rule, evidence, affected, "times"
            )


# What it is seen by


def _evidence(run: Run, numbers: Iterable[int]) -> tuple[str, ...]:
    """Where each was met, the first few."""
    counts = Counter(page_of(run.loads[run.meetings[number].load].url) for number in numbers)
    return tuple(f"{page} ({times}x)" if times > 1 else page for page, times in counts.most_common(_MOST_EVIDENCE))


def _loads(run: Run, numbers: Iterable[int]) -> tuple[str, ...]:
    loads = (run.loads[number] for number in sorted(numbers))
    return tuple(dict.fromkeys(f"{load.person}, {load.at:%Y-%m-%d %H:%M}" for load in loads))[:_MOST_EVIDENCE]


_RULES: tuple[Callable[[Run, Limits], Iterator[Finding]], ...] = (
    _repeats,
    _weekly,
    _slots,
    _twice,
    _crowded,
    _heavy,
    _retargeted,
    _prompts,
    _unasked,
    _marks,
    _choices,
)
