"""A study as the SQLite file that OpenWPM 0.35 writes of a crawl: its tables and columns by name, so that its notebooks open it.

What a study does not keep is empty: no URL but the network's domain, no headers, no scripts, no cookies. A person is a browser, a load of a
page a visit, an exposure a request. The exposures and visits stand beside these whole, in `capper_exposures` and `capper_visits`.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from capper import __version__
from capper.domain.sighting import Format
from capper.study.exposure import EXPOSURES, VISITS, Column, Exposure, Visit
from capper.study.formats.cells import Told, cells, said, spelled

_SAME = "browser_id visit_id extension_session_uuid event_ordinal"
_TAB = "window_id tab_id frame_id"
TABLES = {
    "task": "task_id start_time manager_params openwpm_version browser_version",
    "crawl": "browser_id task_id browser_params start_time",
    "site_visits": "visit_id browser_id site_url site_rank",
    "crawl_history": "browser_id visit_id command arguments retry_number command_status error traceback duration dtg",
    "http_requests": f"id incognito {_SAME} {_TAB} url top_level_url parent_frame_id frame_ancestors method referrer headers request_id"
    " is_XHR is_third_party_channel is_third_party_to_top_window triggering_origin loading_origin loading_href req_call_stack"
    " resource_type post_body post_body_raw time_stamp",
    "http_responses": f"id incognito {_SAME} {_TAB} url method response_status response_status_text is_cached headers request_id"
    " location time_stamp content_hash",
    "http_redirects": "id incognito browser_id visit_id old_request_url old_request_id new_request_url new_request_id"
    f" extension_session_uuid event_ordinal {_TAB} response_status response_status_text headers time_stamp",
    "javascript": f"id incognito {_SAME} page_scoped_event_ordinal {_TAB} script_url script_line script_col func_name script_loc_eval"
    " document_url top_level_url call_stack symbol operation value arguments time_stamp",
    "javascript_cookies": f"id {_SAME} record_type change_cause expiry is_http_only is_host_only is_session host is_secure name path"
    " value same_site first_party_domain store_id time_stamp",
    "navigations": f"id incognito {_SAME} process_id window_id tab_id tab_opener_tab_id frame_id parent_frame_id window_width"
    " window_height window_type tab_width tab_height tab_cookie_store_id uuid url transition_qualifiers transition_type"
    " before_navigate_event_ordinal before_navigate_time_stamp committed_event_ordinal committed_time_stamp",
    "callstacks": "id request_id browser_id visit_id call_stack",
    "incomplete_visits": "visit_id",
    "dns_responses": "id request_id browser_id visit_id hostname addresses used_address canonical_name is_TRR time_stamp",
}
"""OpenWPM's tables, and the columns of each."""
_NUMBERS = frozenset(
    [
        "id",
        "task_id",
        "browser_id",
        "visit_id",
        "request_id",
        "event_ordinal",
        "site_rank",
        "incognito",
        "response_status",
        "duration",
    ]
)
_UNKEYED = frozenset({"crawl_history", "navigations", "incomplete_visits"})
"""Tables whose first column may hold a number twice."""
_KINDS = {Format.BANNER: "image", Format.IMAGE: "image", Format.FRAME: "sub_frame", Format.VIDEO: "media"}
"""Resource types as Firefox names them; other ads come as data."""


def write_openwpm(path: Path, study: str, exposures: Iterable[Exposure], visits: Iterable[Visit]) -> tuple[int, int]:
    """The file; returns how many exposures and visits."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode = OFF")
        file.execute("BEGIN")
        for table, columns in TABLES.items():
            file.execute(f"CREATE TABLE {table} ({', '.join(_typed(table, columns.split()))})")
        _put(
            file,
            "task",
            task_id=1,
            manager_params=json.dumps({"study": study}),
            openwpm_version="",
            browser_version=f"capper {__version__}",
        )
        crawl = _Crawl(file)
        counts = (
            _whole(file, "capper_exposures", EXPOSURES, (crawl.request(row) for row in exposures)),
            _whole(file, "capper_visits", VISITS, visits),
        )
        file.execute("COMMIT")
    return counts


def read_openwpm(path: Path, table: str) -> Iterator[Told]:
    """The whole rows of `exposures` or `visits` that `write_openwpm` put beside OpenWPM's tables.

    Raises:
        ValueError: it is no such file.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)) as file:
            # What a stranger's file says of itself is not run.
            file.execute("PRAGMA trusted_schema = OFF")
            file.row_factory = sqlite3.Row
            yield from map(dict, file.execute(f"SELECT * FROM capper_{table} ORDER BY rowid"))
    except sqlite3.Error as exc:
        raise ValueError(str(exc)) from exc


def _typed(table: str, columns: Sequence[str]) -> Iterator[str]:
    for place, name in enumerate(columns):
        key = " PRIMARY KEY" if not place and table not in _UNKEYED else ""
        yield f"{name} {'INTEGER' if name in _NUMBERS else 'TEXT'}{key}"


class _Crawl:
    """Numbers for people and loads of pages, in the order in which they come."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        self._browsers: dict[str, int] = {}
        self._visits: dict[tuple[str, str, str], int] = {}
        self._requests = 0

    def request(self, row: Exposure) -> Exposure:
        """Write an exposure as a request, and its browser and visit where they are new; returns it."""
        site, at = f"https://{row.site or 'unknown'}.invalid/", spelled(row.time)
        browser, visit = self._browser(row.person, at), self._visit(row, site)
        self._requests += 1
        _put(
            self._file,
            "http_requests",
            id=self._requests,
            browser_id=browser,
            visit_id=visit,
            url=f"https://{row.network or 'unknown.invalid'}/",
            top_level_url=site,
            method="",
            referrer="",
            headers="[]",
            request_id=self._requests,
            resource_type=_KINDS.get(row.format, "xmlhttprequest"),
            time_stamp=at,
        )
        return row

    def _browser(self, person: str, at: str) -> int:
        if person not in self._browsers:
            self._browsers[person] = len(self._browsers) + 1
            params = json.dumps({"person": person})
            _put(
                self._file, "crawl", browser_id=self._browsers[person], task_id=1, browser_params=params, start_time=at
            )
        return self._browsers[person]

    def _visit(self, row: Exposure, site: str) -> int:
        load = row.person, row.load, row.site
        if load not in self._visits:
            self._visits[load] = len(self._visits) + 1
            number, browser = self._visits[load], self._browsers[row.person]
            _put(self._file, "site_visits", visit_id=number, browser_id=browser, site_url=site)
        return self._visits[load]


def _put(file: sqlite3.Connection, table: str, **values: str | int) -> None:
    marks = ", ".join("?" * len(values))
    file.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def _whole(file: sqlite3.Connection, table: str, columns: Sequence[Column], rows: Iterable[Exposure | Visit]) -> int:
    file.execute(f"CREATE TABLE {table} ({', '.join(f'"{column.name}"' for column in columns)})")
    insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - it is what is returned
        file.execute(insert, [said(value) for value in cells(row, columns)])
    return count
