"""The pages' clients are installed as locked, or the tests that need them say why they are skipped."""

import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
LOCKED = json.loads((HERE / "package-lock.json").read_text())["packages"]


def test_the_lock_has_a_digest_of_each_package_and_names_no_registry():
    """Nothing is installed that is not exactly what was tested, and each place may use its own registry."""
    packages = {name: package for name, package in LOCKED.items() if name}

    assert [] == [name for name, package in packages.items() if not package.get("integrity", "").startswith("sha512-")]
    assert [] == [name for name, package in packages.items() if "resolved" in package]


def test_the_lock_covers_what_the_pages_ask_for():
    """Each package is asked for in one version."""
    asked = json.loads((HERE / "package.json").read_text())["devDependencies"]

    assert asked == {name: LOCKED[f"node_modules/{name}"]["version"] for name in asked}


def test_without_node_the_tests_are_skipped(tmp_path: Path):
    """Where it cannot install them the script says so, and `make test-slow` goes on."""
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))

    run = subprocess.run(
        [shutil.which("bash"), CHECKOUT / "scripts" / "browser-clients"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (run.returncode, run.stdout)
    assert "will be skipped" in run.stderr
