"""What a newcomer relies on before any code runs: the lock file, the layers, the scripts."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
BASH = shutil.which("bash") or "/bin/bash"
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
LOCK = (CHECKOUT / "requirements.lock").read_text()
EXTRAS = [each for some in PROJECT["project"]["optional-dependencies"].values() for each in some]


def canonical(name: str) -> str:
    """A package's name as the lock file writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirement: str) -> str:
    """The package that a requirement asks for."""
    return canonical(re.match(r"[A-Za-z0-9._-]+", requirement)[0])


def locked() -> dict[str, str]:
    """Each locked package and its lines of the lock file."""
    entries = re.split(r"(?m)^(?=\S)", LOCK)
    return {named(entry): entry for entry in entries if entry.strip()}


def test_the_lock_covers_every_dependency():
    """Whatever pyproject.toml asks for, to run or to test, is in the lock."""
    asked = {*PROJECT["project"]["dependencies"], *EXTRAS, *PROJECT["dependency-groups"]["dev"]}
    asked |= set(PROJECT["build-system"]["requires"])

    assert {named(requirement) for requirement in asked} - set(locked()) == set()


def test_every_locked_package_is_pinned_with_hashes():
    """Nothing is installed that is not exactly what was tested."""
    loose = [
        name for name, entry in locked().items() if not re.search(r"==\S+.*(?s:.)*--hash=sha256:[0-9a-f]{64}", entry)
    ]

    assert loose == []


def test_the_lock_names_no_index():
    """The lock holds no address, so that each place may use its own index."""
    assert re.findall(r"(?i)https?:|--(?:extra-)?index|--find-links|file:|git\+", LOCK) == []


def test_imports_keep_to_the_layers():
    """Imports point down only, and each third-party package is imported by its owner alone."""
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_what_is_imported_is_asked_for():
    """Every third-party package that capper imports is a dependency of its own, not one that another happens to bring."""
    lines = (line for path in (CHECKOUT / "capper").rglob("*.py") for line in path.read_text().splitlines())
    imports = (re.match(r"\s*(?:from|import) ([A-Za-z_]\w*)", line) for line in lines)
    names = {found[1] for found in imports if found} - set(sys.stdlib_module_names) - {"capper"}
    sources = packages_distributions()
    brought = {canonical(source) for name in names for source in sources.get(name, ())}

    asked = {named(requirement) for requirement in [*PROJECT["project"]["dependencies"], *EXTRAS]}

    assert brought - asked == set()


def test_every_dependency_has_a_reason():
    """docs/decisions.md says of each direct dependency why it was chosen."""
    reasons = (CHECKOUT / "docs" / "decisions.md").read_text().lower()
    asked = [*PROJECT["project"]["dependencies"], *EXTRAS, *PROJECT["dependency-groups"]["dev"]]

    assert [named(one) for one in asked if f"`{named(one)}`" not in reasons] == []


@pytest.fixture
def script(tmp_path: Path):
    """Runs one of scripts/ on a PATH with only the commands given (name -> shell script)."""

    def run(
        name: str, commands: dict[str, str], *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "some bin"
        folder.mkdir()
        for command, body in commands.items():
            (folder / command).write_text(f"#!{BASH}\n{body}\n")
            (folder / command).chmod(0o755)
        fixed = {"PATH": str(folder), "HOME": str(tmp_path)}
        return subprocess.run(
            [BASH, CHECKOUT / "scripts" / name, *arguments],
            env=fixed | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


THIS = f"{sys.version_info[0]}.{sys.version_info[1]}"
OLD = "exit 1"
WORKS = f'exec "{sys._base_executable}" "$@"'


def test_a_python_that_runs_is_found_behind_one_that_does_not(script, tmp_path: Path):
    """A launcher with no Python behind it is passed over, also in a folder with a space in its name."""
    run = script("find-python", {f"python{THIS}": OLD, "python3": WORKS}, THIS)

    assert run.stdout == f"{tmp_path}/some bin/python3\n"


def test_a_python_under_pyenv_is_found(script, tmp_path: Path):
    """Where PATH has nothing new enough, pyenv's versions are tried."""
    (tmp_path / "env" / "versions" / f"{THIS}.0" / "bin").mkdir(parents=True)
    inside = tmp_path / "env" / "versions" / f"{THIS}.0" / "bin" / "python3"
    inside.write_text(f"#!{BASH}\n{WORKS}\n")
    inside.chmod(0o755)
    run = script("find-python", {"python3": OLD}, THIS, PYENV_ROOT=str(tmp_path / "env"))

    assert run.stdout == f"{inside}\n"


def test_without_a_python_one_sentence_says_what_to_install(script):
    """No Python that will do: the exit code is 1 and one line says what to install."""
    run = script("find-python", {"python3": OLD}, "3.99")

    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert "apt-get install" in run.stderr


def test_a_named_python_is_taken_at_its_word(script):
    """CAPPER_PYTHON is used or refused, never silently replaced."""
    run = script("find-python", {"python3": WORKS, "mine": OLD}, CAPPER_PYTHON="mine")

    assert (run.returncode, run.stdout) == (1, "")
    assert "CAPPER_PYTHON=mine" in run.stderr


HAVE = dict.fromkeys(("redis-server", "chromium", "certutil"), "exit 9")


def test_nothing_is_installed_where_nothing_is_missing(script):
    """A machine that has what the tests need is left alone."""
    run = script("system-packages", HAVE | {"apt-get": "exit 9"})

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_what_is_missing_comes_from_the_distribution(script):
    """Root installs just the missing packages, unasked."""
    have = {"redis-server": "exit 9", "id": "echo 0", "apt-get": 'echo "apt-get $*"'}
    run = script("system-packages", have)

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "apt-get -q -y install --no-install-recommends chromium libnss3-tools"


def test_what_benchmarks_need_is_not_installed_for_tests(script):
    """Nor is what tests need for benchmarks; a machine that has it is left alone."""
    have = dict.fromkeys(("privoxy", "nginx", "wrk"), "exit 9") | {"apt-get": "exit 9"}
    run = script("system-packages", have, "benchmarks")

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("have", [{"id": "echo 1000", "apt-get": ""}, {"id": "echo 0"}], ids=["no sudo", "no apt-get"])
def test_who_cannot_install_is_told_what_to_install(script, have: dict[str, str]):
    """Without the means, one sentence names the packages."""
    run = script("system-packages", have)

    assert (run.returncode, run.stdout) == (1, "")
    assert "redis-server chromium libnss3-tools" in run.stderr


@pytest.mark.parametrize(
    "file", [*sorted((CHECKOUT / "scripts").iterdir()), CHECKOUT / ".ci" / "run"], ids=lambda p: p.name
)
def test_scripts_are_sound(file: Path):
    """Each script parses, may be executed, and stops at the first error, as Python does by itself."""
    assert os.access(file, os.X_OK)
    if "python" in file.read_text().partition("\n")[0]:
        compile(file.read_text(), file.name, "exec")
        return
    parse = subprocess.run([BASH, "-n", file], capture_output=True, text=True, check=False)

    assert parse.stderr == ""
    assert "set -euo pipefail" in file.read_text()
