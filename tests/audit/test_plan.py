"""Where pages are on this machine, and that visits are gone on with as they were begun."""

import socket
from dataclasses import replace
from datetime import timedelta

import pytest

from capper.audit.plan import Net, Plan, recordings_of, way_to
from capper.domain.errors import ConfigError
from capper.testing import NOON


def test_a_site_under_development_is_reached_by_its_port_alone():
    """What is not named is as far as it ever was."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        assert Net({("localhost", port): ("127.0.0.1", port)}) == way_to(
            [f"http://localhost:{port}/a", f"http://localhost:{port}/b", "https://paper.example/"]
        )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:8000/", "call this machine localhost"),
        ("http://[::1/", "no address"),
        ("https:///x", "names no host"),
    ],
)
def test_a_page_that_cannot_be_reached_is_told(url, words):
    """Before a browser is started."""
    with pytest.raises(ConfigError, match=words):
        way_to([url])


def test_nobody_answers():
    """A server that was forgotten is the likeliest reason."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConfigError, match=f"nothing answers at port {port}"):
        way_to([f"http://localhost:{port}/"])


@pytest.fixture
def plan(tmp_path) -> Plan:
    """Of one page."""
    return Plan(("https://paper.example/",), tmp_path, NOON)


def test_a_plan_that_is_gone_on_with_has_the_days_it_had(plan):
    """So that visits which come after midnight are not a day further from the others."""
    plan.keep()

    assert plan == replace(plan, begin=NOON + timedelta(days=3)).resumed()


@pytest.mark.parametrize(
    "other", [{"pages": ("https://bad.example/",)}, {"people": 9}, {"visits": 1}, {"depth": 0}, {"seed": 5}]
)
def test_a_plan_that_is_another_is_refused(plan, other):
    """Visits of two plans are no audit; which word differs is said."""
    plan.keep()

    with pytest.raises(ConfigError, match=next(iter(other))):
        replace(plan, **other).resumed()


def test_a_plan_of_which_no_visit_was_paid_is_not_begun(plan):
    """Who mistyped an address names another and goes on."""
    plan.keep()
    before = plan.begun()
    (plan.visited / "reader-1").mkdir()
    (plan.visited / "reader-1" / "001.json").touch()

    assert (False, True) == (before, plan.begun())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"begin": 5}', '{"begin": "soon"}'])
def test_a_damaged_plan_is_told(plan, text):
    """It cannot be gone on with."""
    plan.keep()
    (plan.visited / "plan.json").write_text(text)

    with pytest.raises(ConfigError, match="cannot be read"):
        plan.resumed()


def test_recordings_of_an_audit_are_its_visits(tmp_path):
    """In the order of readers and days, without those in which ads were refused."""
    folder = tmp_path / "visits" / "reader-1"
    folder.mkdir(parents=True)
    for name in ("002.har.gz", "001.har.gz", "001-1.tried.har.gz", "001.json"):
        (folder / name).touch()

    assert [folder / "001.har.gz", folder / "002.har.gz"] == recordings_of(tmp_path)
    with pytest.raises(ConfigError, match="holds no visits"):
        recordings_of(folder)
