"""What is spent: never more than there is, whatever is asked, by whomever, and whatever becomes of the file."""

import json
import multiprocessing
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.study.spending import Budget, Spending, spent
from capper.testing import NOON

BUDGET = Budget(1.0, 1e-5)
EPSILONS = st.floats(0.001, 1.5) | st.sampled_from([0.1, 0.2, 0.3, 1 / 3, 1.0])


class InAFile:
    """The newest seal, beside the releases, so that processes share it."""

    def __init__(self, path: Path):
        self._file = path.with_name("newest")

    def read(self) -> str:
        return self._file.read_text() if self._file.exists() else ""

    def keep(self, seal: str) -> None:
        self._file.write_text(seal)


def spending(path: Path, study: str = "autumn") -> Spending:
    return Spending(path, study, BUDGET, InAFile(path))


def spend(path: Path, name: object, epsilon: float, delta: float = 0.0) -> bool:
    """Whether it was released."""
    try:
        spending(path).once({"what": name}, Budget(epsilon, delta), lambda: {"said": name}, NOON)
    except ConfigError:
        return False
    return True


@pytest.fixture
def path(tmp_path):
    """Where the releases are."""
    return tmp_path / "releases.jsonl"


@pytest.fixture
def three(path):
    """Three releases of a quarter each, and their lines."""
    for name in "abc":
        spend(path, name, 0.25)
    return path.read_bytes().splitlines(keepends=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), EPSILONS, st.floats(0, 1e-5)), max_size=25))
def test_never_more_than_there_is(tmp_path_factory, asked):
    """Whatever is asked in whatever order; what fits is answered."""
    path = tmp_path_factory.mktemp("study") / "releases.jsonl"
    for name, epsilon, delta in asked:
        had = spending(path).read()
        known = any(each.request == {"what": [name, epsilon]} for each in had)
        before = spent(had)
        done = spend(path, [name, epsilon], epsilon, delta)
        after = spent(spending(path).read())

        assert after.epsilon <= BUDGET.epsilon
        assert after.delta <= BUDGET.delta
        assert done or before == after
        assert done or before.epsilon + epsilon > 1 or before.delta + delta > 1e-5
        assert not known or (done and before == after)


def test_ten_tenths_are_one(path):
    """Rounding takes nothing away, and gives nothing."""
    assert [True] * 10 + [False] == [spend(path, name, 0.1) for name in range(11)]


def test_asked_again_costs_nothing(path):
    """And is answered as before; also once all is spent."""
    mine = spending(path)
    answers = iter([{"cell": 7}, {"cell": 8}])
    first, again = (mine.once({"a": 1}, Budget(1.0, 0), lambda: next(answers), NOON) for _ in range(2))

    assert (first[0], True, False) == (again[0], first[1], again[1])
    assert BUDGET.epsilon == spent(mine.read()).epsilon


def test_nobody_sees_what_is_not_written(path, monkeypatch):
    """The disk takes it first; if it does not, there is no answer, and the file is as before."""
    spend(path, "a", 0.25)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("capper.study.spending.os.fsync", full)

    assert not spend(path, "b", 0.25)
    assert before == path.read_bytes()


def test_an_answer_that_fails_costs_nothing(path):
    """No noise was seen."""

    def fail():
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        spending(path).once({}, Budget(0.5, 0), fail, NOON)

    assert [] == spending(path).read()


def test_the_file_is_its_owners(path):
    """For nobody else to read or write."""
    spend(path, "a", 0.25)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_processes_share_one_budget(path):
    """Of six that each ask for three tenths at the same time three are answered."""
    with multiprocessing.get_context("fork").Pool(6) as pool:
        done = pool.starmap(spend, [(path, name, 0.3) for name in range(6)])

    assert 3 == sum(done)
    assert pytest.approx(0.9) == spent(spending(path).read()).epsilon


def changed(line: bytes, **fields: object) -> bytes:
    """The line with other values, under the seal that it had."""
    return json.dumps(json.loads(line) | fields).encode() + b"\n"


@pytest.mark.parametrize(
    ("tamper", "why"),
    [
        (lambda a, b, c: a + changed(b, epsilon=0.01) + c, "line 2 is not as it was written"),
        (lambda a, b, c: a + changed(b, answer={}) + c, "line 2 is not as it was written"),
        (lambda a, b, c: a + c, "line 2 is not as it was written"),
        (lambda a, b, c: b + c, "line 1 is not as it was written"),
        (lambda a, b, c: b + a + c, "line 1 is not as it was written"),
        (lambda a, b, c: a + b + b + c, "line 3 is not as it was written"),
        (lambda a, b, c: a + b + c[:-1], "line 3 is cut off"),
        (lambda a, b, c: a + b + c[:40], "line 3 is cut off"),
        (lambda a, b, c: a + b"{}\n" + b, "line 2 cannot be used"),
        (lambda a, b, c: a + b"[1]\n" + b, "line 2 cannot be used"),
        (lambda a, b, c: a + b"[" * 100_000 + b"\n", "line 2 cannot be used"),
        (lambda a, b, c: a + b"\xff\n", "line 2 cannot be used"),
        (lambda a, b, c: changed(a, epsilon=-1) + b + c, "line 1 cannot be used"),
        (lambda a, b, c: changed(a, epsilon=float("nan")) + b + c, "line 1 cannot be used"),
        (lambda a, b, c: changed(a, epsilon="1") + b + c, "line 1 cannot be used"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(path, three, tamper, why):
    """Neither read nor spent from."""
    path.write_bytes(tamper(*three))

    with pytest.raises(ConfigError, match=why):
        spending(path).read()
    assert not spend(path, "d", 0.01)


def test_another_studys_file_is_refused(path, three):
    """Its seals begin elsewhere."""
    with pytest.raises(ConfigError, match="line 1"):
        spending(path, "winter").read()


@pytest.mark.parametrize("left", [0, 1, 2, None])
def test_what_was_cut_off_or_rolled_back_is_noticed(path, three, left):
    """Or taken away whole: nothing more is released, though what is left is sealed as it was."""
    if left is None:
        path.unlink()
    else:
        path.write_bytes(b"".join(three[:left]))

    with pytest.raises(ConfigError, match="some were taken out"):
        spending(path).read()
    assert not spend(path, "d", 0.01)
    assert not spend(path, "a", 0.25)


def test_a_seal_that_somebody_has_shows_what_is_missing(path, three):
    """Also where whoever took it out forged the newest seal."""
    last = spending(path).read()[-1].seal
    path.write_bytes(b"".join(three[:2]))
    InAFile(path).keep(json.loads(three[1])["seal"])

    assert 2 == len(spending(path).read())
    with pytest.raises(ConfigError, match="some were taken out"):
        spending(path).read(last)


def test_a_machine_that_stops_in_between_loses_nothing(path, monkeypatch):
    """The release is in the file, though the newest seal is the one before: it counts, and the next is let through."""
    spend(path, "a", 0.25)

    def stop(*_):
        raise ConfigError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(InAFile, "keep", stop)
        assert not spend(path, "b", 0.25)

    assert 0.5 == spent(spending(path).read()).epsilon
    assert spend(path, "c", 0.5)
    assert not spend(path, "d", 0.01)


@pytest.mark.parametrize(
    ("epsilon", "delta"), [(0, 0), (-1, 0), (float("nan"), 0), (float("inf"), 0), (0.1, -1), (0.1, 1)]
)
def test_a_price_that_is_none_is_refused(path, epsilon, delta):
    """It would spend nothing, or give something back."""
    assert not spend(path, "a", epsilon, delta)
