"""Tables, JSON and comparisons."""

import pytest

from benchmarks.figures import Figure, Row, Spread
from benchmarks.report import Report, comparison, from_json, marks, number, table, write

ROWS = {
    "page": Row("page", "traffic", "a page", "ms", "mitmdump", at_most=1.0),
    "start": Row("start", "start", "listening", "s", at_most=1.0),
    "memory": Row("memory", "filled", "memory", "bytes"),
}
FIGURES = {
    "start": Figure.plain("start", [0.9]),
    "page": Figure("page", Spread(3.0, 3.5, 4.0), 14.0, 4.0),
    "memory": Figure.plain("memory", [1234.0]),
}


def test_a_table_has_the_aim_beside_each_figure():
    """In the order of the rows, with what was aimed at, whether it is met, and both sides of a ratio."""
    *_, page, start, memory = table(ROWS, FIGURES)

    assert page == "| a page | <= 1 x | 3.50 x | 3.00 to 4.00 | 3.50 times the aim | 14.0 ms | mitmdump: 4.00 ms |"
    assert start == "| listening | <= 1 s | 0.90 s |  | met |  |  |"
    assert memory == "| memory |  | 1,234 bytes |  |  |  |  |"


def test_a_row_without_a_figure_is_left_out():
    """What was not asked for is not in the table."""
    lines = list(table(ROWS, {"start": FIGURES["start"]}))

    assert len(lines) == 3


def test_a_near_miss_is_told_as_a_share():
    """By how many of a hundred."""
    *_, line = table(ROWS, {"start": Figure.plain("start", [1.25])})

    assert "| missed by 25% |" in line


def test_a_report_comes_back_from_json():
    """As it was."""
    report = Report("2 x fast", FIGURES)

    assert report == from_json(report.as_json())


@pytest.mark.parametrize("text", ["[]", "{}", '{"made": "", "figures": {"page": {"spread": {"least": 1}}}}', "no JSON"])
def test_what_is_no_report_is_refused(text):
    """With an error that the command line can tell."""
    with pytest.raises(ValueError, match=r".+"):
        from_json(text)


def test_a_comparison_tells_changes_from_noise():
    """Only what both runs have, and beside a change that the rounds of the first run had among themselves, that it is no news."""
    now = {
        "page": Figure("page", Spread(3.0, 3.85, 4.0), 14.0, 4.0),
        "start": Figure.plain("start", [0.45]),
        "new": Figure.plain("new", [1.0]),
    }
    *_, page, start = comparison(ROWS, FIGURES, now)

    assert page == "| a page | 3.50 x | 3.85 x | +10% | within the spread |"
    assert start == "| listening | 0.90 s | 0.45 s | -50% |  |"


@pytest.mark.parametrize(("value", "text"), [(0.123, "0.12"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")])
def test_numbers_have_three_digits_that_say_something(value, text):
    """And thousands apart."""
    assert text == number(value)


def test_a_table_goes_between_the_marks(tmp_path):
    """What stands around them stays, and writing twice is writing once."""
    page = tmp_path / "page.md"
    begin, end = marks("peers")
    other = "".join(marks("figures"))
    page.write_text(f"{other}before\n{begin}old\n{end}after\n")
    write(page, "new\n", "peers")
    write(page, "new\n", "peers")

    assert page.read_text() == f"{other}before\n{begin}new\n{end}after\n"


@pytest.mark.parametrize("text", ["", *marks("figures")])
def test_a_page_without_its_marks_is_left_alone(tmp_path, text):
    """Rather than lose half of it."""
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="expected the marks"):
        write(page, "new")

    assert page.read_text() == text
