"""`capper audit` of pages: a real Chromium over several virtual days, from the command to its report, and `capper whatif` over it."""

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from capper.audit.plan import Net
from capper.cli import app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def online(internet, chromium, tmp_path, monkeypatch) -> Iterator[Net]:
    """The publishers are on the internet while a command runs."""
    loop, ready, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Net] = []

    async def serve() -> None:
        async with internet(tmp_path) as (net, _):
            found.append(net)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    monkeypatch.setattr("capper.cli.audit.way_to", lambda _: found[0])
    monkeypatch.chdir(tmp_path)
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


@pytest.fixture
def run(settings, tmp_path):
    """Runs the command line over the publishers' lists and a policy of two a week."""
    (tmp_path / "two.toml").write_text('caps = ["2 per advertiser per week"]\n')
    (tmp_path / "capper.toml").write_text(f'lists = ["{settings.lists[0]}"]\nstate = "{settings.state}"\n')
    more = ["--config", "capper.toml", "--policy", "two.toml"]

    def ran(*words: str):
        return CliRunner().invoke(app, [*words, *more])

    return ran


def test_a_publisher_audits_her_pages(online, run, tmp_path, monkeypatch):
    """Three days: caps by the virtual clock, what the runner-up pays, refusals kept and not, a mark that leads nowhere; and resumed."""
    words = ["audit", "https://paper.example/", "--out", "report", "--people", "1", "--visits", "3", "--depth", "0"]
    first = run(*words, "--fail-under", "99")
    found = json.loads((tmp_path / "report" / "audit.json").read_text())
    rows = {(row["code"], row["subject"]): row for row in found["findings"]}
    again = run(*words)
    (tmp_path / "report" / "visits" / "reader-1" / "002.json").unlink()
    resumed = run(*words, "--resume", "--json")
    other = run(*words[:-1], "1", "--resume")
    whatif = run("whatif", "--har", "report", "--json")

    assert (1, 2, 0, 2, 0) == tuple(each.exit_code for each in (first, again, resumed, other, whatif)), first.output
    assert {("choices-unkept", "bank.example"), ("choices-dead", "ads.example")} == set(rows)
    assert 3 == rows["choices-unkept", "bank.example"]["value"]
    assert "404" in rows["choices-dead", "ads.example"]["evidence"][0]
    assert (12, 4, {"2 per advertiser per week": 4}) == tuple(
        found["capped"][key] for key in ("met", "withheld", "by_cap")
    )
    assert ({"EUR": pytest.approx(0.006)}, {"EUR": pytest.approx(0.001)}) == (
        found["capped"]["paid"],
        found["capped"]["lost"],
    )
    assert found["score"] == json.loads(resumed.stdout)["score"]
    assert "depth 0" in other.output
