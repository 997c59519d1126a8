"""What start-up leaves behind."""

import gc

from capper.proxy.lean import settle


def test_what_start_up_made_is_not_looked_at_again():
    """The collector sets it aside; what is made afterwards is looked at as ever."""
    try:
        settle()

        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
