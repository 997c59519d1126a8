"""A crawl of OpenWPM's, read as a recording."""

import json
import sqlite3
from contextlib import closing

import pytest

from capper.domain.errors import ConfigError
from capper.measure.har import load
from capper.measure.openwpm import crawl_as_har
from capper.study.formats.openwpm import TABLES, write_openwpm

SIMGAD = "https://tpc.googlesyndication.com/simgad/1234567890"


@pytest.fixture
def crawl(tmp_path):
    """`crawl(table, **values)` writes a row; the path of the file is `crawl.path`."""
    path = tmp_path / "crawl-data.sqlite"
    write_openwpm(path, "none", [], [])
    with closing(sqlite3.connect(path)) as file:

        def write(table, **values):
            assert values.keys() <= set(TABLES[table].split())
            marks = ", ".join("?" * len(values))
            file.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
            file.commit()

        write.path = path
        yield write


@pytest.fixture
def asked(crawl):
    """`asked(url, **values)` writes a request of browser 1 on visit 7."""

    def write(url, number=1, kind="image", **values):
        row = {"browser_id": 1, "visit_id": 7, "request_id": number, "url": url, "method": "GET", "referrer": ""}
        told = {"headers": "[]", "resource_type": kind, "time_stamp": "2026-11-22T12:00:00.000Z"}
        crawl("http_requests", **row | told | values)

    return write


@pytest.fixture
def answered(crawl):
    """`answered(url, status, headers)` writes the response to it."""

    def write(url, status=200, headers=(), number=1):
        row = {"browser_id": 1, "visit_id": 7, "request_id": number, "url": url, "response_status": status}
        crawl("http_responses", **row, response_status_text="OK", headers=json.dumps(headers))

    return write


def test_a_request_and_its_response(crawl, asked, answered):
    """With the page it was for, the browser that asked, the type that Firefox gave it."""
    asked(SIMGAD, headers='[["Accept", "image/*"]]', referrer="https://news.example/")
    answered(SIMGAD, headers=[["Content-Type", "image/png"], ["Content-Length", "17"]])
    [entry] = json.loads(crawl_as_har(crawl.path, 10_000))["log"]["entries"]

    assert ("7", "browser 1", "image") == (entry["pageref"].split("/")[1], entry["_viewer"], entry["_resourceType"])
    assert [["Accept", "image/*"], ["Referer", "https://news.example/"]] == [
        list(field.values()) for field in entry["request"]["headers"]
    ]
    assert (200, {"size": 17, "mimeType": "image/png"}) == (entry["response"]["status"], entry["response"]["content"])


def test_a_redirect_leads_on(crawl, asked):
    """Where to stands in the place of the header that OpenWPM keeps elsewhere."""
    asked("https://a.example/")
    row = {"browser_id": 1, "visit_id": 7, "old_request_id": "1", "old_request_url": "https://a.example/"}
    crawl("http_redirects", **row, new_request_url="https://b.example/", response_status=302, headers="[]")
    [entry] = json.loads(crawl_as_har(crawl.path, 10_000))["log"]["entries"]

    assert (302, [{"name": "Location", "value": "https://b.example/"}]) == (
        entry["response"]["status"],
        entry["response"]["headers"],
    )


def test_a_request_without_an_answer_has_none(crawl, asked):
    """As in a HAR of one that was blocked."""
    asked("https://a.example/", headers="[[1], {}, broken")
    [entry] = json.loads(crawl_as_har(crawl.path, 10_000))["log"]["entries"]

    assert "response" not in entry
    assert [] == entry["request"]["headers"]


def test_whatever_reads_recordings_reads_crawls(crawl, asked, answered):
    """Told by its first bytes, whatever its name."""
    for number in range(3):
        asked(f"{SIMGAD}{number}", number)
        answered(f"{SIMGAD}{number}", number=number)

    assert 3 == len(load(crawl.path))


def test_another_sqlite_file_is_refused(tmp_path):
    """As is one that unfolds to more than may be."""
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE a (b)")
    with pytest.raises(ConfigError, match="not a crawl"):
        load(path)


def test_a_crawl_that_is_too_large_is_refused(crawl, asked):
    """Rather than memory being filled."""
    asked("https://a.example/" + "a" * 1000)
    with pytest.raises(ConfigError, match="larger"):
        crawl_as_har(crawl.path, 500)
