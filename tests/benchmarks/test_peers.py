"""What the benchmarks do with programs of others."""

import pytest

from benchmarks.peers import requests_a_second
from benchmarks.proxies import program

SAID = """Running 5s test @ http://127.0.0.1:8080/
  1 threads and 8 connections
  1395 requests in 5.00s, 1.71MB read
Requests/sec:    278.93
Transfer/sec:    350.12KB
"""


def test_wrks_report_is_read():
    """Its requests a second."""
    assert requests_a_second(SAID) == 278.93


@pytest.mark.parametrize(
    "said",
    ["", SAID + "  Non-2xx or 3xx responses: 4\n", SAID + "  Socket errors: connect 0, read 1, write 0, timeout 0\n"],
)
def test_requests_that_failed_are_not_speed(said):
    """An error page is quickly sent."""
    with pytest.raises(SystemExit, match="wrk did not get what it asked for"):
        requests_a_second(said)


def test_a_missing_program_is_said_to_be(monkeypatch, tmp_path):
    """With what installs it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="no-such-proxy is not installed: `make bench-peers` installs it"):
        program("no-such-proxy")
