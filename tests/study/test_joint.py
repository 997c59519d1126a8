"""What households send each other: an answer that tells few from many, and files that are refused whole."""

import json

import numpy as np
import pytest

from capper.domain.errors import ConfigError
from capper.study.joint import Answer, Invitation, Roster, Terms, made_up
from capper.study.sketch import Blinding, Shape, counted, places

SHAPE = Shape(600, 8)
KEY = bytes(range(32))
HOUSEHOLDS = [Blinding(bytes([number]) * 32) for number in range(1, 5)]
# So much that the noise is nought or one.
TERMS = Terms("joint", SHAPE, 2, 100_000.0)
ROSTER = Roster(TERMS, tuple(sorted(each.public for each in HOUSEHOLDS)))


def test_few_are_told_from_many(tmp_path):
    """Of two hundred ads one half was met by one person and one by nine: the mean is five, and each cell says on which side it is."""
    few, many = ([f"{kind} {each}" for each in range(100)] for kind in ("few", "many"))
    total = counted(SHAPE, KEY, [*few, *many * 9])
    (tmp_path / "answer").write_bytes(Answer.of(total, ROSTER, "2026-W03").write())
    answer = Answer.read(tmp_path / "answer", ROSTER)
    rows = np.arange(SHAPE.depth)

    assert 0.3 > abs(answer.threshold - 5)
    assert 12 > abs(answer.ads - 200)
    assert [False] * 100 + [True] * 100 == [bool(answer.many[rows, places(SHAPE, KEY, ad)].all()) for ad in few + many]


def test_files_come_back_as_they_were(tmp_path):
    """An invitation with its key, a roster in the order of its keys."""
    (tmp_path / "invitation").write_bytes(Invitation(TERMS, KEY).write())
    (tmp_path / "roster").write_bytes(ROSTER.write())

    assert Invitation(TERMS, KEY) == Invitation.read(tmp_path / "invitation")
    assert ROSTER == Roster.read(tmp_path / "roster")
    assert KEY.hex() not in (tmp_path / "roster").read_text()


@pytest.mark.parametrize(
    "terms",
    [
        {"width": 2**20, "depth": 2**10},
        {"width": 0},
        {"width": 2.5},
        {"width": True},
        {"most": -1},
        {"epsilon": 0},
        {"epsilon": "x"},
        {"study": 7},
    ],
)
def test_terms_that_cannot_be_are_refused(tmp_path, terms):
    """No file makes a household take more memory than a sketch may have."""
    file = tmp_path / "roster"
    file.write_text(json.dumps(json.loads(ROSTER.write()) | terms))

    with pytest.raises(ConfigError, match="cannot be used as a roster"):
        Roster.read(file)


@pytest.mark.parametrize("missing", [(0,), (1, 2), (1, 1)])
def test_who_cannot_be_made_up_for(missing):
    """Itself; so many that fewer than three are left. One who is named twice is missing once."""
    gone = tuple(HOUSEHOLDS[each].public for each in missing)
    if missing == (1, 1):
        assert np.array_equal(made_up(HOUSEHOLDS[0], ROSTER, "w", gone), made_up(HOUSEHOLDS[0], ROSTER, "w", gone[:1]))
        return

    with pytest.raises(ConfigError, match="three are to be left"):
        made_up(HOUSEHOLDS[0], ROSTER, "w", gone)


def test_a_stranger_is_not_made_up_for():
    """The share with a key that somebody made up would be his to take away."""
    with pytest.raises(ConfigError, match="others of the roster"):
        made_up(HOUSEHOLDS[0], ROSTER, "w", (Blinding(bytes([99]) * 32).public,))
