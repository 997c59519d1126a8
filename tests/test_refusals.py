"""What was refused is told in the log, and a flood of it is not."""

import logging

from capper.refusals import MOST, Refusals, quoted


def test_a_flood_is_counted_and_not_told(caplog):
    """Of each kind the first few of a minute are told, then that there are more, and a minute later how many."""
    now = [0.0]
    refusals = Refusals(logging.getLogger("capper"), lambda: now[0])
    for number in range(1000):
        refusals.tell("forms", f"form {number}")
    refusals.tell("names", "a name")
    now[0] = 61.0
    refusals.tell("forms", "another form")
    told = caplog.messages

    assert (MOST + 4, 1) == (len(told), told.count("refused: a name"))
    assert ["refused: 990 more of a kind (forms) were not told", "refused: another form"] == told[-2:]


def test_what_is_quoted_is_short_and_harmless():
    """Nothing that a terminal obeys, on one line."""
    assert r"'\x1b[2J\n\u202e'" == quoted("\x1b[2J\n\u202e")
    assert 82 == len(quoted("a" * 9000))
