"""When a process that died is started anew, and when no more."""

import pytest

from capper.fleet import Patience


@pytest.mark.parametrize(
    ("deaths", "pause"),
    [
        ([100.0], 0.0),
        ([100.0, 101.0], 1.0),
        ([100.0, 101.0, 102.0], 2.0),
        ([100.0, 101.0, 102.0, 103.0], 4.0),
        ([100.0, 101.0, 102.0, 103.0, 104.0], None),
        ([100.0, 101.0, 102.0, 103.0, 160.5], 4.0),
        ([100.0, 200.0, 300.0, 400.0, 500.0, 600.0], 0.0),
    ],
)
def test_the_pause(deaths, pause):
    """At once after a lone death, later after each more within a minute, never after the fifth."""
    assert pause == Patience().pause(deaths)
