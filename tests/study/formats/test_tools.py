"""What researchers open exports with gets every cell of them."""

import sqlite3
from contextlib import closing

import duckdb
import pandas as pd
import polars as pl
import pytest

from capper.study.exposure import EXPOSURES
from capper.study.formats.cells import cells, said
from capper.study.formats.openwpm import write_openwpm
from capper.study.formats.parquet import write_parquet
from capper.study.formats.text import write_csv, write_jsonl

MARKED = frozenset("=+-@\t\r'")
READERS = {
    "parquet": {
        "pandas": lambda path: pd.read_parquet(path).itertuples(index=False, name=None),
        "polars": lambda path: pl.read_parquet(path).rows(),
        "duckdb": lambda path: [
            tuple(row.values()) for row in duckdb.sql(f"FROM read_parquet('{path}')").to_arrow_table().to_pylist()
        ],
    },
    "csv": {
        "pandas": lambda path: pd.read_csv(path, dtype=str, keep_default_na=False).itertuples(index=False, name=None),
        "polars": lambda path: pl.read_csv(path, infer_schema=False, empty_string_is_null=False).rows(),
        "duckdb": lambda path: duckdb.read_csv(str(path), header=True, all_varchar=True, na_values="\0").fetchall(),
    },
    "jsonl": {
        "pandas": lambda path: pd.read_json(path, lines=True, dtype=False).itertuples(index=False, name=None),
        "polars": lambda path: pl.read_ndjson(path).rows(),
        "duckdb": lambda path: duckdb.sql(
            f"SELECT * FROM read_json('{path}', columns = {{{', '.join(f'{each.name!r}: {_sql(each)!r}' for each in EXPOSURES)}}})"
        ).fetchall(),
    },
}
WRITERS = {"parquet": write_parquet, "csv": write_csv, "jsonl": write_jsonl}


def _sql(column):
    return "INTEGER" if column.type == "int32" else "VARCHAR"


def marked(value):
    """As it stands in CSV: what a spreadsheet would take for a formula behind an apostrophe."""
    return f"'{value}" if value[:1] in MARKED else value


@pytest.mark.parametrize(("form", "tool"), [(form, tool) for form, tools in READERS.items() for tool in tools])
def test_every_cell_is_read(tmp_path, rows, form, tool):
    """Times with their zone, numbers, empty cells and hostile names."""
    path = tmp_path / f"exposures.{form}"
    WRITERS[form](path, rows, EXPOSURES)
    expected = [cells(row, EXPOSURES) for row in rows]
    if form == "csv":
        expected = [tuple(marked(str(said(value))) for value in row) for row in expected]
    if form == "jsonl":
        expected = [tuple(map(said, row)) for row in expected]

    assert expected == [tuple(row) for row in READERS[form][tool](path)]


def test_a_notebook_of_openwpms(tmp_path, rows, visits):
    """Third parties by how many browsers and visits met them, as its analyses begin; and the whole rows beside."""
    write_openwpm(tmp_path / "crawl-data.sqlite", "autumn", rows, visits)
    with closing(sqlite3.connect(tmp_path / "crawl-data.sqlite")) as file:
        requests = pd.read_sql_query(
            "SELECT r.url, r.top_level_url, r.time_stamp, r.browser_id, v.visit_id, v.site_url FROM http_requests AS r"
            " LEFT JOIN site_visits AS v ON r.visit_id = v.visit_id AND r.browser_id = v.browser_id",
            file,
            parse_dates=["time_stamp"],
        )
        whole = pd.read_sql_query("SELECT * FROM capper_exposures", file)
    by_host = requests.groupby("url").agg(browsers=("browser_id", "nunique"), visits=("visit_id", "nunique"))

    assert (requests.top_level_url == requests.site_url).all()
    assert [row.time for row in rows] == [each.to_pydatetime() for each in requests.time_stamp]
    assert {"https://net.example/": 3, "https://unknown.invalid/": 3} == by_host.visits.to_dict()
    assert [column.name for column in EXPOSURES] == list(whole.columns)
    assert len(rows) == len(whole)
