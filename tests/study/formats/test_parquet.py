"""Parquet, read back by pyarrow."""

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


def test_without_pyarrow_the_extra_is_named(monkeypatch):
    """Rather than a module that nobody has heard of."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "capper.study.formats.parquet", raising=False)
    with pytest.raises(ConfigError, match=r"capper\[research\]"):
        import capper.study.formats.parquet  # noqa: F401
