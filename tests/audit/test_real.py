"""Real page loads, each looked at by hand: what is found in them, and that nothing else is."""

from pathlib import Path

import pytest

from capper.audit.findings import find
from capper.audit.gathering import gather
from capper.audit.yardstick import yardstick
from capper.domain.policy import Policy
from capper.measure.har import load
from capper.settings import Settings

BY_HAND = {
    # One picture of 300x250 (MSE_DesktopStatic) on each of five loads; no other more than three times; at most 696 kB of ads a load.
    "bbc.co.uk-2016": [("repeat-creative", "s1.2mdn.net/viewad/1792905/MSE_DesktopStatic_300x250.jpg", 5)],
    # Two loaders of Taboola's (785 and 458 kB), an answer of 448 kB, three more scripts beyond 180 kB.
    "cnet.com-2018": [("heavy", "ads", 3563)],
    # Sharethrough 368 kB, PostRelease 238, Google's tags 226, Rubicon 76, Outbrain 62, Amazon 26 and what is smaller: just beyond a MB.
    "cnn.com-2017": [("heavy", "ads", 1025)],
    # Three loads with the same five ads: three times is within the limit, and so are 963 kB.
    "expressen.se-2018": [],
    # Four different banners on one load, 303 kB.
    "liberation.fr-2017": [],
    # Two different banners on one load, 590 kB.
    "theverge.com-2016": [],
    # Parts of one Studio creative, 485 kB; whose it is stood in a body that was not kept.
    "lalibre.be-2017": [],
    # Trackers, and 105 kB of Google's tags; no ad.
    "nytimes.com-2015": [],
    # A search and a page of a project, both with contents: no ad at all.
    "duckduckgo-search-2023-bodies": [],
    "github.com-2017-bodies": [],
}
"""What eyes found in each recording: the code, of what, and how many."""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Nothing but the lists that travel with capper."""
    return Settings(state=tmp_path_factory.mktemp("real") / "state", ledger="memory")


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_HAND)
async def test_a_recording_has_the_faults_that_eyes_find(bare: Settings, shared_data: Path, name: str):
    """No more and no fewer."""
    run = await gather(bare, [load(shared_data / "har" / f"{name}.har.gz")], Policy())

    found = find(run, yardstick().limits)
    assert BY_HAND[name] == [(each.code, each.subject, each.value) for each in found]
