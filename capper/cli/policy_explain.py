"""`capper policy explain`: which rule would speak about an ad, and why not the one above it."""

from typing import Annotated

import typer

from capper.cli.options import Config, Json, LedgerUrl, State
from capper.cli.policy_versions import named
from capper.cli.record import known_person
from capper.cli.tables import print_json, print_table, print_text
from capper.domain.cap import Cap
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD, Ad, Basis
from capper.domain.policy import Rule
from capper.domain.sighting import Format, Sighting
from capper.recognise.domains import registrable
from capper.settings import load_settings
from capper.settings.names import a_domain
from capper.settings.policy import CONDITIONS


def explain(
    *,
    advertiser: Annotated[str | None, typer.Option(metavar="DOMAIN", help="Whose ad it is: shoes.example.")] = None,
    campaign: Annotated[str | None, typer.Option(metavar="ID", help="Its campaign.")] = None,
    creative: Annotated[str | None, typer.Option(metavar="ID", help="The creative.")] = None,
    category: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Its line of business; may be given several times.")
    ] = None,
    site: Annotated[str | None, typer.Option(metavar="DOMAIN", help="Where it is shown: news.example.")] = None,
    network: Annotated[str | None, typer.Option(metavar="DOMAIN", help="Who delivers it.")] = None,
    person: Annotated[str, typer.Option(metavar="NAME", help="Who would see it.")] = HOUSEHOLD,
    format_: Annotated[Format, typer.Option("--format", help="How it is delivered.")] = Format.BANNER,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", metavar="FILE|N", help="The policy to go by, or a version's number.", show_default=False
        ),
    ] = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Which rule would speak about an ad?

    Says why the rules above it do not fit, and which caps hold.
    Nothing is counted, and nothing that was counted is looked at: that is `capper ledger show`.
    """
    caps = named(load_settings(config, {"ledger": ledger, "state": state}), policy).reading().policy
    ad = Ad(_domains(advertiser), campaign, creative, tuple(category or ()), Basis.DECLARED)
    where, by = _domains(site), _domains(network, whole=True)
    sighting = Sighting(
        caps.viewer(known_person(caps, person)),
        ad,
        "",
        format_,
        site=next(iter(where), None),
        network=next(iter(by), None),
    )
    rule = caps.rule_for(sighting)
    passed = caps.rules[: caps.rules.index(rule)] if rule in caps.rules else caps.rules
    if as_json:
        print_json(
            {
                "rule": rule.name,
                "caps": [{"cap": str(cap), "counts": list(_counted(cap, ad))} for cap in rule.caps],
                "passed": [{"rule": other.name, "because": _misfit(other, sighting)} for other in passed],
            }
        )
        return
    for other in passed:
        print_text(f'"{other.name}" does not fit: {_misfit(other, sighting)}')
    which = "no rule fits, so the caps at the top hold" if rule is caps.default else f'"{rule.name}" speaks'
    print_text(f"{which}: {_caps_sentence(rule)}")
    if rule.caps:
        print_table(["cap", "counts"], [[str(cap), _counted_sentence(cap, ad)] for cap in rule.caps])


def _caps_sentence(rule: Rule) -> str:
    match len(rule.caps):
        case 0:
            return "unlimited"
        case 1:
            return "one cap holds"
        case count:
            return f"{count} caps hold together, the strictest decides"


def _misfit(rule: Rule, sighting: Sighting) -> str:
    """The first condition of `rule` that `sighting` does not meet."""
    for key in CONDITIONS:
        values = getattr(rule, key)
        if values and not Rule("", (), **{key: values}).fits(sighting):
            return f"it asks for {key} {' or '.join(values)}"
    return ""


def _counted(cap: Cap, ad: Ad) -> tuple[str, ...]:
    return (ad.label,) if cap.level is None else ad.keys(cap.level)


def _counted_sentence(cap: Cap, ad: Ad) -> str:
    return ", ".join(_counted(cap, ad)) or f"nothing: no {cap.level} is known, and an ad is never capped by guess"


def _domains(text: str | None, *, whole: bool = False) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        domain = a_domain(text)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    return (domain if whole else registrable(domain) or domain,)
