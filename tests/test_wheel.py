"""The wheel works alone: built offline, installed outside the checkout, it does the main job with what travels in it."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
PARTS = ("capper", "config", "addons", "pyproject.toml", "README.md", "LICENSE")


def run(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `command` in `folder` with nothing of this environment that could lead back to the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CAPPER_", "COVERAGE"))}
    return subprocess.run(
        command, cwd=folder, env=kept | {"HOME": str(folder)}, capture_output=True, text=True, check=False, timeout=100
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment's bin folder, with the wheel installed and the locked dependencies lent by this one.

    The dependencies are lent by a .pth to our site-packages: the same files as a second download, in a second. A .pth in
    a lent folder is not followed, so an editable install of the checkout stays out of sight.
    """
    folder = tmp_path_factory.mktemp("a wheel")
    source = folder / "source"
    source.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (CHECKOUT / part).is_dir() else shutil.copy
        copy(CHECKOUT / part, source / part)
    built = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], source)
    assert built.returncode == 0, built.stderr
    (wheel,) = (source / "dist").glob("*.whl")

    place = folder / "env"
    venv.create(place, with_pip=False)
    purelib = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    (purelib / "lent.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", place / "bin" / "python", "install", "--quiet", "--no-index"]
    put = run([*pip, "--no-deps", "--ignore-installed", wheel], folder)
    assert put.returncode == 0, put.stderr
    shutil.rmtree(source)
    return place / "bin"


def test_the_wheel_is_not_the_checkout(installed: Path, tmp_path: Path):
    """The installed package is imported from its own environment."""
    found = run([installed / "python", "-c", "import capper; print(capper.__file__)"], tmp_path)

    assert found.stdout.startswith(str(installed.parent)), found.stderr


def test_its_configuration_travels_in_it(installed: Path, tmp_path: Path):
    """Every file of config/ and addons/cap_ads.py, the ledger's scripts and the translations are in the wheel."""
    where = "import capper; from capper.packaged import packaged_config; print(capper.__path__[0]); print(packaged_config())"
    package, config = map(Path, run([installed / "python", "-c", where], tmp_path).stdout.splitlines())

    def files(folder: Path, *suffixes: str) -> set[str]:
        every = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(folder)) for path in every if not suffixes or path.suffix in suffixes}

    assert config == package / "config"
    assert files(config) == files(CHECKOUT / "config")
    kinds = (".py", ".lua", ".mo", ".po", ".toml", ".typed")
    assert files(CHECKOUT / "capper", *kinds) <= files(package)
    assert files(CHECKOUT / "addons", ".py") <= files(package / "addons")


def test_its_help_reads(installed: Path, tmp_path: Path):
    """`capper --help` and `capper --version` work from the wheel."""
    helped = run([installed / "capper", "--help"], tmp_path)
    version = run([installed / "capper", "--version"], tmp_path)

    assert (helped.returncode, helped.stderr) == (0, "")
    assert "replay" in helped.stdout
    assert version.stdout.startswith("capper 0.")


def test_it_checks_its_own_policy(installed: Path, tmp_path: Path):
    """The starter policy in the wheel is a good one."""
    checked = run([installed / "capper", "policy", "check"], tmp_path)

    assert checked.returncode == 0, checked.stdout + checked.stderr


PAGE = """<!doctype html><html><body><p>News.</p>
<a href="https://adclick.g.doubleclick.net/pcs/click?adurl=https%3A%2F%2Fwww.shoes.example%2F"
><img src="https://tpc.googlesyndication.com/simgad/1" width="300" height="250"></a>
<p>More news.</p></body></html>"""


def recording(loads: int) -> dict[str, object]:
    """A HAR of the same page, loaded once a minute; made up for this test."""

    def entry(number: int) -> dict[str, object]:
        return {
            "startedDateTime": f"2026-11-22T12:{number:02}:00.000Z",
            "time": 10,
            "_resourceType": "document",
            "request": {
                "method": "GET",
                "url": "https://news.example/",
                "httpVersion": "HTTP/1.1",
                "headers": [],
                "queryString": [],
                "cookies": [],
                "headersSize": -1,
                "bodySize": 0,
            },
            "response": {
                "status": 200,
                "statusText": "OK",
                "httpVersion": "HTTP/1.1",
                "headers": [{"name": "content-type", "value": "text/html; charset=utf-8"}],
                "cookies": [],
                "content": {"size": len(PAGE), "mimeType": "text/html", "text": PAGE},
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": len(PAGE),
            },
            "cache": {},
            "timings": {"send": 0, "wait": 10, "receive": 0},
        }

    entries = [entry(number) for number in range(loads)]
    return {"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": entries}}


def test_it_does_the_main_job(installed: Path, tmp_path: Path):
    """`capper replay` from the wheel shows an ad up to its cap and then withholds it, with nothing but the starter lists."""
    (tmp_path / "in.har").write_text(json.dumps(recording(5)))
    (tmp_path / "policy.toml").write_text('caps = ["3 per advertiser per day"]\n')
    asked = ["replay", "in.har", "--policy", "policy.toml", "--out", "out.har", "--journal", "out.jsonl"]
    replayed = run([installed / "capper", *asked], tmp_path)

    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    entries = json.loads((tmp_path / "out.har").read_text())["log"]["entries"]
    verdicts = [json.loads(line)["verdict"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert ["simgad" in entry["response"]["content"]["text"] for entry in entries] == [True] * 3 + [False] * 2
    assert verdicts == ["show"] * 3 + ["withhold"] * 2
