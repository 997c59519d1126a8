"""House ads that an audit met: how many can be used, and why others cannot."""

from capper.audit.result import as_json, judge
from capper.audit.sheet import notes
from capper.audit.yardstick import yardstick
from capper.testing import NOON

AD = '<div><a href="https://ads.example/click?adurl=https://{0}.example/"><img src="https://ads.example/{0}.gif" width=300 height=250></a>{1}</div>'
OURS, OTHERS = (
    f"<template data-capper-house>{inside}</template>" for inside in ("<b>Ours</b>", "<img src=//stats.example/1>")
)


async def test_house_ads_are_told(audited, publishers):
    """Usable ones are counted on each load; one that is not is told once for its page, without the query; no score changes."""
    plain, housed = publishers.Recording(), publishers.Recording()
    for n in range(2):
        plain.visit(f"https://paper.example/?{n}", AD.format("shoes", "") + AD.format("bikes", ""))
        housed.visit(f"https://paper.example/?{n}", AD.format("shoes", OURS) + AD.format("bikes", OTHERS))
    before, after = [judge(await audited(each), yardstick(), NOON) for each in (plain, housed)]
    reason = "house ad 2 is not used: it loads //stats.example/1, which is not of the page's own origin"

    assert {"usable": 2, "unusable": [{"page": "paper.example/", "why": reason}]} == as_json(after)["house_ads"]
    assert [
        "2 ads met had a house ad, for readers who let the site know.",
        f"On paper.example/ {reason}.",
    ] == [note for note in notes(after) if "ouse ad" in note]
    assert before.score == after.score
    assert {"usable": 0, "unusable": []} == as_json(before)["house_ads"]
