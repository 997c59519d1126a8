"""What was found in a study as tables and sentences: the terminal and the page show the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isfinite

from capper.domain.frequency import binned
from capper.study.arms import Effect
from capper.study.experiment import Effect as Change
from capper.study.findings import ByKey, Findings, Targeting
from capper.study.metrics import Figures
from capper.study.retargeting import LOOKBACK
from capper.study.statistics import Interval

_WORDS = {
    "met": "ads met on a day with ads",
    "shown": "ads shown on a day with ads",
    "repeats": "shown again the same day",
}
_LETTERS = 8
"""Of a keyed name: enough to tell it from the others of a study."""
_UNKNOWN = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, sentences, and a table; a column whose name begins with `#` holds numbers."""

    title: str
    sentences: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def parts(found: Findings, names: Mapping[str, str]) -> Iterator[Part]:
    """All that was found, part by part; `names` are advertisers' domains by what the study calls them."""
    yield _coverage(found)
    for each in found.by_key:
        yield _figures(each)
        if each.effects:
            yield _effects(each)
        yield _targeting(each, names)
    yield _retargeting(found)
    if found.opt_outs:
        yield _opt_outs(found, names)


def _coverage(found: Findings) -> Part:
    told = found.coverage
    rows = [(f"have a key: {key}", f"{share:.1%}") for key, share in told.keyed.items()]
    rows.append(("have a site", f"{told.sited:.1%}"))
    rows += [(f"known by: {rung}", f"{share:.1%}") for rung, share in told.basis.items()]
    return Part(
        "Coverage",
        (
            f"{told.exposures:,} exposures (ads about to be shown, withheld ones too) and {found.visits:,} visits.",
            "Exposures without a key are left out of that key's figures.",
        ),
        ("of all exposures", "#share"),
        tuple(rows),
    )


def _figures(found: ByKey) -> Part:
    sides = {"all": found.all}
    if found.capped and found.control:
        sides |= {"caps on": found.capped, "caps off": found.control}
    columns = [list(_lines(side)) for side in sides.values()]
    rows = tuple((lines[0][0], *(line[1] for line in lines)) for lines in zip(*columns, strict=True))
    sentences = [f"An ad is told from another by its {found.key}. A pair is a person and an ad that she met."]
    if len(sides) > 1:
        sentences.append("The arms are of different length: what capping does is told below, by day.")
    return Part(
        f"How often, by {found.key}",
        tuple(sentences),
        ("figure", *(f"#{name}" for name in sides)),
        rows,
    )


def _lines(one: Figures) -> Iterator[tuple[str, str]]:
    yield "people", f"{one.people:,}"
    yield "ads", f"{one.ads:,}"
    yield "exposures", f"{one.exposures:,}"
    yield "withheld", f"{one.withheld:.1%}"
    yield "repeat share (1 - ads / exposures)", f"{one.repeats:.1%}"
    for (times, met), shown in zip(binned(one.observed).items(), binned(one.shown).values(), strict=True):
        yield f"pairs that met {times} (were shown {times})", f"{met:.1%} ({shown:.1%})"
    yield "distance of the two (shuffle distance)", f"{one.moved:.1%}"
    yield "sites on which a pair met: median, most", f"{_number(one.sites_median)}, {one.sites_most:,}"
    for over in one.over:
        yield f"exposures over a cap of {over.cap} in all", f"{over.exposures:,} ({over.share:.1%})"
    yield "concentration: Gini", _number(one.concentration.gini)
    yield "concentration: HHI, entropy", f"{one.concentration.hhi:.4f}, {one.concentration.entropy:.2f}"
    yield "time until met again: median", _length(one.gaps.median_ms)
    yield "met again within a minute", f"{one.gaps.bursts:.1%}"
    yield (
        "days from first to last: median, most",
        f"{_number(one.persistence.median)}, {_number(one.persistence.longest)}",
    )
    # Only advertisers can be bought from.
    yield "met after she bought there", f"{one.persistence.after_purchase:,}" if one.key == "advertiser" else _UNKNOWN


def _effects(found: ByKey) -> Part:
    itself = {each.measure: each for each in found.itself}
    rows = tuple(
        (
            _WORDS[each.measure],
            f"{each.capped:.2f}",
            f"{each.control:.2f}",
            f"{each.effect:+.2f}",
            _interval(each.interval),
            _itself(itself.get(each.measure)),
        )
        for each in found.effects
    )
    first = found.effects[0]
    how = (
        f"{first.paired:,} people had days of both kinds; each is compared with herself."
        if first.paired
        else f"{first.people:,} people in two groups, drawn by lot."
    )
    return Part(
        f"What capping does, by {found.key}",
        (
            f"Means over people. {how} Intervals are at 95 %.",
            "A/A is the same made of days with caps alone, half of them taken for the others: it should hold 0 (19 times in 20).",
        ),
        ("measure", "#caps on", "#caps off", "#effect", "#interval", "#A/A"),
        rows,
    )


