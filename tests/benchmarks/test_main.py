"""The driver as it is run."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import chosen, load_rows
from benchmarks.report import from_json

CHECKOUT = Path(__file__).resolve().parents[2]
ROWS = ("small-http", "first-byte", "claim", "memory-entry", "growth-rules")


def bench(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_short_run(tmp_path):
    """Every part finds its figures with the lists that travel with capper, and the next run compares itself with them."""
    first = bench("--only", *ROWS, "--rounds", "1", "--scale", "0.02", "--lists", "none", "--json", str(tmp_path / "a"))
    figures = from_json((tmp_path / "a").read_text()).figures
    second = bench("--only", "decisions", "--rounds", "1", "--scale", "0.02", "--compare", str(tmp_path / "a"))

    assert first.stderr == ""
    assert set(figures) == set(ROWS)
    assert all(figure.spread.least > 0 for figure in figures.values())
    assert "| what | before | now | change | |" in second.stdout


@pytest.mark.parametrize(
    "words", [("--only", "nothing-of-the-sort"), ("--compare", "/nowhere"), ("--lists", "/nowhere")]
)
def test_what_cannot_be_done_is_said_at_once(words):
    """Before anything is measured."""
    run = bench(*words)

    assert run.returncode == 2
    assert "error: " in run.stderr


def test_every_part_can_be_imported():
    """A row names the module that measures it."""
    import importlib

    parts = {row.part for row in chosen(load_rows(), []).values()}

    assert all(callable(importlib.import_module(f"benchmarks.{part}").measure) for part in parts)
