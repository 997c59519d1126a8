"""What is noted down of recordings."""

import pytest

from capper.domain.decision import Decision, Verdict
from capper.domain.exchange import Exchange, Request
from capper.domain.identity import Ad, Basis, Viewer
from capper.domain.sighting import Sighting
from capper.study.importing import Everybody
from capper.study.register import StudyKeys
from capper.study.store import Store
from capper.testing import NOON

SHOES = Ad(("shoes.example",), basis=Basis.ADOMAIN)


@pytest.mark.parametrize(("names", "name"), [(True, "shoes.example"), (False, "")])
def test_everybody_is_noted_down(tmp_path, names, name):
    """What each met and opened, in the study's own names, advertisers by their own where that is asked for; no caps are off."""
    keys, store = StudyKeys(bytes(32)), Store.open(tmp_path / "exposures.sqlite")
    onlooker = Everybody(keys, store, names=names)
    for viewer in (Viewer("browser 1"), Viewer("browser 2")):
        sighting = Sighting(viewer, SHOES, "o", page="p", site="news.example")
        onlooker.decided(NOON, [sighting], [Decision(Verdict.SHOW, viewer, SHOES, "caps")])
        onlooker.opened(Exchange(Request("GET", "https://shoes.example/product/1"), viewer, NOON))
    onlooker.decided(NOON, [], [])
    onlooker.close()
    people = {keys.of("person", "browser 1"), keys.of("person", "browser 2")}
    rows, visits = list(store.rows()), list(store.visit_rows())
    store.close()

    assert (people, people) == ({row.person for row in rows}, {visit.person for visit in visits})
    assert {(keys.of("advertiser", "shoes.example"), name)} == {(row.advertiser, row.name) for row in rows}
    assert not onlooker.control("browser 1", NOON)
