"""`capper measure simulate`: how well counting finds the ads that follow people, in a world whose truth is known."""

from dataclasses import asdict
from typing import Annotated

import typer

from capper.cli.options import Config, Json, State
from capper.cli.studies import checked_name, study_settings
from capper.cli.tables import print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.study.detection import Rule, Statistic, Verdicts, detect
from capper.study.rt1 import Score, Truth, World, score
from capper.study.rt1 import simulate as simulated
from capper.study.simulated import keep

CAPS = (1, 2, 3, 4, 5, 6, 8, 12)
KEPT_CAP = 6
"""Of the week that is kept, where none is named."""


def simulate(
    *,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed makes the same world.")] = 1,
    cap: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            metavar="N",
            help="How often a campaign is shown to one person at most; may be repeated.",
            show_default="1 to 12, one after the other",
        ),
    ] = None,
    people: Annotated[int, typer.Option(min=2, max=5000, metavar="N", help="People in the world.")] = 500,
    big: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="The share of campaigns that are aimed at 30 people.")
    ] = 0,
    rule: Annotated[
        str,
        typer.Option(
            metavar="USERS/DOMAINS",
            help="What makes the two thresholds: mean, median, mean+median or mean+std; one name is for both.",
        ),
    ] = "mean/mean",
    into: Annotated[
        str | None,
        typer.Option(
            metavar="STUDY",
            help="Keep the week as a study of this name, to try reports and exports with.",
            show_default=False,
        ),
    ] = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Try the verdict "this ad follows her" in a week that is made up, by seed: people, sites, ads, campaigns aimed at some.

    An ad is called targeted when she met it on more sites than her ads are met on, and fewer people met it than ads are met by. Missed:
    of the pairs of a person and an ad that was aimed at her; wrong: of all other pairs. After eyeWnder's simulation; it reproduces none
    of its figures.
    """
    # As many campaigns as people: each has as many of her own as in the whole table.
    world, thresholds = World(people=people, campaigns=people, big=big), _rule(rule)
    if into:
        if cap and len(cap) > 1:
            raise ConfigError("--into keeps one week: give --cap once")
        settings, name = study_settings(config, state), checked_name(into)
        caps = tuple(cap or (KEPT_CAP,))
        week = simulated(seed, caps[0], world)
        kept = keep(settings.state, name, seed, week)
        found = {caps[0]: _scored(week, thresholds)}
    else:
        found = {each: _scored(simulated(seed, each, world), thresholds) for each in cap or CAPS}
    if as_json:
        rows = [
            {"cap": each, **asdict(told), "users_threshold": verdicts.users_threshold}
            for each, (verdicts, told) in found.items()
        ]
        print_json({"seed": seed, "people": people, "big": big, "rule": asdict(thresholds), "weeks": rows})
        return
    print_table(
        ["#cap", "#pairs", "#aimed at her", "#missed", "#wrong", "#precision", "#threshold of people"],
        [
            [
                str(each),
                str(told.pairs),
                str(told.aimed),
                f"{told.missed:.1%}",
                f"{told.wrong:.2%}",
                f"{told.precision:.1%}",
                f"{verdicts.users_threshold:.1f}",
            ]
            for each, (verdicts, told) in found.items()
        ],
    )
    if into:
        print_text(f"{kept} exposures of {people} people who do not exist are kept as the study {name}")


def _scored(week: Truth, rule: Rule) -> tuple[Verdicts, Score]:
    found = detect(week.exposures, "advertiser", rule)
    return found, score(found, week)


def _rule(text: str) -> Rule:
    users, _, domains = text.partition("/")
    try:
        return Rule(Statistic(users), Statistic(domains or users))
    except ValueError as exc:
        known = ", ".join(Statistic)
        raise ConfigError(f"--rule: expected {known}, or two of them as USERS/DOMAINS, not {text!r}") from exc