def _itself(found: Effect | None) -> str:
    return _interval(found.interval) if found else _UNKNOWN


def _targeting(found: ByKey, names: Mapping[str, str]) -> Part:
    told = found.targeting
    rows = tuple(
        (
            _named(each.ad, names),
            f"{each.people:,}",
            f"{each.domains:,}",
            f"> {each.threshold:.2f}",
            f"{each.users:,}",
            f"< {told.users_threshold:.2f}",
        )
        for each in told.most
    )
    heads = (found.key, "#at people", "#most sites", "#sites needed", "#met by people", "#people needed")
    return Part(f"Which ads follow few people, by {found.key}", tuple(_verdicts(told)), heads if rows else (), rows)


def _verdicts(told: Targeting) -> Iterator[str]:
    yield (
        "Told by counting, after eyeWnder: an ad is taken as targeted at somebody who met it on more sites than her"
        f" threshold ({told.rule.domains} of her own ads), when fewer people met it than the other"
        f" ({told.rule.users} of all ads). It is a verdict by two thresholds, not a proof."
    )
    if told.users_threshold is None:
        yield "There was nothing to tell it from."
        return
    own = told.domains_thresholds
    between = f" Thresholds of sites: {own[0]:.2f} to {own[1]:.2f}, by person." if own else ""
    yield (
        f"{told.targeted:,} of {told.decided:,} pairs of {told.people:,} people are taken as targeted;"
        f" {told.pairs - told.decided:,} pairs have no verdict, for she met ads on too few sites."
        f" Threshold of people: {told.users_threshold:.2f}.{between}"
    )
    if len(told.most) < told.targeted:
        yield f"The {len(told.most)} ads that somebody met on the most sites:"


def _retargeting(found: Findings) -> Part:
    told = found.retargeting
    quartiles = (
        f" (half of those that met one: {' to '.join(map(_length, told.lag_quartiles))})" if told.lag_quartiles else ""
    )
    return Part(
        "Retargeting, by advertiser",
        (
            (
                "An exposure is retargeted when she had opened a product or cart page of the advertiser's at most"
                f" {LOOKBACK.days} days before it."
            ),
        ),
        ("figure", "#value"),
        (
            ("pairs that looked at a product", f"{told.viewed:,}"),
            ("of these, met an ad of the advertiser's afterwards", f"{told.retargeted:,}"),
            ("retargeted exposures", f"{told.exposures:,} ({told.share:.1%} of those with an advertiser)"),
            ("from the last look to the first ad: median (Kaplan-Meier)", f"{_length(told.lag)}{quartiles}"),
            ("pairs not seen to meet one (censored)", f"{told.censored:.1%}"),
            ("half-life of exposures after a look", _length(told.half_life)),
        ),
    )


def _opt_outs(found: Findings, names: Mapping[str, str]) -> Part:
    rows: list[tuple[str, ...]] = []
    for each in found.opt_outs:
        rows.append((each.treatment, "all", *_change(each.all.effect), f"{each.all.corrected:.4f}"))
        rows += [
            (each.treatment, _named(ad, names), *_change(tested.effect), f"{tested.corrected:.4f}")
            for ad, tested in each.by_advertiser.items()
        ]
        if each.itself:
            rows.append((each.treatment, "A/A control", *_change(each.itself), _UNKNOWN))
    return Part(
        "Opt-outs, by advertiser",
        (
            (
                "The rate of retargeted exposures, after less before, treated less untreated profiles of the same block."
                " p is how often a treatment dealt at random within blocks does as much, both ways; Holm's correction stands beside it."
            ),
        ),
        (
            "treatment",
            "advertiser",
            "#blocks",
            "#profiles",
            "#effect",
            "#interval 95 %",
            "#p",
            "#p interval 99 %",
            "#p corrected",
        ),
        tuple(rows),
    )


def _change(found: Change) -> Sequence[str]:
    low, high = found.p_interval.low, found.p_interval.high
    return (
        f"{found.blocks:,}",
        f"{found.units:,}",
        f"{found.effect:+.1%}",
        _interval(found.interval, "+.1%"),
        f"{found.p:.4f}",
        f"{low:.4f} to {high:.4f}",
    )


def _named(ad: str, names: Mapping[str, str]) -> str:
    return names.get(ad) or ad[:_LETTERS]


def _interval(found: Interval, form: str = "+.2f") -> str:
    if not (isfinite(found.low) and isfinite(found.high)):
        return "too few to tell"
    return f"{found.low:{form}} to {found.high:{form}}"


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def _length(ms: float | None) -> str:
    if ms is None:
        return _UNKNOWN
    at = timedelta(milliseconds=ms)
    for unit, size in (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1))):
        if at >= 2 * size:
            return f"{at / size:.1f} {unit}"
    return f"{at.total_seconds():.0f} seconds"
