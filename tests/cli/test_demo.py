"""`capper demo` as a person runs it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(120)


def command(*arguments: str) -> list[str]:
    """The command as the console script would run it."""
    return [sys.executable, "-c", "from capper.cli import main; main()", "demo", *arguments]


def test_the_tour_ends_in_a_table(tmp_path: Path):
    """A newcomer sees each stop, and then who was shown what, how often, and why not more; nothing else is printed."""
    told = subprocess.run(command(), capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (told.returncode, told.stderr) == (0, "")
    stops, _, table = told.stdout.partition("\n\n")
    assert len(stops.splitlines()) == 9
    assert "shoes.example withheld (3 per advertiser per day, 3 counted)" in stops
    assert [line.split()[:4] for line in table.splitlines() if line.startswith(("anna", "ben"))] == [
        ["anna", "coffee.example", "3", "1"],
        ["anna", "shoes.example", "4", "3"],
        ["anna", "travel.example", "3", "0"],
        ["ben", "coffee.example", "1", "0"],
        ["ben", "shoes.example", "2", "0"],
        ["ben", "travel.example", "0", "1"],
    ]
    assert list(tmp_path.iterdir()) == []


def test_json_says_the_same(tmp_path: Path):
    """`--json` prints one document with the stops and the table; `--keep` leaves the files that made it."""
    told = subprocess.run(
        command("--json", "--keep", "here"), capture_output=True, text=True, check=False, cwd=tmp_path
    )
    document = json.loads(told.stdout)

    assert len(document["stops"]) == 9
    assert document["table"][1] | {"reopens": None} == {
        "person": "anna",
        "advertiser": "shoes.example",
        "shown": 4,
        "withheld": 3,
        "why": "3 per advertiser per day, 3 counted",
        "reopens": None,
    }
    assert {"policy.toml", "state", "demo-internet.pem"} <= {path.name for path in (tmp_path / "here").iterdir()}


def test_a_folder_in_use_is_left_alone(tmp_path: Path):
    """`--keep` takes no folder that holds something already."""
    (tmp_path / "mine").write_text("letters")
    told = subprocess.run(command("--keep", str(tmp_path)), capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (told.returncode, told.stdout) == (2, "")
    assert "not empty" in told.stderr


def test_it_stays_until_interrupted(tmp_path: Path):
    """`--serve` leaves the world running, says how to enter it, and ends quietly with Ctrl-C."""
    demo = subprocess.Popen(
        command("--serve", "--ledger", "memory"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert demo.stdout
    try:
        told = ""
        while "Ctrl-C ends it." not in told:
            line = demo.stdout.readline()
            assert line, told
            told += line
        demo.send_signal(signal.SIGINT)
        _, errors = demo.communicate(timeout=60)
    finally:
        demo.kill()

    assert told.count("--proxy-server=http://127.0.0.1:") == 3
    assert (demo.returncode, errors) == (0, "")
