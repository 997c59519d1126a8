"""OpenWPM's tables, asked as its notebooks ask them."""

import sqlite3
from contextlib import closing

import pytest

from capper.study.formats.openwpm import TABLES, write_openwpm


@pytest.fixture
def crawl(tmp_path, rows, visits):
    """The file, open."""
    write_openwpm(tmp_path / "crawl-data.sqlite", "autumn", rows, visits)
    with closing(sqlite3.connect(tmp_path / "crawl-data.sqlite")) as file:
        yield file


def test_every_table_is_there(crawl):
    """With its columns in OpenWPM's order, and the whole rows beside them."""
    tables = [name for (name,) in crawl.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: " ".join(row[1] for row in crawl.execute(f"PRAGMA table_info({name})")) for name in tables}
    ours = {"capper_exposures", "capper_visits"}

    assert TABLES == {name: columns for name, columns in found.items() if name not in ours}
    assert ours < found.keys()


def test_a_notebooks_question(crawl):
    """Requests by visit and browser, as OpenWPM's own examples join them."""
    asked = crawl.execute(
        "SELECT s.site_url, c.browser_id, COUNT(*) FROM http_requests AS r JOIN site_visits AS s ON r.visit_id = s.visit_id"
        " AND r.browser_id = s.browser_id JOIN crawl AS c ON c.browser_id = s.browser_id GROUP BY c.browser_id"
    ).fetchall()

    assert [("https://site.invalid/", number, 2) for number in (1, 2, 3)] == asked
    assert 0 == crawl.execute("SELECT count(*) FROM javascript_cookies").fetchone()[0]


def test_rows_come_back_whole(crawl, rows, hostile):
    """Hostile names too."""
    names = crawl.execute("SELECT creative, before, name FROM capper_exposures").fetchall()

    assert [(row.creative, row.before, hostile) for row in rows] == names
    assert 1 == crawl.execute("SELECT count(*) FROM task").fetchone()[0]
