"""`capper measure import`: from what others recorded, or capper exported, to a report."""

import json
import sqlite3
from contextlib import closing

import pytest

from capper.study.formats.openwpm import write_openwpm

AD = "https://tpc.googlesyndication.com/simgad/12345678900{}"
PAGE = "https://{}.example/story"


@pytest.fixture
def crawl(tmp_path):
    """Two browsers of an OpenWPM crawl, each on two sites; on each load three pictures of ads, of which one is always the same."""
    path = tmp_path / "crawl-data.sqlite"
    write_openwpm(path, "none", [], [])
    rows = []
    for visit in range(4):
        page = PAGE.format(("news", "blog")[visit % 2])
        rows.append((visit, page, "main_frame", "text/html", ""))
        rows += [(visit, AD.format(number), "image", "image/png", page) for number in (1, 10 + visit, 20 + visit)]
    with closing(sqlite3.connect(path)) as file:
        for number, (visit, url, kind, mime, page) in enumerate(rows):
            file.execute(
                "INSERT INTO http_requests (id, browser_id, visit_id, request_id, url, method, referrer, headers, resource_type, time_stamp)"
                " VALUES (?, ?, ?, ?, ?, 'GET', ?, '[]', ?, ?)",
                (number, visit // 2, visit, number, url, page, kind, f"2026-11-22T12:0{visit}:{number:02}.000Z"),
            )
            file.execute(
                "INSERT INTO http_responses (id, browser_id, visit_id, request_id, url, response_status, headers) VALUES (?, ?, ?, ?, ?, 200, ?)",
                (
                    number,
                    visit // 2,
                    visit,
                    number,
                    url,
                    json.dumps([["Content-Type", mime], ["Content-Length", "9000"]]),
                ),
            )
        file.commit()
    return path


def test_a_crawl_of_openwpms_is_reported_on(capper, crawl, tmp_path, monkeypatch):
    """Each browser is a person: what each met on how many sites, by the crawl's own clock; an export of it tells the same."""
    monkeypatch.setenv("CAPPER_JOURNAL_LEVEL", "3")
    said = capper("measure", "import", "crawl", crawl, "--crawl")
    told = json.loads(capper("measure", "report", "crawl", "--key", "creative", "--json").out)
    [met] = told["by_key"]

    assert "crawl has 12 exposures of 2 people, from 2026-11-22 12:00" in said.out
    assert ("2026-11-22T12:00:00+00:00", 4) == (told["from"], told["visits"])
    assert (12, 9, 2) == (met["all"]["exposures"], met["all"]["ads"], met["all"]["sites_most"])
    assert 1.0 == told["coverage"]["sited"]

    capper("measure", "export", "crawl", "--format", "csv", "--out", tmp_path / "rows", "--yes")
    said = capper("measure", "import", "again", tmp_path / "rows")
    one, other = (json.loads(capper("measure", "report", name, "--json").out) for name in ("crawl", "again"))

    assert "again has 12 exposures of 2 people" in said.out
    assert one | {"study": "again"} == other


def test_what_cannot_be_imported(capper, crawl, tmp_path, monkeypatch):
    """Is said in a sentence, and leaves no study behind."""
    monkeypatch.setenv("CAPPER_JOURNAL_LEVEL", "3")
    empty = tmp_path / "empty.har"
    empty.write_text('{"log": {"entries": []}}')
    capper("measure", "start", "crawl")
    for sources, reason in (
        ([crawl], "already"),
        ([empty], "nothing was found"),
        ([tmp_path / "none.har"], "no such file"),
        ([tmp_path, crawl], "by itself"),
        ([tmp_path], "capper measure export"),
    ):
        said = capper("measure", "import", "crawl" if reason == "already" else "other", *sources)

        assert 2 == said.code
        assert reason in said.err
    assert 1 == len(json.loads(capper("measure", "status", "--json").out))
