"""The frame of the command line: help, exit codes, errors, start-up."""

import os
import subprocess
import sys
import time
from types import ModuleType

import pytest
import typer

from capper import __version__
from capper.cli import NOUNS
from capper.domain.errors import ConfigError, LedgerUnavailable

COMMAND = [sys.executable, "-c", "from capper.cli import main; main()"]


@pytest.fixture
def noun(monkeypatch):
    """Makes `capper doctor` do whatever a test wants."""

    def become(act):
        sub = typer.Typer()
        sub.command("doctor")(act)
        module = ModuleType("capper.cli.doctor")
        module.app = sub
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return become


def test_help_reads_like_a_page(capper):
    """The first page names every noun, gives examples and spells out the exit codes."""
    page = capper("--help")

    assert page.code == 0
    assert all(f"\n  {name} " in page.out for name in NOUNS)
    assert "\n  Examples:\n    capper run " in page.out
    assert [line.split()[0] for line in page.out.split("Exit codes:\n")[1].splitlines()[:6]] == [
        "0",
        "1",
        "2",
        "3",
        "70",
        "130",
    ]


def test_version(capper):
    """--version prints it."""
    assert capper("--version").out == f"capper {__version__}\n"


def test_a_typo_is_answered_with_a_suggestion(capper):
    """An unknown command is bad input, and the nearest is named."""
    result = capper("polcy")

    assert (result.code, "Did you mean 'policy'?" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ConfigError("read x: it is gone"), 2, "capper: read x: it is gone\n"),
        (LedgerUnavailable("the ledger does not answer"), 3, "capper: the ledger does not answer\n"),
        (ConfigError("a\x1b[2Jb\u202ec\nd"), 2, "capper: a\\x1b[2Jb\\u202ec\nd\n"),
    ],
)
def test_our_errors_are_one_sentence(capper, noun, error, code, sentence):
    """What capper raises on purpose is told on stderr without a traceback, and harmless to a terminal."""

    def act():
        raise error

    noun(act)
    result = capper("doctor")

    assert (result.code, result.out, result.err) == (code, "", sentence)


def test_an_unexpected_error_says_how_to_report_it(capper, noun, monkeypatch):
    """A bug ends with exit code 70 and one sentence; the traceback only where CAPPER_DEBUG asks for it."""

    def act():
        return {}["x"]

    noun(act)
    short = capper("doctor")
    monkeypatch.setenv("CAPPER_DEBUG", "1")
    long = capper("doctor")

    assert (short.code, long.code) == (70, 70)
    assert short.err.startswith("capper: this should not have happened: KeyError: 'x'\nPlease report it")
    assert "Traceback" not in short.err
    assert "Traceback" in long.err


def test_an_interrupt_ends_with_130(capper, noun):
    """Ctrl-C is no error of anybody's."""

    def act():
        raise KeyboardInterrupt

    noun(act)

    assert capper("doctor").code == 130


def test_every_noun_is_there(capper):
    """Each noun of the first page can be asked for its own help."""
    codes = {name: capper(name, "--help").code for name in NOUNS}

    assert codes == dict.fromkeys(NOUNS, 0)


def test_help_is_fast_and_loads_nothing_heavy():
    """`capper --help` in a process of its own: at once, without mitmproxy, numpy or rich."""
    script = (
        "import sys; sys.argv = ['capper', '--help']\n"
        "from capper.cli import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(','.join({'mitmproxy', 'numpy', 'rich', 'redis', 'PIL'} & set(sys.modules)))"
    )
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - start)

    assert result.stdout.startswith("Usage: capper")
    assert result.stderr == ""
    assert min(seconds) < 1.5  # 0.2 s on an idle machine; CI machines are not


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    """`capper ... | head -1` ends without a word on stderr."""
    env = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    with subprocess.Popen(
        [*COMMAND, "policy", "show", "--toml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    ) as process:
        process.stdout.close()
        err = process.stderr.read()

    assert (process.returncode, err) == (0, b"")


def test_a_real_process_tells_its_exit_code(tmp_path):
    """As a process of its own: a bad policy is exit 2 with one clear sentence, also with a terminal of 40 columns."""
    bad = tmp_path / "p.toml"
    bad.write_text('caps = ["3 per advertisr per day"]')
    result = subprocess.run(
        [*COMMAND, "policy", "check", str(bad)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "40"},
    )

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"capper: {bad} line 1: caps[1]: '3 per advertisr per day': expected")
    assert result.stderr.count("\n") == 1


def test_completion_knows_the_nouns_and_their_verbs():
    """Shell completion offers nouns, and a noun's verbs."""

    def complete(words):
        env = {
            **os.environ,
            "_CAPPER_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        script = "import sys; sys.argv[0] = 'capper'\nfrom capper.cli import main; main()"
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=env)
        return result.stdout.split()

    assert complete("capper po") == ["policy"]
    assert complete("capper policy ")[:5] == ["init", "show", "check", "test", "set"]
