"""What people are asked to agree to."""

from datetime import timedelta

import pytest

from capper.study.consent import also_joint, standard_text
from capper.testing import NOON


@pytest.mark.parametrize(
    ("names", "control", "said"),
    [
        (True, 0.25, ["names are kept too", "about 25%"]),
        (False, 0, ["Not even the advertisers'", "withheld during the study as well"]),
    ],
)
def test_it_says_what_this_study_does(names, control, said):
    """Until when, under which names, with which share of time without caps, and from how many people on sums leave."""
    text = standard_text("autumn", NOON, NOON + timedelta(days=7), names=names, control=control, least=30)

    assert all(words in text for words in ("autumn", "2026-11-29", "at least 30 people", *said))
    assert "{" not in text


@pytest.mark.parametrize("text", ["Mine alone.", "Mine alone.\n\n"])
def test_a_joint_study_says_so_too(text):
    """Below whatever text there is: what leaves for whom, what comes back, and by what others could put rows beside these."""
    joint = also_joint(text)

    assert joint.startswith("Mine alone.\n\nThis household takes part together with others:\n")
    assert all(words in joint for words in ("Once a week", "noise", "other households", "beside those"))
