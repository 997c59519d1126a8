"""The tables that cost little are within their tolerance on every day, and the page of all of them is made from them."""

import pytest

import tables.__main__ as made
from tables.counting import t1, t2, t3
from tables.pictures import _judged, painted
from tables.row import Row, at_least, at_most, exactly, told, within
from tables.statistics import t7, t8, t9


def failed(rows):
    return [row for row in rows if row.passed is False]


def test_counting_within_its_bounds():
    """T1 with one seed and the caps that tell most."""
    rows = t1([1], (1, 2, 3, 6))

    assert [] == failed(rows)
    assert 6 == sum(row.passed is True for row in rows)


def test_the_size_of_a_sketch():
    """T2, to the byte."""
    assert ["184892", "195768", "206644"] == [row.measured for row in t2() if row.passed]


def test_verdicts_without_counts():
    """T3 with one seed."""
    rows = t3([0])

    assert [] == failed(rows)
    assert 2 == sum(row.passed is True for row in rows)


def test_pictures_known_again():
    """T4 on a few painted ads."""
    assert [] == failed(_judged("painted", painted(12)))


def test_curves_with_noise():
    """T7, whole."""
    assert [] == failed(t7(400))


def test_effects_found_and_none_where_there_is_none():
    """T8 with few experiments: nearly all are found, and few where nobody was treated."""
    power, itself = t8(40, 199)

    assert float(power.measured) > 90
    assert float(itself.measured) <= 20


def test_half_lives():
    """T9, whole."""
    assert [] == failed(t9())


def test_what_a_row_judges():
    """Bounds are within; what is told is not judged."""
    rows = [within("a", 1, 1, 2), at_most("b", 3, 2), at_least("c", 2, 2), exactly("d", "x", "y"), told("e", "?")]

    assert [True, False, True, False, None] == [row.passed for row in rows]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with a place for tables, and two tables of which one fails."""
    file = tmp_path / "measurement.md"
    file.write_text(f"# Before\n\n{made.BEGIN}\nold\n{made.END}\n\nAfter\n")
    rows = {"T1": Row("one", "1", "1", passed=True), "T2": Row("two", "2", "1", passed=False)}
    found = [made.Table(name, "A title", lambda row=row: [row]) for name, row in rows.items()]
    monkeypatch.setattr(made, "PAGE", file)
    monkeypatch.setattr(made, "tables", lambda _: found)
    return file


def test_the_page(page):
    """The tables take the place of the old ones, the text around them stays, and what fails is said."""
    code = made.main(["--write"])
    text = page.read_text()

    assert 1 == code
    assert text.startswith("# Before\n")
    assert text.endswith("\n\nAfter\n")
    assert "old" not in text
    assert "| one | 1 | 1 | pass |" in text
    assert "| two | 2 | 1 | **fail** |" in text


def test_one_table_alone(page, capsys):
    """It is printed, and the page is left as it was."""
    before = page.read_text()
    code = made.main(["--only", "T1"])

    assert 0 == code
    assert "T2" not in capsys.readouterr().out
    assert before == page.read_text()


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("table", made.tables(None), ids=lambda table: table.name)
def test_every_table(table, shared_data):
    """All of them, whole, on the real data too."""
    whole = next(each for each in made.tables(shared_data) if each.name == table.name)

    assert [] == failed(whole.make())
