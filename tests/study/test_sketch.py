"""Sketches: what they estimate, what one alone tells, what opens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capper.study.sketch import Blinding, Shape, counted, estimate, opened, summed

SMALL = Shape(64, 4)
KEY = bytes(range(32))


def household(number: int) -> Blinding:
    """The same at each run."""
    return Blinding(bytes([number + 1]) * 32)


@pytest.mark.parametrize(("ads", "size"), [(10_000, 184_892), (50_000, 195_768), (100_000, 206_644)])
def test_sizes_are_eyewnders(ads, size):
    """Of the sketches, with epsilon and delta of a thousandth and cells of four bytes."""
    assert size == Shape.of(ads).size


@given(st.lists(st.sampled_from("abcdefghij"), max_size=40))
def test_never_less_than_the_truth(ads):
    """Whatever falls together with it."""
    cells = counted(Shape(7, 3), KEY, ads)

    assert all(estimate(cells, Shape(7, 3), KEY, ad) >= ads.count(ad) for ad in set(ads))


def test_hardly_more_than_the_truth():
    """By more than e/width of all counts for fewer than one ad in e^depth; here for none."""
    ads = [f"ad{number % 500}" for number in range(2000)]
    shape = Shape.of(500, epsilon=0.01, delta=0.01)
    cells = counted(shape, KEY, ads)

    assert all(estimate(cells, shape, KEY, f"ad{each}") <= 4 + 0.01 * 2000 for each in range(500))


@settings(max_examples=10)
@given(st.integers(3, 12))
def test_all_together_open(number):
    """The sum of what everybody sent is the sum of what everybody counted."""
    everybody = [household(each) for each in range(number)]
    public = [each.public for each in everybody]
    plain = [counted(SMALL, KEY, [f"ad{each}", "everywhere"]) for each in range(number)]
    sent = {one.public: one.blind(cells, public, "week 1") for one, cells in zip(everybody, plain, strict=True)}
    total = opened(sent, public, SMALL)

    assert np.array_equal(summed(plain, SMALL), total)
    assert number <= estimate(total, SMALL, KEY, "everywhere")


def test_one_alone_is_noise():
    """Its bytes are as even as chance makes them: chi squared with 255 degrees of freedom stays below its 99.99th percentile."""
    shape = Shape(1024, 8)
    everybody = [household(each) for each in range(3)]
    sent = everybody[0].blind(shape.empty(), [each.public for each in everybody], "week 1")
    found = np.bincount(np.frombuffer(sent.tobytes(), np.uint8), minlength=256)
    even = found.sum() / 256

    assert 352 > float(((found - even) ** 2 / even).sum())


def test_another_round_is_other_noise():
    """So that two weeks of one household cannot be taken from each other."""
    everybody = [household(each) for each in range(3)]
    public = [each.public for each in everybody]
    one, other = (everybody[0].blind(SMALL.empty(), public, each) for each in ("week 1", "week 2"))

    assert not np.array_equal(one, other)


def test_who_drops_out_is_made_up_for():
    """The sum of those who are left opens once all of them have told what they shared with the missing; before, it does not."""
    everybody = [household(each) for each in range(5)]
    public = [each.public for each in everybody]
    plain = [counted(SMALL, KEY, [f"ad{each}"]) for each in range(5)]
    left, missing = everybody[:3], public[3:]
    sent = {one.public: one.blind(plain[place], public, "w") for place, one in enumerate(left)}
    made_up = {one.public: one.made_up_for(missing, SMALL, "w") for one in left}

    assert np.array_equal(summed(plain[:3], SMALL), opened(sent, public, SMALL, made_up))
    with pytest.raises(ValueError, match="2 of 5 are missing"):
        opened(sent, public, SMALL)
    with pytest.raises(ValueError, match="2 of 5 are missing"):
        opened(sent, public, SMALL, {public[0]: made_up[public[0]]})


@pytest.mark.parametrize(
    ("numbers", "why"), [((0, 1), "at least three"), ((1, 2, 3), "each once"), ((0, 1, 1), "each once")]
)
def test_who_takes_part_is_checked(numbers, why):
    """Two could tell each other's; who is not among them, or twice, would spoil the sum."""
    with pytest.raises(ValueError, match=why):
        household(0).blind(SMALL.empty(), [household(each).public for each in numbers], "w")


def test_strangers_and_other_shapes_are_refused():
    """Rather than added up."""
    public = [household(each).public for each in range(3)]

    with pytest.raises(ValueError, match="nobody who takes part"):
        opened({household(9).public: SMALL.empty()}, public, SMALL)
    with pytest.raises(ValueError, match="rows"):
        summed([Shape(8, 8).empty()], SMALL)


def test_the_private_half_is_kept():
    """A household that is started again is the same."""
    one = Blinding()

    assert one.public == Blinding(one.kept()).public
