"""Parquet, read back by pyarrow and, where they are installed, by the tools that researchers use."""

import sys

import pytest

from capper.domain.errors import ConfigError
from capper.study.exposure import EXPOSURES
from capper.study.formats.cells import cells

pq = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def file(tmp_path, rows):
    """The rows, written."""
    from capper.study.formats.parquet import write_parquet

    path = tmp_path / "exposures.parquet"
    assert len(rows) == write_parquet(path, rows, EXPOSURES)
    return path


@pytest.fixture
def expected(rows):
    """Their cells."""
    return [cells(row, EXPOSURES) for row in rows]


def test_rows_come_back(file, expected):
    """Times with their zone; each column with what it means; compressed by Zstandard."""
    table = pq.read_table(file)

    assert expected == list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    assert [column.type for column in EXPOSURES] == [str(field.type) for field in table.schema]
    assert EXPOSURES[1].meaning.encode() == table.schema.field("person").metadata[b"meaning"]
    assert "ZSTD" == pq.ParquetFile(file).metadata.row_group(0).column(0).compression


def test_duckdb_reads_it(file, expected):
    """As a table."""
    duckdb = pytest.importorskip("duckdb")
    query = f"SELECT count(*), sum(before) FROM read_parquet('{file}') WHERE arm IN ('capped', 'control')"

    assert [(len(expected), 15)] == duckdb.sql(query).fetchall()


def test_polars_reads_it(file, expected):
    """Every cell."""
    polars = pytest.importorskip("polars")

    assert expected == polars.read_parquet(file).rows()


def test_pandas_reads_it(file, expected):
    """Every cell."""
    pandas = pytest.importorskip("pandas")
    found = pandas.read_parquet(file)

    assert expected == [(row[0].to_pydatetime(), *row[1:]) for row in found.itertuples(index=False, name=None)]


def test_without_pyarrow_the_extra_is_named(monkeypatch):
    """Rather than a module that nobody has heard of."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "capper.study.formats.parquet", raising=False)
    with pytest.raises(ConfigError, match=r"capper\[research\]"):
        import capper.study.formats.parquet  # noqa: F401
