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
    """Usable ones are counted on each load; one that is not is told once for its page, without the query; none is a finding."""
    recording = publishers.Recording()
    for n in range(2):
        recording.visit(f"https://paper.example/?{n}", AD.format("shoes", OURS) + AD.format("bikes", OTHERS))
    result = judge(await audited(recording), yardstick(), NOON)
    reason = "house ad 2 is not used: it loads //stats.example/1, which is not of the page's own origin"

    assert {"usable": 2, "unusable": [{"page": "paper.example/", "why": reason}]} == as_json(result)["house_ads"]
    assert ["2 ads met had a house ad, for readers who let the site know.", f"On paper.example/ {reason}."] == [
        note for note in notes(result) if "house ad" in note
    ]
    assert (100, ()) == (result.score, result.findings)
