"""A mapping that forgets."""

from datetime import timedelta

from capper.testing import NOON
from capper.trail import Recent

LIFE = timedelta(minutes=10)


def test_what_is_over_is_let_go():
    """Values nobody asks for again leave the memory when their time is over and another is put."""
    recent: Recent[int, str] = Recent(1_000, LIFE)
    for number in range(100):
        recent.put(number, "a page", NOON + timedelta(seconds=number))
    recent.put(100, "a page", NOON + LIFE + timedelta(seconds=49.5))

    assert 51 == len(recent)


def test_asking_keeps_a_value_from_being_the_first_to_go_but_not_beyond_its_time():
    """A value in use outlives others while there is no room, and is over at the same time as ever."""
    recent: Recent[str, str] = Recent(2, LIFE)
    recent.put("old", "1", NOON)
    recent.put("other", "2", NOON)
    recent.get("old", NOON)
    recent.put("new", "3", NOON)

    assert ("1", None, "3") == tuple(recent.get(key, NOON) for key in ("old", "other", "new"))
    assert recent.get("old", NOON + LIFE) is None


def test_room_for_none():
    """A mapping without room keeps nothing."""
    recent: Recent[str, str] = Recent(0, LIFE)
    recent.put("a", "1", NOON)

    assert 0 == len(recent)
